//! What `cargo package` packs: the sources, and nothing of the tests. That the program can be built
//! of it, `.ci/run` proves.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::sources::root;

/// What stands beside the sources. Cargo writes a second manifest, and in a
/// checkout of Git which commit it is.
const BESIDE: [&str; 7] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE",
    "README.md",
    "build.rs",
];

#[test]
fn the_crate_has_the_sources_and_no_tests() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["package", "--list"]);
    cargo.args(["--locked", "--offline", "--allow-dirty", "--package=pgcred"]);
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let list = String::from_utf8(output.stdout).expect("text");
    let (mut beside, mut sources) = (BTreeSet::new(), 0);
    for name in list.lines() {
        if name.starts_with("src") || name.starts_with("integrations") {
            sources += 1;
        } else if name != ".cargo_vcs_info.json" {
            beside.insert(name);
        }
    }
    assert_eq!(beside, BTreeSet::from(BESIDE), "{list}");
    assert!(sources > 500, "{sources}");
}
