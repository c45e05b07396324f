//! The managed passfile on a real disk: its modes and links, many writers, kills and full disks.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::support::needs::program;
use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, NOBODY, RDS_HOST, Sandbox};

pub const MINE: &str = "# my servers\nlocalhost:5432:*:me:pw\r\nlast:5432:*:me:pw";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").mode() & 0o777
}

fn text(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read(".pgpass")).expect("text")
}

fn host(n: usize) -> String {
    format!("h{n}.dsql.us-east-1.on.aws")
}

/// Returns a sandbox in which the user has a passfile.
fn with_passfile() -> Sandbox {
    let sandbox = Sandbox::with_keys();
    let path = sandbox.write(".pgpass", MINE);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
    sandbox
}

#[test]
fn erase_after_refresh_restores_every_byte() {
    let sandbox = with_passfile();
    sandbox.ok(&["refresh", HOST]);
    let line = format!("\n{HOST}:5432:*:admin:{HOST}/?Action=DbConnectAdmin&");
    assert!(text(&sandbox).starts_with("# pgcred begin") && text(&sandbox).contains(&line));
    assert!(text(&sandbox).ends_with(MINE));
    sandbox.ok(&["refresh", HOST, "--user", "app", "--port", "6432"]);
    sandbox.ok(&["refresh", RDS_HOST, "--user", "u:v"]);
    assert!(text(&sandbox).contains(&format!(
        "\n{RDS_HOST}:5432:*:u\\:v:{RDS_HOST}\\:5432/?Action=connect&DBUser=u%3Av&"
    )));
    sandbox.ok(&["erase", HOST, "--user", "app"]);
    assert!(text(&sandbox).contains(&line) && !text(&sandbox).contains(":6432:"));
    sandbox.ok(&["erase", "foo0bar1baz2quux3quuux4abc"]);
    sandbox
        .run(&["erase", HOST])
        .assert_fails(4, "has no token for");
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(text(&sandbox), MINE);
}

#[test]
fn the_file_is_found_as_libpq_finds_it() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["refresh", HOST]);
    assert_eq!(mode(&sandbox.path(".pgpass")), 0o600);
    let by_variable = sandbox.path("by-variable");
    sandbox.set("PGPASSFILE", &by_variable.display().to_string());
    sandbox.ok(&["refresh", HOST]);
    let by_flag = sandbox.path("by-flag");
    sandbox.ok(&[
        "refresh",
        HOST,
        "--passfile",
        &by_flag.display().to_string(),
    ]);
    assert!(by_variable.exists() && by_flag.exists());
    let run = sandbox.run(&["refresh", HOST, "--passfile", "/nowhere/at/all"]);
    run.assert_fails(2, "mkdir -p -m 700 '/nowhere/at'");
}

#[test]
fn the_user_hears_what_hides_the_file_from_clients() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(".pgpass", "*:*:*:*:pw\n");
    sandbox.set("PGPASSWORD", "x");
    let run = sandbox.run(&["refresh", HOST]);
    for said in [
        "could be read by other users",
        "line 5 also matches",
        "node-postgres",
        "PGPASSWORD is set",
        "look for the passfile in",
    ] {
        assert!(run.stderr.contains(said), "{said} not in {}", run.stderr);
    }
    assert_eq!(mode(&sandbox.path(".pgpass")), 0o600);
    let run = sandbox.run(&["refresh", &HOST.to_uppercase(), "--user", "a:b"]);
    assert!(
        run.stderr.contains("has the host in lower case")
            && run.stderr.contains("asyncpg and pgpasslib"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.run(&["refresh", HOST, "--quiet"]).stderr, "");
    sandbox.set("PGPASSFILE", "relative");
    assert!(
        sandbox
            .run(&["refresh", HOST])
            .stderr
            .contains("PGPASSFILE is relative")
    );
}

