//! The length of functions: each fits a screen, so that a reader sees it whole.

use crate::support::sources::{root, rust_files, without_tests};

/// How many lines a function may have, from `fn` to its closing brace.
const LONGEST: usize = 50;

/// What may stand before `fn`.
const QUALIFIERS: [&str; 6] = ["pub", "const", "async", "unsafe", "extern", "\"C\""];

/// Returns the functions of a text that rustfmt has laid out: each name, and how many lines the
/// function has.
fn functions_in(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if let Some(name) = function_name(line.trim_start())
            && let Some(length) = length_of_item(&lines[start..])
        {
            found.push((name.to_owned(), length));
        }
    }
    found
}

/// Returns the name of the function that a line begins, if it begins one.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = match line.strip_prefix("fn ") {
        Some(after) => ("", after),
        None => line.split_once(" fn ")?,
    };
    for word in before.split_whitespace() {
        if !QUALIFIERS.contains(&word) && !word.starts_with("pub(") {
            return None;
        }
    }
    let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    Some(&after[..end])
}

/// Returns how many lines the item has that the first line begins. `None` for a declaration, which
/// ends in a semicolon.
fn length_of_item(lines: &[&str]) -> Option<usize> {
    let first = lines[0];
    let indent = &first[..first.len() - first.trim_start().len()];
    let (last, end_of_arguments) = (format!("{indent}}}"), format!("{indent})"));
    for (index, line) in lines.iter().enumerate() {
        let is_head = index == 0 || line.starts_with(&end_of_arguments);
        if is_head && line.ends_with(';') {
            return None;
        }
        if *line == last || (index == 0 && line.ends_with('}')) {
            return Some(index + 1);
        }
    }
    None
}

#[test]
fn every_function_fits_a_screen() {
    let (mut all, mut long) = (0, Vec::new());
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        if path.ends_with("tests.rs") {
            continue; // a test tells one story from beginning to end
        }
        let path = path.strip_prefix(root()).expect("a path in the project");
        for (name, length) in functions_in(&without_tests(&text)) {
            all += 1;
            if length > LONGEST {
                long.push(format!("{}: {name} has {length} lines", path.display()));
            }
        }
    }
    assert!(all > 1_500, "only {all} functions were found");
    assert!(
        long.is_empty(),
        "functions of more than {LONGEST} lines: give their steps names\n{}",
        long.join("\n")
    );
}

#[test]
fn functions_are_measured_from_their_name_to_their_end() {
    let code = "\
pub(crate) fn one() {}
const fn seven(
    a: u8,
) -> u8 {
    match a {
        _ => 1,
    }
}
let text = \"a fn b\";
trait Trait {
    fn declared(&self);
    fn declared_in_lines(
        &self,
    ) -> u8;
    async fn three(&self) {
        five();
    }
}";
    let expected = [("one", 1), ("seven", 7), ("three", 3)];
    assert_eq!(
        functions_in(code),
        expected.map(|(name, length)| (name.to_owned(), length))
    );
}
