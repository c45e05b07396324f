//! `packaging/all.sh` as the workflow calls it: it makes every file of a release of the archives,
//! with nothing in the environment that the workflow does not set, and the list of hashes has each
//! of them.

use std::collections::BTreeSet;
use std::fs;

use crate::packaging::made::packages;
use crate::packaging::release::{RELEASE, REPOSITORY, TARGETS, VERSION, archive_of, release};
use crate::support::needs::{Need, PYTHON, program, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;

/// What is made of the archives; `CPU` stands for each kind of machine, in the words of the system.
const MADE: [&str; 19] = [
    "PKGBUILD",
    "pgcred-VERSION-1-CPU.pkg.tar.zst",
    "pgcred-VERSION-1.CPU.rpm",
    "pgcred-VERSION-py3-none-macosx_11_0_arm64.whl",
    "pgcred-VERSION-py3-none-macosx_11_0_x86_64.whl",
    "pgcred-VERSION-py3-none-manylinux_2_28_CPU.whl",
    "pgcred-VERSION-py3-none-musllinux_1_1_CPU.whl",
    "pgcred-VERSION-py3-none-win_amd64.whl",
    "pgcred-VERSION.tgz",
    "pgcred-install.ps1",
    "pgcred-install.sh",
    "pgcred.json",
    "pgcred.pgcred.installer.yaml",
    "pgcred.pgcred.locale.en-US.yaml",
    "pgcred.pgcred.yaml",
    "pgcred.rb",
    "pgcred_VERSION-1_amd64.deb",
    "pgcred_VERSION-1_arm64.deb",
    "pgcred_VERSION-r1_CPU.apk",
];
/// The ends of npm's packages.
pub const NPM: [&str; 7] = [
    "darwin-arm64",
    "darwin-x64",
    "linux-arm64-gnu",
    "linux-arm64-musl",
    "linux-x64-gnu",
    "linux-x64-musl",
    "win32-x64",
];

/// `packaging/tools.sh` takes minutes, so `tests/run.sh` runs it before.
fn tools() -> (Need, String) {
    let tools = packages().with_file_name("packaging");
    let is_there = tools.join("venv/bin/nfpm").exists();
    let need = Need::Looked("packaging/tools.sh", is_there);
    (need, tools.display().to_string())
}

fn expected() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = TARGETS.iter().copied().map(archive_of).collect();
    for name in MADE {
        let name = name.replace("VERSION", VERSION);
        for cpu in ["x86_64", "aarch64"] {
            names.insert(name.replace("CPU", cpu));
        }
    }
    names.extend(NPM.map(|end| format!("pgcred-{end}-{VERSION}.tgz")));
    names
}

fn files(sandbox: &Sandbox) -> BTreeSet<String> {
    let entries = fs::read_dir(sandbox.path(RELEASE)).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.into_string().expect("text"))
        .collect()
}

#[test]
fn everything_is_made_and_hashed_with_what_the_workflow_sets() {
    let (need, tools) = tools();
    skip_unless!(need, PYTHON, program("bash"), program("sha256sum"));
    let mut sandbox = release();
    sandbox.set("PGCRED_PACKAGING_TOOLS", &tools);
    let mut all = sandbox.command("bash");
    all.arg(root().join("packaging/all.sh"))
        .args([RELEASE, REPOSITORY]);
    let run = Run::of(all);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let mut made = files(&sandbox);
    assert!(made.remove("SHA256SUMS"));
    assert_eq!(made, expected());
    let list = String::from_utf8(sandbox.read("release/SHA256SUMS")).expect("text");
    let hashed = list.lines().filter_map(|line| line.split_once("  "));
    let hashed: BTreeSet<String> = hashed.map(|(_, name)| name.to_owned()).collect();
    assert_eq!(hashed, made);
    let mut check = sandbox.command("sha256sum");
    check
        .args(["--check", "--quiet", "SHA256SUMS"])
        .current_dir(sandbox.path(RELEASE));
    assert_eq!(Run::of(check).code, 0);
}
