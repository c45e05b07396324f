//! Connections in the configuration: add, remove, list, match rules, aliases, refresh of all that
//! is due, prompt.

use std::fs;

use serde_json::Value;

use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

const ID: &str = "foo0bar1baz2quux3quuux4abc";

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox
}

fn configure(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.own().join("config.toml"), text).expect("written");
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).expect("a configuration")
}

fn passfile(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("p")).expect("text")
}

/// Profiles whose keys have their names.
fn profiles(sandbox: &Sandbox) {
    let keys = |name| format!("[{name}]\naws_access_key_id = {name}\naws_secret_access_key = s\n");
    sandbox.write(".aws/credentials", ["pa", "pb"].map(keys).concat());
}

/// Port, user and profile of a token for this target.
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
fn add_and_remove_leave_the_rest_as_it_was() {
    let sandbox = sandbox();
    let mine = "# mine\ncache = \"file\" # not the keyring\n\n[connections.old]\nhost = 'h.dsql.eu-west-1.on.aws'\n";
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
fn match_rules_stand_behind_what_was_said_and_before_defaults() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "max_expires_in = '2h'\n[[match]]\nhost = '*.dsql.us-*.on.aws'\nprofile = 'dev'\nexpires_in = '1h'\nuser = 'app'\n",
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

#[test]
fn refresh_of_everything_files_what_is_due_and_nothing_else() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "one", HOST, "--alias", "localhost:15432"]);
    sandbox.ok(&[
        "add",
        "two",
        "two.dsql.us-east-1.on.aws",
        "--user",
        "app",
        "--expires-in",
        "1h",
    ]);
    let refresh = &["refresh", "--passfile", "p"];
    sandbox.ok(refresh);
    let first = passfile(&sandbox);
    for line in [
        format!("\n{HOST}:5432:*:admin:{HOST}/"),
        format!("\nlocalhost:15432:*:admin:{HOST}/"),
        "\ntwo.".to_owned(),
    ] {
        assert!(first.contains(&line), "{line} not in {first}");
    }
    sandbox.at("2030-01-01T00:09:59Z").ok(refresh);
    assert_eq!(passfile(&sandbox), first);
    sandbox.at("2030-01-01T00:10:00Z").ok(refresh);
    assert!(
        passfile(&sandbox).contains("X-Amz-Date=20300101T001000Z")
            && passfile(&sandbox).contains("X-Amz-Date=20300101T000000Z")
    );
    sandbox.ok(&["erase", "one", "--passfile", "p"]);
    assert!(passfile(&sandbox).contains("\ntwo.") && !passfile(&sandbox).contains(HOST));
    // A line that somebody took out comes back, though its token is not due.
    fs::write(sandbox.path("p"), "").expect("written");
    sandbox.ok(refresh);
    assert!(passfile(&sandbox).contains("\ntwo.") && passfile(&sandbox).contains(HOST));
}

/// One place for a token is enough: what stands in the passfile is handed out from there.
#[test]
fn a_token_in_the_passfile_is_not_asked_for_again() {
    let mut sandbox = sandbox();
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = K\naws_secret_access_key = s\n",
    );
    sandbox.ok(&[
        "add",
        "rds",
        "db.c1.eu-west-1.rds.amazonaws.com",
        "--user",
        "u:v",
        "--profile",
        "p",
    ]);
    sandbox.ok(&["refresh", "--passfile", "p"]);
    assert!(!sandbox.own().join("cache/tokens").exists());
    sandbox.at("2030-01-01T00:05:00Z");
    let json = sandbox.ok(&["token", "rds", "--format", "json"]);
    assert!(
        json.contains(r#""cached":true"#) && json.contains("20300101T000000Z"),
        "{json}"
    );
    sandbox.ok(&["erase", "rds", "--passfile", "p"]);
    assert!(sandbox.ok(&["token", "rds"]).contains("20300101T000500Z"));
}

