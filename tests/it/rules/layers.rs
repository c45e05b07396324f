//! Imports point one way: between the directories of `src` (and `integrations`, which is compiled
//! with them) from top to bottom, and inside a directory in no circle.
//!
//! Every path counts, however it is written: with `crate::`, `super::` or `self::`, in a `use` or
//! in the code. A name that a `mod.rs` imports from one of its files counts as a name of that file
//! too: else `setup::Machine` would hide who uses `setup/machine.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::sources::{root, rust_files, without_tests};

/// The layers from the bottom up. An entry uses only those that stand before it. `output` stands
/// below `resolve`, because a warning about a value is printed where the value is looked at, before
/// anything that takes time. An authority that
/// serves one provider has no layer of its own: it is a file in the directory of the provider.
const LAYERS: &[&str] = &[
    "error",
    "text",
    "wire",
    "causes",
    "sys",
    "time",
    "token",
    "http",
    "probe",
    "authority",
    "aws",
    "provider",
    "passfile",
    "request",
    "config",
    "roots",
    "cache",
    "issue",
    "output",
    "gateway",
    "resolve",
    "setup",
    "integrations",
    "shell",
    "command",
    "cli",
    "main",
];

/// Files that are compiled for unit tests only. They may use anything.
const ONLY_TESTS: [&str; 2] = ["tests.rs", "mutation.rs"];

/// The paths that a file names, each as the segments from the root of the crate.
type Uses = BTreeMap<String, BTreeSet<Vec<String>>>;

/// The names that modules import, each with the path that it stands for: `setup::Machine` stands
/// for `setup::machine::Machine`.
type ImportedNames = BTreeMap<Vec<String>, Vec<String>>;

/// Returns the module that a file is: `src/aws/mod.rs` is `["aws"]`, and `integrations/mod.rs` is
/// `["integrations"]`.
fn module_of(path: &Path) -> Vec<String> {
    let path = path.strip_prefix(root()).expect("a file of the project");
    let inside = path.strip_prefix("src").unwrap_or(path).with_extension("");
    let mut parts: Vec<String> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Returns the paths in a list of imports such as `super::{a::{b, c}, d}`, one by one.
fn expanded(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.trim().to_owned()];
    };
    let mut found = Vec::new();
    let (mut depth, mut part) = (0, String::new());
    for c in rest.chars() {
        if (c == ',' || c == '}') && depth == 0 {
            found.extend(expanded(&format!("{}{}", before.trim(), part.trim())));
            part.clear();
            if c == '}' {
                break;
            }
            continue;
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
        part.push(c);
    }
    found
}

/// Returns all paths that a text names below `crate`, `super` or `self`, as segments from the root
/// of the crate.
fn named_in(code: &str, own: &[String]) -> BTreeSet<Vec<String>> {
    let mut paths = Vec::new();
    for (start, _) in code.match_indices("use ") {
        let import = code[start + 4..].split(';').next().unwrap_or_default();
        if ["crate::", "super::", "self::"]
            .iter()
            .any(|root| import.starts_with(root))
        {
            paths.extend(expanded(import));
        }
    }
    for root in ["crate::", "super::", "self::"] {
        for (start, _) in code.match_indices(root) {
            let path = &code[start..];
            let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            paths.push(path[..end.unwrap_or(path.len())].to_owned());
        }
    }
    paths.iter().map(|path| from_the_root(path, own)).collect()
}

fn from_the_root(path: &str, own: &[String]) -> Vec<String> {
    let mut whole = own.to_vec();
    for segment in path.split("::").filter(|segment| !segment.is_empty()) {
        match segment {
            "crate" => whole.clear(),
            "super" => drop(whole.pop()),
            "self" => {}
            name => whole.push(
                name.split(" as ")
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            ),
        }
    }
    whole
}

