//! `pgcred refresh --watch`: it sleeps until a token is due, needs little memory, and ends at a
//! signal.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::commands::exec::{signal, wait_until};
use crate::support::sandbox::{HOST, Sandbox};

#[test]
fn watch_refreshes_stays_small_and_ends_when_told() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    let passfile = sandbox.path(".pgpass");
    let mut child = sandbox
        .pgcred(&["refresh", "--watch", "--quiet"])
        .spawn()
        .expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    thread::sleep(Duration::from_millis(200));
    if cfg!(target_os = "linux") {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .expect("a size");
        let kib: u32 = line
            .split_whitespace()
            .nth(1)
            .and_then(|size| size.parse().ok())
            .expect("KiB");
        // A debug build needs more memory than a release build.
        assert!(kib < 24 * 1_024, "{line}");
    }
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    // While an editor saves the file, the watcher reports the error once, and goes on.
    let config = sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    fs::remove_file(&passfile).expect("removed");
    let errors = fs::File::create(sandbox.path("errors")).expect("a file");
    let mut child = sandbox
        .pgcred(&["refresh", "--watch", "-q"])
        .stderr(errors)
        .spawn()
        .expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    // The file is renamed, because the watcher may read at any moment, and an empty file would be
    // another error.
    let half = sandbox.own().join("half.toml");
    fs::write(&half, format!("{text}[connections.half\n")).expect("a file");
    fs::rename(&half, &config).expect("renamed");
    wait_until("the error", || !sandbox.read("errors").is_empty());
    let said = String::from_utf8(sandbox.read("errors")).expect("text");
    assert!(
        said.contains("config.toml") && child.try_wait().expect("a state").is_none(),
        "{said}"
    );
    fs::write(&config, text).expect("a file");
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    fs::remove_file(&passfile).expect("removed");
    let mut pgcred = sandbox.pgcred(&["refresh", "--watch", "--until-stdin-closes", "-q"]);
    let mut child = pgcred.stdin(Stdio::piped()).spawn().expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

/// The tokens are valid for less time than the longest pause of a watcher.
#[test]
fn a_watcher_wakes_when_a_token_is_due() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "short", HOST, "--expires-in", "15"]);
    let token =
        || String::from_utf8(fs::read(sandbox.path(".pgpass")).unwrap_or_default()).expect("text");
    for target in [
        &["refresh", "--watch", "-q"][..],
        &["refresh", "short", "--watch", "-q"],
    ] {
        let mut child = sandbox.pgcred(target).spawn().expect("pgcred");
        wait_until("the first token", || token().contains(HOST));
        let first = token();
        let began = Instant::now();
        wait_until("the second token", || token() != first);
        assert!(token().contains(HOST), "no token stands between the two");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "the first one had ended"
        );
        signal(child.id(), nix::sys::signal::Signal::SIGTERM);
        assert_eq!(child.wait().expect("an end").code(), Some(0));
        sandbox.ok(&["erase", "--all"]);
    }
}
