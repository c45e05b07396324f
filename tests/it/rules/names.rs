//! The names of the code: one meaning each, so that a reader who meets a name in the middle of a
//! file knows what it stands for.

use std::collections::BTreeMap;

use crate::support::sources::{root, rust_files, without_tests};

/// The words that define a type.
const TYPE_KEYWORDS: [&str; 4] = ["struct", "enum", "trait", "type"];

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
