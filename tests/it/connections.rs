//! Connections in the configuration: add, remove, list, match rules, aliases, refresh of all that is due, prompt.

use std::fs;

use serde_json::Value;

use crate::sandbox::{HOST, Sandbox};

const ID: &str = "foo0bar1baz2quux3quuux4abc";

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox
}

fn configure(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.own().join("config.toml"), text).expect("written");
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).expect("a configuration")
}

fn passfile(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("p")).expect("text")
}

#[test]
fn add_and_remove_leave_the_rest_as_it_was() {
    let sandbox = sandbox();
    let mine = "# mine\ncache = \"file\" # not the keyring\n\n[connections.old]\nhost = 'h.dsql.eu-west-1.on.aws'\n";
    configure(&sandbox, mine);
    sandbox.ok(&["add", "prod", ID, "--region", "us-east-1", "--expires-in", "max", "--alias", "localhost:15432"]);
    assert!(config(&sandbox).starts_with(mine));
    assert!(sandbox.ok(&["token", "prod"]).starts_with(HOST));
    sandbox.run(&["add", "prod", ID, "--region", "us-east-1"]).assert_fails(2, "--replace");
    sandbox.ok(&["add", "prod", "postgres://app@other.dsql.us-east-1.on.aws", "--replace"]);
    assert!(sandbox.ok(&["token", "prod"]).contains("Action=DbConnect&"));
    sandbox.ok(&["remove", "prod"]);
    assert_eq!(config(&sandbox), mine);
    sandbox.run(&["remove", "prod"]).assert_fails(4, "prod");
    sandbox.run(&["add", "a.b", HOST]).assert_fails(2, "a.b");
    assert_eq!(config(&sandbox), mine);
}

#[test]
fn errors_in_the_configuration_name_file_line_and_key() {
    let sandbox = sandbox();
    configure(&sandbox, "[connections.prod]\nhost = 'h'\nport = 0\n");
    let file = sandbox.own().join("config.toml").display().to_string();
    for command in [&["list"][..], &["token", HOST], &["add", "x", HOST], &["remove", "prod"], &["refresh"]] {
        sandbox.run(command).assert_fails(2, &format!("{file}: line 3: connections.prod.port"));
    }
    let other = sandbox.write("other.toml", "[[match]]\nhost = '*'\nuser = 'app'\n").display().to_string();
    assert!(sandbox.ok(&["token", HOST, "--config", &other]).contains("Action=DbConnect&"));
}

#[test]
fn match_rules_stand_behind_what_was_said_and_before_defaults() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "max_expires_in = '2h'\n[[match]]\nhost = '*.dsql.us-*.on.aws'\nprofile = 'dev'\nexpires_in = '1h'\nuser = 'app'\n",
    );
    sandbox.write(".aws/credentials", "[dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = s\n");
    let token = sandbox.ok(&["token", HOST]);
    assert!(
        token.contains("Action=DbConnect&") && token.contains("=DEVKEY%2F") && token.contains("X-Amz-Expires=3600&")
    );
    assert!(sandbox.ok(&["token", HOST, "--user", "admin"]).contains("DbConnectAdmin"));
    assert!(!sandbox.ok(&["token", "h.dsql.eu-west-1.on.aws"]).contains("DEVKEY"));
    assert!(sandbox.ok(&["token", HOST, "--expires-in", "max"]).contains("X-Amz-Expires=7200&"));
    sandbox.run(&["token", HOST, "--expires-in", "3h"]).assert_fails(2, "max_expires_in is 7200 s");
    sandbox.set("PGUSER", "bob");
    assert!(sandbox.ok(&["token", HOST, "--format", "json"]).contains(r#""user":"bob""#));
}

#[test]
fn refresh_of_everything_files_what_is_due_and_nothing_else() {
    let mut sandbox = sandbox();
    sandbox.ok(&["add", "one", HOST, "--alias", "localhost:15432"]);
    sandbox.ok(&["add", "two", "two.dsql.us-east-1.on.aws", "--user", "app", "--expires-in", "1h"]);
    let refresh = &["refresh", "--passfile", "p"];
    sandbox.ok(refresh);
    let first = passfile(&sandbox);
    for line in
        [format!("\n{HOST}:5432:*:admin:{HOST}/"), format!("\nlocalhost:15432:*:admin:{HOST}/"), "\ntwo.".to_owned()]
    {
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
    // A line that somebody took out comes back, though its token is not due.
    fs::write(sandbox.path("p"), "").expect("written");
    sandbox.ok(refresh);
    assert!(passfile(&sandbox).contains("\ntwo.") && passfile(&sandbox).contains(HOST));
}

/// One place for a token is enough: what stands in the passfile is handed out from there.
#[test]
fn a_token_in_the_passfile_is_not_asked_for_again() {
    let mut sandbox = sandbox();
    sandbox.write(".aws/credentials", "[p]\naws_access_key_id = K\naws_secret_access_key = s\n");
    sandbox.ok(&["add", "rds", "db.c1.eu-west-1.rds.amazonaws.com", "--user", "u:v", "--profile", "p"]);
    sandbox.ok(&["refresh", "--passfile", "p"]);
    assert!(!sandbox.own().join("cache/tokens").exists());
    sandbox.at("2030-01-01T00:05:00Z");
    let json = sandbox.ok(&["token", "rds", "--format", "json"]);
    assert!(json.contains(r#""cached":true"#) && json.contains("20300101T000000Z"), "{json}");
    sandbox.ok(&["erase", "rds", "--passfile", "p"]);
    assert!(sandbox.ok(&["token", "rds"]).contains("20300101T000500Z"));
}

#[test]
fn list_tells_what_is_known_and_no_secret() {
    let mut sandbox = sandbox();
    configure(
        &sandbox,
        "[connections.bad]\nhost = 'nowhere.example.com'\n[connections.sso]\nhost = 'h.dsql.us-east-1.on.aws'\nprofile = 'none'\n",
    );
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    sandbox.run(&["token", "sso"]).assert_fails(2, "there is no AWS profile `none`");
    sandbox.at("2030-01-01T00:05:00Z");
    let table = sandbox.ok(&["list"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines[1].contains("no connection, no cluster ID"), "{table}");
    assert!(lines[2].contains("no AWS profile") && lines[3].contains("10 min      cache"), "{table}");
    let json: Value = serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON");
    assert_eq!(json[2]["expiration"], "2030-01-01T00:15:00Z");
    assert_eq!(json[2]["token_in"], "cache");
    assert_eq!(json[2]["error"], Value::Null);
    assert!(!json.to_string().contains("Signature") && !table.contains("Signature"));
}

#[test]
fn prompt_says_what_is_worth_saying() {
    let mut sandbox = sandbox();
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&["add", "long", "l.dsql.us-east-1.on.aws", "--expires-in", "7d"]);
    sandbox.ok(&["add", "prod", HOST]);
    assert_eq!(sandbox.ok(&["prompt"]), "");
    sandbox.ok(&["token", "prod"]);
    let format = &["prompt", "--format", "{name}|{left}|{state}"];
    for (at, text) in
        [("00:00:00", "prod|15 min|fresh"), ("00:12:00", "prod|3 min|stale"), ("00:20:00", "prod|expired|expired")]
    {
        sandbox.at(&format!("2030-01-01T{at}Z"));
        assert_eq!(sandbox.ok(format), format!("{text}\n"));
    }
    assert_eq!(sandbox.ok(&["prompt", "long"]), "long 6 d\n");
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    sandbox.run(&["token", "prod"]).assert_fails(3, "no AWS credentials");
    assert_eq!(sandbox.ok(&["prompt"]), "long needs-login\n");
}
