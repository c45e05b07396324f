//! The documents agree with the program: the manual page has everything that can be typed, what the
//! pages show can be typed, and what they link exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sandbox::{HOST, Sandbox};
use crate::support::sources::{root, rust_files, without_tests};

const LONGEST_README: usize = 150;
/// The widest line of the pages about the code, which are read as text.
const WIDEST_TABLE: usize = 110;

/// Options of other programs that pgcred's pages speak of.
const OPTIONS_OF_OTHERS: [&str; 15] = [
    "--allow-untrusted",
    "--manifest",
    "--try",
    "--prefix",
    "--uninstall",
    "--secret-service",
    "--locked",
    "--path",
    "--features",
    "--hostname",
    "--username",
    "--database",
    "--test",
    "--bin",
    "--help",
];

/// Returns every Markdown page of the project, but for those of what was built or downloaded.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !["target", ".git", "node_modules"].contains(&&*name) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 30, "{found:?}");
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("text")
}

/// Returns the words of a text that could be options.
fn options(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.len() > 2 && word.starts_with("--") && !word.ends_with('-'))
        .map(str::to_owned)
        .collect()
}

/// Returns the names below "Commands:" in a help.
fn commands_in(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return Vec::new();
    };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns each command with its help, the commands inside of commands too.
fn helps(sandbox: &Sandbox) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(command) = open.pop() {
        let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
        words.push("--help");
        let help = sandbox.ok(&words);
        for name in commands_in(&help) {
            open.push([command.clone(), vec![name]].concat());
        }
        found.push((command, help));
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// Returns the manual page without the marks of its fonts.
fn manual(sandbox: &Sandbox) -> String {
    let mut page = sandbox.ok(&["man"]);
    for (mark, plain) in [("\\-", "-"), ("\\(aq", "'"), ("\\*(Aq", "'"), ("\\e", "\\")] {
        page = page.replace(mark, plain);
    }
    for mark in ["\\fB", "\\fI", "\\fR"] {
        page = page.replace(mark, "");
    }
    page
}

/// Returns a section of the manual page, or one of the parts of COMMANDS.
fn section<'a>(manual: &'a str, kind: &str, name: &str) -> &'a str {
    let start = format!("\n.{kind} {name}\n");
    let Some((_, text)) = manual.split_once(&start) else {
        panic!("the manual page has no {name}");
    };
    let ends = ["\n.SH ", if kind == "SS" { "\n.SS " } else { "\n.SH " }];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn the_manual_agrees_with_the_help() {
    let sandbox = Sandbox::empty();
    let manual = manual(&sandbox);
    let of_all = options(section(&manual, "SH", "OPTIONS"));
    for (command, help) in helps(&sandbox) {
        let Some(name) = command.first() else {
            continue;
        };
        let described = section(&manual, "SS", name);
        let typed = format!("pgcred {}", command.join(" "));
        assert!(described.contains(&typed), "{typed} is not in the manual");
        let described = options(described);
        for option in options(&help) {
            assert!(
                described.contains(&option) || of_all.contains(&option),
                "{option} of {typed} is not in the manual"
            );
        }
    }
    let help = sandbox.ok(&["token", "--help"]);
    let formats = section(&manual, "SH", "FORMATS");
    let (_, listed) = help.split_once("Form of the answer").expect("the formats");
    let mut count = 0;
    for line in listed.lines() {
        if let Some((format, _)) = line
            .trim()
            .strip_prefix("- ")
            .and_then(|line| line.split_once(':'))
        {
            assert!(
                formats.contains(&format!("\n.B {format}\n")),
                "{format} is not in the manual"
            );
            count += 1;
        }
    }
    assert!(count > 5, "{help}");
    for (tool, _) in sandbox
        .ok(&["setup"])
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(' '))
    {
        let tools = section(&manual, "SH", "TOOLS");
        assert!(
            tools.contains(&format!("\n.B {tool}\n")),
            "{tool} is not in the manual"
        );
    }
}

