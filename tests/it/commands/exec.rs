//! `pgcred exec`: the environment and the passfile of the program, signals, and the files that
//! remain after a crash.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1); // twice what a watcher sleeps
    while !done() {
        assert!(Instant::now() < deadline, "{what} never came");
        thread::sleep(Duration::from_millis(10));
    }
}

pub fn left_behind(sandbox: &Sandbox) -> usize {
    fs::read_dir(sandbox.own().join("cache/exec"))
        .expect("a directory")
        .count()
}

#[test]
fn the_program_gets_the_connection_the_passfile_and_the_users_environment() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .set("PGPASSWORD", "old")
        .set("MINE", "kept")
        .set("PGCONNECT_TIMEOUT", "7");
    let script = "echo $PGHOST $PGPORT $PGUSER $PGDATABASE $PGSSLMODE $MINE $PGCONNECT_TIMEOUT \
        [$PGPASSWORD]; \
        stat -c %a $PGPASSFILE $(dirname $PGPASSFILE); cat $PGPASSFILE; read line; echo $line; \
        exit 7";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let mut child = pgcred
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgcred");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"typed\n")
        .expect("written");
    let run = Run::finished(child.wait_with_output().expect("an end"));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(run.code, 7, "{}", run.stderr);
    assert_eq!(
        lines[0],
        format!("{HOST} 5432 admin postgres verify-full kept 7 []")
    );
    assert_eq!(lines[1..3], ["600", "700"]);
    assert!(lines[3].starts_with(&format!(
        "{HOST}:5432:*:admin:{HOST}/?Action=DbConnectAdmin&"
    )));
    assert_eq!(lines[4..], ["typed"]);
    assert_eq!(left_behind(&sandbox), 0);
}

#[test]
fn signals_pass_both_ways() {
    let sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["exec", HOST, "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(run.code, -1, "ended by the signal, not by a code");
    let script = "trap 'echo got it; exit 3' TERM; touch ready; while :; do sleep 0.02; done";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let child = pgcred
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    let run = Run::finished(child.wait_with_output().expect("an end"));
    assert_eq!((run.code, &*run.stdout), (3, "got it\n"), "{}", run.stderr);
    sandbox
        .run(&["exec", HOST, "--", "/no/such/program"])
        .assert_fails(127, "cannot run /no/such/program");
    sandbox
        .run(&["exec", HOST, "--", "no-such-program"])
        .assert_fails(127, "check its name and PATH");
    let text = sandbox.write("text", "not a program").display().to_string();
    sandbox
        .run(&["exec", HOST, "--", &text])
        .assert_fails(126, "cannot run ");
    sandbox
        .run(&["exec", "nope", "--", "true"])
        .assert_fails(4, "`nope` is not a configured connection");
    assert_eq!(left_behind(&sandbox), 0);
}

pub fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process id"));
    nix::sys::signal::kill(pid, signal).expect("a process");
}

#[test]
fn a_crash_leaves_a_passfile_only_until_the_next_run() {
    let sandbox = Sandbox::with_keys();
    let script = "echo $$ >pid; touch ready; exec sleep 30";
    let mut child = sandbox
        .pgcred(&["exec", HOST, "--", "sh", "-c", script])
        .spawn()
        .expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(
        left_behind(&sandbox),
        1,
        "a running program keeps its passfile"
    );
    child.kill().expect("kill -9");
    child.wait().expect("an end");
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(left_behind(&sandbox), 0);
    let program: u32 = String::from_utf8_lossy(&sandbox.read("pid"))
        .trim()
        .parse()
        .expect("the program's id");
    signal(program, nix::sys::signal::Signal::SIGKILL);
}

/// Checks that the private passfile has a directory: one of the system, or that of the cache.
#[test]
fn erase_all_keeps_the_passfiles_of_running_programs() {
    let mut sandbox = Sandbox::with_keys();
    let runtime = sandbox.path("run");
    fs::create_dir(&runtime).expect("a directory");
    let shown = runtime.display().to_string();
    for in_runtime in [false, true] {
        if in_runtime {
            sandbox.unset("PGCRED_HOME").set("XDG_RUNTIME_DIR", &shown);
        }
        let script = "cp $PGPASSFILE before; touch ready; until [ -e erased ]; do sleep 0.02; \
            done; cmp before $PGPASSFILE";
        let mut child = sandbox
            .pgcred(&["exec", HOST, "--", "sh", "-c", script])
            .spawn()
            .expect("pgcred");
        wait_until("the program", || sandbox.path("ready").exists());
        let run = sandbox.run(&["erase", "--all"]);
        sandbox.write("erased", "");
        assert_eq!(
            child.wait().expect("an end").code(),
            Some(0),
            "the passfile is gone"
        );
        assert!(
            run.code == 0
                && run
                    .stderr
                    .contains("stays: the program of a `pgcred exec` runs"),
            "{}",
            run.stderr
        );
        let cache = if in_runtime {
            sandbox.path(".cache")
        } else {
            sandbox.own().join("cache")
        };
        let left = || {
            fs::read_dir(&cache)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name())
        };
        assert!(
            left().all(|name| name == "exec"),
            "{:?}",
            left().collect::<Vec<_>>()
        );
        sandbox.run(&["erase", "--all"]);
        assert!(!cache.exists() && !runtime.join("pgcred").exists());
        for file in ["ready", "erased", "before"] {
            fs::remove_file(sandbox.path(file)).expect("removed");
        }
    }
}