#[test]
fn links_and_modes_are_kept() {
    let sandbox = with_passfile();
    let real = sandbox.path("dotfiles/pgpass");
    fs::create_dir(sandbox.path("dotfiles")).expect("a directory");
    fs::rename(sandbox.path(".pgpass"), &real).expect("moved");
    symlink("dotfiles/pgpass", sandbox.path(".pgpass")).expect("a link");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o400)).expect("chmod");
    sandbox.ok(&["refresh", HOST]);
    assert!(
        fs::symlink_metadata(sandbox.path(".pgpass"))
            .expect("a link")
            .is_symlink()
    );
    assert_eq!(mode(&real), 0o400);
    assert!(text(&sandbox).contains(HOST));

    symlink("dotfiles/new", sandbox.path("dangling")).expect("a link");
    sandbox.ok(&["refresh", HOST, "--passfile", "dangling"]);
    assert_eq!(mode(&sandbox.path("dotfiles/new")), 0o600);
    symlink("loop", sandbox.path("loop")).expect("a link");
    sandbox
        .run(&["refresh", HOST, "--passfile", "loop"])
        .assert_fails(2, "too many links");
}

/// The link and the mode stay the same there too.
#[test]
fn owners_are_kept() {
    skip_unless!(ROOT);
    let sandbox = with_passfile();
    let real = sandbox.path("dotfiles/pgpass");
    fs::create_dir(sandbox.path("dotfiles")).expect("a directory");
    fs::rename(sandbox.path(".pgpass"), &real).expect("moved");
    symlink("dotfiles/pgpass", sandbox.path(".pgpass")).expect("a link");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o400)).expect("chmod");
    std::os::unix::fs::chown(&real, Some(NOBODY), Some(NOBODY)).expect("root may chown");
    sandbox.ok(&["refresh", HOST]);
    let metadata = fs::metadata(&real).expect("a file");
    assert_eq!(
        (metadata.mode() & 0o777, metadata.uid(), metadata.gid()),
        (0o400, NOBODY, NOBODY)
    );
}

#[test]
fn other_things_than_plain_files_are_refused() {
    let sandbox = Sandbox::with_keys();
    fs::create_dir(sandbox.path("folder")).expect("a directory");
    nix::unistd::mkfifo(&sandbox.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    for name in ["folder", "fifo", "/dev/null"] {
        sandbox
            .run(&["refresh", HOST, "--passfile", name])
            .assert_fails(2, "is not a regular file");
        assert!(!sandbox.path(&format!("{name}.pgcred-lock")).exists());
    }
    let run = sandbox.run(&["refresh", "bad host", "nope", "--passfile", "folder"]);
    run.assert_fails(2, "is not allowed in a host name");
    assert!(run.stderr.contains("`nope` is no") && run.stderr.contains("is not a regular file"));
}

#[test]
fn a_damaged_block_stays_as_it_is() {
    let sandbox = Sandbox::with_keys();
    for (damaged, number, hint) in [
        (
            "mine:1:*:u:p\n# pgcred end\n",
            2,
            "delete the line `# pgcred end`",
        ),
        (
            "# pgcred begin\nmine:1:*:u:p\n",
            2,
            "put the line `# pgcred end` below pgcred's lines",
        ),
        (
            "# pgcred begin\nmine:1:*:u:p\n# pgcred end\n",
            2,
            "move your own lines out of the block",
        ),
    ] {
        sandbox.write("p", damaged);
        for command in [&["refresh", HOST][..], &["erase", "--all"]] {
            let run = sandbox.run(&[command, &["--passfile", "p"]].concat());
            run.assert_fails(2, &format!("p: line {number}: pgcred's block is damaged"));
            assert!(run.stderr.contains(hint), "{}", run.stderr);
        }
        assert_eq!(sandbox.read("p"), damaged.as_bytes());
    }
}

#[test]
fn an_expired_token_is_removed_and_a_valid_one_is_kept() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .ok(&["refresh", &host(1)]);
    sandbox.ok(&["refresh", &host(2), "--expires-in", "1h"]);
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .at("2030-01-01T00:14:59Z");
    sandbox
        .run(&["refresh", &host(1)])
        .assert_fails(3, "no AWS credentials");
    assert!(text(&sandbox).contains(&host(1)) && text(&sandbox).contains(&host(2)));
    sandbox
        .at("2030-01-01T00:15:00Z")
        .run(&["refresh", &host(1)])
        .assert_fails(3, "no AWS credentials");
    assert!(!text(&sandbox).contains(&host(1)) && text(&sandbox).contains(&host(2)));
    sandbox
        .at("2030-01-01T01:00:00Z")
        .ok(&["erase", &host(2), &host(2)]);
    sandbox
        .run(&["erase", &host(2)])
        .assert_fails(4, "has no token");
    assert!(!sandbox.path(".pgpass").exists(), "pgcred had made it");
}

