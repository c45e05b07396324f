//! The private directories of `pgcred exec`: whose they are, and who removes those that a killed
//! run has left.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::needs::{ROOT, skip_unless};
use crate::support::owners::{files_in, give, set_mode, text};
use crate::support::sandbox::{HOST, NOBODY, Run, Sandbox};

/// Runs a program by `exec`, and kills pgcred while the program runs.
fn kill_an_exec(sandbox: &Sandbox) {
    let script = "touch ready; while [ -e ready ]; do sleep 0.02; done";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let mut child = pgcred
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("pgcred");
    while !sandbox.path("ready").exists() {
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    child.wait().expect("an end");
    fs::remove_file(sandbox.path("ready")).expect("removed");
}

/// The token of an `exec` that was killed is removed by the next `refresh`; it does not wait for
/// the next `exec`.
#[test]
fn refresh_removes_what_a_killed_exec_has_left() {
    let sandbox = Sandbox::with_keys();
    kill_an_exec(&sandbox);
    let directories = || files_in(&sandbox.own().join("cache/exec"));
    assert!(text(&directories()[0].join("passfile")).contains("Signature"));
    sandbox.ok(&["refresh", HOST]);
    assert_eq!(directories().len(), 0);
}

/// `erase --all` names what it cannot remove, and its exit code says that something is left.
#[test]
fn erase_all_says_what_stays() {
    let mut sandbox = Sandbox::with_keys();
    let runtime = sandbox.path("runtime");
    fs::create_dir(&runtime).expect("a directory");
    sandbox
        .unset("PGCRED_HOME")
        .set("XDG_RUNTIME_DIR", &runtime.display().to_string());
    kill_an_exec(&sandbox);
    let left = files_in(&runtime.join("pgcred/exec")).remove(0);
    fs::create_dir(left.join("theirs")).expect("a directory");
    let run = sandbox.run(&["erase", "--all"]);
    run.assert_fails(1, &format!("cannot remove {}", left.display()));
    assert!(
        !left.join("passfile").exists(),
        "the token is gone all the same"
    );
    fs::remove_dir(left.join("theirs")).expect("removed");
    sandbox.ok(&["erase", "--all"]);
    assert!(!runtime.join("pgcred").exists());
}

/// An `exec` that is just starting is not taken for one that was killed.
#[test]
fn parallel_execs_leave_each_others_directory_alone() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do \
        (for j in 1 2 3 4 5 6 7 8 9 10; do \"$0\" exec \"$1\" -- sh -c 'test -s \"$PGPASSFILE\" && \
        echo found'; done) & \
        done; wait";
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST])
        .stdin(Stdio::null());
    let run = Run::of(shell);
    assert_eq!((run.stdout.lines().count(), &*run.stderr), (120, ""));
    assert_eq!(files_in(&sandbox.own().join("cache/exec")).len(), 0);
}

/// A run may have been killed before it had the lock of its directory, or after the lock was gone.
#[test]
fn directories_without_a_lock_are_removed() {
    let sandbox = Sandbox::with_keys();
    let directory = sandbox.own().join("cache/exec");
    for (name, file) in [("run-1", None), ("run-2", Some("passfile"))] {
        fs::create_dir_all(directory.join(name)).expect("a directory");
        set_mode(&directory.join(name), 0o700);
        if let Some(file) = file {
            fs::write(directory.join(name).join(file), "a token").expect("written");
        }
    }
    set_mode(&sandbox.own().join("cache"), 0o700);
    sandbox.ok(&["refresh", HOST]);
    assert_eq!(files_in(&directory).len(), 0);
}

/// Another user has moved a directory of the user's to where private directories are, and has given
/// it the name of one.
#[test]
fn directories_that_pgcred_has_not_made_keep_their_files() {
    let mut sandbox = Sandbox::with_keys();
    let shared = sandbox.path("tmp");
    fs::create_dir(&shared).expect("a directory");
    set_mode(&shared, 0o777);
    sandbox.set("TMPDIR", &shared.display().to_string());
    let made = |name: &str, mode: u32| {
        let file = sandbox.write(name, "precious");
        set_mode(file.parent().expect("a directory"), mode);
        file
    };
    let [thesis, open, closed] = [
        made("tmp/pgcred-run-1/thesis", 0o700),
        made("tmp/pgcred-run-2/passfile", 0o755),
        made("tmp/pgcred-run-3/passfile", 0o700),
    ];
    for mode in [0o777, 0o1777] {
        set_mode(&shared, mode);
        sandbox.ok(&["refresh", HOST]);
        sandbox.run(&["erase", "--all"]);
        assert!(thesis.exists() && open.exists());
        assert_eq!(
            closed.exists(),
            mode == 0o777,
            "nobody else can have moved it to where nobody can exchange it"
        );
    }
}

/// The cache may be in a directory that everybody can write to. Another user may have put a link
/// there before pgcred made anything.
#[test]
fn private_directories_are_not_looked_for_behind_a_link_of_another_user() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    let mine = sandbox.write("experiments/run-1/passfile", "precious");
    set_mode(mine.parent().expect("a directory"), 0o700);
    let cache = sandbox.path("shared/pgcred");
    fs::create_dir_all(&cache).expect("a directory");
    symlink(sandbox.path("experiments"), cache.join("exec")).expect("a link");
    give(&cache, NOBODY);
    let shared = sandbox.path("shared").display().to_string();
    sandbox.unset("PGCRED_HOME").set("XDG_CACHE_HOME", &shared);
    sandbox.ok(&["refresh", HOST]);
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert!(mine.exists());
    chown(&cache, Some(0), Some(0)).expect("root may chown");
    sandbox.ok(&["refresh", HOST]);
    assert!(mine.exists(), "the link is the other user's still");
}

/// Another user puts a directory of the user's in the place of the private one while the program
/// runs.
#[test]
fn an_exec_that_ends_removes_no_other_directory() {
    let mut sandbox = Sandbox::with_keys();
    let shared = sandbox.path("tmp");
    fs::create_dir(&shared).expect("a directory");
    set_mode(&shared, 0o777);
    sandbox
        .unset("PGCRED_HOME")
        .set("HOME", "/proc/none")
        .set("TMPDIR", &shared.display().to_string());
    let thesis = sandbox.write("tmp/work/deep/thesis", "precious");
    let script =
        "cd \"$TMPDIR\" && run=$(dirname \"$PGPASSFILE\") && mv \"$run\" aside && mv work \"$run\"";
    sandbox.ok(&["exec", HOST, "--quiet", "--", "sh", "-c", script]);
    let moved = files_in(&shared)
        .into_iter()
        .find(|path| path.join("deep/thesis").exists());
    assert!(moved.is_some() && !thesis.exists());
}

/// Private directories are not made in another user's directory for temporary files, because that
/// user could exchange them there.
#[test]
fn private_directories_are_neither_made_nor_removed_in_another_users_directory() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    let shared = sandbox.path("tmp");
    let left = sandbox.write("tmp/pgcred-run-1/passfile", "mine");
    set_mode(left.parent().expect("a directory"), 0o700);
    chown(&shared, Some(NOBODY), None).expect("root may chown");
    sandbox.set("TMPDIR", &shared.display().to_string());
    sandbox.ok(&["refresh", HOST]);
    assert!(left.exists());
    sandbox.unset("PGCRED_HOME").set("HOME", "/proc/none");
    let run = sandbox.run(&["exec", HOST, "--", "true"]);
    run.assert_fails(1, "tmp does not exist, or another user owns it");
    chown(&shared, Some(0), None).expect("root may chown");
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert!(!left.exists());
}
