//! Other users and programs of one machine: what they can read of pgcred, and what pgcred believes
//! of theirs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::credentials::faults::{LOGIN_FILE, SSO_FILE};
use crate::support::desk::{PAST, desk, logged_in};
use crate::support::needs::{Need, ROOT, can_run, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, NOBODY, RDS_HOST, Run, SECRET, Sandbox};
use crate::support::stubs::Stub;

/// Gives a path and all that is below it to a user.
pub fn give(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).expect("root may chown");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("a directory") {
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

/// Keys that stand in a file: the environment is the program's too, and may be in its core dump.
fn with_keys_in_a_file() -> Sandbox {
    let sandbox = Sandbox::empty();
    let keys =
        format!("[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    sandbox.write(".aws/credentials", keys);
    sandbox
}

/// A program that crashes dumps core as the user has set it; pgcred, which ends by the same signal,
/// does not.
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

/// The user's other programs cannot look into pgcred; the program of `exec` is as open as ever.
#[test]
fn the_memory_of_pgcred_is_closed_to_the_users_programs() {
    skip_unless!(ROOT);
    let sandbox = with_keys_in_a_file();
    let script = "cat /proc/self/environ >/dev/null && echo own; cat /proc/$PPID/environ >/dev/null && echo open; \
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

/// What looks at the process's own files works for an ordinary user too.
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

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A run that may hang where something is wrong.
fn run_in_time(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = sandbox.command("timeout");
    command
        .args(["20", env!("CARGO_BIN_EXE_pgcred")])
        .args(arguments)
        .stdin(Stdio::null());
    Run::of(command)
}

/// Directories that pgcred searches besides PATH count only if nobody else can put a program there.
#[test]
fn no_program_is_run_from_a_directory_that_others_can_change() {
    let mut sandbox = Sandbox::empty();
    sandbox.set("PATH", "/usr/bin:/bin");
    let keys = format!(
        "#!/bin/sh\necho '{{\"Version\":1,\"AccessKeyId\":\"{KEY_ID}\",\"SecretAccessKey\":\"x\"}}'\n"
    );
    let program = sandbox.write("bin/gives-keys", keys);
    set_mode(&program, 0o755);
    let directory = sandbox.path("bin");
    sandbox.write(
        ".aws/config",
        "[default]\ncredential_process = gives-keys\n",
    );
    let token = || sandbox.run(&["token", HOST, "--no-cache"]);
    set_mode(&directory, 0o755);
    assert_eq!(token().code, 0);
    for mode in [0o777, 0o757] {
        set_mode(&directory, mode);
        token().assert_fails(1, "there is no program gives-keys");
    }
    set_mode(&directory, 0o755);
    if can_run!(ROOT) {
        chown(&directory, Some(NOBODY), None).expect("root may chown");
        token().assert_fails(1, "there is no program gives-keys");
    }
}

/// A link on the way to such a directory counts only if nobody else can make it lead elsewhere.
#[test]
fn no_program_is_run_from_a_directory_that_others_can_exchange() {
    let mut sandbox = Sandbox::empty();
    sandbox.set("PATH", "/usr/bin:/bin");
    let keys = format!(
        "#!/bin/sh\necho '{{\"Version\":1,\"AccessKeyId\":\"{KEY_ID}\",\"SecretAccessKey\":\"x\"}}'\n"
    );
    let program = sandbox.write("store/programs/gives-keys", keys);
    set_mode(&program, 0o755);
    sandbox.write(
        ".aws/config",
        "[default]\ncredential_process = gives-keys\n",
    );
    let directory = sandbox.path(".local");
    fs::create_dir(&directory).expect("a directory");
    symlink("../store/now", directory.join("bin")).expect("a link");
    symlink("programs", sandbox.path("store/now")).expect("a link");
    let token = || sandbox.run(&["token", HOST, "--no-cache"]);
    assert_eq!(token().code, 0, "links of the user's own are followed");
    for directory in [&directory, &sandbox.path("store")] {
        set_mode(directory, 0o777);
        token().assert_fails(1, "there is no program gives-keys");
        set_mode(directory, 0o1777);
        assert_eq!(token().code, 0, "others can replace nothing there");
        set_mode(directory, 0o755);
        if can_run!(ROOT) {
            chown(directory, Some(NOBODY), None).expect("root may chown");
            token().assert_fails(1, "there is no program gives-keys");
            chown(directory, Some(0), None).expect("root may chown");
        }
    }
}

/// An ID of the index is the name of a file that is removed; nothing but an ID may be that.
#[test]
fn a_forged_index_removes_no_file() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z").ok(&["token", HOST]);
    let precious = [sandbox.write("one", "mine"), sandbox.own().join("two")];
    fs::write(&precious[1], "mine").expect("written");
    let record =
        r#"{"name":"a@b:5432","issued":0,"expires":1,"region":"r","passfile":null,"digest":null}"#;
    let keys = [precious[0].display().to_string(), "../../two".to_owned()];
    let records: Vec<_> = keys
        .iter()
        .map(|key| format!("{}:{record}", serde_json::Value::from(&**key)))
        .collect();
    let forged = format!(
        r#"{{"version":1,"tokens":{{{}}},"failures":{{}},"passfiles":[]}}"#,
        records.join(",")
    );
    let index = sandbox.own().join("cache/index.json");
    fs::write(&index, forged).expect("written");
    sandbox
        .at("2030-01-01T00:01:00Z")
        .ok(&["token", HOST, "--fresh"]);
    assert!(precious.iter().all(|path| text(path) == "mine"));
    assert!(
        !text(&index).contains("../"),
        "what cannot be pgcred's is dropped: {}",
        text(&index)
    );
}

/// A failure that is remembered is repeated as a failure, whatever the index says of its exit code.
#[test]
fn a_forged_exit_code_is_not_success() {
    let sandbox = Sandbox::empty();
    sandbox.run(&["token", HOST]).assert_fails(3, "");
    let index = sandbox.own().join("cache/index.json");
    let forged = text(&index).replace("\"exit\":3", "\"exit\":0");
    assert!(forged.contains("\"exit\":0"));
    fs::write(&index, forged).expect("written");
    sandbox.run(&["token", HOST]).assert_fails(3, "");
}

/// What another user owns or can change is not believed: the index, and a passfile that the index
/// names.
#[test]
fn files_of_others_are_not_believed() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    let passfile = sandbox.path("p").display().to_string();
    let at_first = |sandbox: &mut Sandbox| {
        sandbox.at("2030-01-01T00:00:00Z").ok(&[
            "refresh",
            HOST,
            "--fresh",
            "--passfile",
            &passfile,
        ]);
        sandbox
            .at("2030-01-01T00:01:00Z")
            .ok(&["token", HOST])
            .contains("20300101T000000Z")
    };
    assert!(at_first(&mut sandbox), "the passfile's token is handed out");
    chown(&passfile, Some(NOBODY), None).expect("root may chown");
    assert!(
        sandbox.ok(&["token", HOST]).contains("20300101T000100Z"),
        "not another user's"
    );
    for change in ["owner", "mode"] {
        fs::remove_file(&passfile).expect("removed");
        sandbox.ok(&["erase", "--all"]);
        assert!(at_first(&mut sandbox));
        let index = sandbox.own().join("cache/index.json");
        match change {
            "owner" => chown(&index, Some(NOBODY), None).expect("root may chown"),
            _ => set_mode(&index, 0o666),
        }
        assert!(
            sandbox.ok(&["token", HOST]).contains("20300101T000100Z"),
            "{change}"
        );
        let metadata = fs::metadata(&index).expect("an index");
        assert_eq!(metadata.uid(), 0, "it is replaced by one of the user's own");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

/// Pipes where pgcred's own files should be hold nobody up.
#[test]
fn pipes_in_the_cache_do_not_hang() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    sandbox.ok(&["add", "prod", HOST]);
    let cache = sandbox.own().join("cache");
    let entry = files_in(&cache.join("tokens")).remove(0);
    for path in [
        entry,
        cache.join("index.json"),
        cache.join("background"),
        cache.join("told"),
    ] {
        let _ = fs::remove_file(&path);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    }
    for arguments in [&["token", HOST][..], &["list"], &["prompt"]] {
        let run = run_in_time(&sandbox, arguments);
        assert_eq!(run.code, 0, "{arguments:?}");
        assert!(!run.stderr.contains("passfile"), "{}", run.stderr);
    }
}

/// Tokens of which the index says nothing any more are erased with any target, for they may be its
/// own.
#[test]
fn erase_forgets_tokens_of_a_lost_index() {
    let sandbox = Sandbox::with_keys();
    for lost in ["damaged", "empty", "missing"] {
        sandbox.ok(&["token", HOST]);
        let index = sandbox.own().join("cache/index.json");
        match lost {
            "damaged" => fs::write(&index, "{\"version\":1,").expect("written"),
            "empty" => fs::write(&index, "").expect("written"),
            _ => fs::remove_file(&index).expect("removed"),
        }
        let run = sandbox.run(&["erase", HOST]);
        assert!(
            run.code == 0 && run.stderr.contains("erased too"),
            "{lost}: {} {}",
            run.code,
            run.stderr
        );
        assert_eq!(
            files_in(&sandbox.own().join("cache/tokens")).len(),
            0,
            "{lost}"
        );
        assert_eq!(
            run.stderr.contains("pgcred knew"),
            lost != "missing",
            "{lost}: {}",
            run.stderr
        );
    }
    sandbox
        .run(&["erase", HOST])
        .assert_fails(4, "the cache has none");
}

/// Tokens from before the cache was switched off are in it, and the passfiles that hold some are
/// known to it.
#[test]
fn tokens_are_erased_also_where_the_cache_is_switched_off() {
    let mut sandbox = Sandbox::with_keys();
    let passfile = sandbox.path("p");
    sandbox.ok(&["add", "prod", HOST]);
    for command in [
        &["erase", "--all"][..],
        &["erase", HOST],
        &["remove", "prod"],
    ] {
        sandbox.set("PGCRED_CACHE", "file").ok(&[
            "refresh",
            "prod",
            "--passfile",
            &passfile.display().to_string(),
        ]);
        sandbox.ok(&["token", "prod", "--expires-in", "1000"]);
        let tokens = || {
            (
                passfile.exists(),
                files_in(&sandbox.own().join("cache/tokens")).len(),
            )
        };
        assert_eq!(tokens(), (true, 1));
        let run = Run::of({
            let mut pgcred = sandbox.pgcred(command);
            pgcred.env("PGCRED_CACHE", "none");
            pgcred
        });
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(tokens(), (false, 0), "{command:?}");
    }
}

/// Runs a program in `exec`, and kills pgcred while it runs.
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

/// The token of an `exec` that was killed does not stay: not until the next `exec`, and not for
/// longer.
#[test]
fn refresh_removes_what_a_killed_exec_has_left() {
    let sandbox = Sandbox::with_keys();
    kill_an_exec(&sandbox);
    let directories = || files_in(&sandbox.own().join("cache/exec"));
    assert!(text(&directories()[0].join("passfile")).contains("Signature"));
    sandbox.ok(&["refresh", HOST]);
    assert_eq!(directories().len(), 0);
}

/// `erase --all` names what it cannot remove, and does not end as if it had.
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

/// One that is about to begin is not taken for one that was killed.
#[test]
fn parallel_execs_leave_each_others_directory_alone() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do \
        (for j in 1 2 3 4 5 6 7 8 9 10; do \"$0\" exec \"$1\" -- sh -c 'test -s \"$PGPASSFILE\" && echo found'; done) & \
        done; wait";
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST])
        .stdin(Stdio::null());
    let run = Run::of(shell);
    assert_eq!((run.stdout.lines().count(), &*run.stderr), (120, ""));
    assert_eq!(files_in(&sandbox.own().join("cache/exec")).len(), 0);
}

