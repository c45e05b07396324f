//! `pgcred refresh` of all connections: which tokens are due, and which token is written to the
//! passfile.

use std::fs;

use serde_json::Value;

use crate::commands::connections::{passfile, sandbox};
use crate::commands::list::listed;
use crate::support::sandbox::{HOST, Sandbox};

#[test]
fn refresh_without_a_target_renews_only_the_tokens_that_are_due() {
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
    // A line that the user has removed comes back, although its token is not due.
    fs::write(sandbox.path("p"), "").expect("written");
    sandbox.ok(refresh);
    assert!(passfile(&sandbox).contains("\ntwo.") && passfile(&sandbox).contains(HOST));
}

/// A token needs to be in one place only: pgcred uses the one in the passfile.
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

/// Two profiles sign for one cluster. The passfile has one line for both, and pgcred knows whose
/// token it is.
#[test]
fn the_first_of_two_connections_with_one_address_owns_the_line() {
    let sandbox = sandbox();
    sandbox.write(
        ".aws/credentials",
        "[a]\naws_access_key_id = KA\naws_secret_access_key = s\n[b]\naws_access_key_id = KB\n\
         aws_secret_access_key = s\n",
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
    // `writes` gets its own token, not that of `reads`.
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

    // An alias of `other` is the host of `reads`: that line belongs to `reads`, and the other lines
    // to `other`.
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
    // The line of `writes` belongs to `reads`, but its alias does not: the token is written for the
    // alias, and `token` does not print the token of `reads`.
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

    // Without `reads` the line belongs to the next connection.
    sandbox.ok(&["remove", "reads"]);
    sandbox.ok(&["refresh"]);
    assert!(
        !String::from_utf8(sandbox.read(".pgpass"))
            .expect("text")
            .contains("=KA%2F")
    );
}

/// `refresh` does not renew a token that is valid for longer than a new one would be.
#[test]
fn refresh_does_not_shorten_the_lifetime_of_a_token() {
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
    // A longer token does not stay if another role signs now, or if the target is named.
    sandbox.ok(&["refresh", "prod", "--expires-in", "1h"]);
    sandbox.ok(&["refresh", "prod"]);
    assert!(
        String::from_utf8_lossy(&sandbox.read(".pgpass")).contains("# expires 20300101T002501Z")
    );
    sandbox.ok(&["refresh", "prod", "--expires-in", "1h"]);
    sandbox.set("AWS_ACCESS_KEY_ID", "ANOTHER").ok(&["refresh"]);
    assert!(String::from_utf8_lossy(&sandbox.read(".pgpass")).contains("=ANOTHER%2F"));
}

/// The token in the passfile is newer than the cached one. pgcred uses it, and further refreshes
/// write nothing.
#[test]
fn a_token_in_the_passfile_wins_over_an_older_cached_one() {
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

/// DBeaver calls this before each connect. A valid token that lasts longer than a new one stays.
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
