//! Tests of the whole registry: its ids and needs, its page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::causes::{self, Detection};

/// The stages whose checks are all there.
const STAGES_OF_THIS_MACHINE: [&str; 7] = [
    "installation",
    "store",
    "configuration",
    "passfile",
    "environment",
    "clients",
    "tools",
];

#[test]
fn the_table_of_causes_names_checks_that_there_are() {
    let ids: BTreeSet<&str> = all().map(|check| check.id).collect();
    let mut found = 0;
    for cause in causes::all() {
        let Detection::Checks(checks) = cause.detection else {
            continue;
        };
        for id in checks {
            let (stage, _) = id.split_once('.').unwrap_or((id, ""));
            if STAGES_OF_THIS_MACHINE.contains(&stage) {
                assert!(ids.contains(id), "{}: there is no check {id}", cause.id);
                found += 1;
            }
        }
    }
    assert!(found > 30, "{found}");
}

#[test]
fn an_id_is_a_stage_and_a_subject_and_names_one_check() {
    let mut ids = BTreeSet::new();
    for check in all() {
        let id = check.id;
        let (stage, subject) = id.split_once('.').expect("a stage and a subject");
        for part in [stage, subject] {
            let is_word = part
                .chars()
                .all(|c| c.is_ascii_lowercase() || "._".contains(c));
            assert!(is_word && !part.is_empty(), "{id}");
        }
        assert!(ids.insert(id) && id.len() <= 24, "{id} twice, or too long");
        assert!(
            !check.about.is_empty() && !check.about.ends_with('.'),
            "{id}"
        );
    }
}

#[test]
fn a_check_needs_only_what_stands_before_it() {
    let mut before = BTreeSet::new();
    for check in all() {
        for needed in check.needs {
            assert!(before.contains(needed), "{} needs {needed}", check.id);
        }
        before.insert(check.id);
    }
}

/// Returns the table of all checks for the page.
fn table() -> String {
    let mut table = String::from("| Check | Examines | Level |\n| --- | --- | --- |\n");
    for check in all() {
        let level = match check.level {
            Level::Offline => "offline",
            Level::Network => "network",
            Level::Aws => "`--aws`",
        };
        let _ = writeln!(table, "| `{}` | {} | {level} |", check.id, check.about);
    }
    table
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a developer writes the page anew with it"
)]
fn the_page_has_all_checks() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/doctor/README.md");
    let written = std::fs::read_to_string(&file).expect("the page");
    let written = written.replace("\r\n", "\n");
    let (before, found) = written.split_once("| Check |").expect("the table");
    let table = table();
    if std::env::var_os("PGCRED_TEST_DRAW").is_some() {
        std::fs::write(&file, format!("{before}{table}")).expect("a writable page");
        return;
    }
    assert!(
        format!("| Check |{found}") == table,
        "out of date: PGCRED_TEST_DRAW=1 cargo test --bin pgcred doctor"
    );
}
