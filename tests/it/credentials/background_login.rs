//! Logging in without a terminal: a page in the browser, for which a call may wait, and one
//! notification for all runs in the background.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::credentials::faults::{SSO_FILE, sso_token};
use crate::credentials::login::{BY_SSO, TOKEN, TOKEN_Q, assert_token, with};
use crate::support::desk::{BROWSER, FAR, NOTIFIER, calls, desk, install, sso_log_in, wait_for};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::HOST;
use crate::support::stubs::Stub;

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