/// Whenever a run was killed: before it had the lock of its directory, or after that was gone.
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

/// A directory of the user's that another user has moved to where private directories are, and
/// given their name.
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

/// The cache may be in a directory that is open to all; another user may have put a link there
/// before pgcred has made anything.
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

/// A directory of the user's that another user puts in the place of the private one, while the
/// program runs.
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

/// Another user's directory for temporary files is no place for private ones: they could be
/// exchanged there.
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
    run.assert_fails(1, "tmp does not exist, belongs to another user");
    chown(&shared, Some(0), None).expect("root may chown");
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert!(!left.exists());
}

/// Root with the HOME of another user makes no file there, and believes none; a token that needs no
/// file is given out.
#[test]
fn root_leaves_another_users_home_alone() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    sandbox.unset("PGCRED_HOME");
    chown(sandbox.home(), Some(NOBODY), Some(NOBODY)).expect("root may chown");
    for arguments in [
        &["refresh", HOST][..],
        &["add", "prod", HOST],
        &["list"],
        &["erase", "--all"],
        &["setup", "psql"],
    ] {
        let run = sandbox.run(arguments);
        run.assert_fails(2, "which belongs to nobody, and this is root");
        assert!(run.stderr.contains("hint: sudo -H "), "{}", run.stderr);
    }
    let silent = sandbox.run(&["refresh", "--background", "--quiet"]);
    assert_eq!((silent.code, &*silent.stderr), (0, ""));
    assert_eq!(sandbox.run(&["prompt"]).stderr, "");
    let run = sandbox.run(&["token", HOST]);
    assert!(
        run.code == 0
            && run
                .stderr
                .contains("warning: tokens are not cached: HOME is "),
        "{}",
        run.stderr
    );
    assert_eq!(
        sandbox
            .set("PGCRED_CACHE", "none")
            .run(&["token", HOST])
            .stderr,
        "",
        "it is meant"
    );
    assert_eq!(
        sandbox.ok(&[
            "exec",
            HOST,
            "--",
            "sh",
            "-c",
            "test -s $PGPASSFILE && echo found"
        ]),
        "found\n"
    );
    assert_eq!(files_in(sandbox.home()), [] as [PathBuf; 0]);
    // Its configuration is not root's to believe.
    let config = sandbox.write(
        ".config/pgcred/config.toml",
        format!("[connections.prod]\nhost = \"{HOST}\"\n"),
    );
    give(&config, NOBODY);
    sandbox
        .run(&["token", "prod"])
        .assert_fails(2, "is not used: it belongs to nobody");
    // What is named counts, not HOME.
    let own = sandbox.own().display().to_string();
    sandbox
        .set("PGCRED_HOME", &own)
        .set("PGPASSFILE", &format!("{own}/passfile"))
        .unset("PGCRED_CACHE");
    sandbox.ok(&["refresh", HOST]);
    sandbox.unset("PGPASSFILE");
    sandbox.run(&["refresh", HOST]).assert_fails(
        2,
        "would be a file of root's in a directory that belongs to nobody",
    );
}

