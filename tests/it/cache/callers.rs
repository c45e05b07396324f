//! Many callers at once: one of them asks AWS, the others wait for its token, and each keeps its
//! deadline.

use std::fs;

use crate::cache::source::{Source, answer};
use crate::support::sandbox::HOST;

#[test]
fn sixty_four_callers_for_one_target_ask_once() {
    let source = Source::that(if cfg!(windows) { "" } else { "sleep 0.2" });
    let children: Vec<_> = (0..64).map(|_| source.spawn(HOST)).collect();
    let answers: Vec<_> = children.into_iter().map(answer).collect();
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.starts_with(HOST))
    );
    assert_eq!(source.calls(), 1);
}

/// The deadline counts for the whole run, also while pgcred waits for the question of another
/// process.
#[cfg(unix)]
#[test]
fn a_caller_that_waits_for_another_keeps_its_deadline() {
    use std::time::{Duration, Instant};

    let source = Source::that("sleep 8");
    let mut holder = source.spawn(HOST);
    while source.calls() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let began = Instant::now();
    source
        .token(&["--timeout", "2"])
        .assert_fails(1, "within 2 s");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    holder.kill().expect("an end");
    holder.wait().expect("an end");
}

/// Several identities share the time of a run. One that hangs leaves time for the others.
#[cfg(unix)]
#[test]
fn a_profile_that_hangs_leaves_time_for_the_others() {
    use std::time::{Duration, Instant};

    let source = Source::new();
    let config = fs::read_to_string(source.sandbox.path(".aws/config")).expect("text");
    let slow: Vec<_> = (0..3)
        .map(|n| format!("[profile slow{n}]\ncredential_process = sleep 20\n"))
        .collect();
    source.sandbox.write(".aws/config", config + &slow.concat());
    let connection = |name: &str, profile: &str| {
        format!(
            "[connections.{name}]\nhost = \"{name}.dsql.us-east-1.on.aws\"\n\
             profile = \"{profile}\"\n"
        )
    };
    let slow: String = (0..3)
        .map(|n| connection(&format!("s{n}"), &format!("slow{n}")))
        .collect();
    fs::write(
        source.sandbox.own().join("config.toml"),
        slow + &connection("good", "p"),
    )
    .expect("written");
    let began = Instant::now();
    let run = source.sandbox.run(&["refresh", "--timeout", "4"]);
    assert!(
        began.elapsed() < Duration::from_secs(7),
        "{:?}",
        began.elapsed()
    );
    assert!(
        run.code == 1 && run.stderr.contains("3 of 4 targets failed"),
        "{}",
        run.stderr
    );
    let passfile = fs::read_to_string(source.sandbox.path(".pgpass")).expect("text");
    assert!(
        passfile.contains("\ngood.dsql.us-east-1.on.aws:"),
        "{passfile}"
    );
}

#[test]
fn sixty_four_connections_of_one_profile_ask_once() {
    let source = Source::that(if cfg!(windows) { "" } else { "sleep 0.2" });
    let connections = (0..64).map(|n| {
        format!("[connections.c{n}]\nhost = \"h{n}.dsql.us-east-1.on.aws\"\nprofile = \"p\"\n")
    });
    fs::write(
        source.sandbox.own().join("config.toml"),
        connections.collect::<String>(),
    )
    .expect("written");
    let children: Vec<_> = (0..64).map(|n| source.spawn(&format!("c{n}"))).collect();
    for (n, child) in children.into_iter().enumerate() {
        assert!(answer(child).starts_with(&format!("h{n}.dsql")));
    }
    assert_eq!(source.calls(), 1);
}

/// A caller that wants one token does not wait for the tokens of ten thousand connections. Those
/// that were in use are renewed first.
#[test]
fn a_token_renews_few_others_and_first_those_in_use() {
    let mut source = Source::new();
    let connections = (0..300).map(|n| {
        format!("[connections.c{n}]\nhost = \"h{n}.dsql.us-east-1.on.aws\"\nprofile = \"p\"\n")
    });
    fs::write(
        source.sandbox.own().join("config.toml"),
        connections.collect::<String>(),
    )
    .expect("written");
    source.sandbox.at("2030-01-01T00:00:00Z").ok(&[
        "token",
        "h299.dsql.us-east-1.on.aws",
        "--profile",
        "p",
    ]);
    source
        .sandbox
        .at("2030-01-01T00:20:00Z")
        .ok(&["token", "c7"]);
    let sealed = || {
        fs::read_dir(source.sandbox.own().join("cache/tokens"))
            .expect("a directory")
            .count()
    };
    let (calls, before) = (source.calls(), sealed());
    assert!((60..70).contains(&before), "{before} tokens are sealed");
    for target in ["c7", "c299", "c0", "c62"] {
        source.sandbox.ok(&["token", target]);
    }
    assert_eq!(
        (source.calls(), sealed()),
        (calls, before),
        "they were renewed before"
    );
    source.sandbox.ok(&["token", "c200"]);
    assert_eq!(source.calls(), calls + 1, "it was not");
}

/// If the process that asks AWS is killed, the next caller asks. No caller waits for the lock of a
/// dead process.
#[cfg(unix)]
#[test]
fn a_killed_lock_holder_delays_nobody() {
    use std::thread;
    use std::time::{Duration, Instant};

    let source = Source::that("sleep 0.01");
    for n in 0..200_u64 {
        let mut holder = source.spawn(HOST);
        let waiting = source.spawn(HOST);
        thread::sleep(Duration::from_micros(n * 211 % 25_000));
        holder.kill().expect("kill -9");
        let began = Instant::now();
        assert!(answer(waiting).starts_with(HOST));
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the dead holder's lock held"
        );
        holder.wait().expect("an end");
        let _ = fs::remove_dir_all(source.sandbox.own().join("cache/tokens"));
    }
}