/// Adds the names that a module imports. Its own files can name them by `super::NAME`, and other
/// files too if the import is `pub`. `is_module` tells whether a path is that of a file.
fn add_imported_names(
    names: &mut ImportedNames,
    code: &str,
    own: &[String],
    is_module: impl Fn(&[String]) -> bool,
) {
    for (start, _) in code.match_indices("use ") {
        let before = code[..start].rsplit('\n').next().unwrap_or_default();
        if !before.is_empty() && !before.starts_with("pub") {
            continue;
        }
        let import = code[start + 4..].split(';').next().unwrap_or_default();
        for path in expanded(import) {
            let (path, alias) = match path.split_once(" as ") {
                Some((path, alias)) => (path.trim(), Some(alias.trim())),
                None => (path.trim(), None),
            };
            let first = path.split("::").next().unwrap_or_default();
            let is_of_crate = ["crate", "super", "self"].contains(&first)
                || is_module(&from_the_root(first, own));
            let whole = from_the_root(path, own);
            let Some(name) = alias.or(whole.last().map(String::as_str)) else {
                continue;
            };
            let short_path = [own, &[name.to_owned()]].concat();
            if is_of_crate && name != "*" && short_path != whole {
                names.insert(short_path, whole);
            }
        }
    }
}

/// Returns the path that another stands for, if its beginning is an imported name. A path through
/// a module is left as it is, though a function of the same name may be imported.
fn without_import(
    path: &[String],
    names: &ImportedNames,
    is_module: impl Fn(&[String]) -> bool,
) -> Option<Vec<String>> {
    for length in (1..=path.len()).rev() {
        let (name, rest) = path.split_at(length);
        if is_module(name) {
            return None;
        }
        if let Some(whole) = names.get(name) {
            return Some([whole, rest].concat());
        }
    }
    None
}

/// Returns every file of `src` and `integrations` as its module's name, with the modules that it
/// uses. Unit tests may use anything.
fn imports() -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let files: BTreeMap<Vec<String>, String> = ["src", "integrations"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|(path, _)| !ONLY_TESTS.iter().any(|name| path.ends_with(name)))
        .map(|(path, text)| (module_of(&path), without_tests(&text)))
        .collect();
    let is_module = |path: &[String]| files.contains_key(path);
    let mut names = ImportedNames::new();
    for (module, code) in &files {
        add_imported_names(&mut names, code, module, is_module);
    }
    let mut imports = BTreeMap::new();
    for (module, code) in &files {
        let mut used = BTreeSet::new();
        let mut paths: Vec<Vec<String>> = named_in(code, module).into_iter().collect();
        while let Some(mut path) = paths.pop() {
            paths.extend(without_import(&path, &names, is_module));
            while !path.is_empty() && !is_module(&path) {
                path.pop();
            }
            if path != *module {
                used.insert(path);
            }
        }
        imports.insert(module.clone(), used);
    }
    imports
}

#[test]
fn the_table_of_layers_has_the_same_order() {
    let page = std::fs::read_to_string(root().join("src/README.md")).expect("the page");
    let (_, table) = page.split_once("| layer | what").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("the end of the table");
    let mut listed = Vec::new();
    for row in table.lines().skip(2) {
        let layers = row.split('|').nth(1).expect("the layers of a row");
        let names = layers.split('`').skip(1).step_by(2);
        listed.extend(names.map(|name| name.trim_start_matches("../")));
    }
    listed.reverse();
    assert_eq!(listed, LAYERS, "src/README.md and {} differ", file!());
}

#[test]
fn imports_point_down() {
    let rank = |module: &[String]| {
        let name = module.first().map_or("main", String::as_str);
        let rank = LAYERS.iter().position(|layer| *layer == name);
        rank.unwrap_or_else(|| panic!("{name} has no layer: add it to LAYERS of {}", file!()))
    };
    for (module, used) in imports() {
        for other in used.iter().filter(|other| !other.is_empty()) {
            let same = module.first() == other.first();
            assert!(
                same || rank(other) < rank(&module),
                "{module:?} uses {other:?}, which is not below it"
            );
        }
    }
}

