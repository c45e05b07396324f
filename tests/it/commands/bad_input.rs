//! Wrong command lines: pgcred never panics, hangs or prints half an answer, and each error says
//! what is wrong and why.

use std::process::Stdio;

use proptest::prelude::*;

use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

#[test]
fn usage_errors_have_their_exit_code_and_say_what_is_wrong() {
    let sandbox = Sandbox::with_keys();
    for (arguments, code, says) in [
        (&["token"][..], 2, "no host"),
        (&["token", "nowhere.example.com"], 4, "--sign-host"),
        (
            &["token", "prod"],
            4,
            "`prod` is not a configured connection",
        ),
        (&["token", RDS_HOST], 2, "no user"),
        (&["token", "foo0bar1baz2quux3quuux4abc"], 2, "no region"),
        (&["token", HOST, "--port", "0"], 2, "1 to 65535"),
        (&["token", HOST, "--port", "70000"], 2, "1 to 65535"),
        (&["token", HOST, "--expires-in", "0"], 2, "1 to 604800"),
        (&["token", HOST, "--expires-in", "-1"], 2, "not a duration"),
        (&["token", HOST, "--expires-in", "604801"], 2, "1 to 604800"),
        (&["token", HOST, "--expires-in", "8d"], 2, "1 to 604800"),
        (&["token", HOST, "--expires-in", "abc"], 2, "not a duration"),
        (
            &["token", RDS_HOST, "--user", "u", "--expires-in", "901"],
            2,
            "1 to 900",
        ),
        (&["token", HOST, "--region", ""], 2, "region"),
        (&["token", HOST, "--region", "us east"], 2, "region"),
        (&["token", HOST, "--user", ""], 2, "the user is empty"),
        (&["token", HOST, "--user", "a\nb"], 2, "control character"),
        (
            &["token", HOST, "--provider", "mysql"],
            2,
            "choose one of dsql, rds",
        ),
        (&["token", HOST, "--format", "xml"], 2, "possible values"),
        (
            &["token", HOST, "--format", "cmd", "--user", "a\"b"],
            2,
            "cmd.exe",
        ),
        (&["erase"], 2, "--all"),
        (
            &["erase", "--all", "--host", HOST],
            2,
            "cannot be used with",
        ),
        (
            &["refresh", "--host", HOST, "a.b", "c.d"],
            2,
            "--host cannot be used with several targets",
        ),
        (
            &["erase", "--host", HOST, "a.b", "c.d"],
            2,
            "--host cannot be used with several targets",
        ),
        (
            &[
                "token",
                "mydb.global-x.global.rds.amazonaws.com",
                "--user",
                "u",
            ],
            2,
            "no region",
        ),
        (&["token", "host=h passfile=/x"], 2, "--passfile FILE"),
        (&["token", "service=prod"], 2, "reads no service files"),
        (&["frobnicate"], 2, "unrecognized"),
        (&["refresh", HOST, "--user", "a*"], 2, "it contains `*`"),
        (&["refresh", HOST, "--user", " a"], 2, "space"),
    ] {
        sandbox.run(arguments).assert_fails(code, says);
    }
}

#[test]
fn options_win_over_the_target_and_the_target_over_variables() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .set("PGHOST", "/var/run/postgresql")
        .set("PGPORT", "1")
        .set("PGUSER", "env")
        .set("PGDATABASE", "envdb");
    sandbox
        .set("PGPASSWORD", "never")
        .set("PGSSLMODE", "require");
    let uri = format!("postgres://uri@{HOST}:2/uridb");
    let conninfo = sandbox.ok(&["token", &uri, "--user", "flag", "--format", "conninfo"]);
    assert!(
        conninfo.contains("port='2'")
            && conninfo.contains("user='flag'")
            && conninfo.contains("dbname='uridb'")
    );
    assert!(conninfo.contains("sslmode='require'") && !conninfo.contains("never"));
    let conninfo = sandbox.ok(&["token", HOST, "--format", "conninfo"]);
    assert!(
        conninfo.contains("port='1'")
            && conninfo.contains("user='env'")
            && conninfo.contains("dbname='envdb'")
    );
    sandbox.run(&["token"]).assert_fails(2, "PGHOST");
    sandbox.set("PGPORT", "many");
    sandbox.run(&["token", HOST]).assert_fails(2, "PGPORT");
    sandbox.set("PGHOST", HOST).unset("PGPORT");
    assert!(sandbox.ok(&["token"]).starts_with(HOST));
}

