//! Other users and programs of one machine: what they can read of pgcred, and what pgcred believes of theirs.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sandbox::{HOST, KEY_ID, Run, SECRET, Sandbox};

/// A user who owns nothing on this machine.
pub const NOBODY: u32 = 65_534;

/// Gives a path and all that is below it to a user.
pub fn give(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).expect("root may chown");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("a folder") {
            give(&entry.expect("an entry").path(), user);
        }
    }
}

pub fn run_as(mut command: Command, user: u32) -> Run {
    Run::of({
        command.uid(user).gid(user);
        command
    })
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Keys that stand in a file: the environment is the program's too, and may be in its core dump.
fn with_keys_in_a_file() -> Sandbox {
    let sandbox = Sandbox::empty();
    let keys = format!("[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    sandbox.write(".aws/credentials", keys);
    sandbox
}

/// A program that crashes dumps core as the user has set it; pgcred, which ends by the same signal, does not.
#[test]
fn a_program_that_dumps_core_leaves_none_of_pgcred() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern");
    let dumps_here = !pattern.contains(['|', '/']);
    for kill in ["kill -SEGV $$", "kill -QUIT $PPID; exec sleep 20"] {
        let sandbox = with_keys_in_a_file();
        let script = "ulimit -c unlimited && exec \"$0\" exec \"$1\" --no-cache -- sh -c \"$2\"";
        let mut shell = sandbox.command("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST, kill]).stdin(Stdio::null());
        assert_eq!(Run::of(shell).code, -1, "ended by the signal");
        let files = fs::read_dir(sandbox.home()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let cores: Vec<_> = files.filter(|path| path.to_string_lossy().contains("core")).collect();
        assert!(!dumps_here || cores.len() == 1, "{kill}: {cores:?}");
        for core in &cores {
            let core = fs::read(core).expect("a file");
            for secret in [SECRET, "Signature="] {
                assert!(!core.windows(secret.len()).any(|part| part == secret.as_bytes()), "{kill}: {secret}");
            }
        }
    }
}

/// The user's other programs cannot look into pgcred; the program of `exec` is as open as ever.
#[test]
fn the_memory_of_pgcred_is_closed_to_the_users_programs() {
    if !is_root() {
        return;
    }
    let sandbox = with_keys_in_a_file();
    let script = "cat /proc/self/environ >/dev/null && echo own; cat /proc/$PPID/environ >/dev/null && echo open; \
        cat /proc/$PPID/maps >/dev/null && echo open; ulimit -c";
    let shell = format!("ulimit -c 77 && exec '{}' exec {HOST} -- sh -c '{script}'", env!("CARGO_BIN_EXE_pgcred"));
    for folder in [sandbox.home(), sandbox.own()] {
        give(folder, NOBODY);
    }
    let mut command = sandbox.command("sh");
    command.args(["-c", &shell]).stdin(Stdio::null());
    let run = run_as(command, NOBODY);
    assert_eq!(run.stdout, "own\n77\n", "{}", run.stderr);
}

/// What looks at the process's own files works for an ordinary user too.
#[test]
fn an_ordinary_users_pgcred_finds_itself() {
    if !is_root() {
        return;
    }
    let sandbox = with_keys_in_a_file();
    let pgcred = sandbox.installed("bin/pgcred");
    for folder in [sandbox.home(), sandbox.own()] {
        chown(folder, Some(NOBODY), Some(NOBODY)).expect("root may chown");
    }
    let mut command = sandbox.command(&pgcred.display().to_string());
    command.args(["init", "bash"]).stdin(Stdio::null());
    let run = run_as(command, NOBODY);
    assert!(run.stdout.contains(&pgcred.display().to_string()), "{} {}", run.stdout, run.stderr);
}