#[test]
fn list_tells_what_is_known_and_no_secret() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "[connections.bad]\nhost = 'nowhere.example.com'\n[connections.sso]\nhost = 'h.dsql.us-east-1.on.aws'\nprofile = 'none'\n",
    );
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    sandbox
        .run(&["token", "sso"])
        .assert_fails(2, "there is no AWS profile `none`");
    sandbox.at("2030-01-01T00:05:00Z");
    let table = sandbox.ok(&["list"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines[0].starts_with("NAME") && lines[3].contains("10 min      cache only"),
        "{table}"
    );
    assert!(
        lines[5].starts_with("bad: `nowhere.example.com` is no connection"),
        "{table}"
    );
    assert!(
        lines[6].starts_with("sso: there is no AWS profile `none`"),
        "{table}"
    );
    assert!(
        lines[..4].iter().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    let json: Value =
        serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON");
    assert_eq!(json[2]["expiration"], "2030-01-01T00:15:00Z");
    assert_eq!(json[2]["token_in"], "cache");
    assert_eq!(json[2]["error"], Value::Null);
    assert!(!json.to_string().contains("Signature") && !table.contains("Signature"));
}

fn listed(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON")
}

/// The passfile says what stands in it, not what was once written there, nor who wrote it.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn list_and_prompt_look_into_the_passfile() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--alias", "localhost:15432"]);
    // Cached first, filed later.
    sandbox.ok(&["token", "prod"]);
    assert_eq!(listed(&sandbox)[0]["token_in"], "cache");
    sandbox.ok(&["refresh"]);
    let file = sandbox.path(".pgpass").display().to_string();
    let json = listed(&sandbox);
    assert_eq!(
        (&json[0]["token_in"], &json[0]["expiration"]),
        (&Value::from(file), &"2030-01-01T00:15:00Z".into())
    );
    assert_eq!(
        (&json[0]["cached_until"], &json[0]["missing"]),
        (&"2030-01-01T00:15:00Z".into(), &Value::from([""; 0]))
    );
    assert_eq!(json[0]["in_passfiles"].as_array().map(Vec::len), Some(2));
    assert!(
        sandbox
            .ok(&["list"])
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains(" 15 min      ~/.pgpass  "))
    );
    // Filed by somebody with another environment, whom the index knows under another identity.
    sandbox.set("AWS_SESSION_TOKEN", "another");
    assert_eq!(listed(&sandbox)[0]["expiration"], "2030-01-01T00:15:00Z");
    assert_eq!(
        sandbox.ok(&["prompt", "--format", "{name} {left} {state}"]),
        "prod 15 min fresh\n"
    );
    // A line of one's own above the block, and an alias that somebody took out.
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    let alias = lines
        .iter()
        .position(|line| line.starts_with("localhost"))
        .expect("a line");
    lines.drain(alias - 1..=alias);
    let without_alias = lines.concat();
    sandbox.write(".pgpass", format!("*:*:*:admin:mine\n{without_alias}"));
    let json = listed(&sandbox);
    assert_eq!(json[0]["in_passfiles"][0]["hidden_by_line"], 1, "{json}");
    assert_eq!(json[0]["missing"][0], "localhost:15432", "{json}");
    let table = sandbox.ok(&["list"]);
    assert!(
        table.contains(&format!(
            "prod: clients take line 1 of ~/.pgpass for {HOST}:5432"
        )),
        "{table}"
    );
    assert!(
        table.contains("prod: no passfile has a token for localhost:15432")
            && !table.contains("mine"),
        "{table}"
    );
    // An empty file.
    sandbox.unset("AWS_SESSION_TOKEN").write(".pgpass", "");
    assert_eq!(listed(&sandbox)[0]["token_in"], "cache");
    // A damaged one.
    sandbox.write(".pgpass", "# pgcred end\n");
    assert!(
        sandbox
            .ok(&["list"])
            .contains(".pgpass: line 1: pgcred's block is damaged")
    );
}

/// Also one that was filed in a file that no variable names any more.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn list_knows_other_passfiles() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST]);
    let other = sandbox.path("other").display().to_string();
    sandbox.set("PGPASSFILE", &other).ok(&["refresh"]);
    sandbox.unset("PGPASSFILE");
    assert_eq!(listed(&sandbox)[0]["token_in"], Value::from(other));
    assert!(sandbox.ok(&["list"]).contains("~/other"));
}

