//! Full and read-only disks: small file systems that root mounts for the test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::passfile::managed::MINE;
use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};

struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(path: &'a Path, options: &str) -> Self {
        fs::create_dir_all(path).expect("a directory");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path));
        Self(path)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.0));
    }
}

fn run(command: &mut Command) {
    assert!(
        command.status().is_ok_and(|status| status.success()),
        "this test needs root: {command:?}"
    );
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let directory = sandbox.path("disk");
    let _disk = Disk::mount(&directory, "size=16k");
    fs::write(directory.join("pgpass"), MINE).expect("written");
    fs::set_permissions(directory.join("pgpass"), fs::Permissions::from_mode(0o600))
        .expect("chmod");
    let _ = fs::write(directory.join("filler"), vec![0; 65_536]); // as much as fits
    let run = sandbox.run(&["refresh", HOST, "--passfile", "disk/pgpass"]);
    run.assert_fails(1, "disk/pgpass: No space left");
    assert_eq!(sandbox.read("disk/pgpass"), MINE.as_bytes());
    fs::remove_file(directory.join("filler")).expect("removed");
    sandbox.ok(&["refresh", HOST, "--passfile", "disk/pgpass"]);
    assert!(sandbox.read("disk/pgpass").ends_with(MINE.as_bytes()));
}

/// A token that cannot be cached is printed all the same.
#[test]
fn a_full_or_read_only_disk_for_the_cache_is_a_warning() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    let directory = sandbox.path("disk");
    let _disk = Disk::mount(&directory, "size=16k");
    sandbox.set("PGCRED_HOME", "disk");
    let _ = fs::write(directory.join("filler"), vec![0; 65_536]); // as much as fits
    for _ in 0..2 {
        let run = sandbox.run(&["token", HOST]);
        assert!(
            run.code == 0 && run.stdout.starts_with(HOST) && run.stderr.contains("warning: "),
            "{}",
            run.stderr
        );
    }
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&directory));
    let run = sandbox.run(&["token", HOST]);
    assert!(
        run.code == 0 && run.stdout.starts_with(HOST) && run.stderr.contains("warning: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_read_only_directory_is_an_error_that_names_the_file() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let directory = sandbox.path("disk");
    let _disk = Disk::mount(&directory, "size=64k");
    fs::write(directory.join("pgpass"), MINE).expect("written");
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&directory));
    sandbox
        .run(&["refresh", HOST, "--passfile", "disk/pgpass"])
        .assert_fails(1, "disk/pgpass");
    assert_eq!(sandbox.read("disk/pgpass"), MINE.as_bytes());
}

#[test]
fn setup_on_a_read_only_or_full_disk_leaves_the_file_as_it_was() {
    const SERVICES: &[u8] = b"[mine]\nhost=h\n";
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::empty();
    let directory = sandbox.path("disk");
    let _disk = Disk::mount(&directory, "size=64k");
    let file = sandbox.write("disk/services", SERVICES);
    sandbox.set("PGSERVICEFILE", &file.display().to_string());
    let _ = fs::write(directory.join("filler"), vec![0; 1 << 20]); // as much as fits
    let set_up = &["setup", "psql", HOST, "--yes"];
    sandbox.run(set_up).assert_fails(1, "No space left");
    assert_eq!(sandbox.read("disk/services"), SERVICES);
    assert!(
        !directory.join("services.pgcred-backup").exists(),
        "a part of a copy"
    );
    fs::remove_file(directory.join("filler")).expect("removed");
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&directory));
    sandbox.run(set_up).assert_fails(1, "Read-only file system");
    assert_eq!(sandbox.read("disk/services"), SERVICES);
}

/// All files are on one disk, which has room for only a few more pages or files.
#[test]
fn a_disk_that_fills_up_at_any_point_harms_nothing() {
    const SERVICES: &str = "[mine]\nhost=h\n";
    const COMMANDS: [&[&str]; 5] = [
        &["token", HOST],
        &["refresh", HOST],
        &["add", "prod", HOST],
        &["setup", "psql", HOST, "--yes"],
        &["exec", HOST, "--", "true"],
    ];
    skip_unless!(ROOT);
    for room in 0..12 {
        let mut sandbox = Sandbox::with_keys();
        let directory = sandbox.path("disk");
        // If this number is even, it counts free pages; if it is odd, it counts the files that can
        // be made.
        let (pages, files) = if room % 2 == 0 {
            (room / 2, None)
        } else {
            (64, Some(room / 2))
        };
        let limit = files.map_or_else(String::new, |files| format!(",nr_inodes={}", 6 + files));
        let _disk = Disk::mount(&directory, &format!("size=512k{limit}"));
        let own = directory.join("own").display().to_string();
        sandbox
            .set("HOME", &directory.display().to_string())
            .set("PGCRED_HOME", &own);
        sandbox.set("TMPDIR", &directory.display().to_string());
        fs::create_dir(&own).expect("a directory");
        sandbox.write("disk/.pgpass", MINE);
        sandbox.write("disk/.pg_service.conf", SERVICES);
        fs::write(directory.join("own/config.toml"), "# mine\n").expect("written");
        let filler = fs::File::create(directory.join("filler")).expect("a file");
        let _ = std::io::Write::write_all(&mut &filler, &vec![0; 1 << 20]); // as much as fits
        let length = filler.metadata().expect("a file").len();
        filler.set_len(length - pages * 4096).expect("shorter");
        for words in COMMANDS {
            let run = sandbox.run(words);
            let what = format!(
                "{words:?} with room for {pages} pages, {files:?} files: {} {}",
                run.code, run.stderr
            );
            assert!(
                matches!(run.code, 0..=2) && !run.stderr.contains("panicked"),
                "{what}"
            );
            assert!(
                words[0] != "token" || run.code == 0 && run.stdout.starts_with(HOST),
                "{what}"
            );
            assert!(
                run.code == 0 || run.stdout.is_empty() && run.stderr.contains("/disk"),
                "{what}"
            );
            assert!(
                sandbox.read("disk/.pgpass").ends_with(MINE.as_bytes()),
                "{what}"
            );
            assert!(
                sandbox
                    .read("disk/.pg_service.conf")
                    .ends_with(SERVICES.as_bytes()),
                "{what}"
            );
            assert!(
                sandbox
                    .read("disk/own/config.toml")
                    .starts_with(b"# mine\n"),
                "{what}"
            );
            if run.code == 0 && words[0] == "refresh" {
                assert!(
                    String::from_utf8_lossy(&sandbox.read("disk/.pgpass")).contains(HOST),
                    "{what}"
                );
            }
        }
    }
}
