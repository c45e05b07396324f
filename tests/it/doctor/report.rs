//! The report of `pgcred doctor` as JSON, whose form is documented, and the exit codes.

use serde_json::Value;

use super::fixture::configure;
use super::server::Server;
use crate::support::sandbox::{HOST, Sandbox};

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn the_form_of_the_report() {
    let server = Server::of(HOST);
    for more in [&[][..], &[("hostaddr", "127.0.0.1"), ("port", "1")]] {
        let target = server.target(more);
        let run = server
            .sandbox
            .run(&["doctor", "--format", "json", "--timeout", "60s", &target]);
        assert!(run.stdout.ends_with("}\n") && run.stdout.lines().count() == 1);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(
            keys(&report),
            ["checks", "first_cause", "first_check", "pgcred", "version"]
        );
        assert_eq!(report["version"], 1);
        assert_eq!(report["pgcred"], env!("CARGO_PKG_VERSION"));
        for check in report["checks"].as_array().expect("checks") {
            let expected = [
                "because",
                "cause",
                "cause_title",
                "detail",
                "fix",
                "id",
                "status",
                "target",
                "title",
            ];
            assert_eq!(keys(check), expected, "{check}");
            assert_eq!(keys(&check["fix"]), ["commands", "text"], "{check}");
            let status = check["status"].as_str().expect("a status");
            assert!(["ok", "warn", "fail", "skip"].contains(&status), "{check}");
            let is_wrong = ["warn", "fail"].contains(&status);
            for key in ["cause", "cause_title", "because"] {
                assert_eq!(check[key].is_string(), is_wrong, "{key}: {check}");
            }
        }
        let failed = more.is_empty().then_some(()).is_none();
        assert_eq!(report["first_check"].is_string(), failed, "{}", run.stdout);
        assert_eq!(run.code, i32::from(failed), "{}", run.stdout);
    }
}

/// README.md beside the source names each key.
#[test]
fn the_form_is_documented() {
    let page = crate::support::sources::root().join("src/command/doctor/README.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let keys = "version pgcred checks first_check first_cause id target status title detail cause \
        cause_title because fix text commands";
    for key in keys.split_whitespace() {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn exit_codes() {
    let server = Server::of(HOST);
    let code = |words: &[&str]| {
        let run = server.sandbox.run(&[&["doctor"], words].concat());
        (run.code, run.stdout + &run.stderr)
    };
    let target = server.target(&[]);
    let closed = server.target(&[("port", "1")]);
    for (words, expected) in [
        (&["--check", "net,tls,login", &target][..], 0),
        (&["--check", "net,tls,login", &closed], 1),
        (&["--check", "nothing"], 2),
        (&["--aws", "--offline"], 2),
        (&["--no-such-option"], 2),
        (&["--offline", "no-such-connection"], 4),
    ] {
        let (code, shown) = code(words);
        assert_eq!(code, expected, "{words:?}: {shown}");
    }
}

/// A login of the user's is what is missing.
#[test]
fn the_exit_code_for_a_login() {
    let sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/config",
        "[default]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n\
         region = us-east-1\n[sso-session s]\nsso_region = us-east-1\n\
         sso_start_url = https://s.awsapps.com/start\n",
    );
    configure(
        &sandbox,
        &format!("[connections.prod]\nhost = \"{HOST}\"\n"),
    );
    let run = sandbox.run(&["doctor", "--offline"]);
    assert_eq!(run.code, 3, "{} {}", run.stdout, run.stderr);
    assert!(run.stdout.contains("type: pgcred login"), "{}", run.stdout);
}

/// The summary says it to those who never wrote the passfile; it is no warning for the others.
#[test]
fn a_passfile_without_a_password() {
    let sandbox = Sandbox::with_keys();
    let summary = |sandbox: &Sandbox| sandbox.run(&["doctor", "--offline", HOST]).stdout;
    let before = summary(&sandbox);
    let note = format!("note: {HOST}: the passfile has no password");
    assert!(before.replace('\n', " ").contains(&note), "{before}");
    assert!(
        before.ends_with(&format!("\ntype: pgcred refresh {HOST}\n")),
        "{before}"
    );
    sandbox.ok(&["refresh", HOST]);
    let after = summary(&sandbox);
    assert!(!after.contains("note:"), "{after}");
}

/// What to type is about the configuration where the configuration is wrong.
#[test]
fn a_wrong_line_of_a_connection() {
    for (lines, advice) in [
        (
            "host = \"localhost\"\nuser = \"me\"",
            "add `sign_host = \"HOST\"`",
        ),
        (
            &*format!("host = \"{HOST}\"\nregion = \"eu-west-1\""),
            "delete `region` in [connections.prod]",
        ),
        (
            &*format!("host = \"{HOST}\"\nprofile = \"dve\""),
            "or `profile` in [connections.prod]",
        ),
    ] {
        let sandbox = Sandbox::with_keys();
        configure(&sandbox, &format!("[connections.prod]\n{lines}\n"));
        let said = sandbox.run(&["doctor", "--offline", "prod"]).stdout;
        let summary = said.split("first cause: prod: ").nth(1);
        let words = summary.unwrap_or_default().replace('\n', " ");
        assert!(words.contains(advice), "{advice}: {said}");
    }
}
