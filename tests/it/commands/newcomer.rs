//! The first minutes with pgcred: what a user types who has not read everything, and what pgcred
//! answers.

use std::fs;

#[cfg(unix)]
use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET, Sandbox};

pub const ID: &str = "foo0bar1baz2quux3quuux4abc";

/// Only the profiles `dev` and `acct-a` have keys. Without a profile there are no credentials.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    let keys = |name: &str, id: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {SECRET}\n")
    };
    sandbox.write(
        ".aws/credentials",
        keys("dev", KEY_ID) + &keys("acct-a", "AKIAOTHER"),
    );
    sandbox
}

pub fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).unwrap_or_default()
}

fn assert_warns(run: &Run, times: usize, says: &str) {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let warnings = run
        .stderr
        .lines()
        .filter(|line| line.contains("warning: ") && line.contains(says))
        .count();
    assert_eq!(warnings, times, "{says}: {}", run.stderr);
}

#[test]
fn add_accepts_hosts_that_have_tokens_and_names_the_next_command() {
    let mut sandbox = sandbox();
    sandbox.set("PGUSER", "alice");
    sandbox
        .run(&["add", "prod"])
        .assert_fails(2, "hint: run `pgcred add prod HOST");
    sandbox
        .run(&["add", "tpyo", "mydb"])
        .assert_fails(4, "hint: give the whole name of the host");
    sandbox
        .run(&["add", "tunnel", "localhost:15432", "--sign-host", "mydb"])
        .assert_fails(4, "`mydb` is no");
    sandbox
        .run(&["add", "rds", RDS_HOST])
        .assert_fails(2, "hint: name the database user with --user USER");
    assert_eq!(config(&sandbox), "");
    let run = sandbox.run(&["add", "prod", HOST, "--profile", "dev"]);
    assert!(
        run.stderr.contains("added prod\n") && run.stderr.contains("next: `pgcred refresh prod`"),
        "{}",
        run.stderr
    );
    assert_eq!(
        config(&sandbox),
        format!("[connections.prod]\nhost = \"{HOST}\"\nuser = \"admin\"\nprofile = \"dev\"\n")
    );
    let run = sandbox.run(&["add", "prod", HOST, "--replace"]);
    assert!(
        run.stderr.contains("changed prod\n") && !run.stderr.contains("added"),
        "{}",
        run.stderr
    );
    sandbox.ok(&["add", "id", ID, "--region", "us-east-1"]);
    sandbox.ok(&["add", "near", "localhost:15432", "--sign-host", HOST]);
    sandbox.ok(&[
        "add",
        "own",
        "db.example.com",
        "--provider",
        "dsql",
        "--region",
        "us-east-1",
    ]);
    assert!(
        sandbox
            .ok(&["token", "prod", "--profile", "dev"])
            .contains("Action=DbConnectAdmin&")
    );
}

