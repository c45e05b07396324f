//! The names of the code: one meaning each, so that a reader who meets a name in the middle of a
//! file knows what it stands for.

use std::collections::BTreeMap;

use crate::support::sources::{root, rust_files, without_tests};

/// The words that define a type.
const TYPE_KEYWORDS: [&str; 4] = ["struct", "enum", "trait", "type"];

/// Names of functions that say neither what is returned nor what is done. A method may have one,
/// because its type says the rest.
#[rustfmt::skip]
const EMPTY_FUNCTIONS: [&str; 33] = [
    "answer", "ask", "command", "commands", "file", "files", "fits", "fitting", "found", "judge",
    "key", "known", "left", "lines", "look", "meant", "next", "of", "open", "place", "refused",
    "said", "source", "suffix", "talk", "told", "unfit", "what", "whom", "with", "without", "work",
    "wrong",
];

/// Words that a function may not begin with: `warning_about_tunnel` says what `of_tunnel` leaves to
/// the reader. Conversions (`from`, `to`) and changed copies (`with`, `without`) are usual in Rust.
#[rustfmt::skip]
const PREPOSITIONS: [&str; 10] = [
    "about", "after", "at", "before", "by", "for", "in", "of", "on", "under",
];

/// Names of values that say only that there is one, or that something was done with it.
#[rustfmt::skip]
const EMPTY_VALUES: [&str; 12] = [
    "asked", "found", "given", "gone", "known", "named", "of", "said", "what", "who", "why",
    "wrong",
];

/// Returns the names of the types that a text defines, apart from those inside of functions and
/// traits.
fn types_in(code: &str) -> Vec<&str> {
    let mut types = Vec::new();
    for line in code.lines() {
        let mut words = line.split_whitespace();
        if line.starts_with("pub") {
            words.next();
        }
        if line.starts_with("pub(in ") {
            words.next();
        }
        let is_type = words
            .next()
            .is_some_and(|word| TYPE_KEYWORDS.contains(&word));
        if !line.starts_with(' ') && is_type {
            types.push(name_at(words.next().unwrap_or_default()));
        }
    }
    types
}

/// Returns the name that a text begins with.
fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Also private types: who searches for a name should find one thing.
#[test]
fn a_type_shares_its_name_with_no_other() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        let path = path.strip_prefix(root()).expect("a path in the project");
        for name in types_in(&without_tests(&text)) {
            let places = files.entry(name.to_owned()).or_default();
            places.push(path.display().to_string());
        }
    }
    assert!(files.len() > 400, "only {} types were found", files.len());
    files.retain(|_, places| places.len() > 1);
    assert!(
        files.is_empty(),
        "types with one name: say of each which one it is, as in `DialogQuestion`\n{files:#?}"
    );
}

/// Returns the name of the function that a line defines outside of any type.
fn free_function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_free = !before.starts_with(' ') && before.split_whitespace().all(is_qualifier);
    is_free.then(|| name_at(after))
}

fn is_qualifier(word: &str) -> bool {
    word.starts_with("pub") || ["const", "async", "unsafe"].contains(&word)
}

#[test]
fn a_function_says_what_it_returns_or_does() {
    let (mut functions, mut empty) = (0, Vec::new());
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        let path = path.strip_prefix(root()).expect("a path in the project");
        if path.ends_with("tests.rs") {
            continue;
        }
        for name in without_tests(&text).lines().filter_map(free_function) {
            functions += 1;
            if EMPTY_FUNCTIONS.contains(&name) || begins_with_preposition(name) {
                empty.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(functions > 1_500, "only {functions} were found");
    assert!(
        empty.is_empty(),
        "say it in the terms of the field, as in `arns_of_state`\n{}",
        empty.join("\n")
    );
}

fn begins_with_preposition(name: &str) -> bool {
    let first = name.split('_').next().unwrap_or_default();
    PREPOSITIONS.contains(&first)
}

/// Returns the name of the method that a line defines.
fn method(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_method = before.starts_with("    ") && before.split_whitespace().all(is_qualifier);
    is_method.then(|| name_at(after))
}

/// `from_name`, `new` and `find` say how a value comes about; `of` leaves it to the reader.
#[test]
fn a_method_is_not_named_by_a_preposition_alone() {
    let mut empty = Vec::new();
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        for name in without_tests(&text).lines().filter_map(method) {
            if ["at", "by", "for", "in", "of", "on"].contains(&name) || name.starts_with("of_") {
                empty.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(
        empty.is_empty(),
        "say how the value comes about, as in `from_name`\n{}",
        empty.join("\n")
    );
}

/// Returns the name of the value that a line defines with `let`.
fn value_defined_by(line: &str) -> Option<&str> {
    let pattern = line.trim_start().strip_prefix("let ")?;
    Some(name_at(pattern.strip_prefix("mut ").unwrap_or(pattern)))
}

#[test]
fn a_value_says_what_it_is() {
    let (mut values, mut empty) = (0, Vec::new());
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        let path = path.strip_prefix(root()).expect("a path in the project");
        if path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        for name in without_tests(&text).lines().filter_map(value_defined_by) {
            values += 1;
            if EMPTY_VALUES.contains(&name) {
                empty.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(values > 3_000, "only {values} were found");
    assert!(
        empty.is_empty(),
        "say what was found, as in `credentials` or `path`\n{}",
        empty.join("\n")
    );
}

#[test]
fn empty_names_are_seen() {
    assert_eq!(
        value_defined_by("    let mut found = Vec::new();"),
        Some("found")
    );
    assert_eq!(value_defined_by("let said: Vec<_> = a"), Some("said"));
    assert_eq!(value_defined_by("if let Some(found) = a"), None);
    assert!(begins_with_preposition("of_tunnel") && begins_with_preposition("by"));
    assert!(!begins_with_preposition("office") && !begins_with_preposition("warning_of"));
}

#[test]
fn free_functions_are_told_from_methods() {
    assert_eq!(free_function("pub(crate) const fn said() {"), Some("said"));
    assert_eq!(free_function("async fn found<T>("), Some("found"));
    assert_eq!(free_function("    fn found(&self) {"), None);
    assert_eq!(free_function("type Judge = fn (&str);"), None);
}

#[test]
fn types_are_found_by_their_definition() {
    let code = "\
pub(crate) struct One<'a> {
    two: Two,
}
pub(in crate::aws) enum Three {}
trait Four: Sized {
    type Inside;
}
type Five = u8;
impl One<'_> {}
pub(super) struct Six(u8);";
    assert_eq!(types_in(code), ["One", "Three", "Four", "Five", "Six"]);
}
