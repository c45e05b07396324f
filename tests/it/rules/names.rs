//! The names of the code: one meaning each, so that a reader who meets a name in the middle of a
//! file knows what it stands for.

use std::collections::BTreeMap;

use crate::support::sources::{root, rust_files, without_tests};

/// The words that define a type.
const TYPE_KEYWORDS: [&str; 4] = ["struct", "enum", "trait", "type"];

/// Names of functions that say neither what is returned nor what is done. A method may have one,
/// because its type says the rest.
const EMPTY_FUNCTIONS: [&str; 14] = [
    "found", "judge", "known", "look", "meant", "of", "refused", "said", "talk", "told", "what",
    "whom", "with", "without",
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
            if EMPTY_FUNCTIONS.contains(&name) {
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