/// A host that is no connection, and a profile that prompt cannot know.
#[test]
fn a_good_token_in_the_passfile_is_no_reason_to_log_in() {
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

/// Two profiles for one cluster: one line in the passfile, and it is known whose.
#[test]
fn of_two_connections_with_one_address_the_first_has_the_line() {
    let sandbox = sandbox();
    sandbox.write(
        ".aws/credentials",
        "[a]\naws_access_key_id = KA\naws_secret_access_key = s\n[b]\naws_access_key_id = KB\naws_secret_access_key = s\n",
    );
    sandbox.ok(&["add", "reads", HOST, "--profile", "a"]);
    let both = format!(
        "`writes` and `reads` are both admin@{HOST}:5432; the passfile holds the token of `reads`"
    );
    let run = sandbox.run(&[
        "add",
        "writes",
        HOST,
        "--profile",
        "b",
        "--expires-in",
        "1h",
    ]);
    assert!(
        run.code == 0 && run.stderr.contains(&both) && !run.stderr.contains("next: "),
        "{}",
        run.stderr
    );
    let run = sandbox.run(&["refresh"]);
    assert!(
        run.code == 0 && run.stderr.contains(&both),
        "{}",
        run.stderr
    );
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        text.contains("=KA%2F") && !text.contains("=KB%2F"),
        "{text}"
    );
    let run = sandbox.run(&["refresh"]);
    assert!(
        run.stderr.contains("nothing is due") && run.stderr.contains(&both),
        "{}",
        run.stderr
    );
    sandbox
        .run(&["refresh", "writes"])
        .assert_fails(2, "the passfile's line for admin@");
    assert_eq!(sandbox.read(".pgpass"), text.as_bytes());
    // It has its own token, not the other's.
    assert!(sandbox.ok(&["token", "writes"]).contains("=KB%2F"));
    if cfg!(unix) {
        assert!(
            sandbox
                .ok(&["exec", "writes", "--", "sh", "-c", "cat $PGPASSFILE"])
                .contains("=KB%2F")
        );
    }
    assert!(
        sandbox
            .run(&["setup", "psql", "--yes"])
            .stderr
            .contains(&both)
    );
    let json = listed(&sandbox);
    assert_eq!(
        (&json[0]["line_of"], &json[1]["line_of"]),
        (&Value::Null, &"reads".into())
    );
    assert_eq!(
        (&json[1]["token_in"], &json[1]["expiration"]),
        (&"cache".into(), &"2030-01-01T01:00:00Z".into())
    );
    assert!(sandbox.ok(&["list"]).contains(&both));

    // By an alias: that line is the first one's too, the rest is its own.
    sandbox.ok(&[
        "add",
        "other",
        "o.dsql.us-east-1.on.aws",
        "--alias",
        HOST,
        "--alias",
        "localhost:1",
        "--profile",
        "b",
    ]);
    let run = sandbox.run(&["refresh", "other"]);
    assert!(
        run.code == 0 && run.stderr.contains("`other` and `reads` are both"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("admin@o.dsql.us-east-1.on.aws:5432, also as localhost:1, until"),
        "{}",
        run.stderr
    );
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        text.contains(&format!("\n{HOST}:5432:*:admin:{HOST}/")),
        "{text}"
    );
    // Its own line is another one's, an alias is not: that is filed, and `token` is not given the
    // other's.
    sandbox.ok(&[
        "add",
        "writes",
        HOST,
        "--profile",
        "b",
        "--alias",
        "localhost:2",
        "--replace",
    ]);
    sandbox.ok(&["refresh"]);
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    let alias = text
        .lines()
        .find(|line| line.starts_with("localhost:2:"))
        .expect("a line");
    assert!(
        alias.contains("=KB%2F") && text.contains("=KA%2F"),
        "{text}"
    );
    assert!(sandbox.ok(&["token", "writes"]).contains("=KB%2F"));
    assert!(sandbox.run(&["refresh"]).stderr.contains("nothing is due"));

    // Without the first one the line is the next one's.
    sandbox.ok(&["remove", "reads"]);
    sandbox.ok(&["refresh"]);
    assert!(
        !String::from_utf8(sandbox.read(".pgpass"))
            .expect("text")
            .contains("=KA%2F")
    );
}

