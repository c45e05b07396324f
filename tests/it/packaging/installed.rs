//! The packages of Linux distributions, installed in roots that have nothing else, used, removed.
//!
//! `tests/run.sh` makes the packages, and a bare Debian, before.

use std::collections::BTreeSet;
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packaging::made::{made, packages};
use crate::packaging::release::VERSION;
use crate::support::cluster::{Cluster, SESSION};
use crate::support::needs::{CLUSTER, Need, ROOT, program, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Run, SECRET, Sandbox};

/// A bare Debian that `tests/run.sh` has made by debootstrap.
fn debian() -> PathBuf {
    packages().with_file_name("packaging").join("debian")
}

fn bare_debian() -> Need {
    Need::Looked("a bare Debian (debootstrap)", debian().join("usr").exists())
}

/// Returns Debian's name of the machine's kind, as packages have it in their names.
fn debian_arch() -> &'static str {
    match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn package(name: &str) -> String {
    packages().join(name).display().to_string()
}

fn deb() -> String {
    package(&format!("pgcred_{VERSION}-1_{}.deb", debian_arch()))
}

fn rpm() -> String {
    package(&format!("pgcred-{VERSION}-1.{ARCH}.rpm"))
}

fn ok(command: &mut Command) -> String {
    let run = Run::finished(command.output().expect("the program starts"));
    assert_eq!(run.code, 0, "{command:?}: {}{}", run.stdout, run.stderr);
    run.stdout
}

/// Returns the files below a root, but for those of the package manager itself.
fn files(root: &Path) -> BTreeSet<String> {
    let mut find = Command::new("find");
    find.arg(root)
        .args(["-xdev", "!", "-type", "d", "-printf", "%P\n"]);
    let own = ["var/lib/dpkg/", "root/.rpmdb/", "var/log/", "var/cache/"];
    let found = ok(&mut find);
    let lines = found
        .lines()
        .filter(|path| !own.iter().any(|own| path.starts_with(own)));
    lines.map(str::to_owned).collect()
}

fn in_root(root: &Path, words: &[&str]) -> Command {
    let mut chroot = Command::new("chroot");
    chroot.env_clear().envs([
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("PGCRED_CACHE", "file"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SESSION),
    ]);
    chroot.arg(root).args(words);
    chroot
}

/// Logs in with what the pgcred of the root writes into its passfile, and takes all of it back.
fn assert_logs_in(root: &Path) {
    let mut cluster = Cluster::start();
    cluster.aim(HOST, "admin");
    ok(&mut in_root(root, &["pgcred", "refresh", HOST]));
    let passfile = root.join("root/.pgpass").display().to_string();
    cluster.sandbox.set("PGPASSFILE", &passfile);
    cluster.assert_session(&[], "admin@postgres");
    ok(&mut in_root(root, &["pgcred", "erase", "--all"]));
}

#[test]
fn the_deb_logs_in_and_leaves_nothing() {
    skip_unless!(made(), CLUSTER, bare_debian(), program("chroot"));
    let sandbox = Sandbox::empty();
    let root = sandbox.path("debian");
    ok(Command::new("cp").arg("-a").arg(debian()).arg(&root));
    fs::copy(deb(), root.join("pgcred.deb")).expect("a copy");
    let before = files(&root);
    ok(&mut in_root(&root, &["dpkg", "-i", "/pgcred.deb"]));
    assert_logs_in(&root);
    let link = fs::read_link(root.join("usr/bin/pgcred-aws")).expect("a link");
    assert_eq!(link, Path::new("pgcred"));
    ok(&mut in_root(&root, &["dpkg", "--purge", "pgcred"]));
    let after = files(&root);
    let left: Vec<_> = after.difference(&before).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn lintian_finds_nothing() {
    skip_unless!(made(), program("lintian"));
    let mut lintian = Command::new("lintian");
    lintian.args([
        "--no-cfg",
        "--allow-root",
        "--fail-on",
        "error,warning",
        &deb(),
    ]);
    assert_eq!(ok(&mut lintian), "");
}

#[test]
fn the_rpm_logs_in_and_leaves_nothing() {
    skip_unless!(made(), CLUSTER, bare_debian(), program("rpm"));
    let sandbox = Sandbox::empty();
    let root = sandbox.path("root");
    // A root with a C library, as `rpm` has no Fedora to take one from.
    ok(Command::new("cp").arg("-a").arg(debian()).arg(&root));
    let before = files(&root);
    let rpm_in_root = |arguments: &[&str]| {
        ok(Command::new("rpm").arg("--root").arg(&root).args(arguments));
    };
    rpm_in_root(&["--nodeps", "--install", &rpm()]);
    assert_logs_in(&root);
    rpm_in_root(&["--nodeps", "--erase", "pgcred"]);
    let after = files(&root);
    let left: Vec<_> = after.difference(&before).collect();
    assert!(left.is_empty(), "{left:?}");
    for own in ["usr/share/doc/pgcred", "usr/share/licenses/pgcred"] {
        assert!(!root.join(own).exists(), "{own} is left");
    }
    let requires = ok(Command::new("rpm").args(["-qp", "--requires", &rpm()]));
    assert!(requires.contains("glibc >= 2.28"), "{requires}");
}

/// Returns the files that a list of a package names, without directories.
fn listed(list: &str) -> BTreeSet<String> {
    let paths = list.lines().map(|line| line.trim_start_matches(['.', '/']));
    let paths = paths.filter(|path| path.starts_with("usr/") && !path.ends_with('/'));
    paths.map(str::to_owned).collect()
}

#[test]
fn all_packages_have_the_same_programs_and_texts() {
    skip_unless!(
        made(),
        ROOT,
        program("dpkg-deb"),
        program("rpm"),
        program("zstd")
    );
    let list = |words: &[&str]| listed(&ok(Command::new(words[0]).args(&words[1..])));
    let apk = package(&format!("pgcred_{VERSION}-r1_{ARCH}.apk"));
    let arch = package(&format!("pgcred-{VERSION}-1-{ARCH}.pkg.tar.zst"));
    // An .apk is three archives in a row.
    let apk = list(&["tar", "--ignore-zeros", "-tzf", &apk]);
    let arch = list(&["tar", "--zstd", "-tf", &arch]);
    let deb = listed(&ok(Command::new("sh").args([
        "-c",
        "dpkg-deb --fsys-tarfile \"$1\" | tar -t",
        "sh",
        &deb(),
    ])));
    let rpm = list(&["rpm", "-qpl", &rpm()]);
    for (name, files) in [("apk", apk), ("Arch", arch), ("deb", deb), ("rpm", rpm)] {
        for file in [
            "usr/bin/pgcred",
            "usr/bin/pgcred-aws",
            "usr/share/bash-completion/completions/pgcred",
            "usr/share/doc/pgcred/THIRD-PARTY.txt",
            "usr/share/fish/vendor_completions.d/pgcred.fish",
            "usr/share/man/man1/pgcred.1.gz",
            "usr/share/man/man1/pgcred-aws.1.gz",
        ] {
            assert!(files.contains(file), "{file} is not in {name}: {files:?}");
        }
        let zsh = files.iter().filter(|file| file.ends_with("/_pgcred"));
        assert_eq!(zsh.count(), 1, "{name}");
    }
}
