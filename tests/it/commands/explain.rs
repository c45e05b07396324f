//! `pgcred doctor --explain`: what a message of a client or a server means, without any check.

use serde_json::Value;

use crate::support::sandbox::Sandbox;

const REFUSED: &str = "FATAL:  unable to accept connection, access denied\n\
    HINT:  Wrong user to action mapping. user: admin, action: DbConnect";

#[test]
fn a_known_message_is_explained_with_what_to_type() {
    let sandbox = Sandbox::empty();
    let answer = sandbox.ok(&["doctor", "--explain", REFUSED]);
    let mut lines = answer.lines();
    assert_eq!(
        lines.next(),
        Some("the token is for the other kind of database user (dsql.action)")
    );
    assert_eq!(
        lines.next_back(),
        Some("  type: pgcred refresh TARGET --user USER")
    );
    let answer = sandbox.ok(&["doctor", "--format", "json", "--explain", REFUSED]);
    let json: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(json["causes"][0]["id"], "dsql.action");
    assert_eq!(json["causes"].as_array().map(Vec::len), Some(1));
    let typed = "-bash: pgcred: command not found";
    assert!(
        sandbox
            .ok(&["doctor", "--explain", typed])
            .contains("tool.path")
    );
}

#[test]
fn a_message_is_one_of_the_named_provider() {
    let sandbox = Sandbox::empty();
    let answer = sandbox.ok(&["doctor", "--explain", REFUSED, "--provider", "dsql"]);
    assert!(answer.contains("dsql.action"), "{answer}");
    sandbox
        .run(&["doctor", "--explain", REFUSED, "--provider", "nobody"])
        .assert_fails(2, "no such provider: `nobody`");
}

#[test]
fn nothing_else_is_needed() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", "this is no configuration");
    let config = sandbox.path("config.toml").display().to_string();
    let answer = sandbox.ok(&["doctor", "--config", &config, "--explain", REFUSED]);
    assert!(answer.contains("dsql.action"), "{answer}");
}

#[test]
fn an_unknown_message_leads_to_the_checks_and_is_not_repeated() {
    let sandbox = Sandbox::empty();
    for text in ["", "it is Monday\u{1b}[31m", "password=hunter2"] {
        let run = sandbox.run(&["doctor", "--explain", text]);
        run.assert_fails(1, "the text matches no known cause");
        run.assert_fails(
            1,
            "hint: run `pgcred doctor TARGET` to look for the cause itself",
        );
        for part in ["Monday", "hunter2", "\u{1b}"] {
            assert!(!run.stderr.contains(part), "{}", run.stderr);
        }
    }
    let secret = "FATAL: PAM authentication failed for user \"hunter2\"";
    let answer = sandbox.ok(&["doctor", "--explain", secret]);
    assert!(!answer.contains("hunter2"), "{answer}");
}

#[test]
fn a_message_and_checks_are_not_mixed() {
    let sandbox = Sandbox::empty();
    for more in ["prod", "--aws", "--list"] {
        let run = sandbox.run(&["doctor", "--explain", REFUSED, more]);
        run.assert_fails(2, "cannot be used with");
    }
}
