//! Cached tokens: which calls use one, how old it may be, and how pgcred answers if the cache
//! cannot be used.

use std::fs;

use crate::cache::source::Source;
#[cfg(target_os = "linux")]
use crate::support::needs::{ROOT, program, skip_unless};
#[cfg(target_os = "linux")]
use crate::support::sandbox::Run;
use crate::support::sandbox::{HOST, SECRET};

#[test]
fn the_second_call_asks_nobody() {
    let source = Source::new();
    let first = source.ok(&[]);
    assert_eq!((source.ok(&[]), source.calls()), (first.clone(), 1));
    assert!(
        source
            .ok(&["--format", "json"])
            .contains(r#""cached":true"#)
    );
    source.ok(&["--user", "app"]);
    assert_eq!(source.calls(), 2, "another user is another token");
    source.ok(&["--no-cache"]);
    source.ok(&["--expires-in", "1h"]);
    assert_eq!(source.calls(), 4);
}

#[test]
fn a_damaged_entry_counts_as_missing() {
    let source = Source::new();
    source.ok(&[]);
    let length = fs::read(source.entry()).expect("an entry").len();
    let mut calls = 1;
    for at in 0..length {
        for truncate in [true, false] {
            let mut bytes = fs::read(source.entry()).expect("an entry");
            if truncate {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1;
            }
            fs::write(source.entry(), bytes).expect("written");
            assert!(source.ok(&[]).starts_with(HOST));
            calls += 1;
            assert_eq!(source.calls(), calls, "byte {at}");
        }
    }
    fs::write(source.sandbox.own().join("cache/index.json"), "[").expect("written");
    source.ok(&[]);
    source.ok(&["--fresh"]);
}

#[test]
fn fresh_for_two_thirds_then_stale_then_expired() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    let first = source.ok(&[]);
    source.sandbox.at("2030-01-01T00:09:59Z");
    assert_eq!((source.ok(&[]), source.calls()), (first.clone(), 1));
    source.now_does("exit 1");
    source.sandbox.at("2030-01-01T00:10:00Z");
    let stale = source.token(&[]);
    assert_eq!((stale.code, &stale.stdout, source.calls()), (0, &first, 2));
    assert!(
        stale
            .stderr
            .contains("the previous token is good for 5 min more"),
        "{}",
        stale.stderr
    );
    source.sandbox.at("2030-01-01T00:14:30Z");
    assert_eq!(source.token(&[]).stdout, first);
    source.sandbox.at("2030-01-01T00:14:31Z");
    source.token(&[]).assert_fails(1, "of profile `p`");
    source.now_does("");
    let renewed = source.ok(&["--fresh"]);
    assert!(renewed.contains("X-Amz-Date=20300101T001431Z"));
}

#[test]
fn a_token_is_removed_a_day_after_it_expired() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    source.ok(&[]);
    let first = source.entry();
    source.sandbox.at("2030-01-02T00:15:01Z");
    source.ok(&["--user", "app"]);
    assert!(!first.exists() && source.entry().exists());
}

#[test]
fn a_clock_that_is_set_back_makes_no_token_valid_again() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    let first = source.ok(&[]);
    source.sandbox.at("2029-12-31T23:56:00Z");
    assert_eq!(source.ok(&[]), first, "within the skew that clocks have");
    source.now_does("exit 1");
    source.sandbox.at("2029-12-31T23:00:00Z");
    source.token(&[]).assert_fails(1, "of profile `p`");
}

#[test]
fn min_valid_and_fresh_ask_for_a_new_token() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    source.ok(&[]);
    source.sandbox.at("2030-01-01T00:05:00Z");
    source.ok(&["--min-valid", "10m"]);
    assert_eq!(source.calls(), 1);
    source.ok(&["--min-valid", "601"]);
    assert_eq!(source.calls(), 2);
    assert!(
        source
            .ok(&["--min-valid", "1h"])
            .contains("X-Amz-Expires=3600&")
    );
    source.sandbox.at("2030-01-01T00:05:01Z");
    source.ok(&["--fresh"]);
    assert_eq!(source.calls(), 4);
    source
        .token(&["--min-valid", "8d"])
        .assert_fails(2, "1 to 604800");
    source
        .sandbox
        .set("AWS_CREDENTIAL_EXPIRATION", "2030-01-01T00:06:00Z");
    source
        .sandbox
        .set("AWS_ACCESS_KEY_ID", "k")
        .set("AWS_SECRET_ACCESS_KEY", "s");
    source
        .sandbox
        .run(&["token", HOST, "--min-valid", "5m"])
        .assert_fails(3, "lasts 5 min: the credentials expire in 59 s");
}

