//! Logging in: when pgcred asks the user and when not, one login for all callers that wait, with
//! the AWS CLI and without it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::credentials::faults::{SSO_FILE, sso_token};
use crate::support::desk::{
    BROWSER, FAR, NOTIFIER, PAST, at_terminal, aws_log_in, calls, desk, install, install_version,
    logged_in, sso_log_in, terminal, wait_for,
};
use crate::support::needs::{PYTHON, package, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{STUB_SECRET, Stub, requests};

const TOKEN: [&str; 4] = ["token", HOST, "--profile", "p"];
const TOKEN_Q: [&str; 4] = ["token", HOST, "--profile", "q"];
const LOGIN: [&str; 3] = ["login", "--profile", "p"];
/// The access keys of the portal of the stub, and of the `aws login` of these tests.
const BY_SSO: &str = "Credential=ASIASSO%2F";
const BY_LOGIN: &str = "Credential=ASIALOGIN%2F";

fn assert_token(run: &Run, by: &str) {
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.starts_with(HOST) && run.stdout.lines().count() == 1,
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains(by), "{}", run.stdout);
}

/// Returns a command line with more arguments.
fn with<const A: usize, const B: usize>(
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
            format!("pgcred: {why}\nhint: run `{command}`, then retry\n")
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
        run.assert_fails(3, "hint: run `pgcred login --profile p`, then retry\n");
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

#[test]
fn pgcred_can_log_in_without_the_aws_cli_and_aws_tools_find_the_session() {
    skip_unless!(PYTHON, package("boto3"));
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url("pending-2"));
    let run = at_terminal(&sandbox, &TOKEN);
    assert_token(&run, BY_SSO);
    let address = format!("{}/device?user_code=ABCD-EFGH", stub.url(""));
    let said = format!("pgcred: log in to AWS in the browser: {address} (code ABCD-EFGH)\n");
    assert_eq!(run.stderr, said);
    wait_for("the browser", || {
        calls(&sandbox, BROWSER) == [address.as_str()]
    });

    let file = sandbox.path(SSO_FILE);
    assert_eq!(
        fs::metadata(&file).expect("a file").permissions().mode() & 0o777,
        0o600
    );
    let found: Value = serde_json::from_slice(&sandbox.read(SSO_FILE)).expect("JSON");
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    for name in ["expiresAt", "registrationExpiresAt"] {
        assert!(
            text(name).len() == 20 && text(name).ends_with('Z'),
            "{name} is {}",
            text(name)
        );
    }
    assert_eq!(
        found,
        json!({
            "startUrl": "https://x.awsapps.com/start", "region": "us-west-2",
            "accessToken": "ssotoken", "clientId": "client",
            "clientSecret": text("clientSecret"), "refreshToken": text("refreshToken"),
            "expiresAt": text("expiresAt"), "registrationExpiresAt": text("registrationExpiresAt")})
    );
    let mut boto = sandbox.command(&python());
    let script = "import boto3; session = boto3.Session(profile_name='p'); \
        print(session.get_credentials().get_frozen_credentials().access_key)";
    let run = Run::of({
        boto.args(["-c", script]);
        boto
    });
    assert_eq!(
        (run.stdout.as_str(), run.code),
        ("ASIASSO\n", 0),
        "{}",
        run.stderr
    );
}

/// Version 1 of the AWS CLI answers `sso login` with its usage. A link from pgcred to `aws` refuses
/// it.
#[test]
fn an_aws_cli_that_cannot_log_in_is_not_used() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    for version in [
        "aws-cli/1.32.101 Python/3.11.2",
        "aws-cli/2.38.1 pgcred/0.1.0",
        "aws: command not understood",
    ] {
        let sandbox = desk(&stub.url(""));
        install_version(
            &sandbox,
            "aws",
            version,
            "echo 'usage: aws [options]' >&2; exit 2",
        );
        assert_token(&at_terminal(&sandbox, &TOKEN), BY_SSO);
        assert_eq!(calls(&sandbox, "aws"), [""; 0]);
        let run = at_terminal(&sandbox, &["login", "--profile", "l"]);
        run.assert_fails(3, "hint: install the AWS CLI 2.32 or newer");
    }
}