/// In a container there may be no home directory, or none that can be written.
#[test]
fn the_private_passfile_needs_no_home_directory() {
    let mut sandbox = Sandbox::with_keys();
    let temporary = sandbox.path("tmp dir");
    fs::create_dir(&temporary).expect("a directory");
    let shown = temporary.display().to_string();
    sandbox
        .unset("PGCRED_HOME")
        .set("HOME", "/proc/none")
        .set("TMPDIR", &shown);
    let script = "stat -c '%a %U' \"$PGPASSFILE\" \"$(dirname \"$PGPASSFILE\")\"; dirname \
        \"$PGPASSFILE\"; grep -c DbConnect \"$PGPASSFILE\"";
    let mut directories = Vec::new();
    for _ in 0..2 {
        let run = sandbox.run(&["exec", HOST, "--", "sh", "-c", script]);
        let lines: Vec<_> = run.stdout.lines().collect();
        let user = lines[0].split_once(' ').expect("a user").1;
        assert_eq!(
            (run.code, lines[0].as_bytes(), lines[1]),
            (0, format!("600 {user}").as_bytes(), &*format!("700 {user}"))
        );
        assert!(
            lines[2].starts_with(&format!("{shown}/pgcred-run-")) && lines[3] == "1",
            "{}",
            run.stdout
        );
        assert!(run.stderr.lines().count() <= 1, "{}", run.stderr);
        directories.push(lines[2].to_owned());
    }
    assert_ne!(directories[0], directories[1]);
    let target = format!("host={RDS_HOST} user=app");
    let script = "dirname \"$PGSSLROOTCERT\" \"$PGPASSFILE\"; grep -c BEGIN \"$PGSSLROOTCERT\"";
    let shown = sandbox.ok(&["exec", &target, "-q", "--", "sh", "-c", script]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        (lines[0], lines[2]),
        (lines[1], "3"),
        "RDS's root certificates are beside the passfile"
    );
    assert_eq!(fs::read_dir(&temporary).expect("a directory").count(), 0);

    // The other commands work too, and say in one line that nothing is cached.
    let passfile = sandbox.path("pass").display().to_string();
    for command in [
        &["token", HOST][..],
        &["refresh", HOST, "--passfile", &passfile],
        &["exec", HOST, "--", "true"],
    ] {
        let run = sandbox.run(command);
        let warnings: Vec<_> = run
            .stderr
            .lines()
            .filter(|line| line.contains("warning"))
            .collect();
        assert!(
            run.code == 0 && warnings.len() == 1,
            "{command:?}: {}",
            run.stderr
        );
        assert!(
            warnings[0].contains("tokens are not cached")
                && warnings[0].contains("PGCRED_CACHE=none"),
            "{warnings:?}"
        );
        sandbox.set("PGCRED_CACHE", "none");
        let run = sandbox.run(command);
        assert!(
            run.code == 0 && !run.stderr.contains("warning"),
            "{command:?}: {}",
            run.stderr
        );
        sandbox.set("PGCRED_CACHE", "file");
    }
    sandbox.set("TMPDIR", "/proc/none");
    let run = sandbox.run(&["exec", HOST, "--", "true"]);
    run.assert_fails(1, "there is no place for a private file");
    assert!(
        run.stderr
            .contains("hint: set XDG_RUNTIME_DIR or TMPDIR to"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_longest_lifetime_of_the_configuration_also_limits_min_valid() {
    let sandbox = Sandbox::with_keys();
    sandbox.write("capped.toml", "max_expires_in = \"1h\"\n");
    let with = |command: &[&str]| sandbox.run(&[command, &["--config", "capped.toml"]].concat());
    for min_valid in ["3601", "7d"] {
        let run = with(&["token", HOST, "--min-valid", min_valid]);
        run.assert_fails(2, "--min-valid: a lifetime of");
        assert!(
            run.stderr.contains("max_expires_in is 3600 s"),
            "{}",
            run.stderr
        );
    }
    sandbox
        .run(&[
            "exec",
            HOST,
            "--config",
            "capped.toml",
            "--min-valid",
            "3d",
            "--",
            "true",
        ])
        .assert_fails(2, "max_expires_in");
    assert!(
        with(&["token", HOST, "--min-valid", "1h"])
            .stdout
            .contains("X-Amz-Expires=3600&")
    );
}

#[test]
fn refresh_and_setup_warn_of_a_service_that_is_no_connection() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "prod", HOST]);
    for command in [&["refresh", "prod"][..], &["setup", "psql", "--yes"]] {
        for (service, warned) in [("legacy", true), ("prod", false)] {
            let run = sandbox.set("PGSERVICE", service).run(command);
            let text = format!(
                "PGSERVICE is set: clients go to the host and user of the service `{service}`"
            );
            assert_eq!(
                (run.code, run.stderr.contains(&text)),
                (0, warned),
                "{command:?}: {}",
                run.stderr
            );
        }
    }
}