/// A file that pgcred created is removed with the last token. A file that was empty before stays,
/// and so do lines that were added since.
#[test]
fn only_files_that_pgcred_made_are_removed() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["refresh", HOST]);
    sandbox.ok(&["refresh", RDS_HOST, "--user", "app"]);
    sandbox.ok(&["erase", HOST]);
    assert!(text(&sandbox).contains(RDS_HOST));
    sandbox.ok(&["erase", "--all"]);
    assert!(
        fs::read_dir(sandbox.home())
            .expect("a directory")
            .next()
            .is_none(),
        "something is left in HOME"
    );
    sandbox.ok(&["refresh", HOST]);
    sandbox.write(".pgpass", text(&sandbox) + "mine:1:*:u:p\n");
    sandbox.ok(&["refresh", HOST]);
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(text(&sandbox), "mine:1:*:u:p\n");
    sandbox.write(".pgpass", "");
    fs::set_permissions(sandbox.path(".pgpass"), fs::Permissions::from_mode(0o600)).expect("chmod");
    sandbox.ok(&["refresh", HOST]);
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(text(&sandbox), "", "the user's empty file");
}

#[test]
fn several_targets_share_a_file_and_each_failure_is_named() {
    let sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["refresh", &host(1), "nope", &host(2), RDS_HOST]);
    run.assert_fails(1, "2 of 4 targets failed");
    assert!(run.stderr.contains("`nope` is no") && run.stderr.contains("no user for"));
    assert!(text(&sandbox).contains(&host(1)) && text(&sandbox).contains(&host(2)));
}

/// The new file is on the disk before it replaces the old one, so that a power cut leaves one of
/// the two.
#[cfg(target_os = "linux")]
#[test]
fn the_new_file_is_synced_before_it_replaces_the_old_one() {
    skip_unless!(program("strace"), ROOT);
    let sandbox = with_passfile();
    let mut strace = sandbox.command("strace");
    strace.args([
        "-f",
        "-e",
        "trace=fsync,rename,renameat,renameat2",
        env!("CARGO_BIN_EXE_pgcred"),
        "refresh",
        HOST,
    ]);
    let run = crate::support::sandbox::Run::of(strace);
    let started = |line: &str| {
        ["fsync", "rename"]
            .into_iter()
            .find(|call| line.contains(&format!("{call}(")))
    };
    let renamed = run
        .stderr
        .replace("renameat2(", "rename(")
        .replace("renameat(", "rename(");
    let calls: Vec<_> = renamed
        .lines()
        .filter(|line| !line.contains("/cache/"))
        .filter_map(started)
        .collect();
    assert_eq!(calls, ["fsync", "rename", "fsync"], "{}", run.stderr);
}

