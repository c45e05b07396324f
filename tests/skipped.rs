//! Says at the end of `cargo test` which needs were missing and how many tests each of them kept
//! from running. `tests/it/support/needs.rs` writes the list. Cargo runs test programs in the order
//! of their names, so this one runs after `it`.

#![expect(clippy::print_stdout, reason = "this program is there to print")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn main() {
    // Other runners than cargo ask each test program for the names of its tests.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped-tests");
    let list = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(&path);
    if list.is_empty() {
        println!("\nNo end-to-end test was skipped.\n");
        return;
    }
    let mut tests = BTreeSet::new();
    let mut tests_by_need: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in list.lines() {
        let (test, needs) = line.split_once('\t').expect("a test and its needs");
        tests.insert(test);
        for need in needs.split(", ") {
            tests_by_need.entry(need).or_default().insert(test);
        }
    }
    println!(
        "\n{} end-to-end tests were skipped, some in part:",
        tests.len()
    );
    for (need, tests) in tests_by_need {
        println!("{:5} need {need}", tests.len());
    }
    println!("tests/run.sh, run as root, installs what is missing and runs all tests.\n");
}
