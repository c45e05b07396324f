//! The connections of the configuration: the commands that add, remove and list them, match rules,
//! aliases, and the commands that work on all of them.

use std::fs;

use serde_json::Value;

#[cfg(unix)]
use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

const ID: &str = "foo0bar1baz2quux3quuux4abc";

pub fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox
}

pub fn configure(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.own().join("config.toml"), text).expect("written");
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).expect("a configuration")
}

pub fn passfile(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("p")).expect("text")
}

/// Writes profiles whose access keys have the names of the profiles.
fn profiles(sandbox: &Sandbox) {
    let keys = |name| format!("[{name}]\naws_access_key_id = {name}\naws_secret_access_key = s\n");
    sandbox.write(".aws/credentials", ["pa", "pb"].map(keys).concat());
}

/// Returns the port, user and profile of a token for this target.
fn answer(sandbox: &Sandbox, target: &[&str]) -> (u16, Value, Value) {
    let json = sandbox.ok(&[&["token"], target, &["--format", "json", "--quiet"]].concat());
    let mut json: Value = serde_json::from_str(&json).expect("JSON");
    let port = json["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok())
        .expect("a port");
    (port, json["user"].take(), json["source"]["profile"].take())
}

#[test]
fn add_and_remove_leave_the_rest_of_the_file_as_it_was() {
    let sandbox = sandbox();
    let mine = "# mine\ncache = \"file\" # not the keyring\n\n[connections.old]\n\
        host = 'h.dsql.eu-west-1.on.aws'\n";
    configure(&sandbox, mine);
    sandbox.ok(&[
        "add",
        "prod",
        ID,
        "--region",
        "us-east-1",
        "--expires-in",
        "max",
        "--alias",
        "localhost:15432",
    ]);
    assert!(config(&sandbox).starts_with(mine));
    assert!(sandbox.ok(&["token", "prod"]).starts_with(HOST));
    sandbox
        .run(&["add", "prod", ID, "--region", "us-east-1"])
        .assert_fails(2, "--replace");
    sandbox.ok(&[
        "add",
        "prod",
        "postgres://app@other.dsql.us-east-1.on.aws",
        "--replace",
    ]);
    assert!(sandbox.ok(&["token", "prod"]).contains("Action=DbConnect&"));
    sandbox.ok(&["remove", "prod"]);
    assert_eq!(config(&sandbox), mine);
    sandbox.run(&["remove", "prod"]).assert_fails(4, "prod");
    sandbox.run(&["add", "a.b", HOST]).assert_fails(2, "a.b");
    assert_eq!(config(&sandbox), mine);
}

#[test]
fn errors_in_the_configuration_name_file_line_and_key() {
    let sandbox = sandbox();
    configure(&sandbox, "[connections.prod]\nhost = 'h'\nport = 0\n");
    let file = sandbox.own().join("config.toml").display().to_string();
    for command in [
        &["list"][..],
        &["token", HOST],
        &["add", "x", HOST],
        &["remove", "prod"],
        &["refresh"],
    ] {
        sandbox
            .run(command)
            .assert_fails(2, &format!("{file}: line 3: connections.prod.port"));
    }
    let other = sandbox
        .write("other.toml", "[[match]]\nhost = '*'\nuser = 'app'\n")
        .display()
        .to_string();
    assert!(
        sandbox
            .ok(&["token", HOST, "--config", &other])
            .contains("Action=DbConnect&")
    );
}

#[test]
fn match_rules_come_after_the_users_own_words_and_before_defaults() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "max_expires_in = '2h'\n[[match]]\nhost = '*.dsql.us-*.on.aws'\nprofile = 'dev'\n\
         expires_in = '1h'\nuser = 'app'\n",
    );
    sandbox.write(
        ".aws/credentials",
        "[dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = s\n",
    );
    let token = sandbox.ok(&["token", HOST]);
    assert!(
        token.contains("Action=DbConnect&")
            && token.contains("=DEVKEY%2F")
            && token.contains("X-Amz-Expires=3600&")
    );
    assert!(
        sandbox
            .ok(&["token", HOST, "--user", "admin"])
            .contains("DbConnectAdmin")
    );
    assert!(
        !sandbox
            .ok(&["token", "h.dsql.eu-west-1.on.aws"])
            .contains("DEVKEY")
    );
    assert!(
        sandbox
            .ok(&["token", HOST, "--expires-in", "max"])
            .contains("X-Amz-Expires=7200&")
    );
    sandbox
        .run(&["token", HOST, "--expires-in", "3h"])
        .assert_fails(2, "max_expires_in is 7200 s");
    sandbox.set("PGUSER", "bob");
    assert!(
        sandbox
            .ok(&["token", HOST, "--format", "json"])
            .contains(r#""user":"bob""#)
    );
}

