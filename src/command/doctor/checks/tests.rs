//! Tests of the whole registry: its ids and needs, the causes that checks name, and its page.
//!
//! Which causes a check names is read from the sources of the checks, and compared with what the
//! table of causes says of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::causes::{self, CauseDetection};

/// The checks that recognise a cause by the words of a server or of AWS.
const READ_TEXTS: [&str; 3] = ["login.accepted", "tls.handshake", "token.issued"];

fn ids() -> BTreeSet<&'static str> {
    all_checks().map(|check| check.id).collect()
}

#[test]
fn the_table_of_causes_names_checks_that_there_are() {
    let ids = ids();
    let mut wrong = Vec::new();
    for cause in causes::all_causes() {
        if let CauseDetection::Checks(checks) = cause.detection {
            let unknown = checks.iter().filter(|id| !ids.contains(*id));
            wrong.extend(unknown.map(|id| format!("{}: there is no check {id}", cause.id)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files of the doctor, and those of the providers and of AWS that name causes, without their
/// tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named = ["command/doctor", "provider", "aws/causes.rs"];
    let mut open: Vec<PathBuf> = named.iter().map(|path| src.join(path)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if !path.ends_with("tests.rs") && path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            found.push((path, code.to_owned()));
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

/// Returns the texts between quotation marks that stand on one line.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// Returns the first part of an id.
fn stage(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// Returns what is wrong with the row of a cause that a file names. Its own checks have these
/// stages; none if it only helps others.
fn trouble(id: &str, stages: &BTreeSet<&str>) -> Option<String> {
    let CauseDetection::Checks(checks) = causes::find_by_id(id)?.detection else {
        return Some(format!("{id} has no check in the table"));
    };
    if stages.is_empty() || checks.iter().any(|check| stages.contains(stage(check))) {
        return None;
    }
    Some(format!("{id} has {checks:?} in the table"))
}

/// A cause that a check names has a row that names a check of that stage, and a row whose checks
/// never name it says why there is none.
#[test]
fn the_table_of_causes_names_every_check_that_finds_a_cause() {
    let ids = ids();
    let (mut named, mut wrong) = (BTreeSet::new(), Vec::new());
    for (path, code) in sources() {
        let mut stages = BTreeSet::new();
        if code.contains("CHECKS") {
            let known = literals(&code).filter(|text| ids.contains(text));
            stages.extend(known.map(stage));
        }
        for id in literals(&code) {
            if causes::find_by_id(id).is_none() {
                continue;
            }
            named.insert(id.to_owned());
            if !ids.contains(id)
                && let Some(trouble) = trouble(id, &stages)
            {
                wrong.push(format!("{}: {trouble}", path.display()));
            }
        }
    }
    for cause in causes::all_causes() {
        if let CauseDetection::Checks(checks) = cause.detection {
            let by_text = checks.iter().any(|id| READ_TEXTS.contains(id));
            if !by_text && !named.contains(cause.id) {
                wrong.push(format!("{}: {checks:?} do not name it", cause.id));
            }
        }
    }
    assert!(
        named.len() > 60 && wrong.is_empty(),
        "{} {wrong:#?}",
        named.len()
    );
}

#[test]
fn an_id_is_a_stage_and_a_subject_and_names_one_check() {
    let mut ids = BTreeSet::new();
    for check in all_checks() {
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
    for check in all_checks() {
        for needed in check.needs {
            assert!(before.contains(needed), "{} needs {needed}", check.id);
        }
        before.insert(check.id);
    }
}

/// Returns the table of all checks for the page.
fn table() -> String {
    let mut table = String::from("| Check | Examines | Level |\n| --- | --- | --- |\n");
    for check in all_checks() {
        let level = match check.level {
            CheckLevel::Offline => "offline",
            CheckLevel::Network => "network",
            CheckLevel::Aws => "`--aws`",
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
