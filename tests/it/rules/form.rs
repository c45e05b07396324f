//! The form of the sources: lines that fit a screen, and code that shows its branches.

use std::path::Path;

use crate::support::sources::{root, rust_files, without_tests};

/// The widest line, as in `.rustfmt.toml`. rustfmt leaves a statement as it is if a string in it is
/// longer.
const WIDTH: usize = 100;

/// Methods that hide a branch or a loop. One of them reads well; a chain of them has to be solved.
const COMBINATORS: [&str; 18] = [
    "map_or",
    "map_or_else",
    "is_some_and",
    "is_none_or",
    "is_ok_and",
    "and_then",
    "or_else",
    "then",
    "then_some",
    "transpose",
    "ok_or_else",
    "filter",
    "filter_map",
    "flat_map",
    "zip",
    "chain",
    "unwrap_or_default",
    "unwrap_or_else",
];

/// How many of them 1,000 lines of code may have.
const MOST_COMBINATORS: usize = 16;

/// The most lines of a file in `src` and in `tests`.
const LONGEST_FILE: usize = 450;
const LONGEST_TEST_FILE: usize = 700;

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("a path in the project");
    path.display().to_string()
}

/// Raw strings cannot be continued on the next line, so they may be longer.
#[test]
fn no_line_is_wider_than_a_screen() {
    let mut wide = Vec::new();
    for directory in ["integrations", "src", "tests"] {
        for (path, text) in rust_files(directory) {
            for (number, line) in text.lines().enumerate() {
                let has_raw_string = line.contains("r#\"") || line.contains("\"#");
                if line.chars().count() > WIDTH && !has_raw_string {
                    wide.push(format!("{}:{}", relative(&path), number + 1));
                }
            }
        }
    }
    assert!(
        wide.is_empty(),
        "wider than {WIDTH} columns:\n{}",
        wide.join("\n")
    );
}

/// Returns how often a text calls one of the combinators.
fn combinators_in(code: &str) -> usize {
    let calls = code.split('.').skip(1);
    calls.filter(|call| is_combinator(call)).count()
}

fn is_combinator(call: &str) -> bool {
    let end = call.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = call.split_at(end.unwrap_or(call.len()));
    let is_called = rest.starts_with('(') || rest.starts_with("::<");
    is_called && COMBINATORS.contains(&name)
}

#[test]
fn code_shows_its_branches() {
    let (mut lines, mut combinators) = (0, 0);
    for (path, text) in rust_files("src") {
        if relative(&path).contains("tests") {
            continue;
        }
        let code = without_tests(&text);
        lines += code.lines().filter(|line| !line.trim().is_empty()).count();
        combinators += combinators_in(&code);
    }
    assert!(
        combinators * 1_000 <= lines * MOST_COMBINATORS,
        "{combinators} combinators in {lines} lines of src: write `if`, `match` or `for`"
    );
}

/// Tests stand in long files, because a list of cases is easy to read.
#[test]
fn files_are_short_enough_to_read() {
    let mut long = Vec::new();
    for (directory, most) in [("src", LONGEST_FILE), ("tests", LONGEST_TEST_FILE)] {
        for (path, text) in rust_files(directory) {
            let path = relative(&path);
            let lines = text.lines().count();
            let most = if path.ends_with("tests.rs") {
                LONGEST_TEST_FILE
            } else {
                most
            };
            if lines > most {
                long.push(format!("{path} has {lines} lines, and may have {most}"));
            }
        }
    }
    assert!(long.is_empty(), "split by subject:\n{}", long.join("\n"));
}

#[test]
fn combinators_are_counted_as_they_are_called() {
    let code = "a.filter(b).map(c)\n    .and_then::<T, _>(d).filtered(e).zip;";
    assert_eq!(combinators_in(code), 2);
}
