//! A configuration that exists but cannot be used is an error: without its rules, a token could be
//! signed with the keys of another identity.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

#[cfg(target_os = "linux")]
use crate::support::needs::{ROOT, program, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Run, Sandbox};

/// This rule names the profile that signs. Without it, the keys in the environment would sign.
const RULE: &str = "max_expires_in = '5m'\n[[match]]\nhost = '*'\nprofile = 'p'\n";

fn with_rule() -> Sandbox {
    let sandbox = Sandbox::with_keys();
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = AKIAP\naws_secret_access_key = wJalrX\n",
    );
    fs::write(sandbox.own().join("config.toml"), RULE).expect("written");
    let token = sandbox.ok(&["token", HOST]);
    assert!(
        token.contains("AKIAP") && token.contains("X-Amz-Expires=300&"),
        "{token}"
    );
    sandbox
}

/// The commands that print tokens or need the configuration, each with its exit code for a wrong
/// configuration.
const COMMANDS: [(&[&str], i32); 8] = [
    (&["token", HOST], 2),
    (&["token", HOST, "--no-cache"], 2),
    (&["refresh", HOST], 2),
    (&["exec", HOST, "--", "env"], 2),
    (
        &[
            "aws",
            "dsql",
            "generate-db-connect-auth-token",
            "--region",
            "us-east-1",
            "--hostname",
            HOST,
        ],
        255,
    ),
    (&["list"], 2),
    (&["add", "prod", HOST], 2),
    (&["setup", "psql", HOST, "--yes"], 2),
];

/// Checks that every command fails and says why, and that a prompt shows nothing.
fn check_refused(sandbox: &Sandbox, says: &str, run: impl Fn(&[&str]) -> Run) {
    for (words, code) in COMMANDS {
        // `add` makes the file to which a link leads, so it does not fail if that file is missing.
        if words[0] != "add" || !says.contains("does not exist") {
            run(words).assert_fails(code, says);
        }
    }
    let prompt = run(&["prompt"]);
    assert_eq!(
        (prompt.stdout.as_str(), prompt.stderr.as_str(), prompt.code),
        ("", "", 2)
    );
    assert!(
        run(&["prompt", "--debug"]).stderr.contains(says),
        "--debug says why there is nothing"
    );
    assert!(!sandbox.path(".pgpass").exists() && !sandbox.path(".pg_service.conf").exists());
}

#[test]
fn a_configuration_that_is_no_readable_file_is_an_error() {
    type Break = fn(&Path);
    let breaks: [(Break, &str); 6] = [
        (
            |config| fs::create_dir(config).expect("a directory"),
            "config.toml is not a regular file",
        ),
        (
            |config| nix::unistd::mkfifo(config, nix::sys::stat::Mode::S_IRWXU).expect("a pipe"),
            "config.toml is not a regular file",
        ),
        (
            |config| fs::write(config, b"# caf\xe9\n").expect("written"),
            "config.toml is not UTF-8",
        ),
        (
            |config| fs::write(config, "[[match]\n").expect("written"),
            "config.toml: line 1",
        ),
        (
            |config| symlink("config.toml", config).expect("a link"),
            "cannot read ",
        ),
        (
            |config| symlink("gone.toml", config).expect("a link"),
            "config.toml is a link to a file that does not exist",
        ),
    ];
    for (break_it, says) in breaks {
        let sandbox = with_rule();
        let config = sandbox.own().join("config.toml");
        fs::remove_file(&config).expect("removed");
        break_it(&config);
        check_refused(&sandbox, says, |words| sandbox.run(words));
    }
}

#[test]
fn dev_null_names_no_configuration() {
    let sandbox = with_rule();
    assert!(
        sandbox
            .ok(&["token", HOST, "--config", "/dev/null"])
            .contains(KEY_ID),
        "no rule says who else signs"
    );
    assert_eq!(
        sandbox
            .ok(&["list", "--config", "/dev/null", "--format", "json"])
            .trim(),
        "[]"
    );
    sandbox
        .run(&["add", "x", HOST, "--config", "/dev/null"])
        .assert_fails(2, "/dev/null is not a regular file");
}

#[test]
fn a_configuration_that_is_too_large_is_an_error() {
    let sandbox = with_rule();
    let config = fs::File::create(sandbox.own().join("config.toml")).expect("a file");
    config.set_len(3 << 30).expect("a length");
    check_refused(&sandbox, "it is larger than 64 MiB", |words| {
        sandbox.run(words)
    });
}