/// Root renews a user's login in the user's home, where nothing is in the user's way afterwards.
#[test]
fn a_login_that_root_renews_stays_the_users() {
    skip_unless!(ROOT);
    let stub = Stub::aws(None);
    let mut sandbox = desk(&stub.url(""));
    sandbox.unset("PGCRED_HOME");
    logged_in(&sandbox, PAST);
    give(sandbox.home(), NOBODY);
    for (profile, file) in [("p", SSO_FILE), ("l", LOGIN_FILE)] {
        let before = sandbox.read(file);
        sandbox.ok(&["token", HOST, "--profile", profile]);
        assert_ne!(sandbox.read(file), before, "it was renewed");
        let metadata = fs::metadata(sandbox.path(file)).expect("a file");
        assert_eq!(
            (metadata.uid(), metadata.gid(), metadata.mode() & 0o777),
            (NOBODY, NOBODY, 0o600),
            "{file}"
        );
    }
    assert!(!sandbox.path(".cache").exists());
}

/// Root's files in a user's home: what is in the way is named, and how to get it back.
#[test]
fn what_root_has_left_is_named_with_the_way_out() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    sandbox.unset("PGCRED_HOME");
    chown(sandbox.home(), Some(NOBODY), Some(NOBODY)).expect("root may chown");
    let cache = sandbox.path(".cache");
    fs::create_dir(&cache).expect("a directory");
    set_mode(&cache, 0o700);
    let run = run_as(sandbox.pgcred(&["token", HOST]), NOBODY);
    let hint = format!(
        "hint: make it yours with: sudo chown -R \"$(id -un)\" '{}'",
        cache.display()
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains(&format!("({} belongs to root)", cache.display())),
        "{}",
        run.stderr
    );
    let lock = sandbox.write(".pgpass.pgcred-lock", "");
    set_mode(&lock, 0o600);
    let run = run_as(sandbox.pgcred(&["refresh", HOST]), NOBODY);
    run.assert_fails(1, "cannot lock");
    assert!(
        run.stderr.contains("(it belongs to root)")
            && run.stderr.contains("sudo chown \"$(id -un)\""),
        "{}",
        run.stderr
    );
    let config = sandbox.path(".config");
    fs::create_dir(&config).expect("a directory");
    set_mode(&config, 0o755);
    let run = run_as(sandbox.pgcred(&["add", "prod", HOST]), NOBODY);
    run.assert_fails(1, &format!("({} belongs to root)", config.display()));
    assert!(
        run.stderr.contains(&hint.replace(".cache", ".config")),
        "{}",
        run.stderr
    );
}