/// Debian's program for opening a browser always exists, and fails if there is no browser.
#[test]
fn if_no_browser_opens_the_address_is_shown() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let address = format!("{}/device?user_code=ABCD-EFGH", stub.url(""));
    let sandbox = desk(&stub.url("pending-1"));
    for name in [
        "xdg-open",
        "open",
        "gio",
        "gnome-open",
        "kde-open",
        "kde-open5",
        "kde-open6",
        "wslview",
        "sensible-browser",
    ] {
        install(&sandbox, name, "exit 3");
    }
    let run = sandbox.run(&LOGIN);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains(&format!("in the browser: {address} (code ABCD-EFGH)\n")),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("no browser could be started: open that address yourself"),
        "{}",
        run.stderr
    );

    // No user is there to confirm: this caller and every later one learn the address of the page.
    let sandbox = desk(&stub.url("pending-14"));
    install(&sandbox, BROWSER, "exit 3");
    let run = sandbox.run(&with(TOKEN, ["--login=browser", "--timeout", "8"]));
    run.assert_fails(
        3,
        &format!("(log in to AWS in the browser: {address} (code ABCD-EFGH), then connect again)"),
    );
    let second = sandbox.run(&LOGIN);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(
        second
            .stderr
            .contains("another pgcred is logging in to AWS; waiting"),
        "{}",
        second.stderr
    );
    assert!(
        second.stderr.contains(&format!(
            "to finish that login, log in to AWS in the browser: {address}"
        )),
        "{}",
        second.stderr
    );
    assert_token(&sandbox.run(&TOKEN), BY_SSO);
}

#[test]
fn a_device_grant_ends_in_every_way() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let refused = "pgcred: cannot log in to SSO of profile `p`: the SSO login service refused: ";
    for (words, code, says) in [
        (
            "pending-1/grant-ExpiredTokenException",
            3,
            "pgcred: the SSO login was not confirmed in time\n",
        ),
        (
            "grant-AccessDeniedException",
            3,
            "pgcred: the SSO login was declined\n",
        ),
        ("grant-InvalidGrantException", 1, refused),
        ("error-InvalidRequestException", 1, refused),
    ] {
        let sandbox = desk(&stub.url(words));
        let run = sandbox.run(&LOGIN);
        run.assert_fails(code, says);
        assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
        assert!(
            !sandbox.path(SSO_FILE).exists() && !run.stderr.contains(STUB_SECRET),
            "{}",
            run.stderr
        );
    }
    let run = desk(&stub.url("")).run(&["login", "--profile", "l"]);
    run.assert_fails(3, "hint: install the AWS CLI 2.32 or newer");
}

/// RFC 8628: after `slow_down`, the pause between two questions is five seconds longer.
#[test]
fn a_device_grant_waits_as_long_as_the_service_asks() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url("slow-1"));
    let began = Instant::now();
    let run = sandbox.run(&LOGIN);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(
        run.stderr.ends_with("pgcred: logged in\n"),
        "{}",
        run.stderr
    );
    assert!(
        began.elapsed() >= Duration::from_secs(6),
        "asked again too early: {:?}",
        began.elapsed()
    );
}

#[test]
fn a_call_without_a_terminal_may_open_the_page_and_wait() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &format!("sleep 2\n{}", sso_log_in()));
    assert_token(&sandbox.run(&with(TOKEN, ["--login"])), BY_SSO);
    assert_eq!(calls(&sandbox, "aws"), ["sso login --profile p"]);
    wait_for("the notification", || calls(&sandbox, NOTIFIER).len() == 1);
    assert!(
        calls(&sandbox, NOTIFIER)[0].contains("profile p"),
        "{:?}",
        calls(&sandbox, NOTIFIER)
    );

    let without_aws = desk(&stub.url("pending-1"));
    let run = without_aws.run(&with(TOKEN, ["--login"]));
    assert_token(&run, BY_SSO);
    assert_eq!(
        (run.stderr.as_str(), calls(&without_aws, BROWSER).len()),
        ("", 1)
    );
}

/// `output()` would also wait for every other process that has stdout or stderr open.
#[test]
fn a_login_that_takes_longer_than_the_call_serves_the_next_call() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(
        &sandbox,
        "aws",
        &format!("until [ -e go ]; do sleep 0.1; done\n{}", sso_log_in()),
    );
    let began = Instant::now();
    let run = sandbox.run(&with(TOKEN, ["--login=browser", "--timeout", "1"]));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    run.assert_fails(
        3,
        "(pgcred has opened the login page in a browser: finish the login there, \
         then connect again)\nhint: ",
    );
    sandbox.write("go", "");
    wait_for("the login", || sandbox.path(SSO_FILE).exists());
    assert_token(&sandbox.run(&TOKEN), BY_SSO);
    assert_eq!(calls(&sandbox, "aws").len(), 1);
}