/// A `mod.rs` has what the files of its directory share, so it and one of them may name each other.
#[test]
fn no_files_use_each_other_in_a_circle() {
    let all = imports();
    let is_file = |module: &Vec<String>| {
        !all.keys()
            .any(|other| other.len() > module.len() && other.starts_with(module))
    };
    let mut open: Uses = BTreeMap::new();
    for (module, used) in all.iter().filter(|(module, _)| is_file(module)) {
        open.insert(
            module.join("::"),
            used.iter()
                .filter(|other| is_file(other))
                .cloned()
                .collect(),
        );
    }
    assert!(
        open.len() > 80 && open.values().any(|uses| uses.len() > 10),
        "{open:?}"
    );
    assert_no_circle(open);
}

/// Inside a directory, one entry is a file or a whole directory.
#[test]
fn no_entries_of_a_directory_use_each_other_in_a_circle() {
    let all = imports();
    let directories: BTreeSet<Vec<String>> = all
        .keys()
        .filter(|module| module.len() > 1)
        .map(|module| module[..module.len() - 1].to_vec())
        .collect();
    assert!(directories.len() > 20, "{directories:?}");
    for directory in directories {
        let entry = |module: &[String]| match module.strip_prefix(directory.as_slice()) {
            Some([first, ..]) => Some(vec![directory.join("::"), first.clone()]),
            _ => None,
        };
        let mut open: Uses = BTreeMap::new();
        for (module, used) in &all {
            let Some(own) = entry(module) else {
                continue;
            };
            let uses = open.entry(own.join("::")).or_default();
            uses.extend(
                used.iter()
                    .filter_map(|other| entry(other))
                    .filter(|other| *other != own),
            );
        }
        assert_no_circle(open);
    }
}

/// Takes away what uses none of those that are left. What forms a circle stays.
fn assert_no_circle(mut open: Uses) {
    loop {
        let left: BTreeSet<String> = open.keys().cloned().collect();
        open.retain(|_, uses| uses.iter().any(|other| left.contains(&other.join("::"))));
        if open.len() == left.len() {
            break;
        }
    }
    assert!(open.is_empty(), "these use each other: {open:#?}");
}

#[test]
fn paths_are_read_however_they_are_written() {
    let own = ["aws".to_owned(), "sso".to_owned()];
    let code = "use super::{plan::{Role, Start}, words};\nlet x = crate::sys::env::var(1);\n\
        use crate::text as t;";
    let found: Vec<String> = named_in(code, &own)
        .into_iter()
        .map(|path| path.join("::"))
        .collect();
    for path in [
        "aws::plan::Role",
        "aws::plan::Start",
        "aws::words",
        "sys::env::var",
        "text",
    ] {
        assert!(
            found.iter().any(|found| found == path),
            "{path} is not in {found:?}"
        );
    }
}

#[test]
fn imported_names_lead_to_the_file_that_has_them() {
    let path = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
    let modules = ["setup", "setup::machine", "setup::run", "text"].map(path);
    let is_module = |path: &[String]| modules.iter().any(|module| module == path);
    let code = "use std::fmt;\npub(crate) use machine::{Machine, Os as System};\n\
        pub(crate) use run::run;\nuse crate::text::quote;\nfn f() {\n    use inner::Name;\n}";
    let mut names = ImportedNames::new();
    add_imported_names(&mut names, code, &path("setup"), is_module);
    for (named, stands_for) in [
        ("setup::Machine::new", Some("setup::machine::Machine::new")),
        ("setup::System", Some("setup::machine::Os")),
        ("setup::quote", Some("text::quote")),
        ("setup::run", None),
        ("setup::run::run", None),
        ("setup::Tool", None),
        ("setup::fmt", None),
        ("setup::Name", None),
    ] {
        let found = without_import(&path(named), &names, is_module);
        assert_eq!(found, stands_for.map(path), "{named}");
    }
}