/// Returns the values that a help offers for an argument, behind `start`.
fn offered<'a>(help: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let (_, rest) = help.split_once(start).expect("the argument");
    let (list, _) = rest.split_once(end).expect("the end of its values");
    let values: Vec<&str> = list.split([',', ' ', '\n']).collect();
    values
        .into_iter()
        .filter(|word| !["", "or"].contains(word))
        .collect()
}

/// The tables of the pages beside the code have a row for each command, format, shell and key.
#[test]
fn the_pages_beside_the_code_are_complete() {
    let sandbox = Sandbox::empty();
    let page = |directory: &str| read(&root().join("src").join(directory).join("README.md"));
    let (commands, formats) = (page("command"), page("output"));
    for command in commands_in(&sandbox.ok(&["--help"])) {
        assert!(
            commands.contains(&format!("`pgcred {command}")),
            "src/command/README.md has no row for {command}"
        );
    }
    let help = sandbox.ok(&["token", "--help"]);
    let (_, listed) = help.split_once("Form of the answer").expect("the formats");
    for line in listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
    {
        let (format, _) = line.split_once(':').expect("what it is");
        assert!(
            formats.contains(&format!("\n| `{format}` | ")),
            "src/output/README.md has no row for {format}"
        );
    }
    let (manual, shells) = (manual(&sandbox), page("shell").replace("\\|", "|"));
    let help = sandbox.ok(&["init", "--help"]);
    let (_, lines) = help
        .split_once("Examples:\n")
        .expect("a line of each shell");
    for shell in offered(&help, "[possible values: ", "]") {
        let typed = format!("pgcred init {shell}");
        let line = lines.lines().find(|line| line.contains(&typed));
        let line = line.unwrap_or_else(|| panic!("LINES of src/shell/mod.rs lacks {shell}"));
        let (line, _) = line.split_once(" # ").unwrap_or((line, ""));
        assert!(
            shells.contains(&format!("`{}`", line.trim())),
            "src/shell/README.md has no row for {shell}"
        );
    }
    let providers = section(&manual, "SH", "PROVIDERS");
    let help = sandbox.ok(&["list", "--help"]) + &sandbox.ok(&["roots", "--help"]);
    for provider in offered(&help, "that takes the token: ", "[") {
        assert!(
            providers.contains(&format!("\n.B {provider}\n")),
            "PROVIDERS of src/cli/page.roff does not describe {provider}"
        );
        assert!(
            page("config").contains(&format!("`{provider}`")),
            "src/config/README.md does not name {provider} for the key `provider`"
        );
    }
    let (keys, configuration) = (page("config"), section(&manual, "SH", "CONFIGURATION"));
    let mut known = 0;
    for (_, text) in rust_files("src/config") {
        for line in without_tests(&text).lines() {
            let Some((key, _)) = line
                .trim()
                .strip_prefix('"')
                .and_then(|line| line.split_once("\" =>"))
            else {
                continue;
            };
            let forms = [
                format!("`{key}`"),
                format!("`[[{key}]]`"),
                format!("`[{key}."),
            ];
            assert!(
                forms.iter().any(|form| keys.contains(form)),
                "{key} is not in src/config/README.md"
            );
            assert!(configuration.contains(key), "{key} is not in the manual");
            known += 1;
        }
    }
    assert!(known > 20, "{known}");
}