#[test]
fn the_background_opens_one_page_in_ten_minutes() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let mut sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", "exit 1");
    fs::write(sandbox.own().join("config.toml"), "login = \"browser\"\n").expect("a file");
    // Two profiles of one session ask at the same time, with the cache and without.
    sandbox.at("2030-01-01T00:00:00Z");
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let token = if n % 2 == 0 { TOKEN } else { TOKEN_Q };
                let cache = if n % 4 < 2 { "--no-cache" } else { "--quiet" };
                let sandbox = &sandbox;
                scope.spawn(move || sandbox.run(&with(token, ["--timeout", "1", cache])))
            })
            .collect();
        for call in calls {
            call.join()
                .expect("no panic")
                .assert_fails(3, "pgcred login --profile ");
        }
    });
    // More calls follow in the minute after.
    for n in 0..12 {
        sandbox.at(&format!("2030-01-01T00:00:{:02}Z", n * 5));
        sandbox
            .run(&with(TOKEN, ["--timeout", "0"]))
            .assert_fails(3, "pgcred login --profile p");
    }
    wait_for("the page", || calls(&sandbox, "aws").len() == 1);
    wait_for("the notification", || calls(&sandbox, NOTIFIER).len() == 1);
    sandbox.at("2030-01-01T00:10:01Z");
    sandbox
        .run(&with(TOKEN, ["--timeout", "0"]))
        .assert_fails(3, "pgcred login --profile p");
    wait_for("the page ten minutes later", || {
        calls(&sandbox, "aws").len() == 2
    });
    wait_for("its notification", || calls(&sandbox, NOTIFIER).len() == 2);
}

/// A timer runs several refreshes, and the user gets one notification.
#[test]
fn the_background_reports_a_needed_login_once() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", "exit 1");
    sandbox.ok(&["add", "-q", "prod", HOST, "--profile", "p"]);
    let refresh =
        |more: &[&str]| sandbox.run(&[&["refresh", "--background", "--quiet"], more].concat());
    refresh(&["--login=never"]).assert_fails(3, "pgcred login --profile p");
    assert!(calls(&sandbox, NOTIFIER).is_empty());
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| refresh(&[]))).collect();
        for run in runs {
            run.join()
                .expect("no panic")
                .assert_fails(3, "pgcred login --profile p");
        }
    });
    refresh(&[]).assert_fails(3, "pgcred login --profile p");
    wait_for("the notice", || !calls(&sandbox, NOTIFIER).is_empty());
    sandbox.write(SSO_FILE, sso_token("ssotoken", FAR));
    assert_eq!(refresh(&[]).code, 0);
    fs::remove_file(sandbox.path(SSO_FILE)).expect("removed");
    sandbox.ok(&["erase", "--all", "-q"]);
    refresh(&[]).assert_fails(3, "pgcred login --profile p");
    wait_for("the next notice", || calls(&sandbox, NOTIFIER).len() >= 2);
    let told = calls(&sandbox, NOTIFIER);
    assert!(
        told.len() == 2 && told[0].contains("profile `p`") && told[0].contains("run `pgcred login"),
        "{told:?}"
    );
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

/// With another scheme, the address would start another program than a browser.
#[test]
fn only_a_page_of_the_web_is_opened() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = desk(&stub.url("foreign"));
    let run = at_terminal(&sandbox, &TOKEN);
    assert_token(&run, BY_SSO); // the stub confirms by itself
    assert!(
        run.stderr
            .contains("log in to AWS in the browser: vscode://evil.example/run\\u{1b}]0;x"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("is not a web page, so pgcred does not open it"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    assert_eq!(calls(&sandbox, BROWSER), [""; 0]);
}

/// The login ends when the service says that it has expired, even if the pause or a `slow_down` of
/// the service is longer.
#[test]
fn a_login_ends_when_its_time_is_over() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    for words in ["brief/slow-1000", "brief/pending-1000"] {
        let sandbox = desk(&stub.url(words));
        at_terminal(&sandbox, &with(TOKEN, ["--no-cache"]))
            .assert_fails(3, "the SSO login was not confirmed in time");
    }
}
