//! What is listed: profiles, regions, columns and JSON.

use std::time::{Duration, Instant};

use serde_json::json;

use super::cloud::{ACCOUNT_OF_PROD, Cloud, usual};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::stubs::ACCOUNT;

const MAIN: &str = "main1000000000000000000000.dsql.eu-west-1.on.aws";

#[test]
fn the_table_is_for_people() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let run = cloud.ok(&[]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("NAME "), "{}", run.stdout);
    let has = |parts: &[&str]| {
        let fits = |line: &&str| parts.iter().all(|part| line.contains(part));
        assert!(lines.iter().any(fits), "{parts:?} in {}", run.stdout);
    };
    has(&["main ", "DSQL cluster", "eu-west-1", "dev", "new"]);
    has(&["dsql-bare12 ", "DSQL cluster", "new"]);
    has(&["orders ", "Aurora cluster", "needs --user"]);
    has(&["orders-ro ", "Aurora readers", "needs --user"]);
    has(&["old ", "RDS instance", "no IAM"]);
    assert_eq!(lines.len(), 6, "{}", run.stdout);
    assert!(!run.stdout.contains(ACCOUNT) && !run.stderr.contains(ACCOUNT));
    assert!(
        run.stderr.contains("pgcred discover --add"),
        "{}",
        run.stderr
    );
}

/// A column that would be cut to nothing is left out, so that no line is folded.
#[test]
fn the_table_fits_a_terminal() {
    skip_unless!(PYTHON);
    let mut fleet = usual();
    fleet[ACCOUNT]["eu-west-1"]["instances"] = json!([{"id": "late", "status": "stopped"}]);
    let run = Cloud::with(&fleet).ok(&[]);
    assert!(run.stdout.contains(" stopped "), "{}", run.stdout);
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// What is told to be typed has to ask the same profiles and regions.
#[test]
fn the_next_command_asks_the_same() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let run = cloud.ok(&["--profile", "de*v", "--region", "eu-west-1"]);
    let same = "pgcred discover --profile 'de*v' --region eu-west-1 --add";
    assert!(run.stderr.contains(&format!("{same}\n")), "{}", run.stderr);
    let with_user = format!("{same} NAME --user USER");
    assert!(run.stderr.contains(&with_user), "{}", run.stderr);
    let run = cloud.ok(&["--profile", "dev", "--region", "sa-east-1"]);
    let everywhere = "no database in sa-east-1; to ask for all regions: \
                      pgcred discover --profile dev --all-regions\n";
    assert!(run.stderr.contains(everywhere), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn the_json_has_everything() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.configure(&format!(
        "[connections.mine]\nhost = \"{MAIN}\"\nprofile = \"dev\"\n"
    ));
    let rows = cloud.rows(&[]);
    let named = |name: &str| {
        let found = rows.iter().find(|row| row["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {rows:?}"))
    };
    let mine = named("mine");
    for (key, value) in [
        ("provider", json!("dsql")),
        ("host", json!(MAIN)),
        ("port", json!(5432)),
        ("dbname", json!("postgres")),
        ("user", json!("admin")),
        ("region", json!("eu-west-1")),
        ("profile", json!("dev")),
        ("account", json!(ACCOUNT)),
        ("status", json!("ACTIVE")),
        ("iam", json!(true)),
        ("label", json!("Main")),
        ("reader", json!(false)),
        ("configured", json!(true)),
        ("addable", json!(false)),
    ] {
        assert_eq!(mine[key], value, "{key}");
    }
    let reader = named("orders-ro");
    assert_eq!(
        (&reader["port"], &reader["dbname"]),
        (&json!(6543), &json!("shop"))
    );
    assert_eq!(
        (&reader["reader"], &reader["user"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(reader["why_not"], json!("needs --user"));
    let old = named("old");
    assert_eq!(
        (&old["iam"], &old["addable"]),
        (&json!(false), &json!(false))
    );
    let typed = "aws rds modify-db-instance --db-instance-identifier old \
                 --enable-iam-database-authentication --apply-immediately \
                 --region eu-west-1 --profile dev";
    assert!(old["why_not"].as_str().unwrap().contains(typed), "{old}");
    let with_user = cloud.rows(&["--user", "app"]);
    let reader = with_user
        .iter()
        .find(|row| row["name"] == "orders-ro")
        .unwrap();
    assert_eq!(
        (&reader["user"], &reader["addable"]),
        (&json!("app"), &json!(true))
    );
}

#[test]
fn profiles_and_regions_are_chosen() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let names = |arguments: &[&str]| cloud.texts("name", arguments);
    assert_eq!(names(&["--profile", "prod"]), ["main"]);
    assert_eq!(
        cloud.texts("account", &["--profile", "prod"]),
        [ACCOUNT_OF_PROD]
    );
    // Two of the same name: both get their region.
    let both = names(&["--profile", "dev", "--profile", "pr*"]);
    assert!(both.contains(&"main-eu-west-1".to_owned()), "{both:?}");
    assert!(both.contains(&"main-us-east-1".to_owned()), "{both:?}");
    assert_eq!(names(&["--region", "eu-south-*"]), Vec::<String>::new());
    assert_eq!(names(&["--region", "eu-*"]).len(), 5);
    assert_eq!(names(&["--all-regions"]).len(), 5);
    let run = cloud.run(&["--region", "xx-*"]);
    run.assert_fails(4, "no region matches `xx-*`");
    assert!(run.stderr.contains("eu-west-1"), "{}", run.stderr);
    let run = cloud.run(&["--profile", "xx*"]);
    run.assert_fails(4, "no profile matches `xx*`");
    assert!(run.stderr.contains("dev-too"), "{}", run.stderr);
    let none = cloud.ok(&["--region", "eu-south-1"]);
    assert!(
        none.stderr.contains("no database in eu-south-1"),
        "{}",
        none.stderr
    );
}

#[test]
fn the_configuration_names_profiles_and_regions() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.configure(
        "[connections.a]\nhost = \"other100000000000000000000.dsql.us-east-1.on.aws\"\n\
         profile = \"prod\"\n",
    );
    let mut profiles = cloud.texts("profile", &[]);
    profiles.dedup();
    assert_eq!(profiles, ["prod", "dev"]);
}

#[test]
fn what_two_profiles_see_is_listed_once() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.sandbox.write(
        ".aws/config",
        "[profile dev]\nregion = eu-west-1\n[profile twin]\nregion = eu-west-1\n",
    );
    let keys = String::from_utf8(cloud.sandbox.read(".aws/credentials")).unwrap();
    let twin = keys.replace("[dev]", "[twin]").replace("[prod]", "[other]");
    cloud.sandbox.write(".aws/credentials", keys + &twin);
    let mut profiles = cloud.texts("profile", &["--profile", "dev", "--profile", "twin"]);
    profiles.dedup();
    assert_eq!(profiles, ["dev"], "of the first one");
}

#[test]
fn each_service_has_an_address_of_its_own() {
    skip_unless!(PYTHON);
    let mut cloud = Cloud::usual();
    let right = cloud.url("");
    for (variable, lists_dsql) in [
        ("AWS_ENDPOINT_URL_DSQL", true),
        ("AWS_ENDPOINT_URL_RDS", false),
    ] {
        cloud.behave("error-ValidationException");
        cloud.sandbox.set(variable, &right);
        let providers = cloud.texts("provider", &[]);
        cloud.sandbox.unset(variable);
        assert!(!providers.is_empty(), "{variable}");
        for provider in providers {
            assert_eq!(provider == "dsql", lists_dsql, "{variable}: {provider}");
        }
    }
}

#[test]
fn thousands_of_clusters_are_listed() {
    skip_unless!(PYTHON);
    let region = json!({"instances": [{"id": "many-", "many": 2000}]});
    let cloud = Cloud::with(&json!({"*": {"eu-west-1": region}}));
    let begin = Instant::now();
    let rows = cloud.rows(&["--user", "app"]);
    assert_eq!(rows.len(), 2000);
    let mut names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 2000);
    cloud.ok(&["--add", "--yes", "--user", "app"]);
    assert_eq!(cloud.config().matches("discovered = true").count(), 2000);
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
}

