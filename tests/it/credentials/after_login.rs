//! A login outside of pgcred ends the pause after a failure: for `token`, for hooks and for callers
//! that wait.

use std::fs;
use std::process::Stdio;

use serde_json::json;

use crate::credentials::identity_trial::{
    FAR, LOGIN_FILE, LOGIN_SESSION, SSO_FILE, Trial, answered, service_that, sso, sso_login,
};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{Stub, requests};

/// Returns a desktop with a connection `c`. The session of its `aws login` is in a directory with
/// `~` in its path, and nobody has logged in.
fn logged_out() -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .set("AWS_LOGIN_CACHE_DIRECTORY", "~/sessions");
    sandbox.write(
        ".aws/config",
        format!("[profile p]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    sandbox.ok(&["add", "c", HOST, "--profile", "p"]);
    for _ in 0..6 {
        sandbox
            .run(&["refresh", "c"])
            .assert_fails(3, "nobody has logged in");
    }
    sandbox
        .run(&["token", "c"])
        .assert_fails(3, "got this answer 0 s ago");
    sandbox
}

fn log_in_to(sandbox: &Sandbox) {
    let keys = json!({
        "accessKeyId": "ASIALOGIN", "secretAccessKey": "s", "sessionToken": "t", "expiresAt": FAR
    });
    let session =
        json!({"accessToken": keys, "refreshToken": "r", "dpopKey": "k", "clientId": "c"});
    sandbox.write(&format!("sessions/{LOGIN_FILE}"), session.to_string());
}

#[test]
fn a_login_in_a_directory_with_a_tilde_ends_the_pause() {
    let sandbox = logged_out();
    log_in_to(&sandbox);
    assert!(sandbox.ok(&["token", "c"]).contains("ASIALOGIN"));
}

/// The user logged in, and the token is not renewed: one run with `--debug` shows the reason.
#[test]
fn debug_says_why_a_token_is_not_renewed() {
    let steps_of = |sandbox: &Sandbox, arguments: &[&str]| -> Vec<String> {
        let run = sandbox.run(arguments);
        let steps = run.stderr.lines();
        steps
            .filter_map(|line| line.strip_prefix("pgcred: debug: "))
            .map(str::to_owned)
            .collect()
    };
    let says = |steps: &[String], parts: &[&str]| {
        let mut rest = steps.iter();
        for part in parts {
            assert!(
                rest.any(|step| step.contains(part)),
                "{part:?} is not in its place in {steps:#?}"
            );
        }
    };
    let mut sandbox = logged_out();
    let token = ["token", "c", "--debug"];
    // The user has not logged in, or to another profile: the pause goes on.
    says(
        &steps_of(&sandbox, &token),
        &[
            "holds no usable login",
            "cache: no token of admin@",
            "lock: taken for identity",
            "pause: after failure 6 at 2030-01-01T00:00:00Z, until 2030-01-01T00:05:00Z or the \
             next login; the failure is repeated",
            ".json has not changed",
        ],
    );
    // pgcred notices the login.
    log_in_to(&sandbox);
    says(
        &steps_of(&sandbox, &token),
        &[
            "pause: none, the user may have logged in since the failure at 2030-01-01T00:00:00Z",
            "credentials: resolving those of identity",
            "credentials: resolved in",
            "signed: dsql DbConnectAdmin for admin@",
            "is stored",
        ],
    );
    // A token that was issued before the login is still fresh, so pgcred prints it without waiting.
    let steps = steps_of(&sandbox, &token);
    says(
        &steps,
        &["issued 0 s ago, expires in 15 min (2030-01-01T00:15:00Z): used"],
    );
    assert!(
        !steps.iter().any(|step| step.starts_with("lock: ")),
        "{steps:#?}"
    );
    let quiet = sandbox.run(&["token", "c"]);
    assert_eq!((quiet.code, &*quiet.stderr), (0, ""));
    // First the passfile has no token, then it has one that is not due.
    let refresh = ["refresh", "--debug"];
    says(
        &steps_of(&sandbox, &refresh),
        &["now, the passfile has no fresh token"],
    );
    says(
        &steps_of(&sandbox, &refresh),
        &["not before 2030-01-01T00:10:00Z"],
    );
    // Later it is renewed, because it is stale.
    sandbox.at("2030-01-01T00:11:00Z");
    says(
        &steps_of(&sandbox, &token),
        &["it has been stale since 2030-01-01T00:10:00Z", "signed: "],
    );
}

#[test]
fn a_prompt_asks_for_no_login_after_the_login() {
    let sandbox = logged_out();
    assert_eq!(
        sandbox.ok(&["prompt", "--format", "{name} {state}"]),
        "c needs-login\n"
    );
    assert!(sandbox.ok(&["list"]).contains("nobody has logged in"));
    log_in_to(&sandbox);
    assert_eq!(sandbox.ok(&["prompt", "--format", "{name} {state}"]), "");
    assert!(!sandbox.ok(&["list"]).contains("nobody has logged in"));
}

/// A hook starts no process before the time in the due file. While a login can end the pause, that
/// time must be near.
#[test]
fn a_hook_looks_for_a_login_soon_and_refreshes_after_it() {
    let mut sandbox = logged_out();
    let due = |sandbox: &Sandbox| {
        let text = fs::read_to_string(sandbox.own().join("cache/due")).expect("a file");
        let (time, shown) = text.split_once('\n').expect("two lines");
        (
            time.parse::<i64>().expect("a time"),
            shown.trim().to_owned(),
        )
    };
    let now = 1_893_456_000;
    let (time, shown) = due(&sandbox);
    assert!((now + 1..=now + 15).contains(&time), "{}", time - now);
    assert_eq!(shown, "c 0 needs-login");
    sandbox.at("2030-01-01T00:00:15Z");
    sandbox.run(&["refresh", "--background", "--quiet"]);
    assert_eq!(due(&sandbox), (now + 30, "c 0 needs-login".to_owned()));
    log_in_to(&sandbox);
    sandbox.at("2030-01-01T00:00:30Z");
    sandbox.ok(&["refresh", "--background", "--quiet"]);
    let (time, shown) = due(&sandbox);
    assert!(
        time > now + 300 && shown.starts_with("c ") && shown.ends_with(" ok"),
        "{} {shown}",
        time - now
    );
}

/// The token that then arrives is signed by the identity that was logged in before, and is used for
/// no other.
#[test]
fn a_login_during_a_request_gets_a_token_of_its_own() {
    let mut trial = Trial::new();
    sso(&mut trial);
    let file = trial.sandbox.path(SSO_FILE);
    let log_in = move || fs::write(&file, sso_login("somebody else")).expect("written");
    trial.set("AWS_ENDPOINT_URL_SSO", &service_that("one", log_in));
    let (before, _) = answered(&trial.run(&[])).expect("a token");
    let (after, cached) = answered(&trial.run(&[])).expect("a token");
    assert!(before != after && !cached, "{before} {after} {cached}");
}

/// The renewed login rewrites a file on which cached tokens depend. Callers that waited for that
/// still find the token.
#[test]
fn many_callers_that_wait_for_a_renewed_login_ask_once() {
    skip_unless!(PYTHON);
    let home = Sandbox::empty();
    let log = home.path("log");
    let stub = Stub::aws(Some(&log));
    let mut trial = Trial::new();
    sso(&mut trial);
    trial.set("AWS_ENDPOINT_URL", &stub.url(""));
    let login = json!({
        "accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z", "refreshToken": "r",
        "clientId": "c", "clientSecret": "s", "registrationExpiresAt": FAR,
    });
    trial.sandbox.write(SSO_FILE, login.to_string());
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let mut pgcred = trial.sandbox.pgcred(&["token", HOST, "--profile", "p"]);
            pgcred
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("pgcred starts")
        })
        .collect();
    let runs: Vec<Run> = askers
        .into_iter()
        .map(|asker| Run::finished(asker.wait_with_output().expect("an end")))
        .collect();
    for run in &runs {
        assert_eq!(
            (run.code, &run.stdout),
            (0, &runs[0].stdout),
            "{}",
            run.stderr
        );
    }
    let asked: Vec<String> = requests(&log)
        .iter()
        .map(|request| request["path"].to_string())
        .collect();
    assert_eq!(asked.len(), 2, "one renewal and one question: {asked:?}");
}
