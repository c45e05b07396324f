//! What pgcred carries and others change: a release has none of it from more than a year before.
//!
//! Each list names the day on which it was renewed, in one place: its first date. The scripts of
//! `packaging/renew/all.sh` write it. The date of the changelog's newest entry counts, and while
//! that has none, the date of the last commit. Today's never counts: the tests of an old release
//! stay green.

use std::fs;
use std::process::Command;

use crate::support::needs::{Need, program, skip_unless};
use crate::support::sandbox::Run;
use crate::support::sources::root;

/// The lists, and the scripts that renew them.
const LISTS: [(&str, &str); 4] = [
    (
        "src/provider/amazon_roots/rds.pem",
        "src/provider/amazon_roots/renew.mjs",
    ),
    (
        "src/provider/amazon_roots/amazon.pem",
        "src/provider/amazon_roots/renew.mjs",
    ),
    ("src/aws/known_regions.rs", "packaging/renew/regions.py"),
    ("deny.toml", "packaging/renew/advisories.sh"),
];

/// A year, a month and a day.
type Date = (u32, u32, u32);

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a file")
}

/// Returns the first date of a text, which is written as 2026-11-30.
fn first_date(text: &str) -> Option<Date> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '-'));
    words.into_iter().find_map(date_of)
}

fn date_of(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else {
        return None;
    };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

/// Returns the date of the newest entry: what is not released yet has none.
fn newest_entry(changelog: &str) -> Option<Date> {
    let mut headings = changelog.lines().filter(|line| line.starts_with("## "));
    first_date(headings.next().expect("an entry"))
}

fn last_commit() -> Date {
    let mut git = Command::new("git");
    // In a container the checkout is another user's.
    git.arg("-c")
        .arg(format!("safe.directory={}", root().display()));
    git.args(["log", "-1", "--format=%cs"]).current_dir(root());
    let date = Run::of(git).stdout;
    first_date(&date).expect("the date of the last commit")
}

fn is_too_old((year, month, day): Date, release: Date) -> bool {
    release > (year + 1, month, day)
}

#[test]
fn no_list_is_a_year_older_than_the_release() {
    let is_checkout = root().join(".git").exists();
    skip_unless!(program("git"), Need::Looked("a checkout", is_checkout));
    let release = newest_entry(&read("CHANGELOG.md")).unwrap_or_else(last_commit);
    for (list, script) in LISTS {
        assert!(root().join(script).is_file(), "{script}");
        let date = first_date(&read(list)).unwrap_or_else(|| panic!("{list} has no date"));
        assert!(
            !is_too_old(date, release),
            "{list} is of {date:?}, the release of {release:?}: run {script}"
        );
    }
}

#[test]
fn every_script_that_renews_is_in_the_one_that_runs_them_all() {
    let all = read("packaging/renew/all.sh");
    for (_, script) in LISTS {
        assert!(all.contains(script), "{script}");
    }
}

#[test]
fn a_list_may_be_a_year_old_and_no_day_more() {
    let released = |date: &str| {
        let changelog = format!("# Changelog\n\n## [2.0.0] - {date}\n\n## [1.0.0] - 2020-01-02\n");
        newest_entry(&changelog).expect("a date")
    };
    let list =
        first_date("# RUSTSEC-2026-0007, 1.2-3, of 2026-11-30\n# 2027-01-01").expect("a date");
    assert_eq!(list, (2026, 11, 30));
    assert!(!is_too_old(list, released("2027-11-30")));
    assert!(is_too_old(list, released("2027-12-01")));
    let unreleased = "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2020-01-02\n";
    assert_eq!(newest_entry(unreleased), None);
}