/// What pgcred is for stands in three places, and names every authority whose tokens it makes.
#[test]
fn the_headlines_name_every_authority() {
    let sandbox = Sandbox::empty();
    let help = sandbox.ok(&["login", "--help"]);
    let (_, logins) = help.split_once("Log in now to ").expect("the logins");
    let (logins, _) = logins.split_once("\n\n").expect("the end of the logins");
    let manual = manual(&sandbox);
    let readme = read(&root().join("README.md"));
    let help = sandbox.ok(&["--help"]);
    let headlines = [
        ("README.md", readme.split("\n## ").next()),
        (
            "src/cli/page.roff",
            Some(section(&manual, "SH", "DESCRIPTION")),
        ),
        ("the help", help.split("\n\n").next()),
    ];
    for login in logins.replace('\n', " ").split("; ") {
        let (title, _) = login.split_once(" for ").unwrap_or((login, ""));
        for (place, headline) in headlines {
            let headline = headline.expect("a headline").replace('\n', " ");
            assert!(
                headline.contains(title),
                "the headline of {place} lacks {title}"
            );
        }
    }
}

#[test]
fn every_variable_is_in_the_manual() {
    let manual = manual(&Sandbox::empty());
    let environment = section(&manual, "SH", "ENVIRONMENT").to_owned()
        + section(&manual, "SH", "PROGRAMS RUN BY EXEC");
    let mut found = BTreeSet::new();
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        if path.ends_with("tests.rs") {
            continue;
        }
        let code = without_tests(&text);
        for word in code.split('"').skip(1).step_by(2) {
            let is_name = word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let is_ours = ["AWS_", "PGCRED_", "PG", "XDG_"]
                .iter()
                .any(|start| word.starts_with(start));
            if is_name && is_ours && word.len() > 4 && !word.starts_with("PGCRED_TEST_") {
                found.insert(word.to_owned());
            }
        }
    }
    assert!(found.len() > 50, "{found:?}");
    let words: BTreeSet<&str> = environment
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let missing: Vec<_> = found
        .iter()
        .filter(|name| !words.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the manual: {missing:?}");
}

/// A user can look up which variables decide whose token a preset hands out. `ARM_*` stands for all
/// that begin so.
#[test]
fn every_variable_of_a_preset_is_on_the_page_of_the_presets() {
    let presets = read(&root().join("src/provider/command/presets.rs"));
    let page = read(&root().join("src/provider/command/README.md"));
    let mut names = Vec::new();
    for list in presets.split("variables: &[").skip(1) {
        let list = list.split(']').next().unwrap_or_default();
        names.extend(list.split('"').skip(1).step_by(2));
    }
    assert!(names.len() > 15, "{names:?}");
    names.retain(|name| !page.contains(name.trim_end_matches('*')));
    assert!(
        names.is_empty(),
        "not in provider/command/README.md: {names:?}"
    );
}

/// Whatever pgcred leaves in a home directory is in the manual page, by its name.
#[test]
fn every_file_is_in_the_manual() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.unset("PGCRED_HOME");
    let own_words = [
        "tokens", "locks", ".cache", ".config", ".local", "share", "roots", "pgcred", ".aws",
    ];
    let manual = manual(&sandbox);
    let files = section(&manual, "SH", "FILES");
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["refresh", "--background"]);
    sandbox.ok(&[
        "roots",
        "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
        "--user",
        "app",
    ]);
    sandbox.ok(&["setup", "psql", "--yes"]);
    sandbox.ok(&["exec", "prod", "--", "true"]);
    sandbox.write("other-passfile", "x:1:y:z:w:v\n"); // a line that is told of
    let other = sandbox.path("other-passfile").display().to_string();
    sandbox.ok(&["refresh", "prod", "--passfile", &other]);
    fs::remove_file(&other).expect("a file");
    let mut seen = 0;
    let mut open = vec![sandbox.home().to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let inside = path.parent().and_then(Path::file_name).unwrap_or_default();
            if path.is_dir() {
                open.push(path.clone());
            }
            // Names that are digests, in directories that the page names.
            if ["tokens", "locks", "roots"]
                .iter()
                .any(|known| inside == *known)
            {
                continue;
            }
            seen += 1;
            let start = name
                .split(['-', '.'])
                .find(|part| !part.is_empty())
                .unwrap_or(&name);
            let is_named = files.contains(&name)
                || own_words.contains(&&*name)
                || path.extension().is_some_and(|end| end == "lock") && files.contains("*.lock")
                || files.contains(&format!("{start}-*"));
            assert!(is_named, "{} is not in the manual", path.display());
        }
    }
    assert!(seen > 10, "{seen}");
}

