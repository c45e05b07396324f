//! Logging in at a terminal: when pgcred asks the user and when not, and one login for all callers
//! that wait.

use std::fs;
use std::thread;

use crate::credentials::faults::{SSO_FILE, sso_token};
use crate::support::desk::{
    FAR, PAST, at_terminal, aws_log_in, calls, desk, install, logged_in, sso_log_in, terminal,
};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{Stub, requests};

pub const TOKEN: [&str; 4] = ["token", HOST, "--profile", "p"];
pub const TOKEN_Q: [&str; 4] = ["token", HOST, "--profile", "q"];
pub const LOGIN: [&str; 3] = ["login", "--profile", "p"];
/// The access keys of the portal of the stub, and of the `aws login` of these tests.
pub const BY_SSO: &str = "Credential=ASIASSO%2F";
const BY_LOGIN: &str = "Credential=ASIALOGIN%2F";

pub fn assert_token(run: &Run, by: &str) {
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.starts_with(HOST) && run.stdout.lines().count() == 1,
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains(by), "{}", run.stdout);
}

/// Returns a command line with more arguments.
pub fn with<const A: usize, const B: usize>(
    first: [&'static str; A],
    more: [&'static str; B],
) -> Vec<&'static str> {
    [&first[..], &more[..]].concat()
}

#[test]
fn without_a_terminal_the_error_has_the_command_to_type() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let config = |sandbox: &Sandbox, from: &str, to: &str| {
        let text = String::from_utf8(sandbox.read(".aws/config")).expect("text");
        sandbox.write(".aws/config", text.replace(from, to));
    };
    let sandbox = desk(&stub.url("error-TOKEN_EXPIRED"));
    let check = |arguments: &[&str], why: &str, command: &str| {
        let run = sandbox.run(&[arguments, &["--no-cache"]].concat());
        run.assert_fails(3, why);
        assert_eq!(
            run.stderr,
            format!("pgcred: {why}\nhint: run `{command}`, then try again\n")
        );
    };
    let login = ["token", HOST, "--profile", "l"];
    let nobody = "profile `p`: nobody has logged in to SSO yet";
    check(&TOKEN, nobody, "pgcred login --profile p");
    check(
        &login,
        "profile `l`: nobody has logged in with `aws login` yet",
        "aws login --profile l",
    );
    install(&sandbox, "aws", &sso_log_in());
    check(&TOKEN, nobody, "pgcred login --profile p");
    check(
        &login,
        "profile `l`: nobody has logged in with `aws login` yet",
        "aws login --profile l",
    );
    logged_in(&sandbox, PAST);
    check(
        &TOKEN,
        "profile `p`: the SSO session has expired",
        "pgcred login --profile p",
    );
    check(
        &login,
        "profile `l`: the login session has expired",
        "aws login --profile l",
    );
    config(&sandbox, "[profile p]", "[profile 'my team']");
    let why = "profile `my team`: the SSO session has expired";
    check(
        &["token", HOST, "--profile", "my team"],
        why,
        "pgcred login --profile 'my team'",
    );
    config(&sandbox, "[profile 'my team']", "[default]");
    check(
        &["token", HOST],
        "profile `default`: the SSO session has expired",
        "pgcred login",
    );
    assert_eq!(calls(&sandbox, "aws"), [""; 0]);
}

#[test]
fn login_never_also_holds_at_a_terminal() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &sso_log_in());
    let refused = |arguments: &[&str]| {
        let run = at_terminal(&sandbox, arguments);
        run.assert_fails(3, "hint: run `pgcred login --profile p`, then try again\n");
        assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    };
    refused(&with(TOKEN, ["--login=never"]));
    fs::write(sandbox.own().join("config.toml"), "login = \"never\"\n").expect("a file");
    refused(&with(TOKEN, ["--no-cache"]));
    assert_eq!(calls(&sandbox, "aws"), [""; 0]);
    assert_token(
        &at_terminal(&sandbox, &with(TOKEN, ["--login=terminal"])),
        BY_SSO,
    );
}

#[test]
fn at_a_terminal_the_same_request_logs_in_and_answers() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(
        &sandbox,
        "aws",
        &format!(
            "echo 'to the person'\necho 'and this' >&2\n{}",
            sso_log_in()
        ),
    );
    let run = at_terminal(&sandbox, &TOKEN);
    assert_token(&run, BY_SSO);
    let command = "aws sso login --profile p";
    let said = format!(
        "pgcred: profile `p`: nobody has logged in to SSO yet; running {command}\nto the person\n\
         and this\n"
    );
    assert_eq!(run.stderr, said);
    install(
        &sandbox,
        "aws",
        &format!("echo 'to the person'\n{}", aws_log_in()),
    );
    let run = at_terminal(&sandbox, &["token", HOST, "--profile", "l"]);
    assert_token(&run, BY_LOGIN);
    assert!(
        run.stderr
            .ends_with("; running aws login --profile l\nto the person\n"),
        "{}",
        run.stderr
    );
    assert_eq!(
        calls(&sandbox, "aws"),
        ["sso login --profile p", "login --profile l"]
    );
}

/// The AWS CLI fails, or says that it has logged in although it has not.
#[test]
fn a_failed_login_is_an_error_with_instructions() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    for script in ["echo 'no browser' >&2; exit 1", "exit 0", "kill -9 $$"] {
        install(&sandbox, "aws", script);
        let run = at_terminal(&sandbox, &with(TOKEN, ["--no-cache"]));
        run.assert_fails(
            3,
            "pgcred: profile `p`: `aws sso login --profile p` did not log in\nhint: ",
        );
    }
    assert_eq!(calls(&sandbox, "aws").len(), 3);
}