/// A file that root has made and given to the user has root's group still, which the user cannot
/// give to a new file.
#[test]
fn a_file_with_a_group_of_others_can_be_written() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    sandbox.write(".pgpass", "mine:5432:*:me:pw\n");
    sandbox.write(".pg_service.conf", "[mine]\nhost=h\n");
    for directory in [sandbox.home(), sandbox.own()] {
        give(directory, NOBODY);
    }
    for (name, mode) in [(".pgpass", 0o600), (".pg_service.conf", 0o660)] {
        chown(sandbox.path(name), None, Some(0)).expect("root may chown");
        set_mode(&sandbox.path(name), mode);
    }
    for words in [&["refresh", HOST][..], &["setup", "psql", HOST, "--yes"]] {
        let run = run_as(sandbox.pgcred(words), NOBODY);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert!(text(&sandbox.path(".pgpass")).ends_with("# pgcred end\nmine:5432:*:me:pw\n"));
    let mode = fs::metadata(sandbox.path(".pg_service.conf"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(
        mode & 0o777,
        0o600,
        "what one group could do is nothing for another"
    );
}

/// Groups whose members are the user and nobody else may change a file, as is usual with umask 002.
#[test]
fn a_private_group_may_change_files_and_another_may_not() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let config = sandbox.own().join("config.toml");
    fs::write(&config, "").expect("written");
    set_mode(&config, 0o664);
    // Debian's: 1 is daemon, 2 is bin, and the group 12 is that of man, whose number is 6. 65534 is
    // nobody, and its group is that of more users. 4711 and 4712 have no name.
    let cases = [
        (1, 1, 0),
        (2, 1, 2),
        (2, 0, 0),
        (12, 12, 2),
        (65_534, 65_534, 2),
        (4_712, 4_712, 0),
        (4_712, 4_711, 2),
    ];
    for (user, group, code) in cases {
        for directory in [sandbox.home(), sandbox.own()] {
            give(directory, user);
        }
        chown(&config, None, Some(group)).expect("root may chown");
        let run = run_as(sandbox.pgcred(&["token", HOST]), user);
        assert_eq!(run.code, code, "{user} {group} {}", run.stderr);
    }
}

/// Kubernetes gives the files of a volume a group in which the container's process is, and lets it
/// change them.
#[cfg(target_os = "linux")]
#[test]
fn a_group_that_a_container_has_for_itself_may_change_files() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    // Debian's 45 is sasl, which is no user's main group, and 12 is that of man. The others have no
    // name.
    for (user, group, code) in [
        (4_712, 4_711, 0),
        (4_712, 45, 0),
        (4_712, 12, 2),
        (6, 4_711, 0),
    ] {
        let mut open = vec![sandbox.home().to_owned(), sandbox.own().to_owned()];
        while let Some(path) = open.pop() {
            chown(&path, Some(user), Some(group)).expect("root may chown");
            set_mode(&path, if path.is_dir() { 0o770 } else { 0o660 });
            open.extend(files_in(&path).into_iter().filter(|_| path.is_dir()));
        }
        let (user, group) = (user.to_string(), group.to_string());
        let mut command = sandbox.command("setpriv");
        command
            .args(["--reuid", &user, "--regid", &user, "--groups", &group])
            .stdin(Stdio::null());
        let run = Run::of({
            command.args([env!("CARGO_BIN_EXE_pgcred"), "token", "prod"]);
            command
        });
        assert_eq!(run.code, code, "{user} {group} {}", run.stderr);
        assert!(code != 0 || run.stderr.is_empty(), "{}", run.stderr);
    }
}

