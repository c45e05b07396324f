//! An SSO login without the AWS CLI: the page that pgcred opens, the code that the user confirms,
//! and the session that other AWS tools find.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::credentials::faults::SSO_FILE;
use crate::credentials::login::{BY_SSO, LOGIN, TOKEN, assert_token, with};
use crate::support::desk::{BROWSER, at_terminal, calls, desk, install, install_version, wait_for};
use crate::support::needs::{PYTHON, package, python, skip_unless};
use crate::support::sandbox::Run;
use crate::support::stubs::{STUB_SECRET, Stub};

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