/// A TARGET that the user has copied from somewhere must not send a token to an address of its
/// author. An address that the user has configured may get it.
#[test]
fn an_address_in_a_target_needs_tls_that_verifies_the_server() {
    let mut sandbox = Sandbox::with_keys();
    let weak = |sslmode: &str| format!("host={HOST} hostaddr=127.0.0.1 port=9{sslmode}");
    let uri = format!("postgres://admin@{HOST}:9/postgres?hostaddr=127.0.0.1&sslmode=prefer");
    let mut refused: Vec<String> = ["disable", "allow", "prefer", "require", "verify-ca"]
        .iter()
        .map(|mode| weak(&format!(" sslmode={mode}")))
        .collect();
    refused.push(uri);
    let sends = [
        &["exec", "--", "pgcred-test-is-not-run"][..],
        &["token", "--format", "env"],
        &["token", "--format", "url"],
        &["token", "--format", "libpq-json"],
        &["setup", "psql", "--print"],
        &["setup", "rainfrog"],
    ];
    for target in &refused {
        for words in sends {
            let at = if words[0] == "setup" { 2 } else { 1 };
            let words = [&words[..at], &[target], &words[at..]].concat();
            sandbox
                .run(&words)
                .assert_fails(2, "does not verify who answers there");
        }
        // the token alone names no server to which it is sent
        assert_eq!(sandbox.run(&["token", target]).code, 0, "{target}");
    }
    // PGSSLMODE was set by the user, but the address comes from TARGET.
    sandbox.set("PGSSLMODE", "require");
    sandbox
        .run(&["token", &weak(""), "--format", "url"])
        .assert_fails(2, "sslmode=require does not verify");
    sandbox.unset("PGSSLMODE");
    for target in [weak(""), weak(" sslmode=verify-full")] {
        assert!(
            sandbox
                .ok(&["token", &target, "--format", "url"])
                .contains("hostaddr=127.0.0.1")
        );
    }
    let run = sandbox.run(&[
        "add",
        "mine",
        &weak(" sslmode=require"),
        "--alias",
        "localhost:9",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("warning: mine: any server at 127.0.0.1 can get the token"),
        "{}",
        run.stderr
    );
    let instead = format!("can connect to \"host={HOST} hostaddr=127.0.0.1 port=9\" instead");
    assert!(run.stderr.contains(&instead), "{}", run.stderr);
    assert!(
        sandbox
            .ok(&["token", "mine", "--format", "url"])
            .contains("hostaddr=127.0.0.1")
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    let sandbox = Sandbox::with_keys();
    let mut pgcred = sandbox.pgcred(&["token", RDS_HOST]);
    pgcred.env("PGUSER", std::ffi::OsStr::from_bytes(b"\xff"));
    Run::of(pgcred).assert_fails(2, "PGUSER is not UTF-8");
}

#[test]
fn sign_host_is_signed_and_the_host_is_only_dialled() {
    let sandbox = Sandbox::with_keys();
    let json = sandbox.ok(&[
        "token",
        "localhost:15432",
        "--sign-host",
        HOST,
        "--format",
        "libpq-json",
    ]);
    assert!(
        json.contains(r#""host":"localhost""#) && json.contains(r#""port":"15432""#),
        "{json}"
    );
    assert!(json.contains(&format!(r#""password":"{HOST}/?"#)), "{json}");
    let token =
        |name: &str| sandbox.run(&["token", "localhost:1", "--user", "u", "--sign-host", name]);
    let run = token(&format!("{RDS_HOST}:6432"));
    assert!(
        run.stdout
            .starts_with(&format!("{RDS_HOST}:6432/?Action=connect&DBUser=u&")),
        "{}",
        run.stdout
    );
    let run = token(RDS_HOST);
    assert!(
        run.stdout.starts_with(&format!("{RDS_HOST}:5432/?")) && run.stderr.contains("signing for"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_region_that_contradicts_the_host_is_a_warning() {
    let sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["token", HOST, "--region", "eu-west-1"]);
    assert!(
        run.code == 0
            && run.stdout.contains("%2Feu-west-1%2F")
            && run.stderr.contains("is in us-east-1")
    );
    assert_eq!(
        sandbox
            .run(&["token", HOST, "--region", "eu-west-1", "-q"])
            .stderr,
        ""
    );
}

/// Some tools leave stdin open and never write to it.
fn with_open_stdin(sandbox: &Sandbox) -> Run {
    let mut pgcred = sandbox.pgcred(&["token", HOST]);
    let pipes = pgcred
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("pgcred starts");
    let stdin = child.stdin.take().expect("a pipe");
    let run = Run::finished(child.wait_with_output().expect("an end"));
    drop(stdin);
    run
}

#[test]
fn stdin_is_never_read() {
    assert!(
        with_open_stdin(&Sandbox::with_keys())
            .stdout
            .starts_with(HOST)
    );
}

/// Programs on Windows inherit handles in another way, and the credential chain passes stdin on
/// there.
#[cfg(unix)]
#[test]
fn a_credential_process_finds_stdin_empty() {
    let sandbox = Sandbox::empty();
    sandbox.write(".aws/config", "[default]\ncredential_process = cat\n");
    with_open_stdin(&sandbox).assert_fails(1, "printed nothing");
}

#[test]
fn help_names_the_exit_codes_and_goes_to_stdout() {
    let help = Sandbox::empty().ok(&["--help"]);
    for line in [
        "Exit codes:",
        "  0  success: the answer is on stdout",
        "  1  ",
        "  2  ",
        "  3  ",
        "  4  no such target: nothing is configured or cached under that name",
    ] {
        assert!(help.contains(line), "{help}");
    }
    let run = Sandbox::empty().run(&[]);
    assert!(run.code == 2 && run.stdout.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_target_is_answered_or_refused(
        target in "\\PC{0,40}",
        prefix in prop::sample::select(vec!["", "postgres://", "host=", "a=", "x'"]),
    ) {
        let target = format!("{prefix}{target}");
        let run = Sandbox::with_keys().run(&["token", "--", &target]);
        prop_assert!(matches!(run.code, 0 | 2 | 4), "{target:?}: {} {}", run.code, run.stderr);
        prop_assert_eq!(run.code == 0, !run.stdout.is_empty());
        prop_assert!(!run.stderr.contains("panicked"));
    }
}

/// Each option gets each odd value. pgcred prints a token, or ends with the right exit code and
/// prints nothing to stdout.
#[test]
fn odd_values_of_every_option_are_answered_or_refused() {
    let values = [
        "",
        " ",
        "\t",
        "\n",
        "a\u{0}b",
        "é",
        "%",
        "'",
        "\"",
        "\\",
        "*",
        ":",
        "-",
        "--",
        "..",
        "0",
        "999999999999",
    ];
    let sandbox = Sandbox::with_keys();
    for option in [
        "--host",
        "--port",
        "--user",
        "--dbname",
        "--profile",
        "--region",
        "--provider",
        "--sign-host",
        "--timeout",
    ] {
        for value in values.iter().filter(|value| !value.contains('\0')) {
            let option = format!("{option}={value}");
            let run: Run = sandbox.run(&["token", HOST, &option]);
            assert!(
                (0..=4).contains(&run.code),
                "{option:?}: {} {}",
                run.code,
                run.stderr
            );
            assert_eq!(
                run.code == 0,
                !run.stdout.is_empty(),
                "{option:?}: {}",
                run.stderr
            );
            assert!(
                !run.stderr.contains("panicked"),
                "{option:?}: {}",
                run.stderr
            );
        }
    }
}