/// Links, pipes and files that another user has put where a passfile is to be.
#[test]
fn traps_beside_a_passfile_are_refused() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let refresh = |name: &str| run_in_time(&sandbox, &["refresh", HOST, "--passfile", name]);
    let bashrc = sandbox.write("bashrc", "mine\n");
    symlink(&bashrc, sandbox.path("link")).expect("a link");
    give(&sandbox.path("link"), NOBODY);
    let run = refresh("link");
    run.assert_fails(2, "is not used: it belongs to nobody");
    assert!(
        run.stderr.contains("hint: see who has put it there") && !run.stderr.contains("chown"),
        "{}",
        run.stderr
    );
    symlink(&bashrc, sandbox.path("locked.pgcred-lock")).expect("a link");
    refresh("locked").assert_fails(1, "it is no regular file");
    symlink(sandbox.path("new"), sandbox.path("made.pgcred-lock")).expect("a link");
    refresh("made").assert_fails(1, "it is no regular file");
    assert!(!sandbox.path("new").exists());
    nix::unistd::mkfifo(
        &sandbox.path("pipe.pgcred-lock"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .expect("a FIFO");
    refresh("pipe").assert_fails(1, "it is no regular file");
    let planted = sandbox.write("everybodys/planted", "");
    set_mode(&sandbox.path("everybodys"), 0o1777);
    give(&planted, NOBODY);
    refresh("everybodys/planted").assert_fails(2, "belongs to nobody, but its directory does not");
    assert_eq!(
        (text(&bashrc), text(&planted)),
        ("mine\n".to_owned(), String::new())
    );
}

/// Directories that others own or can change hold neither configuration nor tokens.
#[test]
fn directories_of_others_are_not_used() {
    let mut sandbox = Sandbox::with_keys();
    let own = sandbox.own().to_owned();
    set_mode(&own, 0o777); // as volumes of containers are; what is in it is looked at by itself
    sandbox.ok(&["token", HOST]);
    sandbox.ok(&["erase", "--all"]);
    fs::write(own.join("config.toml"), "").expect("written");
    set_mode(&own.join("config.toml"), 0o666);
    let run = sandbox.run(&["token", HOST]);
    run.assert_fails(2, "its mode 666 lets other users change it");
    let config = own.join("config.toml");
    let hint = format!(
        "hint: chmod go-w '{0}'; or, if you trust what is in it: --config '{0}'",
        config.display()
    );
    assert!(run.stderr.contains(&hint), "{}", run.stderr);
    assert_eq!(
        sandbox
            .run(&[
                "token",
                HOST,
                "--no-cache",
                "--config",
                &config.display().to_string()
            ])
            .code,
        0
    );
    if can_run!(ROOT) {
        set_mode(&config, 0o644);
        chown(&config, Some(NOBODY), None).expect("root may chown");
        sandbox
            .run(&["token", HOST])
            .assert_fails(2, "is not used: it belongs to nobody");
    }
    fs::remove_file(own.join("config.toml")).expect("removed");
    fs::create_dir(own.join("cache")).expect("a directory");
    set_mode(&own.join("cache"), 0o777);
    let run = sandbox.run(&["token", HOST]);
    assert!(
        run.code == 0 && run.stderr.contains("tokens are not cached: "),
        "{}",
        run.stderr
    );
    assert_eq!(files_in(&own.join("cache")).len(), 0);
    set_mode(&own.join("cache"), 0o700);
    // A runtime directory is passed over.
    let runtime = sandbox.path("runtime");
    fs::create_dir(&runtime).expect("a directory");
    set_mode(&runtime, 0o777);
    sandbox
        .unset("PGCRED_HOME")
        .set("XDG_RUNTIME_DIR", &runtime.display().to_string());
    let place = sandbox.ok(&["exec", HOST, "--", "sh", "-c", "echo $PGPASSFILE"]);
    assert!(
        place.starts_with(&sandbox.path(".cache").display().to_string()),
        "{place}"
    );
    sandbox.set(
        "XDG_RUNTIME_DIR",
        &sandbox.path("missing").display().to_string(),
    );
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert!(files_in(&runtime).is_empty() && !sandbox.path("missing").exists());
    if can_run!(ROOT) {
        let link = sandbox.path("link");
        symlink(&own, &link).expect("a link");
        for path in [&link, &own] {
            sandbox
                .set("PGCRED_HOME", &path.display().to_string())
                .ok(&["token", HOST]);
            std::os::unix::fs::lchown(path, Some(NOBODY), None).expect("root may chown");
            sandbox
                .run(&["token", HOST])
                .assert_fails(2, "is not used: it belongs to nobody");
        }
    }
}

/// Some sandboxes show root's files as those of an unknown user; home-manager's configuration is a
/// link to such a file.
#[cfg(target_os = "linux")]
#[test]
fn roots_configuration_is_believed_where_root_is_shown_as_unknown() {
    const USER: u32 = 4242;
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let directory = tempfile::TempDir::new().expect("a directory");
    set_mode(directory.path(), 0o755);
    let config = directory.path().join("config.toml");
    fs::write(&config, format!("[connections.prod]\nhost = '{HOST}'\n")).expect("written");
    symlink(&config, sandbox.own().join("config.toml")).expect("a link");
    for directory in [sandbox.home(), sandbox.own()] {
        give(directory, USER);
    }
    let unshare = |sandbox: &Sandbox, words: &[&str]| {
        let mut command = sandbox.command("unshare");
        command
            .args(["--user", "--map-user=4242"])
            .args(words)
            .stdin(Stdio::null());
        run_as(command, USER)
    };
    let is_allowed = unshare(&sandbox, &["true"]).code == 0;
    skip_unless!(Need::Looked("user namespaces", is_allowed));
    let run = unshare(&sandbox, &[env!("CARGO_BIN_EXE_pgcred"), "token", "prod"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // What another user can change is not believed there either.
    set_mode(&config, 0o666);
    unshare(&sandbox, &[env!("CARGO_BIN_EXE_pgcred"), "token", "prod"])
        .assert_fails(2, "lets other users change it");
}

/// `PGCRED_HOME` may be a directory in which the user has other things, even a `cache`.
#[test]
fn erase_all_removes_only_what_is_pgcreds() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    let cache = sandbox.own().join("cache");
    fs::write(cache.join("mine"), "precious").expect("written");
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(files_in(&cache), [cache.join("mine")]);
}

/// Whatever the umask, what pgcred writes is the user's alone.
#[test]
fn files_are_private_under_any_umask() {
    let sandbox = Sandbox::with_keys();
    let script = "umask 000; \"$0\" add prod \"$1\" && \"$0\" token prod && \"$0\" refresh prod && \
        \"$0\" exec prod -- sh -c 'stat -c %a \"$PGPASSFILE\"; dirname \"$PGPASSFILE\" | xargs stat -c %a'";
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST])
        .stdin(Stdio::null());
    let run = Run::of(shell);
    assert!(
        run.code == 0 && run.stdout.ends_with("600\n700\n"),
        "{} {}",
        run.stdout,
        run.stderr
    );
    let mut open = files_in(sandbox.own());
    open.push(sandbox.path(".pgpass"));
    while let Some(path) = open.pop() {
        let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(
            mode,
            if path.is_dir() { 0o700 } else { 0o600 },
            "{}",
            path.display()
        );
        open.extend(files_in(&path).into_iter().filter(|_| path.is_dir()));
    }
}

/// A sealed token is good under its own name alone.
#[test]
fn swapped_entries_are_misses() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z").ok(&["token", HOST]);
    sandbox.ok(&["token", RDS_HOST, "--user", "u"]);
    let entries = files_in(&sandbox.own().join("cache/tokens"));
    let texts: Vec<_> = entries
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect();
    fs::write(&entries[0], &texts[1]).expect("written");
    fs::write(&entries[1], &texts[0]).expect("written");
    sandbox.at("2030-01-01T00:01:00Z");
    for (target, host) in [(&[HOST][..], HOST), (&[RDS_HOST, "--user", "u"], RDS_HOST)] {
        let token = sandbox.ok(&[&["token"], target].concat());
        assert!(
            token.starts_with(host) && token.contains("20300101T000100Z"),
            "{token}"
        );
    }
}
