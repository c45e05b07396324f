//! pgcred as root in a user's home, what it leaves there, and files that a group may change.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::Stdio;

use crate::credentials::faults::{LOGIN_FILE, SSO_FILE};
use crate::support::desk::{PAST, desk, logged_in};
use crate::support::needs::{ROOT, say_skipped, skip_unless};
use crate::support::owners::{files_in, give, run_as, set_mode, text};
use crate::support::sandbox::{HOST, NOBODY, Run, Sandbox};
use crate::support::stubs::Stub;

/// Root whose HOME is another user's makes no file there and uses none. It still gets a token that
/// needs no file.
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
        assert!(run.stderr.contains("hint: use `sudo -H`"), "{}", run.stderr);
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
    // Root does not use the configuration of that home.
    let config = sandbox.write(
        ".config/pgcred/config.toml",
        format!("[connections.prod]\nhost = \"{HOST}\"\n"),
    );
    give(&config, NOBODY);
    sandbox
        .run(&["token", "prod"])
        .assert_fails(2, "is not used: it belongs to nobody");
    // A file that the user names is used, in whatever home directory it is.
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

/// Root renews a user's login in that user's home. Afterwards the files still belong to the user.
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

/// The user cannot use files that root has left in the home. pgcred names them, and says how to get
/// them back.
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
        "hint: make it yours with `sudo chown -R \"$(id -un)\" '{}'`",
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

/// A file that root has made and given to the user still has root's group, which the user cannot
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

/// A group that has only the user in it may change a file, as is usual with umask 002.
#[test]
fn a_private_group_may_change_files_and_another_may_not() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let config = sandbox.own().join("config.toml");
    fs::write(&config, "").expect("written");
    set_mode(&config, 0o664);
    // Debian's numbers: 1 is daemon, 2 is bin, and the group 12 is that of man, whose user has the
    // number 6. 65534 is nobody, whose group other users have too. 4711 and 4712 have no name.
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

/// Kubernetes gives the files of a volume to a group of the container's process, and lets that
/// group change them.
#[cfg(target_os = "linux")]
#[test]
fn a_group_that_a_container_has_for_itself_may_change_files() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["token", "prod"]);
    // Debian's group 45 is sasl, which is no user's main group, and 12 is that of man. The others
    // have no name.
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

/// Some sandboxes show root's files as those of an unknown user, and the configuration of
/// home-manager is a link to such a file. It is used.
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
    if !is_allowed {
        let test = "a configuration of root's, where root is shown as unknown";
        return say_skipped(test, "user namespaces");
    }
    let run = unshare(&sandbox, &[env!("CARGO_BIN_EXE_pgcred"), "token", "prod"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // A file that another user can change is not used in such a sandbox either.
    set_mode(&config, 0o666);
    unshare(&sandbox, &[env!("CARGO_BIN_EXE_pgcred"), "token", "prod"])
        .assert_fails(2, "lets other users change it");
}
