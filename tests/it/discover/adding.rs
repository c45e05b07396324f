//! `--add` and `--prune`: what is written, and what never changes.

use serde_json::json;

use super::cloud::{Cloud, MINE, usual};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::stubs::ACCOUNT;

#[test]
fn what_is_new_becomes_a_connection() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.configure(MINE);
    let run = cloud.ok(&["--add", "--yes", "--user", "app"]);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.contains("next: `pgcred refresh`"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("not added: old: "), "{}", run.stderr);
    let config = cloud.config();
    assert!(config.starts_with(MINE), "{config}");
    let added = "\n[connections.orders-ro]\n\
                 host = \"orders.cluster-ro-";
    assert!(config.contains(added), "{config}");
    for line in [
        "port = 6543",
        "dbname = \"shop\"",
        "user = \"app\"",
        "discovered = true",
    ] {
        assert!(config.contains(line), "{line} in {config}");
    }
    assert!(
        !config.contains("port = 5432") && !config.contains("region"),
        "{config}"
    );
    let listed = cloud.sandbox.ok(&["list"]);
    for name in ["mine", "main", "dsql-bare12", "orders", "orders-ro"] {
        assert!(listed.contains(name), "{listed}");
    }
    let again = cloud.ok(&["--add", "--yes", "--user", "app"]);
    assert!(
        again.stderr.contains("nothing to change"),
        "{}",
        again.stderr
    );
    assert_eq!(cloud.config(), config);
    // Another user does not make another connection to the same host.
    cloud.ok(&["--add", "--yes", "--user", "other"]);
    assert_eq!(cloud.config(), config);
}

#[test]
fn patterns_choose_what_is_added() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.ok(&["--add", "main", "--yes"]);
    assert_eq!(cloud.config().matches("[connections.").count(), 1);
    cloud
        .run(&["--add", "BARE12345*,none*", "--yes"])
        .assert_fails(4, "no database matches `none*`");
    cloud.ok(&["--add", "BARE12345*,main", "--yes"]);
    let config = cloud.config();
    assert!(config.contains("[connections.dsql-bare12]"), "{config}");
    assert_eq!(config.matches("[connections.").count(), 2);
}

#[test]
fn a_pattern_that_fits_nothing_is_an_error() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let run = cloud.run(&["--add", "none*", "--yes"]);
    run.assert_fails(4, "no database matches `none*`");
    assert!(run.stderr.contains("orders-ro"), "{}", run.stderr);
    let run = cloud.run(&["--add", "orders", "--yes"]);
    run.assert_fails(2, "needs --user");
    let run = cloud.run(&["--add", "old", "--user", "app", "--yes"]);
    run.assert_fails(2, "IAM authentication is not enabled");
    assert_eq!(cloud.config(), "");
    cloud.run(&["--yes"]).assert_fails(2, "--add");
}

#[test]
fn without_a_terminal_nothing_is_changed_unasked() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let run = cloud.run(&["--add"]);
    run.assert_fails(2, "there is no terminal to ask on");
    assert!(run.stderr.contains("+[connections.main]"), "{}", run.stderr);
    assert!(!cloud.config_path().exists());
    let run = cloud.ok(&["--add", "--dry-run"]);
    assert!(run.stderr.contains("+[connections.main]"), "{}", run.stderr);
    assert!(!cloud.config_path().exists());
}

/// Returns the fleet without one of its clusters.
fn without(id: &str) -> serde_json::Value {
    let mut fleet = usual();
    let clusters = fleet[ACCOUNT]["eu-west-1"]["dsql"]
        .as_array_mut()
        .expect("clusters");
    clusters.retain(|cluster| cluster["id"] != id);
    fleet
}

#[test]
fn only_what_was_discovered_and_is_gone_is_pruned() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.configure(MINE);
    cloud.ok(&["--add", "--yes"]);
    let all = cloud.config();
    let run = cloud.ok(&["--prune", "--yes"]);
    assert!(run.stderr.contains("nothing to change"), "{}", run.stderr);
    cloud.put(&without("main1"));
    let run = cloud.run(&["--prune"]);
    run.assert_fails(2, "there is no terminal to ask on");
    assert_eq!(cloud.config(), all);
    let run = cloud.ok(&["--prune", "--yes"]);
    assert_eq!(run.stdout, "");
    let config = cloud.config();
    assert!(config.starts_with(MINE), "{config}");
    assert!(!config.contains("[connections.main]"), "{config}");
    assert!(config.contains("[connections.dsql-bare12]"), "{config}");
}

#[test]
fn what_was_not_answered_is_not_pruned() {
    skip_unless!(PYTHON);
    let mut cloud = Cloud::usual();
    cloud.ok(&["--add", "--yes"]);
    let config = cloud.config();
    let mut fleet = without("main1");
    fleet[ACCOUNT]["eu-west-1"]["refuse"] = json!({"ListClusters": "AccessDenied"});
    cloud.put(&fleet);
    let run = cloud.ok(&["--prune", "--yes"]);
    assert!(run.stderr.contains("kept: "), "{}", run.stderr);
    assert_eq!(cloud.config(), config);
    // Another region, or another profile, says nothing of it.
    cloud.put(&without("main1"));
    for arguments in [["--region", "eu-west-2"], ["--profile", "prod"]] {
        cloud.ok(&[&arguments[..], &["--prune", "--yes"]].concat());
        assert_eq!(cloud.config(), config);
    }
    cloud.behave("close");
    assert_eq!(cloud.run(&["--prune", "--yes", "--timeout", "3"]).code, 1);
    assert_eq!(cloud.config(), config);
    // A failure of another service says nothing of this one.
    cloud.behave("");
    let mut fleet = without("main1");
    fleet[ACCOUNT]["eu-west-1"]["refuse"] = json!({"DescribeDBProxies": "AccessDenied"});
    cloud.put(&fleet);
    cloud.ok(&["--prune", "--yes"]);
    assert!(
        !cloud.config().contains("[connections.main]"),
        "{}",
        cloud.config()
    );
}

/// A profile that leads to another account lists none of its connections.
#[test]
fn what_a_profile_has_lost_as_a_whole_is_only_pruned_by_an_answer() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.ok(&["--add", "--yes"]);
    let config = cloud.config();
    cloud.put(&json!({"*": {"*": {}}}));
    let run = cloud.ok(&["--prune", "--yes"]);
    assert!(run.stderr.contains("another account"), "{}", run.stderr);
    assert_eq!(cloud.config(), config);
    let run = cloud.ok(&["--prune", "--dry-run"]);
    assert!(run.stderr.contains("-[connections.main]"), "{}", run.stderr);
}

#[test]
fn the_tokens_of_what_is_gone_are_erased() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    cloud.ok(&["--add", "--yes"]);
    cloud.sandbox.ok(&["refresh"]);
    cloud.sandbox.ok(&["setup", "psql", "--yes"]);
    let main = "main1000000000000000000000.dsql";
    assert!(String::from_utf8_lossy(&cloud.sandbox.read(".pgpass")).contains(main));
    cloud.put(&without("main1"));
    cloud.ok(&["--prune", "--yes"]);
    for file in [".pgpass", ".pg_service.conf"] {
        let text = String::from_utf8_lossy(&cloud.sandbox.read(file)).into_owned();
        assert!(
            !text.contains(main) && text.contains("bare12345"),
            "{file}: {text}"
        );
    }
}
