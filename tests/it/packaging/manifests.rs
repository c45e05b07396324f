//! The manifests of Homebrew, Scoop, winget and Arch: each can be parsed, and each address stands
//! with the hash of the archive that it leads to.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::packaging::release::{
    RELEASE, REPOSITORY, Server, TARGETS, VERSION, archive_of, release, rendered, serve, try_script,
};
use crate::support::needs::{PYTHON, ROOT, can_run, package, program, python, skip_unless};
use crate::support::sandbox::{NOBODY, Run, Sandbox};

const MANIFESTS: [&str; 4] = [
    "pgcred.rb",
    "pgcred.json",
    "pgcred.pgcred.installer.yaml",
    "PKGBUILD",
];

fn made() -> Sandbox {
    let sandbox = release();
    rendered(&sandbox, REPOSITORY);
    sandbox
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(&format!("{RELEASE}/{name}"))).expect("text")
}

fn hash_of(sandbox: &Sandbox, name: &str) -> String {
    let hash = digest(&SHA256, &sandbox.read(&format!("{RELEASE}/{name}")));
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}

/// Returns the words of a line that could be addresses or hashes.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(['"', '\'', '(', ')', ' '])
}

fn is_hash(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

#[test]
fn each_address_stands_with_the_hash_of_its_archive() {
    skip_unless!(PYTHON);
    let sandbox = made();
    let prefix = format!("{REPOSITORY}/releases/download/v{VERSION}/");
    let mut seen = BTreeSet::new();
    for manifest in MANIFESTS {
        let mut archive = None;
        for word in text(&sandbox, manifest).lines().flat_map(words) {
            if let Some(name) = word.strip_prefix(&prefix) {
                archive = Some(name.to_owned());
            } else if is_hash(word) {
                let name = archive.take().expect("an address before each hash");
                assert_eq!(word, hash_of(&sandbox, &name), "{manifest}: {name}");
                seen.insert((manifest, name));
            }
        }
        assert_eq!(archive, None, "{manifest} has an address without a hash");
    }
    // Homebrew 4, Scoop 1, winget 1, Arch 2.
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn the_list_of_hashes_has_every_archive() {
    skip_unless!(PYTHON);
    let sandbox = made();
    let list = text(&sandbox, "SHA256SUMS");
    for target in TARGETS {
        let name = archive_of(target);
        let line = format!("{}  {name}\n", hash_of(&sandbox, &name));
        assert!(list.contains(&line), "{line} is not in {list}");
    }
}

#[test]
fn nothing_is_left_to_fill_in() {
    skip_unless!(PYTHON);
    let sandbox = made();
    let mut count = 0;
    for entry in fs::read_dir(sandbox.path(RELEASE)).expect("a directory") {
        let path = entry.expect("an entry").path();
        let Ok(text) = fs::read_to_string(&path) else {
            continue; // an archive
        };
        let marks = text.split('@').skip(1).step_by(2);
        for mark in marks {
            let is_ours =
                mark.starts_with(|c: char| c.is_ascii_uppercase()) && !mark.contains(['\n', '"']);
            assert!(!is_ours, "{}: @{mark}@", path.display());
        }
        count += 1;
    }
    assert!(count > 8, "{count}");
}

#[test]
fn the_manifests_can_be_parsed() {
    skip_unless!(PYTHON);
    let sandbox = made();
    if can_run!(program("ruby")) {
        let mut ruby = sandbox.command("ruby");
        ruby.args(["-wc", "release/pgcred.rb"]);
        assert_succeeds(ruby);
    }
    let scoop: serde_json::Value =
        serde_json::from_str(&text(&sandbox, "pgcred.json")).expect("JSON");
    assert_eq!(scoop["version"], VERSION);
    if can_run!(package("yaml")) {
        for name in ["", ".installer", ".locale.en-US"] {
            let mut parse = sandbox.command(&python());
            parse.args([
                "-c",
                "import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))['PackageVersion'])",
            ]);
            parse.arg(format!("release/pgcred.pgcred{name}.yaml"));
            assert_eq!(assert_succeeds(parse).stdout.trim(), VERSION, "{name}");
        }
    }
}

fn assert_succeeds(command: std::process::Command) -> Run {
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

/// makepkg downloads the archive from the address in the PKGBUILD. It refuses to run as root.
#[test]
fn makepkg_makes_a_package_of_the_pkgbuild() {
    skip_unless!(
        ROOT,
        PYTHON,
        program("makepkg"),
        program("curl"),
        program("bsdtar")
    );
    let sandbox = release();
    rendered(&sandbox, &serve(&sandbox, Server::Whole));
    let build = sandbox.path("build");
    fs::create_dir(&build).expect("a directory");
    fs::copy(sandbox.path("release/PKGBUILD"), build.join("PKGBUILD")).expect("a copy");
    chown(&build, Some(NOBODY), Some(NOBODY)).expect("chown");
    let may_enter = fs::Permissions::from_mode(0o755);
    fs::set_permissions(sandbox.home(), may_enter).expect("chmod");
    let mut makepkg = sandbox.command("makepkg");
    makepkg
        .args(["--nodeps", "--noconfirm"])
        .current_dir(&build);
    makepkg.env("CARCH", "x86_64").env("PKGEXT", ".pkg.tar");
    makepkg.uid(NOBODY).gid(NOBODY);
    assert_succeeds(makepkg);
    let package = format!("pgcred-bin-{VERSION}-1-x86_64.pkg.tar");
    let mut unpack = sandbox.command("bsdtar");
    unpack
        .arg("-xf")
        .arg(build.join(package))
        .current_dir(&build);
    assert_succeeds(unpack);
    let usr = build.join("usr");
    let program = fs::read_to_string(usr.join("bin/pgcred")).expect("the program");
    assert!(program.contains("x86_64-unknown-linux-gnu"), "{program}");
    let link = fs::read_link(usr.join("bin/pgcred-aws")).expect("a link");
    assert_eq!(link, Path::new("pgcred"));
    for text in [
        "bash-completion/completions/pgcred",
        "fish/vendor_completions.d/pgcred.fish",
        "licenses/pgcred-bin/LICENSE",
        "licenses/pgcred-bin/THIRD-PARTY.txt",
        "man/man1/pgcred.1.gz", // makepkg packs manual pages
        "zsh/site-functions/_pgcred",
    ] {
        assert!(usr.join("share").join(text).is_file(), "{text}");
    }
}

#[test]
fn a_release_that_lacks_a_target_is_refused() {
    skip_unless!(PYTHON);
    let sandbox = release();
    let lacking = archive_of("aarch64-apple-darwin");
    let list = text(&sandbox, "SHA256SUMS");
    let lines = list.lines().filter(|line| !line.ends_with(&lacking));
    sandbox.write("release/SHA256SUMS", lines.collect::<Vec<_>>().join("\n"));
    let run = try_script(&sandbox, "render.py", &[RELEASE, REPOSITORY]);
    run.assert_fails(1, "no archive for aarch64-apple-darwin");
}
