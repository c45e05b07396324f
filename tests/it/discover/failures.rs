//! What is said of that which was not answered, and how a run ends.

use std::time::{Duration, Instant};

use serde_json::json;

use super::cloud::{Cloud, usual};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::stubs::ACCOUNT;

#[test]
fn a_profile_has_one_line_for_all_that_failed() {
    skip_unless!(PYTHON);
    let mut fleet = usual();
    fleet[ACCOUNT]["eu-south-1"] = json!({"refuse": {"*": "OptInRequired"}});
    fleet[ACCOUNT]["eu-south-2"] = json!({"refuse": {"*": "UnrecognizedClientException"}});
    fleet[ACCOUNT]["eu-west-2"] = json!({"refuse": {"ListClusters": "AccessDeniedException"}});
    let cloud = Cloud::with(&fleet);
    let run = cloud.ok(&["--region", "eu-*"]);
    assert!(run.stdout.contains("orders-ro"), "{}", run.stdout);
    let warnings: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("warning"))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", run.stderr);
    for part in [
        "dev: ",
        "eu-south-1, eu-south-2: not enabled",
        "eu-west-2: not allowed: ",
        "ListClusters",
    ] {
        assert!(warnings[0].contains(part), "{part} in {}", warnings[0]);
    }
    let quiet = cloud.ok(&["--region", "eu-*", "--quiet"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_run_that_was_told_nothing_fails() {
    skip_unless!(PYTHON);
    let refuse = json!({"*": {"*": {"refuse": {"*": "AccessDenied"}}}});
    let cloud = Cloud::with(&refuse);
    cloud.run(&[]).assert_fails(1, "not allowed: ");
    cloud
        .run(&["--profile", "dev", "--profile", "prod"])
        .assert_fails(1, "none of 2 profiles could list anything");
    let run = cloud.run(&["--profile", "missing"]);
    assert_ne!(run.code, 0);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("there is no AWS profile `missing`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_missing_login_keeps_nobody_else_from_being_listed() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    let run = cloud.run(&["--profile", "out"]);
    run.assert_fails(3, "pgcred login --profile out");
    let run = cloud.ok(&["--profile", "out", "--profile", "dev"]);
    assert!(run.stdout.contains("orders-ro"), "{}", run.stdout);
    assert!(
        run.stderr.contains("pgcred login --profile out"),
        "{}",
        run.stderr
    );
    let refuse = json!({"*": {"*": {"refuse": {"*": "AccessDenied"}}}});
    cloud.put(&refuse);
    cloud
        .run(&["--profile", "out", "--profile", "dev"])
        .assert_fails(3, "none of 2 profiles");
}

#[test]
fn throttling_is_waited_for() {
    skip_unless!(PYTHON);
    let mut fleet = usual();
    let throttle = json!({"ListClusters": 2, "GetCluster": 1, "DescribeDBClusters": 1});
    fleet[ACCOUNT]["eu-west-1"]["throttle"] = throttle;
    let cloud = Cloud::with(&fleet);
    let run = cloud.ok(&[]);
    assert_eq!(run.stdout.lines().count(), 6, "{}", run.stdout);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn a_service_that_hangs_holds_nothing_up() {
    skip_unless!(PYTHON);
    let mut fleet = usual();
    fleet[ACCOUNT]["eu-west-1"]["hang"] = json!(["DescribeDBProxies"]);
    let cloud = Cloud::with(&fleet);
    let begin = Instant::now();
    let run = cloud.ok(&["--timeout", "2"]);
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(run.stdout.lines().count(), 6, "{}", run.stdout);
    assert!(run.stderr.contains("DescribeDBProxies"), "{}", run.stderr);
    cloud.put(&json!({"*": {"*": {"hang": ["*"]}}}));
    let begin = Instant::now();
    let run = cloud.run(&["--timeout", "2", "--all-regions"]);
    assert!(
        begin.elapsed() < Duration::from_secs(6),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
}

#[test]
fn answers_that_are_none_are_named() {
    skip_unless!(PYTHON);
    let mut cloud = Cloud::usual();
    for words in [
        "garbage", "html", "cut", "500", "huge", "close", "redirect", "loop",
    ] {
        cloud.behave(words);
        let run = cloud.run(&["--timeout", "6"]);
        let is_listed = words == "loop" && run.code == 0;
        assert!(
            is_listed || (run.code == 1 && run.stdout.is_empty()),
            "{words}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("dev"), "{words}: {}", run.stderr);
        assert!(run.stderr.lines().count() <= 3, "{words}: {}", run.stderr);
    }
}