/// Returns what a page shows as commands of pgcred's, each up to what the shell takes for itself.
fn shown_commands(page: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (number, part) in page.replace("\\\n", " ").split("\n```").enumerate() {
        for line in part.replace("\\|", "|").lines() {
            for (at, _) in line.match_indices("pgcred ") {
                let is_typed = if number % 2 == 1 {
                    at == 0 || line[..at].ends_with(['$', '(']) || line[..at].ends_with("$ ")
                } else {
                    line[..at].ends_with(['`', '(', '\''])
                };
                let command = &line[at..];
                let end = command.find(['`', '|', '#', ')', ';', '&', '>', '<']);
                if is_typed {
                    found.push(split(&command[..end.unwrap_or(command.len())])[1..].to_vec());
                }
            }
        }
    }
    found
}

/// Splits a command line as a shell does, as far as pages use one.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The parser reads from left to right, and `--help` at the end keeps the command from running.
#[test]
fn what_the_pages_show_can_be_typed() {
    let sandbox = Sandbox::empty();
    let mut typed = BTreeSet::new();
    for page in pages() {
        for command in shown_commands(&read(&page)) {
            let is_pattern = |word: &String| word.contains("...") || word.contains(['[', ']', '{']);
            let (mut words, mut rest) = (Vec::new(), command.iter());
            for word in rest.by_ref() {
                if word == "--" {
                    break;
                }
                if !is_pattern(word) || words.last().is_some_and(|last| last == "--format") {
                    words.push(if word == "SHELL" {
                        "bash".to_owned()
                    } else {
                        word.clone()
                    });
                }
            }
            // In a sentence a command may stand without what belongs to it.
            if words.is_empty() {
                continue;
            }
            typed.insert((words, page.clone()));
        }
    }
    assert!(typed.len() > 100, "{}", typed.len());
    for (words, page) in &typed {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        if !arguments.contains(&"--version") {
            arguments.push("--help");
        }
        let run = sandbox.run(&arguments);
        assert_eq!(
            run.code,
            0,
            "{} shows {arguments:?}: {}",
            page.display(),
            run.stderr
        );
    }
}

#[test]
fn the_options_that_pages_name_exist() {
    let sandbox = Sandbox::empty();
    let mut known: BTreeSet<String> = OPTIONS_OF_OTHERS.map(str::to_owned).into();
    for (_, help) in helps(&sandbox) {
        known.extend(options(&help));
    }
    for page in pages() {
        let inside = page.strip_prefix(root()).expect("below the root");
        let is_ours = inside.starts_with("src") || inside.ends_with("SECURITY.md");
        if !is_ours && inside != Path::new("README.md") && inside != Path::new("CHANGELOG.md") {
            continue; // other pages speak of other programs
        }
        if inside.ends_with("causes/README.md") {
            continue; // it says what to type in other programs, and pgcred's commands are parsed
        }
        for option in options(&read(&page)) {
            assert!(
                known.contains(&option),
                "{}: {option} does not exist",
                page.display()
            );
        }
    }
}

/// A database administrator reads the README in one minute, and finds every tool from there.
#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let readme = read(&root().join("README.md"));
    let length = readme.lines().count();
    assert!(length <= LONGEST_README, "the README has {length} lines");
    for command in ["./install.sh --try", "./install.sh ", "./tests/run.sh"] {
        assert!(readme.contains(command), "the README has no `{command}`");
    }
    for page in pages() {
        let inside = page.strip_prefix(root()).expect("below the root");
        let is_for_users = inside.starts_with("integrations") || inside.starts_with("src");
        let link = format!("({}", inside.display()).replace('\\', "/");
        assert!(
            !is_for_users || readme.contains(&link),
            "the README does not link {}",
            inside.display()
        );
    }
}

