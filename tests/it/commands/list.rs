//! `pgcred list` and `pgcred prompt`: what they show of the token of each connection.

use serde_json::Value;

use crate::commands::connections::{configure, sandbox};
use crate::support::sandbox::{HOST, Sandbox};

#[test]
fn list_shows_the_tokens_but_no_secret() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "[connections.bad]\nhost = 'nowhere.example.com'\n[connections.sso]\n\
         host = 'h.dsql.us-east-1.on.aws'\nprofile = 'none'\ndiscovered = true\n",
    );
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    sandbox
        .run(&["token", "sso"])
        .assert_fails(2, "there is no AWS profile `none`");
    sandbox.at("2030-01-01T00:05:00Z");
    let table = sandbox.ok(&["list"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines[0].starts_with("NAME") && lines[3].contains("10 min      cache only"),
        "{table}"
    );
    assert!(
        lines[5].starts_with("bad: `nowhere.example.com` is not a host name of"),
        "{table}"
    );
    assert!(
        lines[6].starts_with("sso: there is no AWS profile `none`"),
        "{table}"
    );
    assert!(
        lines[..4].iter().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    let json: Value =
        serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON");
    assert_eq!(json[2]["expiration"], "2030-01-01T00:15:00Z");
    assert_eq!(json[2]["token_in"], "cache");
    assert_eq!(json[2]["error"], Value::Null);
    assert_eq!(
        (&json[1]["discovered"], &json[2]["discovered"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    assert!(!json.to_string().contains("Signature") && !table.contains("Signature"));
}

pub fn listed(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON")
}

/// `list` shows what the passfile contains now, not what pgcred once wrote to it.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn list_and_prompt_read_the_passfile() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--alias", "localhost:15432"]);
    // The token is first in the cache only, then also in the passfile.
    sandbox.ok(&["token", "prod"]);
    assert_eq!(listed(&sandbox)[0]["token_in"], "cache");
    sandbox.ok(&["refresh"]);
    let file = sandbox.path(".pgpass").display().to_string();
    let json = listed(&sandbox);
    assert_eq!(
        (&json[0]["token_in"], &json[0]["expiration"]),
        (&Value::from(file), &"2030-01-01T00:15:00Z".into())
    );
    assert_eq!(
        (&json[0]["cached_until"], &json[0]["missing"]),
        (&"2030-01-01T00:15:00Z".into(), &Value::from([""; 0]))
    );
    assert_eq!(json[0]["in_passfiles"].as_array().map(Vec::len), Some(2));
    assert!(
        sandbox
            .ok(&["list"])
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains(" 15 min      ~/.pgpass  "))
    );
    // The variables have changed: the index knows the token in the passfile under another identity.
    sandbox.set("AWS_SESSION_TOKEN", "another");
    assert_eq!(listed(&sandbox)[0]["expiration"], "2030-01-01T00:15:00Z");
    assert_eq!(
        sandbox.ok(&["prompt", "--format", "{name} {left} {state}"]),
        "prod 15 min fresh\n"
    );
    // The user has added a line above the block, and has removed the line of the alias.
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    let alias = lines
        .iter()
        .position(|line| line.starts_with("localhost"))
        .expect("a line");
    lines.drain(alias - 1..=alias);
    let without_alias = lines.concat();
    sandbox.write(".pgpass", format!("*:*:*:admin:mine\n{without_alias}"));
    let json = listed(&sandbox);
    assert_eq!(json[0]["in_passfiles"][0]["hidden_by_line"], 1, "{json}");
    assert_eq!(json[0]["missing"][0], "localhost:15432", "{json}");
    let table = sandbox.ok(&["list"]);
    assert!(
        table.contains(&format!(
            "prod: clients take line 1 of ~/.pgpass for {HOST}:5432"
        )),
        "{table}"
    );
    assert!(
        table.contains("prod: no passfile has a token for localhost:15432")
            && !table.contains("mine"),
        "{table}"
    );
    // The passfile is empty.
    sandbox.unset("AWS_SESSION_TOKEN").write(".pgpass", "");
    assert_eq!(listed(&sandbox)[0]["token_in"], "cache");
    // pgcred's block in the passfile is damaged.
    sandbox.write(".pgpass", "# pgcred end\n");
    assert!(
        sandbox
            .ok(&["list"])
            .contains(".pgpass: line 1: pgcred's block is damaged")
    );
}

/// `list` also finds a token in a passfile that no variable names any more.
#[cfg(unix)] // HOME moves the home directory
#[test]
fn list_finds_tokens_in_other_passfiles() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST]);
    let other = sandbox.path("other").display().to_string();
    sandbox.set("PGPASSFILE", &other).ok(&["refresh"]);
    sandbox.unset("PGPASSFILE");
    assert_eq!(listed(&sandbox)[0]["token_in"], Value::from(other));
    assert!(sandbox.ok(&["list"]).contains("~/other"));
}

/// A failure of connections that were removed is not shown.
#[test]
fn the_last_failure_in_the_background_is_about_this_configuration() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--profile", "nope"]);
    assert_ne!(sandbox.run(&["refresh", "--background"]).code, 0);
    assert!(
        sandbox
            .ok(&["list"])
            .contains("in the background: 0 s ago, failed")
    );
    sandbox.ok(&["remove", "prod"]);
    let table = sandbox.ok(&["list"]);
    assert!(
        table.contains("in the background: 0 s ago\n") && !table.contains("failed"),
        "{table}"
    );
}

#[test]
fn prompt_shows_only_what_the_user_should_know() {
    let mut sandbox = sandbox();
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&[
        "add",
        "long",
        "l.dsql.us-east-1.on.aws",
        "--expires-in",
        "7d",
    ]);
    sandbox.ok(&["add", "prod", HOST]);
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&["token", "prod"]);
    let format = &["prompt", "--format", "{name}|{left}|{state}"];
    for (at, text) in [
        ("00:00:00", "prod|15 min|fresh"),
        ("00:12:00", "prod|3 min|stale"),
        ("00:20:00", "prod|-|expired"),
    ] {
        sandbox.at(&format!("2030-01-01T{at}Z"));
        assert_eq!(sandbox.ok(format), format!("{text}\n"));
    }
    assert_eq!(sandbox.ok(&["prompt", "long"]), "long 6 d\n");
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    sandbox
        .run(&["token", "prod"])
        .assert_fails(3, "no AWS credentials");
    assert_eq!(sandbox.ok(&["prompt"]), "long needs-login\n");
}

#[cfg(unix)] // HOME moves the home directory
#[test]
fn list_says_whose_token_it_is_and_what_hides_it() {
    let mut sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/credentials",
        "[a]\naws_access_key_id = AKIAA\naws_secret_access_key = x\n[b]\n\
         aws_access_key_id = AKIAB\naws_secret_access_key = y\n",
    );
    sandbox.ok(&["add", "prod", HOST, "--profile", "a"]);
    sandbox.ok(&["refresh"]);
    assert!(!sandbox.ok(&["list"]).contains("another profile"));
    sandbox.ok(&[
        "refresh",
        &format!("postgres://admin@{HOST}"),
        "--profile",
        "b",
    ]);
    let list = sandbox.ok(&["list"]);
    assert!(
        list.contains("prod: the token in ~/.pgpass was signed for another profile"),
        "{list}"
    );
    sandbox.ok(&["refresh"]);
    assert!(!sandbox.ok(&["list"]).contains("another profile"));
    sandbox.set("PGPASSWORD", "old");
    assert!(sandbox.run(&["list"]).stderr.contains("PGPASSWORD is set"));
}