/// The target is a host that belongs to no connection. `refresh` is given its profile; `prompt` is
/// not.
#[test]
fn with_a_valid_token_in_the_passfile_nobody_has_to_log_in() {
    let mut sandbox = sandbox();
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    sandbox.write(
        ".aws/credentials",
        "[dev]\naws_access_key_id = K\naws_secret_access_key = s\n",
    );
    sandbox
        .run(&["token", HOST])
        .assert_fails(3, "no AWS credentials");
    let prompt = &["prompt", HOST, "--format", "{left} {state}"];
    assert_eq!(sandbox.ok(prompt), "- needs-login\n");
    sandbox.ok(&["refresh", HOST, "--profile", "dev"]);
    assert_eq!(sandbox.ok(prompt), "15 min fresh\n");
    sandbox.at("2030-01-01T00:12:00Z");
    assert_eq!(
        sandbox.ok(prompt),
        "- needs-login\n",
        "it is due, and cannot be renewed"
    );
}

/// A removed connection leaves nothing: no token, no entry in a tool, and no empty configuration.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn remove_takes_tokens_and_entries_with_it() {
    let mut sandbox = sandbox();
    sandbox.unset("PGCRED_HOME").set("PGCRED_CACHE", "file");
    sandbox.ok(&["add", "prod", HOST, "--alias", "localhost:15432"]);
    sandbox.ok(&["add", "two", "two.dsql.us-east-1.on.aws"]);
    sandbox.ok(&["refresh"]);
    sandbox.ok(&["refresh", "prod", "--passfile", "elsewhere"]);
    sandbox.ok(&["setup", "psql", "--yes"]);
    sandbox.ok(&["setup", "pgadmin", "--yes"]);
    let run = sandbox.run(&["remove", "prod"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "removed prod",
        ".pgpass: erased 2 tokens",
        "elsewhere: erased 2 tokens; the file is gone",
        "pg_service",
    ] {
        assert!(run.stderr.contains(said), "{said} not in {}", run.stderr);
    }
    let left = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(left.contains("two.") && !left.contains(HOST), "{left}");
    for file in [".pg_service.conf", ".config/pgcred/pgadmin-servers.json"] {
        let text = String::from_utf8(sandbox.read(file)).expect("text");
        assert!(
            text.contains("two.dsql") && !text.contains("prod") && !text.contains(HOST),
            "{file}: {text}"
        );
    }
    assert!(!sandbox.path("elsewhere").exists());
    sandbox.ok(&["remove", "two"]);
    sandbox.ok(&["erase", "--all"]);
    let left: Vec<_> = fs::read_dir(sandbox.home())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Without a home directory pgcred looks for no tools. A token that it could not erase is still an
/// error.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn remove_without_a_home_directory_names_what_it_could_not_erase() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["refresh", "prod", "--passfile", "pass"]);
    sandbox.write(
        "pass",
        [&sandbox.read("pass")[..], b"# pgcred end\n"].concat(),
    );
    // The system does not know this account, so only the variable names its home directory.
    let pgcred = sandbox.installed("bin/pgcred").display().to_string();
    for (recursive, path) in [
        ("-R", sandbox.own()),
        ("-h", sandbox.home()),
        ("-h", &*sandbox.path("pass")),
    ] {
        let mut give = sandbox.command("chown");
        give.args([recursive, "54321:54321"]).arg(path);
        assert_eq!(Run::of(give).code, 0);
    }
    let mut remove = sandbox.command("setpriv");
    remove.args([
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
        &pgcred,
        "remove",
        "prod",
    ]);
    remove
        .env_remove("HOME")
        .env("PGPASSFILE", sandbox.path("pass"));
    let run = Run::of(remove);
    run.assert_fails(2, "pgcred's block is damaged");
    assert!(
        run.stderr
            .contains("warning: the entries of prod in tools were not removed: no home"),
        "{}",
        run.stderr
    );
}

