//! The introductions of files: the `//!` lines at the beginning. Each begins with what the file
//! does, in a whole sentence. The map of each `mod.rs` names files and modules that exist, and
//! leaves none out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::sources::{root, rust_files};

/// Directories whose files are the rows of a table, which is their map; each with that table.
const LISTED_ELSEWHERE: [(&str, &str); 2] = [
    ("integrations", "TOOLS, and the README"),
    ("src/command", "COMMANDS of src/cli/table.rs"),
];

/// Words in a list of an introduction that are no modules: parts of a shell's template.
const NOT_MODULES: [&str; 6] = ["prompt", "pwd", "none", "segment", "undo", "always"];

/// The verbs that an introduction begins with: what the file does.
#[rustfmt::skip]
const DEEDS: [&str; 84] = [
    "Asks", "Assumes", "Begins", "Bounds", "Breaks", "Builds", "Calls", "Carries", "Changes",
    "Checks", "Chooses", "Collects", "Connects", "Cuts", "Decides", "Declares", "Defines",
    "Describes", "Divides", "Does", "Downloads", "Draws", "Edits", "Explains", "Fakes", "Fills",
    "Finds", "Gets", "Gives", "Handles", "Helps", "Holds", "Identifies", "Implements", "Issues",
    "Judges", "Keeps", "Knows", "Lays", "Leads", "Lets", "Listens", "Lists", "Logs", "Makes",
    "Matches", "Merges", "Names", "Opens", "Pauses", "Plans", "Prints", "Quotes", "Reads",
    "Recognises", "Registers", "Relays", "Remembers", "Removes", "Replaces", "Reports", "Runs",
    "Says", "Seals", "Sends", "Serves", "Sets", "Shortens", "Shows", "Signs", "Speaks", "Splits",
    "Stands", "Starts", "Stores", "Suggests", "Takes", "Tells", "Tries", "Turns", "Validates",
    "Waits", "Warns", "Writes",
];

/// The least width of a line of an introduction after which the next word has no room.
const LEAST_WIDTH: usize = 90;

/// Returns each `mod.rs` of the program, with its text.
fn module_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for directory in ["src", "integrations"] {
        for (path, text) in rust_files(directory) {
            if path.ends_with("mod.rs") {
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 25, "{}", found.len());
    found
}

/// Returns the lines of an introduction, without their mark.
fn introduction(text: &str) -> Vec<&str> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns the modules and functions of the program, by their names.
fn known_names() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for directory in ["src", "integrations"] {
        for (path, text) in rust_files(directory) {
            let inside = path.strip_prefix(root()).expect("below the root");
            for part in inside.with_extension("").components() {
                known.insert(part.as_os_str().to_string_lossy().into_owned());
            }
            for line in text.lines() {
                if let Some((_, rest)) = line.split_once("fn ") {
                    known.extend(words(rest).next().map(str::to_owned));
                }
            }
        }
    }
    known
}

/// Returns what a line of a map names: the word that it begins with, if a gap follows, and each
/// word that an arrow leads to. An arrow with a word in it leads to a value.
fn names_in_map(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    let (arrows, branches) = (line.split(" --> ").skip(1), line.split("+--> ").skip(1));
    for part in arrows.chain(branches).chain([line]) {
        let end = part.find(' ').unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        let is_alone = rest.is_empty() || rest.starts_with("  ") || rest.starts_with(" -->");
        if is_alone && is_name(word) {
            named.push(word);
        }
    }
    named
}

/// Returns the words in backticks before the colon of a list item, as in "- `a`, `b`: text".
fn names_in_item(line: &str) -> Vec<&str> {
    let Some((before, _)) = line
        .strip_prefix("- ")
        .and_then(|item| item.split_once(": "))
    else {
        return Vec::new();
    };
    let names = before.split('`').skip(1).step_by(2);
    names.filter(|name| is_name(name)).collect()
}