/// Whoever can write a tag must not write on the terminal, nor break the JSON.
#[test]
fn hostile_tags_reach_no_terminal() {
    skip_unless!(PYTHON);
    let tags = [
        "\u{1b}]0;x\u{7}\u{9b}31m",
        "a\nb\r\n[connections.evil]\nhost = \"x\"",
        "]\"'`$(touch x)",
        "\u{202e}abc",
        &"x".repeat(10_240),
        "本番",
        "",
    ];
    let mut clusters = Vec::new();
    for (number, tag) in tags.iter().enumerate() {
        clusters.push(json!({"id": format!("c{number}"), "tags": {"Name": tag}}));
    }
    let region = json!({"dsql": clusters});
    let cloud = Cloud::with(&json!({"*": {"eu-west-1": region}}));
    for arguments in [&[][..], &["--format", "json"], &["--add", "--yes"]] {
        let run = cloud.ok(arguments);
        for text in [&run.stdout, &run.stderr] {
            let is_obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!text.contains(is_obeyed), "{arguments:?}: {text:?}");
            assert!(text.lines().all(|line| line.len() < 8_000), "{text}");
        }
    }
    let list = cloud.sandbox.ok(&["list", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(rows.as_array().unwrap().len(), tags.len(), "{list}");
    assert!(
        !cloud.config().contains("[connections.evil]"),
        "{}",
        cloud.config()
    );
}