#[test]
fn every_page_of_a_tool_leads_to_the_doctor() {
    let mut tools = 0;
    for page in pages() {
        let inside = page.strip_prefix(root()).expect("below the root");
        if inside.starts_with("integrations") {
            let text = read(&page);
            assert!(text.contains("pgcred doctor NAME"), "{}", inside.display());
            tools += 1;
        }
    }
    assert!(tools > 25, "{tools} pages");
}

/// Returns the name of a heading in links: as GitHub makes it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_')
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_relative_link_exists() {
    let mut followed = 0;
    for page in pages() {
        for part in read(&page).split("](").skip(1) {
            let (link, _) = part.split_once(')').expect("the end of a link");
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let directory = page.parent().expect("a directory");
            let target = if file.is_empty() {
                page.clone()
            } else {
                directory.join(file)
            };
            assert!(target.exists(), "{}: {link} does not exist", page.display());
            if !heading.is_empty() {
                let text = read(&target);
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line) == heading),
                    "{}: {link} has no such heading",
                    page.display()
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 100, "{followed}");
}

/// A newcomer finds files by the tables of src/README.md and the recipes, so those files must
/// exist.
#[test]
fn the_pages_about_the_code_name_files_that_exist() {
    let mut found = 0;
    let pages = ["src/README.md", "src/RECIPES.md"].map(|page| read(&root().join(page)));
    for line in pages.iter().flat_map(|page| page.lines()) {
        let width = line.chars().count();
        assert!(width <= WIDEST_TABLE, "{width} columns: {line}");
        for name in line.split('`').skip(1).step_by(2) {
            let is_file = Path::new(name).extension().is_some_and(|end| end == "rs");
            if !is_file || name.contains("NAME") || !name.contains('/') {
                continue;
            }
            let places = [
                "src",
                "",
                "tests/it",
                "tests/it/shells",
                "tests/it/credentials",
            ];
            let exists = |place: &&str| root().join(place).join(name).exists();
            assert!(places.iter().any(exists), "{name}: {line}");
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
}

/// Each service that pgcred knows by a preset has a page, a row in the two tables, and its name
/// where the keys of a provider are described.
#[test]
fn every_preset_has_a_page() {
    let presets = read(&root().join("src/provider/command/presets.rs"));
    let command = read(&root().join("src/provider/command/README.md"));
    let tools = read(&root().join("integrations/README.md"));
    let config = read(&root().join("src/config/README.md"));
    let mut services = BTreeSet::new();
    for line in presets.lines() {
        let Some(name) = line.trim().strip_prefix("name: \"") else {
            continue;
        };
        let name = name.trim_end_matches("\",");
        if name.is_empty() {
            continue; // what the others take their defaults from
        }
        let named = format!("`{name}`");
        let row = format!("\n| [{named}](../../../integrations/services/");
        let Some((_, rest)) = command.split_once(&row) else {
            panic!("src/provider/command/README.md has no row that links the page of {name}");
        };
        let (page, _) = rest.split_once("/README.md)").expect("the end of a link");
        let text = read(&root().join(format!("integrations/services/{page}/README.md")));
        assert!(
            text.contains(&named),
            "the page {page} does not name {name}"
        );
        assert!(
            text.contains("Not run"),
            "{page} does not say what was not tried"
        );
        let is_listed = |line: &str| {
            line.contains(&format!("](services/{page}/README.md)")) && line.contains(&named)
        };
        assert!(
            tools.lines().any(is_listed),
            "integrations/README.md: {name}"
        );
        assert!(config.contains(&named), "src/config/README.md: {name}");
        services.insert(name);
    }
    assert!(services.len() >= 8, "{services:?}");
}