#[test]
fn an_introduction_begins_with_what_the_file_does() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        if path.display().to_string().ends_with("tests.rs") {
            continue;
        }
        let lines = introduction(&text);
        let first = words(lines[0]).next().unwrap_or_default();
        if !DEEDS.contains(&first) {
            wrong.push(format!("{}: {}", path.display(), lines[0]));
        }
        seen += 1;
    }
    assert!(seen > 400, "{seen}");
    assert!(
        wrong.is_empty(),
        "begin with a verb of DEEDS, or add one:\n{}",
        wrong.join("\n")
    );
}

/// Tells whether a line is a part of a paragraph, and of no list, picture or table.
fn is_prose(line: &str) -> bool {
    let is_item = line.starts_with(|c: char| c.is_ascii_digit()) || line.starts_with("- ");
    !is_item && !line.is_empty() && !line.starts_with([' ', '|', '#', '[', '`'])
}

#[test]
fn the_lines_of_an_introduction_are_full() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        let mut is_picture = false;
        for pair in introduction(&text).windows(2) {
            is_picture ^= pair[0].starts_with("```");
            if is_picture || !is_prose(pair[0]) || !is_prose(pair[1]) {
                continue;
            }
            let word = pair[1].split(' ').next().unwrap_or_default();
            if "//! ".len() + pair[0].len() + " ".len() + word.len() <= LEAST_WIDTH {
                wrong.push(format!("{}: {}", path.display(), pair[0]));
            }
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
    assert!(wrong.is_empty(), "fill these lines:\n{}", wrong.join("\n"));
}

#[test]
fn a_module_with_files_of_its_own_names_each_of_them() {
    let mut named = 0;
    for (path, text) in module_files() {
        let directory = path.parent().expect("a directory");
        let inside = directory.strip_prefix(root()).expect("below the root");
        if is_listed_elsewhere(inside) {
            continue;
        }
        let lines = introduction(&text).join("\n");
        for line in text.lines() {
            let Some((before, name)) = line.split_once("mod ") else {
                continue;
            };
            let is_declaration = before.is_empty() || before.starts_with("pub");
            let Some(name) = name.strip_suffix(';').filter(|_| is_declaration) else {
                continue;
            };
            let is_named = words(&lines).any(|word| word == name);
            assert!(
                is_named || name == "tests",
                "{}: the introduction does not name {name}",
                path.display()
            );
            named += 1;
        }
    }
    assert!(named > 100, "{named}");
}

fn is_listed_elsewhere(directory: &Path) -> bool {
    let mut listed = LISTED_ELSEWHERE.iter();
    listed.any(|(name, _)| directory == Path::new(name))
}

#[test]
fn the_maps_of_modules_name_files_and_modules_that_exist() {
    let known = known_names();
    let mut checked = 0;
    for (path, text) in module_files() {
        let mut is_map = false;
        for line in introduction(&text) {
            if line.starts_with("```") {
                is_map = !is_map;
                continue;
            }
            let mut names = if is_map {
                names_in_map(line)
            } else {
                names_in_item(line)
            };
            names.retain(|name| !NOT_MODULES.contains(name));
            for name in &names {
                assert!(
                    known.contains(*name),
                    "{}: there is no {name}: {line}",
                    path.display()
                );
            }
            checked += names.len() + check_files(&path, line, &known);
        }
    }
    assert!(checked > 100, "{checked}");
}

/// Checks that each file that a line names stands beside the module, or is one of the program's.
/// Returns their number.
fn check_files(module: &Path, line: &str, known: &BTreeSet<String>) -> usize {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "_./".contains(c);
    let mut found = 0;
    for word in line.split(|c: char| !is_of_path(c)) {
        let Some(name) = word.trim_end_matches('.').strip_suffix(".rs") else {
            continue;
        };
        let directory = module.parent().expect("a directory");
        let file = format!("{name}.rs");
        let exists = directory.join(&file).exists()
            || root().join(&file).exists()
            || root().join("src").join(&file).exists()
            || (!name.contains('/') && known.contains(name));
        assert!(exists, "{}: there is no {file}: {line}", module.display());
        found += 1;
    }
    found
}