/// `remove` erases the tokens of the connection, even if variables of the shell name another one.
#[test]
fn remove_ignores_the_variables_of_the_shell() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "a", HOST]);
    sandbox.ok(&["add", "b", HOST, "--port", "6543"]);
    sandbox.ok(&["refresh"]);
    let lines = || String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        lines().contains(":5432:*:") && lines().contains(":6543:*:"),
        "{}",
        lines()
    );
    let mut remove = sandbox.pgcred(&["remove", "a"]);
    remove.env("PGPORT", "6543");
    let run = Run::of(remove);
    assert!(
        run.code == 0 && run.stderr.contains("erased 1 token"),
        "{}",
        run.stderr
    );
    assert!(
        !lines().contains(":5432:*:") && lines().contains(":6543:*:"),
        "{}",
        lines()
    );
    sandbox
        .set("PGUSER", "app")
        .set("PGPORT", "many")
        .ok(&["remove", "b"]);
    assert!(!sandbox.path(".pgpass").exists());
}

/// One host name stands for two databases. The arguments and the variables of the shell decide
/// which of them gets the token.
#[test]
fn the_port_and_user_of_the_shell_help_to_find_the_connection_of_a_host() {
    let mut sandbox = sandbox();
    profiles(&sandbox);
    let add = |name: &str, port: &str, profile: &str| {
        sandbox.ok(&[
            "add",
            name,
            RDS_HOST,
            "--port",
            port,
            "--user",
            "app",
            "--profile",
            profile,
        ]);
    };
    add("a", "5432", "pa");
    add("b", "6543", "pb");
    assert_eq!(
        answer(&sandbox, &[RDS_HOST]),
        (5432, "app".into(), "pa".into())
    );
    sandbox.set("PGPORT", "6543");
    assert_eq!(
        answer(&sandbox, &[RDS_HOST]),
        (6543, "app".into(), "pb".into())
    );
    assert_eq!(
        answer(&sandbox, &[RDS_HOST, "--port", "5432"]),
        (5432, "app".into(), "pa".into())
    );
    assert_eq!(answer(&sandbox, &["a"]), (5432, "app".into(), "pa".into()));
    sandbox.set("PGPORT", "1");
    assert_eq!(
        answer(&sandbox, &[RDS_HOST, "--user", "app"]),
        (1, "app".into(), Value::Null)
    );
    // The AWS CLI does not know connections, so its emulation ignores them.
    sandbox.ok(&["add", "c", HOST, "--profile", "pb"]);
    sandbox.ok(&[
        "add",
        "d",
        "d.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
        "--user",
        "app",
        "--profile",
        "pa",
    ]);
    let dsql = [
        "aws",
        "dsql",
        "generate-db-connect-admin-auth-token",
        "--region",
        "us-east-1",
        "--hostname",
        HOST,
    ];
    assert!(sandbox.ok(&dsql).contains("=pb%2F"));
    let rds = [
        "aws",
        "rds",
        "generate-db-auth-token",
        "--region",
        "eu-west-1",
        "--port",
        "5432",
        "--username",
        "app",
    ];
    let token = sandbox.ok(&[
        &rds[..],
        &["--hostname", "d.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com"],
    ]
    .concat());
    assert!(
        token.contains(":5432/") && token.contains("=pa%2F"),
        "{token}"
    );
    sandbox.unset("PGPORT").set("PGUSER", "other");
    assert_eq!(
        answer(&sandbox, &[RDS_HOST]),
        (5432, "other".into(), Value::Null)
    );
    assert_eq!(answer(&sandbox, &["b"]), (6543, "app".into(), "pb".into()));
}