#[test]
fn many_writers_lose_nothing() {
    let sandbox = with_passfile();
    let children: Vec<_> = (0..32)
        .map(|n| {
            sandbox
                .pgcred(&["refresh", "-q", &host(n)])
                .spawn()
                .expect("pgcred starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("an end").success());
    }
    for n in 0..32 {
        assert!(
            text(&sandbox).contains(&format!("\n{}:5432:*:admin:", host(n))),
            "{n}"
        );
    }
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(text(&sandbox), MINE);
}

/// A writer can be killed at any moment: readers find a whole file, and the next writer cleans up.
#[test]
fn a_kill_at_any_moment_does_no_harm() {
    let sandbox = with_passfile();
    sandbox.ok(&["refresh", "-q", &host(0)]);
    for n in 1..=200_u64 {
        let mut child = sandbox
            .pgcred(&["refresh", "-q", &host(0)])
            .spawn()
            .expect("pgcred starts");
        thread::sleep(Duration::from_micros(n * 137 % 12_000));
        child.kill().expect("kill -9");
        child.wait().expect("an end");
        let text = text(&sandbox);
        assert!(
            text.starts_with("# pgcred begin")
                && text.contains("\n# pgcred end\n")
                && text.ends_with(MINE),
            "{text}"
        );
        assert_eq!(text.lines().count(), 7, "{text}");
    }
    sandbox.write(".pgpass.pgcred-new-abc", "what a killed writer leaves");
    sandbox.ok(&["refresh", &host(1)]);
    let mut names: Vec<_> = fs::read_dir(sandbox.home())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, [".pgpass"], "a lock stayed, or a part");
}

/// pgcred remembers every passfile that a variable or an option once named.
#[test]
fn erase_all_knows_every_file_that_was_written() {
    let mut sandbox = Sandbox::with_keys();
    let named = sandbox
        .write("secrets/pg.pass", "mine:1:*:u:p\n")
        .display()
        .to_string();
    sandbox.set("PGPASSFILE", &named).ok(&["refresh", HOST]);
    sandbox
        .unset("PGPASSFILE")
        .ok(&["refresh", HOST, "--passfile", "other.pass"]);
    sandbox.ok(&["refresh", HOST]);
    let run = sandbox.run(&["erase", "--all"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "pg.pass: erased 1 token\n",
        "other.pass: erased 1 token; the file is gone",
        ".pgpass: erased 1 token",
        "cache: removed",
    ] {
        assert!(run.stderr.contains(said), "{said} not in {}", run.stderr);
    }
    assert_eq!(sandbox.read("secrets/pg.pass"), b"mine:1:*:u:p\n");
    assert!(!sandbox.path("other.pass").exists() && !sandbox.path(".pgpass").exists());
    assert!(
        sandbox
            .run(&["erase", "--all"])
            .stderr
            .contains("nothing to erase")
    );

    // A damaged passfile does not keep the others from being cleared, and the next run finds it
    // again. A configuration that cannot be read does not matter either.
    sandbox.ok(&["refresh", HOST, "--passfile", "a"]);
    sandbox.ok(&["refresh", HOST, "--passfile", "b"]);
    sandbox.ok(&["token", &host(1)]);
    fs::write(sandbox.own().join("config.toml"), "[[connection\n").expect("written");
    let block = sandbox.read("a");
    sandbox.write("a", [&block[..], b"# pgcred end\n"].concat());
    for _ in 0..2 {
        let run = sandbox.run(&["erase", "--all"]);
        run.assert_fails(2, "a: line 5: pgcred's block is damaged");
        assert!(run.stderr.contains("config.toml: line 1"), "{}", run.stderr);
        assert!(!sandbox.path("b").exists() && !sandbox.own().join("cache/tokens").exists());
    }
    sandbox.write("a", block);
    sandbox.ok(&["erase", "--all"]);
    assert!(!sandbox.path("a").exists() && !sandbox.own().join("cache").exists());
}

/// The passfile is on a disk that is not mounted now, or behind a link to such a disk.
#[test]
fn erase_remembers_a_passfile_that_it_cannot_reach() {
    let sandbox = Sandbox::with_keys();
    fs::create_dir(sandbox.path("disk")).expect("a directory");
    symlink(sandbox.path("disk/linked"), sandbox.path("link")).expect("a link");
    sandbox.ok(&["add", "-q", "prod", HOST]);
    sandbox.ok(&["refresh", HOST, "--passfile", "disk/pass"]);
    sandbox.ok(&["refresh", HOST, "--fresh", "--passfile", "link"]);
    fs::rename(sandbox.path("disk"), sandbox.path("away")).expect("renamed");
    // Meanwhile other passfiles appear and disappear.
    sandbox.ok(&["refresh", &host(1), "--passfile", "here"]);
    for _ in 0..2 {
        let run = sandbox.run(&["erase", "--all"]);
        run.assert_fails(1, "disk/pass may have tokens and cannot be reached");
        assert!(
            run.stderr.contains("link may have tokens"),
            "{}",
            run.stderr
        );
        let hint = format!(
            "hint: attach or mount {}, then try again",
            sandbox.path("disk").display()
        );
        assert_eq!(run.stderr.matches(&hint).count(), 2, "{}", run.stderr);
        assert!(!sandbox.path("here").exists() && !sandbox.own().join("cache/tokens").exists());
    }
    fs::rename(sandbox.path("away"), sandbox.path("disk")).expect("renamed");
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(
        fs::read_dir(sandbox.path("disk"))
            .expect("a directory")
            .count(),
        0
    );
    assert!(!sandbox.own().join("cache").exists());

    // The same is true for `erase` of one target, and for `remove`.
    for erase in [&["erase", HOST][..], &["remove", "prod"]] {
        sandbox.ok(&["refresh", HOST, "--passfile", "disk/pass"]);
        fs::rename(sandbox.path("disk"), sandbox.path("away")).expect("renamed");
        sandbox
            .run(erase)
            .assert_fails(1, "disk/pass may have tokens and cannot be reached");
        fs::rename(sandbox.path("away"), sandbox.path("disk")).expect("renamed");
        sandbox.ok(&["erase", "--all"]);
        assert_eq!(
            fs::read_dir(sandbox.path("disk"))
                .expect("a directory")
                .count(),
            0,
            "{erase:?}"
        );
    }

    // If the directory exists and the file does not, there is nothing to erase.
    sandbox.ok(&["refresh", HOST, "--passfile", "disk/pass"]);
    fs::remove_file(sandbox.path("disk/pass")).expect("removed");
    sandbox.ok(&["erase", "--all"]);
}

/// A killed writer leaves its lock and the new file, which may contain a token.
#[test]
fn erase_removes_what_a_killed_writer_left() {
    let sandbox = Sandbox::with_keys();
    for mine in [Some(MINE), None] {
        for erase in [&["erase", "--all"][..], &["erase", HOST]] {
            mine.map(|mine| sandbox.write(".pgpass", mine));
            sandbox.write(".pgpass.pgcred-lock", "");
            sandbox.write(".pgpass.pgcred-new-abc", "a token");
            sandbox.run(erase);
            let left = fs::read_dir(sandbox.home())
                .expect("a directory")
                .map(|entry| entry.expect("an entry").file_name());
            assert_eq!(
                left.collect::<Vec<_>>(),
                mine.map(|_| ".pgpass").into_iter().collect::<Vec<_>>(),
                "{erase:?}"
            );
            let _ = fs::remove_file(sandbox.path(".pgpass"));
        }
    }
}

#[test]
fn erase_all_creates_no_file() {
    let mut sandbox = Sandbox::empty();
    sandbox.unset("PGCRED_HOME");
    let run = sandbox.run(&["erase", "--all"]);
    assert!(
        run.code == 0 && run.stderr.contains("nothing to erase"),
        "{}",
        run.stderr
    );
    sandbox
        .run(&["erase", HOST])
        .assert_fails(4, "has no token");
    sandbox.run(&["remove", "prod"]).assert_fails(4, "prod");
    assert!(
        fs::read_dir(sandbox.home())
            .expect("a directory")
            .next()
            .is_none(),
        "something was made"
    );
}

/// The holder of a lock removes its file. A writer that waits for it then takes the next lock, not
/// the removed one.
#[test]
fn writers_that_take_turns_lose_nothing_and_leave_no_lock() {
    let sandbox = with_passfile();
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let turn = format!(
                "for i in 1 2 3 4 5 6 7 8; do '{0}' refresh -q h{n}-$i.dsql.us-east-1.on.aws || \
                 exit 1; done",
                env!("CARGO_BIN_EXE_pgcred")
            );
            let mut sh = sandbox.command("sh");
            sh.args(["-c", &turn]).spawn().expect("sh")
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().expect("an end").success());
    }
    let text = text(&sandbox);
    for n in 0..4 {
        for i in 1..=8 {
            assert!(
                text.contains(&format!("\nh{n}-{i}.dsql")),
                "h{n}-{i} was lost"
            );
        }
    }
    assert_eq!(
        fs::read_dir(sandbox.home()).expect("a directory").count(),
        1,
        "a lock stayed"
    );
}
