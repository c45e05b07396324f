//! The file that tells hooks when the next connection is due.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::sandbox::{HOST, KEY_ID, SECRET, Sandbox};

/// Hooks read when the next connection is due, also from the modification time of the file, and
/// what a prompt shows.
#[test]
fn the_due_file_follows_the_index() {
    const T0: i64 = 1_893_456_000; // 2030-01-01T00:00:00Z
    const T1: i64 = T0 + 86_400;
    let mut sandbox = Sandbox::with_keys();
    let file = sandbox.own().join("cache/due");
    let check = |due: i64, shown: &str| {
        assert_eq!(
            fs::read_to_string(&file).expect("a file"),
            format!("{due}\n{shown}\n")
        );
        let changed = fs::metadata(&file)
            .and_then(|metadata| metadata.modified())
            .expect("a time");
        let changed = changed
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        assert_eq!(i64::try_from(changed), Ok(due));
    };
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox.ok(&["add", "week", HOST, "--expires-in", "7d"]);
    assert!(!file.exists());
    sandbox.ok(&["refresh"]);
    check(T0 + 3_600, &format!("week {} ok", T0 + 604_800)); // an hour is the longest
    sandbox.ok(&["add", "prod", "prod.dsql.us-east-1.on.aws"]);
    assert!(!file.exists());
    sandbox.ok(&["refresh", "--background"]);
    check(T0 + 600, &format!("prod {} ok", T0 + 900));
    // A token is in the cache and not in the passfile, so a refresh is due.
    sandbox
        .at("2030-01-01T00:01:00Z")
        .ok(&["token", "prod", "--fresh"]);
    check(T0 + 60, &format!("prod {} ok", T0 + 960));
    sandbox.ok(&["refresh", "--background"]);
    check(T0 + 660, &format!("prod {} ok", T0 + 960));
    // After each failure the pause is longer. The other token is in the passfile and is valid for
    // days.
    sandbox
        .at("2030-01-01T00:12:00Z")
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    sandbox
        .run(&["refresh", "--background"])
        .assert_fails(3, "no AWS credentials");
    check(T0 + 730, &format!("prod {} needs-login", T0 + 960));
    sandbox
        .at("2030-01-01T00:12:10Z")
        .run(&["refresh", "--background"])
        .assert_fails(3, "no AWS credentials");
    // the pause lasts 20 s; a login would end it, so the hook has to look earlier
    check(T0 + 745, &format!("prod {} needs-login", T0 + 960));
    sandbox.ok(&["remove", "prod"]);
    assert!(!file.exists());

    // Hooks refresh all connections of the usual configuration file, and of no other.
    sandbox
        .set("AWS_ACCESS_KEY_ID", KEY_ID)
        .set("AWS_SECRET_ACCESS_KEY", SECRET)
        .at("2030-01-02T00:00:00Z");
    sandbox.ok(&["add", "prod", "prod.dsql.us-east-1.on.aws"]);
    sandbox.ok(&["refresh", "--background"]);
    let before = fs::read_to_string(&file).expect("a file");
    sandbox.write("empty.toml", "");
    sandbox.at("2030-01-02T00:11:00Z");
    sandbox.ok(&[
        "token",
        "other.dsql.us-east-1.on.aws",
        "--config",
        "empty.toml",
    ]);
    assert_eq!(fs::read_to_string(&file).expect("a file"), before);
    sandbox.ok(&["refresh", "--host", "x.dsql.us-east-1.on.aws"]);
    let due: i64 = fs::read_to_string(&file)
        .expect("a file")
        .lines()
        .next()
        .and_then(|due| due.parse().ok())
        .expect("a time");
    assert!(
        due <= T1 + 660,
        "prod is due, but only {} s later",
        due - T1 - 660
    );
}

/// The refresh that is asking AWS at that time does not know the new connection.
#[test]
fn a_connection_that_is_added_during_a_refresh_is_due_at_once() {
    let sandbox = Sandbox::with_keys();
    let wait = sandbox.path("wait").display().to_string();
    let print = r#"echo '{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}'"#;
    let source = sandbox.write(
        "source",
        format!("#!/bin/sh\n: >'{wait}'\nwhile [ -e '{wait}' ]; do sleep 0.1; done\n{print}\n"),
    );
    let process = format!(
        "[profile slow]\ncredential_process = sh {}\n",
        source.display()
    );
    sandbox.write(".aws/config", process);
    sandbox.ok(&["add", "old", HOST, "--profile", "slow"]);
    let mut refresh = sandbox
        .pgcred(&["refresh", "--background", "-q"])
        .spawn()
        .expect("pgcred");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sandbox.path("wait").exists() {
        assert!(Instant::now() < deadline, "the source was not asked");
        sleep(Duration::from_millis(10));
    }
    sandbox.ok(&["add", "new", "new.dsql.us-east-1.on.aws"]);
    fs::remove_file(&wait).expect("removed");
    assert!(refresh.wait().expect("an end").success());
    assert!(!sandbox.own().join("cache/due").exists());
}
