//! The memory of pgcred: no core dump contains it, and no program of the same user can read it.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Stdio;

use crate::support::needs::{ROOT, skip_unless};
use crate::support::owners::{give, run_as};
use crate::support::sandbox::{HOST, KEY_ID, NOBODY, Run, SECRET, Sandbox};

/// Returns a home with keys in a file. The program that `exec` runs has the same environment as
/// pgcred, and its core dump may contain that.
fn with_keys_in_a_file() -> Sandbox {
    let sandbox = Sandbox::empty();
    let keys =
        format!("[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    sandbox.write(".aws/credentials", keys);
    sandbox
}

/// A program of `exec` that crashes dumps core if the user allows that. pgcred then ends by the
/// same signal and dumps none.
#[test]
fn a_program_that_dumps_core_leaves_none_of_pgcred() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern");
    let dumps_here = !pattern.contains(['|', '/']);
    for kill in ["kill -SEGV $$", "kill -QUIT $PPID; exec sleep 20"] {
        let sandbox = with_keys_in_a_file();
        let script = "ulimit -c unlimited && exec \"$0\" exec \"$1\" --no-cache -- sh -c \"$2\"";
        let mut shell = sandbox.command("sh");
        shell
            .args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST, kill])
            .stdin(Stdio::null());
        assert_eq!(Run::of(shell).code, -1, "ended by the signal");
        let files = fs::read_dir(sandbox.home())
            .expect("a directory")
            .map(|entry| entry.expect("an entry").path());
        let cores: Vec<_> = files
            .filter(|path| path.to_string_lossy().contains("core"))
            .collect();
        assert!(!dumps_here || cores.len() == 1, "{kill}: {cores:?}");
        for core in &cores {
            let core = fs::read(core).expect("a file");
            for secret in [SECRET, "Signature="] {
                assert!(
                    !core
                        .windows(secret.len())
                        .any(|part| part == secret.as_bytes()),
                    "{kill}: {secret}"
                );
            }
        }
    }
}

/// The user's other programs cannot read the memory of pgcred. They can still read that of the
/// program that `exec` runs.
#[test]
fn the_memory_of_pgcred_is_closed_to_the_users_programs() {
    skip_unless!(ROOT);
    let sandbox = with_keys_in_a_file();
    let script = "cat /proc/self/environ >/dev/null && echo own; cat /proc/$PPID/environ \
        >/dev/null && echo open; \
        cat /proc/$PPID/maps >/dev/null && echo open; ulimit -c";
    let shell = format!(
        "ulimit -c 77 && exec '{}' exec {HOST} -- sh -c '{script}'",
        env!("CARGO_BIN_EXE_pgcred")
    );
    for directory in [sandbox.home(), sandbox.own()] {
        give(directory, NOBODY);
    }
    let mut command = sandbox.command("sh");
    command.args(["-c", &shell]).stdin(Stdio::null());
    let run = run_as(command, NOBODY);
    assert_eq!(run.stdout, "own\n77\n", "{}", run.stderr);
}

/// pgcred finds its own program through /proc, also for an ordinary user to whom its memory is
/// closed.
#[test]
fn an_ordinary_users_pgcred_finds_itself() {
    skip_unless!(ROOT);
    let sandbox = with_keys_in_a_file();
    let pgcred = sandbox.installed("bin/pgcred");
    for directory in [sandbox.home(), sandbox.own()] {
        chown(directory, Some(NOBODY), Some(NOBODY)).expect("root may chown");
    }
    let mut command = sandbox.command(&pgcred.display().to_string());
    command.args(["init", "bash"]).stdin(Stdio::null());
    let run = run_as(command, NOBODY);
    assert!(
        run.stdout.contains(&pgcred.display().to_string()),
        "{} {}",
        run.stdout,
        run.stderr
    );
}
