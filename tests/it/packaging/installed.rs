//! The packages of Linux distributions: what is in them, and what they ask for. `ways` installs
//! them.
//!
//! `tests/run.sh` makes the packages before.

use std::collections::BTreeSet;
use std::env::consts::ARCH;
use std::process::Command;

use crate::packaging::made::{made, packages};
use crate::packaging::release::VERSION;
use crate::support::needs::{ROOT, program, skip_unless};
use crate::support::sandbox::Run;

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
fn the_rpm_asks_for_the_oldest_glibc() {
    skip_unless!(made(), program("rpm"));
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