/// `refresh` renews what is due: a token that ends later than a new one would is not.
#[test]
fn refresh_does_not_shorten_a_life() {
    let mut sandbox = sandbox();
    sandbox.ok(&["refresh", HOST, "--expires-in", "25m"]);
    sandbox.ok(&["add", "prod", HOST]);
    let before = sandbox.read(".pgpass");
    assert!(sandbox.run(&["refresh"]).stderr.contains("nothing is due"));
    assert_eq!(sandbox.read(".pgpass"), before);
    sandbox.at("2030-01-01T00:10:00Z").ok(&["refresh"]);
    assert_eq!(sandbox.read(".pgpass"), before);
    sandbox.at("2030-01-01T00:10:01Z").ok(&["refresh"]);
    assert!(
        String::from_utf8_lossy(&sandbox.read(".pgpass")).contains("# expires 20300101T002501Z")
    );
    // Not another role's, and not when it is named.
    sandbox.ok(&["refresh", "prod", "--expires-in", "1h"]);
    sandbox.ok(&["refresh", "prod"]);
    assert!(
        String::from_utf8_lossy(&sandbox.read(".pgpass")).contains("# expires 20300101T002501Z")
    );
    sandbox.ok(&["refresh", "prod", "--expires-in", "1h"]);
    sandbox.set("AWS_ACCESS_KEY_ID", "ANOTHER").ok(&["refresh"]);
    assert!(String::from_utf8_lossy(&sandbox.read(".pgpass")).contains("=ANOTHER%2F"));
}

/// What is removed leaves nothing behind: tokens, entries in tools, an empty configuration.
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

/// Without a home no tool is looked at; that a token stayed is an error all the same.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn remove_without_a_home_still_says_what_it_could_not_erase() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["refresh", "prod", "--passfile", "pass"]);
    sandbox.write(
        "pass",
        [&sandbox.read("pass")[..], b"# pgcred end\n"].concat(),
    );
    // An account that the system does not know has no home but the variable's.
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
    run.assert_fails(1, "pgcred's block is damaged");
    assert!(
        run.stderr
            .contains("warning: the tools that may have prod were not looked at: no home"),
        "{}",
        run.stderr
    );
}

/// What is erased is the connection's own, whatever the shell says of another one.
#[test]
fn remove_takes_no_part_in_a_shells_variables() {
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

/// A failure with connections that are gone is no news.
#[test]
fn the_last_failure_in_the_background_is_about_this_configuration() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--profile", "nope"]);
    assert_ne!(sandbox.run(&["refresh", "--background"]).code, 0);
    assert!(
        sandbox
            .ok(&["list"])
            .contains("in the background: 0 s ago, failed")
    );
    sandbox.ok(&["remove", "prod"]);
    let table = sandbox.ok(&["list"]);
    assert!(
        table.contains("in the background: 0 s ago\n") && !table.contains("failed"),
        "{table}"
    );
}

#[test]
fn prompt_says_what_is_worth_saying() {
    let mut sandbox = sandbox();
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&[
        "add",
        "long",
        "l.dsql.us-east-1.on.aws",
        "--expires-in",
        "7d",
    ]);
    sandbox.ok(&["add", "prod", HOST]);
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&["token", "prod"]);
    let format = &["prompt", "--format", "{name}|{left}|{state}"];
    for (at, text) in [
        ("00:00:00", "prod|15 min|fresh"),
        ("00:12:00", "prod|3 min|stale"),
        ("00:20:00", "prod|-|expired"),
    ] {
        sandbox.at(&format!("2030-01-01T{at}Z"));
        assert_eq!(sandbox.ok(format), format!("{text}\n"));
    }
    assert_eq!(sandbox.ok(&["prompt", "long"]), "long 6 d\n");
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    sandbox
        .run(&["token", "prod"])
        .assert_fails(3, "no AWS credentials");
    assert_eq!(sandbox.ok(&["prompt"]), "long needs-login\n");
}