/// After a failed call in the background, the user at a terminal can log in at once.
#[test]
fn a_user_who_can_log_in_does_not_wait_for_the_pause() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &sso_log_in());
    sandbox.run(&TOKEN).assert_fails(3, "nobody has logged in");
    sandbox
        .run(&TOKEN)
        .assert_fails(3, "--fresh asks again now");
    assert_token(&at_terminal(&sandbox, &TOKEN), BY_SSO);
    fs::remove_file(sandbox.path(SSO_FILE)).expect("a file");
    sandbox
        .run(&TOKEN_Q)
        .assert_fails(3, "nobody has logged in");
    assert_token(&sandbox.run(&with(TOKEN_Q, ["--login"])), BY_SSO);
}

#[test]
fn many_callers_at_terminals_log_in_once() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &format!("sleep 1\n{}", sso_log_in()));
    let together = |all: &[&[&str]]| {
        thread::scope(|scope| {
            let runs: Vec<_> = all
                .iter()
                .map(|arguments| scope.spawn(|| at_terminal(&sandbox, arguments)))
                .collect();
            for run in runs {
                assert_token(&run.join().expect("no panic"), BY_SSO);
            }
        });
    };
    together(&[&TOKEN[..]; 32]);
    assert_eq!(calls(&sandbox, "aws"), ["sso login --profile p"]);

    // Two profiles of one session ask, with the cache and without.
    fs::remove_file(sandbox.path(SSO_FILE)).expect("a file");
    sandbox.ok(&["erase", "--all"]);
    let alone = with(TOKEN_Q, ["--no-cache"]);
    together(&[&TOKEN[..], &TOKEN_Q, &alone, &TOKEN, &TOKEN_Q, &alone]);
    assert_eq!(calls(&sandbox, "aws").len(), 2);
}

/// A login that fails for one caller has failed for all that waited for it.
#[test]
fn many_callers_at_terminals_fail_once() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", "sleep 2; exit 1");
    thread::scope(|scope| {
        let runs: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| at_terminal(&sandbox, &TOKEN)))
            .collect();
        for run in runs {
            run.join()
                .expect("no panic")
                .assert_fails(3, "did not log in");
        }
    });
    assert_eq!(calls(&sandbox, "aws"), ["sso login --profile p"]);
}

/// The token of the session has not expired, but the portal refuses it.
#[test]
fn a_revoked_session_leads_to_a_new_login() {
    skip_unless!(PYTHON);
    let log = tempfile::NamedTempFile::new().expect("a file");
    let stub = Stub::aws(Some(log.path()));
    let sandbox = desk(&stub.url(""));
    sandbox.write(SSO_FILE, sso_token("revoked", FAR));
    let ended = "profile `p`: the SSO session was ended by AWS";
    sandbox
        .run(&with(TOKEN, ["--no-cache"]))
        .assert_fails(3, ended);
    install(&sandbox, "aws", &sso_log_in());
    let run = at_terminal(&sandbox, &TOKEN);
    assert_token(&run, BY_SSO);
    assert!(run.stderr.contains(ended), "{}", run.stderr);
    let used: Vec<_> = requests(log.path())
        .iter()
        .map(|request| request["headers"]["x-amz-sso_bearer_token"].clone())
        .collect();
    assert_eq!(used, ["revoked", "revoked", "ssotoken"]);
    // A user whose new session AWS refuses as well is not asked again and again.
    sandbox.write("session.json", sso_token("revoked too", FAR));
    sandbox.write(SSO_FILE, sso_token("revoked", FAR));
    let run = at_terminal(&sandbox, &with(TOKEN, ["--no-cache"]));
    run.assert_fails(3, ended);
    assert_eq!(calls(&sandbox, "aws").len(), 2);
}

#[test]
fn pgcred_login_does_nothing_if_no_login_is_needed() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    sandbox.write(
        ".aws/credentials",
        "[keys]\naws_access_key_id = k\naws_secret_access_key = s\n",
    );
    install(&sandbox, "aws", &sso_log_in());
    let run = |arguments: &[&str], says: &str| {
        let run = sandbox.run(arguments);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (0, "", says),
            "{arguments:?}"
        );
    };
    let nothing = "pgcred: already logged in\n";
    run(&["login", "--profile", "keys"], nothing);
    run(&["login", "--profile", "keys", "--quiet"], "");
    assert_eq!(calls(&sandbox, "aws"), [""; 0]);
    let why = "profile `p`: nobody has logged in to SSO yet";
    run(
        &LOGIN,
        &format!("pgcred: {why}; running aws sso login --profile p\npgcred: logged in\n"),
    );
    run(&LOGIN, nothing);
    assert_eq!(calls(&sandbox, "aws").len(), 1);
    sandbox
        .run(&["login", "--profile", "nope"])
        .assert_fails(2, "there is no AWS profile `nope`");
}

/// stdin is not the terminal, stderr is a file, or the process is in the background of its
/// terminal: pgcred cannot ask the user.
#[test]
fn half_a_terminal_counts_as_none() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &sso_log_in());
    let pgcred = format!(
        "'{}' {} --no-cache",
        env!("CARGO_BIN_EXE_pgcred"),
        TOKEN.join(" ")
    );
    for line in [
        format!("true | {pgcred}"),
        format!("{pgcred} 2>error || cat error >&2; exit 3"),
    ] {
        terminal(&sandbox, &[], &["/bin/sh", "-c", &line])
            .assert_fails(3, "hint: run `pgcred login --profile p`");
    }
    let background = format!("set -m; {pgcred} & wait $!");
    terminal(&sandbox, &[], &["/bin/sh", "-c", &background])
        .assert_fails(3, "hint: run `pgcred login --profile p`");
    assert_eq!(calls(&sandbox, "aws"), [""; 0]);
}