/// Many tunnels can begin at one host. The port, or the endpoint that is signed, tells which
/// connection is meant.
#[test]
fn the_addresses_of_two_tunnels_are_told_apart() {
    let sandbox = sandbox();
    profiles(&sandbox);
    let other = "other.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let add = |name: &str, signed: &str, profile: &str| {
        let sign_host = format!("{signed}:5432");
        let words = [
            "add",
            name,
            "localhost:15432",
            "--sign-host",
            &sign_host,
            "--user",
            "app",
            "--profile",
            profile,
        ];
        sandbox.ok(&words);
    };
    add("tun", RDS_HOST, "pa");
    let of_tunnel = (15432, "app".into(), "pa".into());
    assert_eq!(answer(&sandbox, &["localhost:15432"]), of_tunnel);
    assert_eq!(
        answer(&sandbox, &["localhost:15432", "--sign-host", RDS_HOST]),
        of_tunnel
    );
    assert_eq!(
        answer(&sandbox, &["localhost:15432", "--provider", "rds"]),
        of_tunnel
    );
    let nobodys = |port: u16| (port, "app".into(), Value::Null);
    for (target, port) in [("localhost", 5432), ("localhost:15432", 15432)] {
        assert_eq!(
            answer(&sandbox, &[target, "--sign-host", other, "--user", "app"]),
            nobodys(port),
            "{target}"
        );
        let dsql = [
            "--provider",
            "dsql",
            "--region",
            "us-east-1",
            "--user",
            "app",
        ];
        assert_eq!(
            answer(&sandbox, &[&[target], &dsql[..]].concat()),
            nobodys(port),
            "{target}"
        );
    }
    let unlike = format!("{RDS_HOST}:5433");
    assert_eq!(
        answer(
            &sandbox,
            &["localhost:15432", "--sign-host", &unlike, "--user", "app"]
        ),
        nobodys(15432)
    );
    sandbox
        .run(&["token", "localhost"])
        .assert_fails(4, "`localhost` is not a configured connection");
    add("second", other, "pb");
    assert_eq!(
        answer(&sandbox, &["localhost:15432", "--sign-host", other]),
        (15432, "app".into(), "pb".into())
    );
    // The name of a connection selects it, whatever the options say.
    let signed = sandbox.ok(&["token", "tun", "--sign-host", other]);
    assert!(
        signed.starts_with(other) && signed.contains("=pa%2F"),
        "{signed}"
    );
}

/// The file for shell hooks is not part of the configuration. If it cannot be written, that is only
/// a warning.
#[cfg(unix)]
#[test]
fn a_file_for_hooks_that_cannot_be_written_stops_neither_add_nor_remove() {
    let sandbox = sandbox();
    fs::create_dir_all(sandbox.own().join("cache/due")).expect("a directory in the way");
    for words in [&["add", "prod", HOST][..], &["remove", "prod"]] {
        let run = sandbox.run(words);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr
                .contains("warning: shell prompts may still show the previous configuration"),
            "{}",
            run.stderr
        );
        let stands = fs::read_to_string(sandbox.own().join("config.toml"))
            .is_ok_and(|text| text.contains("prod"));
        assert_eq!(stands, words[0] == "add");
    }
}

/// Only `--debug` says from which source each value came.
#[test]
fn debug_says_where_each_value_came_from() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "[connections.shop]\nhost = 'shop.c1.eu-west-1.rds.amazonaws.com'\nuser = 'app'\n\
         [[match]]\nhost = 'other.*'\nprofile = 'none'\n\
         [[match]]\nhost = 'shop.*'\nexpires_in = '10m'\nprofile = 'dev'\n",
    );
    sandbox.write(
        ".aws/credentials",
        "[dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = s\n",
    );
    let origins = |arguments: &[&str]| -> String {
        let run = sandbox.run(&[&["token"], arguments].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let lines = run.stderr.lines();
        let mut found = lines.filter_map(|line| line.strip_prefix("pgcred: debug: request: "));
        found.next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        origins(&["shop", "--port", "6432", "--sign-host", RDS_HOST, "--debug"]),
        format!(
            "host shop.c1.eu-west-1.rds.amazonaws.com (connection `shop`), port 6432 (--port), \
             user app (connection `shop`), dbname postgres (default of rds), profile dev (match \
             rule 2), \
             region eu-west-1 (from the host), sign-host {RDS_HOST}:5432 (--sign-host), \
             provider rds (from the host), expires-in 600 s (match rule 2)"
        )
    );
    assert_eq!(origins(&["shop"]), "");
    sandbox.set("PGHOST", HOST).set("PGDATABASE", "books");
    let run = sandbox.run(&[
        "token",
        "postgres://bob@/?port=5433",
        "--debug",
        "--region",
        "us-east-1",
    ]);
    let said = "port 5433 (TARGET), user bob (TARGET), dbname books (PGDATABASE), \
                region us-east-1 (--region), provider dsql (from the host), expires-in 900 s \
                (default)";
    assert!(
        run.stderr
            .contains(&format!("host {HOST} (PGHOST), {said}\n")),
        "{}",
        run.stderr
    );
}