/// Two databases behind one name, and a token for each of them by what is typed and what the shell
/// says.
#[test]
fn a_shells_port_and_user_have_a_part_in_which_connection_a_host_is() {
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
    // The AWS CLI knows nothing of them.
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

/// Many tunnels begin at one host: its port, or the endpoint that is signed, says which one is
/// meant.
#[test]
fn a_tunnels_address_is_not_taken_for_another_tunnels() {
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
        .assert_fails(4, "`localhost` is no connection");
    add("second", other, "pb");
    assert_eq!(
        answer(&sandbox, &["localhost:15432", "--sign-host", other]),
        (15432, "app".into(), "pb".into())
    );
    // By its name a connection is meant, whatever else is said.
    let signed = sandbox.ok(&["token", "tun", "--sign-host", other]);
    assert!(
        signed.starts_with(other) && signed.contains("=pa%2F"),
        "{signed}"
    );
}

/// The passfile's token is the newer one: it is handed out, and a refresh comes to rest, whatever
/// was cached before.
#[test]
fn what_a_refresh_has_written_goes_before_what_was_cached() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.at("2030-01-01T00:00:00Z").ok(&["token", "prod"]);
    sandbox.at("2030-01-01T00:00:02Z").ok(&["refresh", "prod"]);
    let token: Value =
        serde_json::from_str(&sandbox.ok(&["token", "prod", "--format", "json"])).expect("JSON");
    assert_eq!(token["expiration"], "2030-01-01T00:15:02Z");
    fs::remove_file(sandbox.path(".pgpass")).expect("a passfile");
    sandbox.ok(&["refresh"]);
    let run = sandbox.run(&["refresh"]);
    assert!(
        run.code == 0 && run.stderr.contains("nothing is due"),
        "{}",
        run.stderr
    );
}

/// As DBeaver does before each connect: what is good, and lasts longer, stays.
#[test]
fn a_host_by_option_is_refreshed_when_it_is_due() {
    let mut sandbox = Sandbox::with_keys();
    let before_connect = [
        "refresh", "--host", HOST, "--port", "5432", "--user", "admin",
    ];
    sandbox
        .at("2030-01-01T00:00:00Z")
        .ok(&["refresh", HOST, "--expires-in", "12h"]);
    let passfile = sandbox.read(".pgpass");
    sandbox.at("2030-01-01T00:01:00Z").ok(&before_connect);
    assert_eq!(sandbox.read(".pgpass"), passfile);
    sandbox.at("2030-01-01T11:50:00Z").ok(&before_connect);
    assert_ne!(sandbox.read(".pgpass"), passfile);
}

#[cfg(unix)] // HOME moves the home directory
#[test]
fn a_list_tells_whose_token_it_is_and_what_hides_it() {
    let mut sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/credentials",
        "[a]\naws_access_key_id = AKIAA\naws_secret_access_key = x\n[b]\naws_access_key_id = AKIAB\naws_secret_access_key = y\n",
    );
    sandbox.ok(&["add", "prod", HOST, "--profile", "a"]);
    sandbox.ok(&["refresh"]);
    assert!(!sandbox.ok(&["list"]).contains("another profile"));
    sandbox.ok(&[
        "refresh",
        &format!("postgres://admin@{HOST}"),
        "--profile",
        "b",
    ]);
    let list = sandbox.ok(&["list"]);
    assert!(
        list.contains("prod: the token in ~/.pgpass was signed for another profile"),
        "{list}"
    );
    sandbox.ok(&["refresh"]);
    assert!(!sandbox.ok(&["list"]).contains("another profile"));
    sandbox.set("PGPASSWORD", "old");
    assert!(sandbox.run(&["list"]).stderr.contains("PGPASSWORD is set"));
}

/// What shell hooks show is no part of the configuration: that it cannot be renewed is only said.
#[cfg(unix)]
#[test]
fn a_connection_that_is_added_or_removed_is_so_whatever_the_hooks_show() {
    let sandbox = sandbox();
    fs::create_dir_all(sandbox.own().join("cache/due")).expect("a directory in the way");
    for words in [&["add", "prod", HOST][..], &["remove", "prod"]] {
        let run = sandbox.run(words);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr
                .contains("warning: shell hooks may show what was configured before"),
            "{}",
            run.stderr
        );
        let stands = fs::read_to_string(sandbox.own().join("config.toml"))
            .is_ok_and(|text| text.contains("prod"));
        assert_eq!(stands, words[0] == "add");
    }
}