/// The user gets the token. That it cannot be cached is only a warning.
#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let source = Source::new();
    fs::write(source.sandbox.own().join("cache"), "in the way").expect("written");
    for _ in 0..2 {
        let run = source.token(&[]);
        assert!(
            run.code == 0 && run.stdout.starts_with(HOST) && run.stderr.contains("warning: "),
            "{}",
            run.stderr
        );
    }
    assert_eq!(source.calls(), 2);
    assert_eq!(source.token(&["--quiet"]).stderr, "");
}

#[test]
fn cached_tokens_are_private_and_sealed() {
    let source = Source::new();
    let token = source.ok(&[]);
    let signature = token.trim_end().rsplit('=').next().expect("a signature");
    let mut open = vec![source.sandbox.own().to_owned()];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else {
            files += 1;
            let bytes = fs::read(&path).expect("a file");
            for secret in [signature, "SECRETKEY", SECRET, "X-Amz"] {
                assert!(
                    !bytes
                        .windows(secret.len())
                        .any(|part| part == secret.as_bytes()),
                    "{}",
                    path.display()
                );
            }
        }
        #[cfg(unix)]
        if path != source.sandbox.own() {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
            assert_eq!(
                mode,
                if path.is_dir() { 0o700 } else { 0o600 },
                "{}",
                path.display()
            );
        }
    }
    assert!(files >= 4, "token, index, key and locks");
}

/// The token leaves pgcred only through stdout and, sealed, through the cache. No program that
/// pgcred starts gets one.
#[cfg(target_os = "linux")]
#[test]
fn only_known_files_are_written_and_known_programs_started() {
    skip_unless!(program("strace"), ROOT);
    let source = Source::new();
    let mut strace = source.sandbox.command("strace");
    strace.args([
        "-f",
        "-v",
        "-s",
        "4096",
        "-e",
        "trace=write,writev,sendto,execve",
        env!("CARGO_BIN_EXE_pgcred"),
    ]);
    strace.args(["token", HOST, "--profile", "p"]);
    let run = Run::of(strace);
    let secret = run
        .stdout
        .trim_end()
        .rsplit('=')
        .next()
        .expect("a signature");
    let holding: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains(secret))
        .collect();
    assert!(
        holding.len() == 1 && holding[0].contains("write(1, "),
        "{holding:#?}"
    );
    assert!(run.stderr.matches("execve(").count() >= 2, "{}", run.stderr);
}

/// The key is in the kernel keyring of this machine, under a name of the sandbox.
#[cfg(target_os = "linux")]
#[test]
fn the_key_can_be_in_the_kernel_keyring() {
    let mut source = Source::new();
    source.sandbox.set("PGCRED_CACHE", "keyring");
    source.ok(&[]);
    source.ok(&[]);
    assert_eq!(source.calls(), 1);
    source.sandbox.set("PGCRED_CACHE", "file");
    source.ok(&[]);
    assert_eq!(source.calls(), 2, "another key opens nothing");
    source.sandbox.set("PGCRED_CACHE", "none");
    source.ok(&[]);
    assert_eq!(source.calls(), 3);
    source
        .sandbox
        .set("PGCRED_CACHE", "keyring")
        .ok(&["erase", "--all"]);
    assert!(!source.sandbox.own().join("cache").exists());
    source
        .sandbox
        .set("PGCRED_CACHE", "attic")
        .run(&["list"])
        .assert_fails(2, "keyring");
}

/// A call with a cached token reads the configuration, one entry and the key. It starts no program
/// and asks no service.
#[cfg(target_os = "linux")]
#[test]
fn a_cached_token_needs_few_system_calls() {
    skip_unless!(program("strace"), ROOT);
    let source = Source::new();
    source.ok(&[]);
    let mut strace = source.sandbox.command("strace");
    strace.args([
        "-f",
        "-e",
        "trace=openat,socket,connect,clone,clone3,execve,epoll_create1",
        env!("CARGO_BIN_EXE_pgcred"),
    ]);
    strace.args(["token", HOST, "--profile", "p"]);
    let run = Run::of(strace);
    assert!(run.stderr.contains("cache/tokens/"), "{}", run.stderr);
    for never in [
        "/etc/ssl", "socket(", "connect(", "clone", "epoll", "passwd", "sh\"",
    ] {
        assert!(!run.stderr.contains(never), "{never}: {}", run.stderr);
    }
}
