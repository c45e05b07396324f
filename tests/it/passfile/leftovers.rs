//! Files that a killed pgcred has left are removed by the next one that writes to the same
//! directory. Files in use stay.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[cfg(target_os = "linux")]
use crate::support::needs::{ROOT, program, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn new_files_of_killed_writers_are_removed_and_those_of_running_ones_stay() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    let cache = sandbox.own().join("cache");
    for name in [
        "due.pgcred-new-left",
        "due.pgcred-new-lives",
        "index.json.pgcred-new-left",
    ] {
        fs::write(cache.join(name), "").expect("written");
    }
    let lives = File::open(cache.join("due.pgcred-new-lives")).expect("a file");
    lives.lock().expect("a lock");
    sandbox.ok(&["token", HOST, "--user", "one"]);
    let left: Vec<String> = names(&cache)
        .into_iter()
        .filter(|name| name.contains(".pgcred-new-"))
        .collect();
    assert_eq!(left, ["due.pgcred-new-lives"]);
    drop(lives);
    sandbox.ok(&["token", HOST, "--user", "two"]);
    assert!(
        !names(&cache)
            .iter()
            .any(|name| name.contains(".pgcred-new-"))
    );
}

#[test]
fn new_files_of_a_killed_setup_are_removed() {
    let sandbox = Sandbox::with_keys();
    sandbox.write(".pg_service.conf", "[mine]\nhost=h\n");
    for name in [
        ".pg_service.conf.pgcred-new-left",
        ".pg_service.conf.pgcred-backup.pgcred-new-left",
    ] {
        sandbox.write(name, "");
    }
    sandbox.ok(&["setup", "psql", HOST, "--yes"]);
    assert_eq!(
        names(sandbox.home()),
        [".pg_service.conf", ".pg_service.conf.pgcred-backup"]
    );
    sandbox.write(".pg_service.conf.pgcred-new-left", "");
    sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
    assert_eq!(names(sandbox.home()), [".pg_service.conf"]);
}

/// A kill can leave the directory of `exec` empty, before its lock exists. An older pgcred left it
/// without a lock.
#[test]
fn directories_of_exec_are_removed_with_any_content() {
    let sandbox = Sandbox::with_keys();
    let exec = sandbox.own().join("cache/exec");
    for (name, files) in [
        ("run-empty", &[][..]),
        ("run-unlocked", &["passfile"]),
        ("run-whole", &["lock", "passfile"]),
    ] {
        fs::create_dir_all(exec.join(name)).expect("a directory");
        fs::set_permissions(exec.join(name), fs::Permissions::from_mode(0o700)).expect("a mode");
        for file in files {
            fs::write(exec.join(name).join(file), "a token").expect("written");
        }
    }
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(names(&exec), [""; 0]);
}

/// The order in which the directory of `exec` is cleared: the lock stays as long as the token,
/// because it tells the next pgcred whether the directory is in use.
#[cfg(target_os = "linux")]
#[test]
fn the_token_of_exec_is_removed_before_the_lock() {
    skip_unless!(program("strace"), ROOT);
    let sandbox = Sandbox::with_keys();
    let mut strace = sandbox.command("strace");
    strace.args([
        "-e",
        "trace=unlink,unlinkat,rmdir",
        env!("CARGO_BIN_EXE_pgcred"),
        "exec",
        HOST,
        "--",
        "true",
    ]);
    let run = crate::support::sandbox::Run::of(strace);
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("run-") || line.contains("\"lock\""))
        .collect();
    let position = |what: &str| lines.iter().position(|line| line.contains(what));
    let (passfile, lock) = (position("passfile\""), position("lock\""));
    assert!(passfile.is_some() && passfile < lock, "{}", run.stderr);
}