/// Root may read every file, so strace refuses the read in the place of the system.
#[cfg(target_os = "linux")]
#[test]
fn a_configuration_that_the_system_refuses_to_read_is_an_error() {
    skip_unless!(program("strace"), ROOT);
    let sandbox = with_rule();
    let config = sandbox.own().join("config.toml").display().to_string();
    for (call, error, says) in [
        ("openat", "EACCES", "Permission denied"),
        ("openat", "EIO", "Input/output error"),
        ("openat", "EMFILE", "Too many open files"),
        ("read", "EIO", "Input/output error"),
    ] {
        let trouble = format!("inject={call}:error={error}:when=1+");
        check_refused(
            &sandbox,
            &format!("cannot read {config}: {says}"),
            |words| {
                let mut strace = sandbox.command("strace");
                strace.args([
                    "-o",
                    "/dev/null",
                    "-P",
                    &config,
                    "-e",
                    &format!("trace={call}"),
                    "-e",
                    &trouble,
                ]);
                strace.arg(env!("CARGO_BIN_EXE_pgcred")).args(words);
                Run::of(strace)
            },
        );
    }
}

#[test]
fn only_a_file_that_is_not_there_is_an_empty_configuration() {
    let mut sandbox = with_rule();
    fs::remove_file(sandbox.own().join("config.toml")).expect("removed");
    assert!(sandbox.ok(&["token", HOST]).contains("X-Amz-Expires=900&"));
    // Home directories of services, in which no file can exist.
    for home in ["/dev/null", "/bin/false", "/nonexistent"] {
        sandbox.unset("PGCRED_HOME").set("HOME", home);
        sandbox.ok(&["token", HOST, "--no-cache"]);
    }
}

/// If a disk is not mounted, the rules on it are missing, and another identity might sign.
#[test]
fn a_configuration_whose_directory_is_out_of_reach_is_an_error() {
    let mut sandbox = with_rule();
    sandbox.unset("PGCRED_HOME");
    let token = || sandbox.run(&["token", HOST, "--no-cache"]);
    let directory = sandbox.path(".config");
    symlink(sandbox.path("disk/config"), &directory).expect("a link");
    token().assert_fails(
        2,
        &format!(
            "{} is a link to a directory that does not exist",
            directory.display()
        ),
    );
    fs::create_dir_all(sandbox.path("disk/config")).expect("a directory");
    assert_eq!(
        token().code,
        0,
        "the disk is there, and has no configuration"
    );
    let own = directory.join("pgcred");
    symlink(sandbox.path("disk/pgcred"), &own).expect("a link");
    token().assert_fails(
        2,
        &format!(
            "{} is a link to a directory that does not exist",
            own.display()
        ),
    );
    sandbox.write("disk/pgcred", "");
    token().assert_fails(2, &format!("{} is not a directory", own.display()));
    fs::remove_file(sandbox.path("disk/pgcred")).expect("removed");
    sandbox.write("disk/pgcred/config.toml", RULE);
    assert!(token().stdout.contains("AKIAP"));
    // With a link to /dev/null the user says that there is no configuration.
    fs::remove_file(&own).expect("removed");
    symlink("/dev/null", &own).expect("a link");
    assert_eq!(token().code, 0);
}

/// `erase --all` works even if the configuration cannot be read.
#[test]
fn everything_can_be_erased_with_any_configuration() {
    let sandbox = with_rule();
    let config = sandbox.own().join("config.toml");
    fs::remove_file(&config).expect("removed");
    fs::create_dir(&config).expect("a directory");
    let run = sandbox.run(&["erase", "--all"]);
    assert!(
        run.code == 0 && run.stderr.contains("warning: ") && run.stderr.contains("config.toml"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.own().join("cache").exists());
}

/// A passfile that cannot be read may have tokens in it, so pgcred must not say that it has erased
/// them.
#[cfg(target_os = "linux")]
#[test]
fn a_passfile_that_cannot_be_read_is_an_error_of_erase() {
    skip_unless!(program("strace"), ROOT);
    for call in ["statx", "openat", "read"] {
        let sandbox = Sandbox::with_keys();
        sandbox.ok(&["refresh", HOST]);
        let passfile = sandbox.path(".pgpass").display().to_string();
        let trouble = format!("inject={call}:error=EIO:when=1+");
        let mut strace = sandbox.command("strace");
        strace.args([
            "-o",
            "/dev/null",
            "-P",
            &passfile,
            "-e",
            &format!("trace={call}"),
            "-e",
            &trouble,
        ]);
        strace.args([env!("CARGO_BIN_EXE_pgcred"), "erase", HOST]);
        let run = Run::of(strace);
        assert!(
            [1, 2].contains(&run.code) && run.stderr.contains(".pgpass"),
            "{call}: {} {}",
            run.code,
            run.stderr
        );
        assert!(String::from_utf8_lossy(&sandbox.read(".pgpass")).contains(HOST));
    }
}
