//! `pgcred exec` and `refresh --watch`: programs that run beside pgcred, and what is left when they or it end.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::sandbox::{HOST, Run, Sandbox};

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1); // twice what a watcher sleeps
    while !done() {
        assert!(Instant::now() < deadline, "{what} never came");
        thread::sleep(Duration::from_millis(10));
    }
}

fn left_behind(sandbox: &Sandbox) -> usize {
    fs::read_dir(sandbox.own().join("cache/exec")).expect("a folder").count()
}

#[test]
fn the_program_gets_connection_and_passfile_and_its_own_environment() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.set("PGPASSWORD", "old").set("MINE", "kept").set("PGCONNECT_TIMEOUT", "7");
    let script = "echo $PGHOST $PGPORT $PGUSER $PGDATABASE $PGSSLMODE $MINE $PGCONNECT_TIMEOUT [$PGPASSWORD]; \
        stat -c %a $PGPASSFILE $(dirname $PGPASSFILE); cat $PGPASSFILE; read line; echo $line; exit 7";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let mut child = pgcred.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgcred");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"typed\n").expect("written");
    let run = Run::finished(child.wait_with_output().expect("an end"));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(run.code, 7, "{}", run.stderr);
    assert_eq!(lines[0], format!("{HOST} 5432 admin postgres verify-full kept 7 []"));
    assert_eq!(lines[1..3], ["600", "700"]);
    assert!(lines[3].starts_with(&format!("{HOST}:5432:*:admin:{HOST}/?Action=DbConnectAdmin&")));
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
    let child = pgcred.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    let run = Run::finished(child.wait_with_output().expect("an end"));
    assert_eq!((run.code, &*run.stdout), (3, "got it\n"), "{}", run.stderr);
    sandbox.run(&["exec", HOST, "--", "/no/such/program"]).assert_fails(1, "cannot run /no/such/program");
    sandbox.run(&["exec", "nope", "--", "true"]).assert_fails(4, "`nope` is no connection");
    assert_eq!(left_behind(&sandbox), 0);
}

fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process id"));
    nix::sys::signal::kill(pid, signal).expect("a process");
}

#[test]
fn a_crash_leaves_a_passfile_only_until_the_next_run() {
    let sandbox = Sandbox::with_keys();
    let script = "touch ready; exec sleep 30";
    let mut child = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]).spawn().expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(left_behind(&sandbox), 1, "a running program keeps its passfile");
    let program = Command::new("pgrep").args(["-P", &child.id().to_string()]).output().expect("pgrep");
    child.kill().expect("kill -9");
    child.wait().expect("an end");
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(left_behind(&sandbox), 0);
    let program: u32 = String::from_utf8_lossy(&program.stdout).trim().parse().expect("the program's id");
    signal(program, nix::sys::signal::Signal::SIGKILL);
}

#[test]
fn watch_refreshes_stays_small_and_ends_when_told() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    let passfile = sandbox.path(".pgpass");
    let mut child = sandbox.pgcred(&["refresh", "--watch", "--quiet"]).spawn().expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    thread::sleep(Duration::from_millis(200));
    if cfg!(target_os = "linux") {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a size");
        let kib: u32 = line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("KiB");
        // Debug builds are larger in memory than what is shipped.
        assert!(kib < 24 * 1_024, "{line}");
    }
    if cfg!(target_os = "linux") {
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("a process");
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(line.split_whitespace().nth(4), Some("0"), "{line}");
    }
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    // An editor at work: said once, waited out.
    let config = sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    fs::remove_file(&passfile).expect("removed");
    let errors = fs::File::create(sandbox.path("errors")).expect("a file");
    let mut child = sandbox.pgcred(&["refresh", "--watch", "-q"]).stderr(errors).spawn().expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    fs::write(&config, format!("{text}[connections.half\n")).expect("a file");
    wait_until("the error", || !sandbox.read("errors").is_empty());
    let said = String::from_utf8(sandbox.read("errors")).expect("text");
    assert!(said.contains("config.toml") && child.try_wait().expect("a state").is_none(), "{said}");
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