/// Such an entry is from an older version, or the user wrote it.
#[cfg(unix)]
#[test]
fn a_connection_that_cannot_be_set_up_does_not_stop_the_others() {
    let sandbox = sandbox();
    fs::write(
        sandbox.own().join("config.toml"),
        format!("[connections.tpyo]\nhost = 'mydb'\n[connections.prod]\nhost = '{HOST}'\n"),
    )
    .expect("written");
    let run = sandbox.run(&["setup", "psql", "--yes"]);
    run.assert_fails(4, "pgcred: tpyo: `mydb` is not a host name of Aurora DSQL");
    assert!(
        String::from_utf8(sandbox.read(".pg_service.conf"))
            .expect("text")
            .contains("[prod]"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_error_names_what_the_user_probably_meant() {
    let sandbox = sandbox();
    for arguments in [
        &["token", HOST, "--profile", "dve"][..],
        &["login", "--profile", "Dev"],
        &["login", "dve"],
    ] {
        sandbox
            .run(arguments)
            .assert_fails(2, "hint: did you mean `dev`?");
    }
    let run = sandbox.run(&["token", HOST, "--profile", "nothing-like-it"]);
    run.assert_fails(2, "the profiles are dev, acct-a");
    let run = sandbox.run(&["token", HOST]);
    run.assert_fails(3, "the profiles are dev, acct-a");
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    sandbox
        .run(&["token", "Prod"])
        .assert_fails(4, "`Prod` is not a configured connection");
    sandbox
        .run(&["token", "Prod"])
        .assert_fails(4, "hint: did you mean the connection `prod`?");
    sandbox
        .run(&["exec", "prd", "--", "true"])
        .assert_fails(4, "hint: did you mean the connection `prod`?");
    sandbox
        .run(&["token", "staging"])
        .assert_fails(4, "hint: name one of the connections prod;");
    sandbox
        .run(&["token", "help"])
        .assert_fails(4, "hint: run `pgcred COMMAND --help` for help on a command");
    sandbox
        .run(&["token", &ID[1..], "--region", "us-east-1"])
        .assert_fails(4, "has 26 characters; this one has 25");
    sandbox
        .run(&["token", "prod", "--region", "eucentral1"])
        .assert_fails(2, "hint: did you mean `eu-central-1`?");
    let near = "foo0bar1baz2quux3quuux4abc.dsql.eu-centrall-1.on.aws";
    assert_warns(
        &sandbox.run(&["token", near, "--profile", "dev"]),
        1,
        "did you mean `eu-central-1`?",
    );
    assert_warns(
        &sandbox.run(&["token", "prod", "--region", "us-east-9"]),
        1,
        "pgcred does not know the AWS region us-east-9",
    );
    assert_warns(
        &sandbox.run(&["token", &HOST[1..], "--profile", "dev"]),
        1,
        "26 characters; this one has 25",
    );
    for (typed, meant) in [("pgAdmin4", "pgadmin"), ("excel", "odbc"), ("corn", "cron")] {
        sandbox
            .run(&["setup", typed])
            .assert_fails(2, &format!("hint: did you mean `{meant}`?"));
    }
    sandbox.ok(&["setup", "PSQL", "--print"]);
}

#[test]
fn the_lifetime_of_rds_tokens_is_explained() {
    let run = sandbox().run(&[
        "token",
        RDS_HOST,
        "--user",
        "app",
        "--expires-in",
        "3600",
        "--profile",
        "dev",
    ]);
    run.assert_fails(2, "hint: ask for 900 s or less");
}

#[test]
fn a_tunnel_gets_a_warning_until_it_is_configured() {
    let sandbox = sandbox();
    let tunnel = |sign_host: &str| {
        let text = format!(
            "[connections.t]\nhost = 'localhost'\nport = 15432\nuser = 'app'\nprofile = 'dev'\n\
             sign_host = '{sign_host}'\n"
        );
        fs::write(sandbox.own().join("config.toml"), text).expect("written");
    };
    tunnel(RDS_HOST);
    for command in [&["refresh"][..], &["token", "t"]] {
        assert_warns(
            &sandbox.run(command),
            1,
            &format!("t: signing for {RDS_HOST}:5432, not for the dialled port"),
        );
        assert_warns(
            &sandbox.run(command),
            1,
            &format!("name the port to sign: sign_host = \"{RDS_HOST}:5432\""),
        );
    }
    tunnel(&format!("{RDS_HOST}:5432"));
    for command in [&["refresh", "t"][..], &["token", "t"], &["refresh"]] {
        assert_warns(&sandbox.run(command), 0, "sign");
    }
}

#[test]
fn the_short_options_of_psql_are_accepted_and_never_print_help() {
    let sandbox = Sandbox::with_keys();
    let asked = [
        "-h",
        HOST,
        "-U",
        "app",
        "-p",
        "6432",
        "-d",
        "shop",
        "--format",
        "libpq-json",
    ];
    let json = sandbox.ok(&[&["token"][..], &asked].concat());
    for part in [
        r#""user":"app""#,
        r#""port":"6432""#,
        r#""dbname":"shop""#,
        HOST,
    ] {
        assert!(json.contains(part), "{json}");
    }
    let long = sandbox.ok(&[
        "token",
        "--host",
        HOST,
        "--username",
        "app",
        "--port",
        "6432",
        "--database",
        "shop",
        "--format",
        "libpq-json",
    ]);
    assert_eq!(long, json);
    sandbox.ok(&["add", "prod", "-h", HOST, "-U", "app"]);
    sandbox.ok(&["refresh", "-h", HOST, "-U", "app"]);
    sandbox.ok(&["erase", "-h", HOST, "-U", "app"]);
    for words in [
        &["token", "-h"][..],
        &["-h", HOST],
        &["list", "-h", HOST],
        &["token", "-h", "-U", "me"],
        &["-h", "token", HOST],
    ] {
        sandbox.run(words).assert_fails(2, "");
    }
    for words in [
        &["-h"][..],
        &["list", "-h"],
        &["token", "--help"],
        &["--help"],
    ] {
        assert!(sandbox.ok(words).contains("Usage: pgcred"), "{words:?}");
    }
}

#[test]
fn help_is_a_command_too_and_shows_what_to_type() {
    let sandbox = Sandbox::empty();
    let help = sandbox.ok(&["help"]);
    assert_eq!(help, sandbox.ok(&["--help"]));
    assert!(
        help.contains("First steps:\n  pgcred setup ") && help.contains("\n  pgcred add prod HOST"),
        "{help}"
    );
    let commands = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("commands");
    let names: Vec<_> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        let help = sandbox.ok(&["help", name]);
        assert_eq!(help, sandbox.ok(&[name, "--help"]));
        assert!(
            help.contains("Examples:\n  ") && help.contains(&format!("pgcred {name}")),
            "{help}"
        );
        let asks = [
            "token", "refresh", "exec", "proxy", "discover", "policy", "roots", "login", "setup",
            "aws",
        ]
        .contains(&name);
        assert_eq!(help.contains("--mfa-code"), asks, "{help}");
    }
    sandbox
        .run(&["help", "nothing"])
        .assert_fails(2, "unrecognized command `nothing`");
}

#[test]
fn an_unknown_command_is_answered_with_the_right_one() {
    let sandbox = Sandbox::empty();
    for (typed, meant) in [
        ("status", "pgcred list"),
        ("renew", "pgcred refresh"),
        ("diagnose", "pgcred doctor"),
        ("get", "pgcred token"),
        ("delete", "pgcred remove"),
        ("config", "pgcred add"),
        ("version", "pgcred --version"),
        ("open", "pgcred exec NAME -- psql"),
        ("refersh", "pgcred refresh"),
    ] {
        sandbox
            .run(&[typed])
            .assert_fails(2, &format!("hint: did you mean `{meant}`?\n"));
    }
    sandbox
        .run(&["xyzzy"])
        .assert_fails(2, "hint: run `pgcred --help` to see the commands");
}

#[test]
fn a_configuration_file_that_the_user_names_must_exist() {
    let sandbox = Sandbox::with_keys();
    let missing = sandbox.path("missing.toml").display().to_string();
    for words in [
        &["token", HOST][..],
        &["refresh"],
        &["list"],
        &["setup", "psql"],
        &["remove", "prod"],
    ] {
        sandbox
            .run(&[words, &["--config", &missing]].concat())
            .assert_fails(2, &format!("{missing}: no such file"));
    }
    sandbox.ok(&["add", "prod", HOST, "--config", &missing]);
    sandbox.ok(&["token", "prod", "--config", &missing]);
}

#[test]
fn a_prompt_format_with_a_typo_is_refused_and_each_state_is_shown_once() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    let prompt = |format: &str| sandbox.run(&["prompt", "--format", format]);
    prompt("{nmae} {left}").assert_fails(
        2,
        "hint: use {name}, {left} and {state}, which are filled in",
    );
    for (format, shown) in [
        ("%F{red}{name}%f", "%F{red}prod%f\n"),
        ("#{x} ${y} %{z%} {left}", "#{x} ${y} %{z%} 15 min\n"),
        ("{", "{\n"),
    ] {
        assert_eq!(prompt(format).stdout, shown);
    }
    sandbox.at("2030-01-01T01:00:00Z");
    assert_eq!(
        sandbox.ok(&["prompt", "--format", "{name} {left} {state}"]),
        "prod - expired\n"
    );
    assert_eq!(sandbox.ok(&["prompt"]), "prod expired\n");
}

#[cfg(target_os = "linux")]
#[test]
fn tools_of_other_systems_are_told_apart() {
    let overview = Sandbox::empty().ok(&["setup"]);
    let line = |name: &str| {
        overview
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line")
            .to_owned()
    };
    assert!(
        line("launchd").contains("only on macOS")
            && line("task-scheduler").contains("only on Windows"),
        "{overview}"
    );
    assert!(!line("cron").contains("only on"), "{overview}");
}

#[cfg(unix)]
#[test]
fn an_error_names_a_configuration_that_cannot_be_written_once() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::empty();
    fs::write(sandbox.own().join("config.toml"), "").expect("written");
    let nobody = 65_534;
    let mut pgcred = sandbox.pgcred(&["add", "prod", HOST]);
    std::os::unix::process::CommandExt::uid(&mut pgcred, nobody);
    fs::set_permissions(
        sandbox.own(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .expect("a mode");
    let file = sandbox.own().join("config.toml").display().to_string();
    // pgcred can take the lock, but cannot make a file beside the configuration.
    let lock = sandbox.own().join("config.toml.pgcred-lock");
    fs::write(&lock, "").expect("written");
    std::os::unix::fs::chown(&lock, Some(nobody), None).expect("chown");
    let run = Run::of(pgcred);
    run.assert_fails(
        1,
        &format!("pgcred: cannot write {file}: Permission denied"),
    );
    let said = run.stderr.lines().next().expect("an error");
    assert!(
        said.matches("config.toml").count() == 1 && said.ends_with("(it belongs to root)"),
        "{}",
        run.stderr
    );
}
