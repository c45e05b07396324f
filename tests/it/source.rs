//! The project's own rules, read from its sources: layers, owners, first lines, documents.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a folder with their text.
pub fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn every_file_says_first_what_it_is() {
    for (path, text) in [rust_files("src"), rust_files("integrations"), rust_files("tests")].concat() {
        assert!(
            text.starts_with("//! ") && text.lines().next().is_some_and(|line| line.len() > 30),
            "{}",
            path.display()
        );
    }
}

/// From the bottom up. A module uses only what stands before it.
const LAYERS: [&str; 32] = [
    "pow",
    "text",
    "error",
    "env",
    "nearly",
    "encode",
    "suggest",
    "time",
    "token",
    "host",
    "target",
    "provider",
    "passfile",
    "request",
    "config",
    "sigv4",
    "fs",
    "terminal",
    "child",
    "signals",
    "limits",
    "aws",
    "roots",
    "identity",
    "cache",
    "issue",
    "output",
    "setup",
    "integrations",
    "shell",
    "command",
    "main",
];

#[test]
fn imports_point_down() {
    let rank = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    for (path, text) in rust_files("src") {
        let inside = path.strip_prefix(root().join("src")).expect("below src");
        let module = inside.iter().next().and_then(|part| Path::new(part).file_stem()).and_then(|stem| stem.to_str());
        let module = module.expect("a module");
        let own = rank(module).unwrap_or_else(|| panic!("{module} has no layer"));
        for used in text.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let tests_only = inside.ends_with("tests.rs");
            let below = rank(&used).is_some_and(|rank| rank < own || used == module);
            assert!(below || tests_only, "{} uses {used}, which is not below it", path.display());
        }
    }
}

/// Inside `src/aws` no module uses, by whatever way, one that uses it. `mod.rs` stands above them all.
#[test]
fn the_modules_of_aws_go_round_in_no_circle() {
    let mut open: Vec<(String, Vec<String>)> = Vec::new();
    for (path, text) in rust_files("src/aws").into_iter().filter(|(path, _)| !path.ends_with("mod.rs")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        let mut uses = Vec::new();
        for import in code.split("use super::").skip(1).filter_map(|rest| rest.split(';').next()) {
            let modules = import
                .strip_prefix('{')
                .and_then(|list| list.strip_suffix('}'))
                .unwrap_or_else(|| import.split("::").next().unwrap_or_default());
            uses.extend(modules.split(',').map(|name| name.split("::").next().unwrap_or_default().trim().to_owned()));
        }
        open.push((path.file_stem().expect("a name").to_string_lossy().into_owned(), uses));
    }
    assert!(open.len() > 20 && open.iter().any(|(_, uses)| uses.len() > 3), "{open:?}");
    // Takes away what uses nothing that is left; in a circle everything uses something.
    loop {
        let left: Vec<String> = open.iter().map(|(name, _)| name.clone()).collect();
        let before = open.len();
        open.retain(|(_, uses)| uses.iter().any(|name| left.contains(name)));
        if open.len() == before {
            break;
        }
    }
    assert!(open.is_empty(), "these use each other: {open:#?}");
}

/// Who signs is planned from what has been read, and nothing else is looked at: so the digest of a plan tells all that there
/// is to it, and a unit test of it needs no home.
#[test]
fn who_signs_is_planned_without_looking_around() {
    let text = fs::read_to_string(root().join("src/aws/plan.rs")).expect("the planner");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let uses: Vec<&str> = code.lines().filter_map(|line| line.strip_prefix("use ")).collect();
    assert!(!uses.is_empty());
    for line in uses {
        let allowed =
            ["std::hash", "super::environment", "super::files", "super::ini", "super::settings", "crate::error"];
        assert!(allowed.iter().any(|module| line.starts_with(module)), "the planner uses {line}");
    }
    assert!(!code.contains("crate::env") && !code.contains("std::fs"));
}

/// Each outside effect has one owner (stdout, stderr, clock, environment and file writing: see .clippy.toml).
#[test]
fn every_outside_effect_has_one_owner() {
    for (name, owner) in [
        ("aws_config", "src/aws"),
        ("tokio::", "src/aws"),
        ("aws_sdk", "src/aws"),
        ("aws_smithy_http_client", "src/aws/http.rs"),
        ("process_wrap", "src/child.rs"),
        ("which::", "src/child.rs"),
        ("aws_sigv4", "src/sigv4.rs"),
        ("ring::aead", "src/cache/seal.rs"),
        ("linux_keyutils", "src/cache/key/kernel.rs"),
        ("secret_service::blocking", "src/cache/key/secret_service.rs"),
        ("keyring_core", "src/cache/key/native.rs"),
        ("signal_hook", "src/signals.rs"),
        ("toml_edit", "src/config"),
        ("dirs::", "src/env.rs"),
        ("std::fs", "src/fs src/terminal.rs"),
        ("tempfile", "src/fs"),
        (
            "std::io",
            "src/fs src/terminal.rs src/child.rs src/output src/command/exec.rs src/command/watch.rs src/signals.rs src/limits.rs src/env.rs",
        ),
        ("cfg(unix)", "src/terminal.rs src/child.rs src/env.rs src/signals.rs src/limits.rs src/command/exec.rs"),
        ("cfg(windows)", "src/child.rs src/env.rs"),
        // Raw, for programs that read it, and for a person to paste: what is in there has no control character. What a person reads goes through `Output::lines`, which shows no escape sequence.
        (
            "Output::answer",
            "src/output src/command/aws.rs src/command/exec.rs src/command/list.rs src/command/mod.rs \
             src/command/prompt.rs src/command/roots.rs src/command/setup.rs src/command/token.rs",
        ),
    ] {
        for (path, text) in rust_files("src") {
            let path = path.strip_prefix(root()).expect("below the root").display().to_string().replace('\\', "/");
            let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let owned = owner.split(' ').any(|owner| path.starts_with(owner)) || path.ends_with("tests.rs");
            assert!(owned || !code.contains(name), "{path} uses {name}, which {owner} owns");
        }
    }
}

/// What the README shows can be typed, and what can be typed is in the README.
#[test]
fn the_readme_agrees_with_the_help() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let sandbox = Sandbox::empty();
    let help = |command: &str| sandbox.ok(&[command, "--help"]);
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map(str::to_owned).collect()
    };
    let commands = [
        "token",
        "refresh",
        "erase",
        "list",
        "add",
        "remove",
        "exec",
        "login",
        "setup",
        "roots",
        "aws",
        "prompt",
        "init",
        "completions",
        "man",
    ];
    for command in commands {
        assert!(readme.contains(&format!("`pgcred {command}")), "{command} is not in the README");
        for word in words(&help(command)) {
            let option = word.starts_with("--") && word.len() > 2 && word != "--help" && word != "--version";
            assert!(!option || words(&readme).contains(&word), "{word} of {command} is not in the README");
        }
    }
    let all = commands.map(help).concat();
    let of_others = [
        "--hostname",
        "--username",
        "--try",
        "--prefix",
        "--uninstall",
        "--locked",
        "--path",
        "--features",
        "--secret-service",
    ];
    for word in words(&readme).iter().filter(|word| word.starts_with("--") && !word.ends_with('-')) {
        assert!(words(&all).contains(word) || of_others.contains(&word.as_str()), "the README's {word} does not exist");
    }
    let formats = all.split("Form of the answer").nth(1).expect("the formats");
    let listed: Vec<_> = formats.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once(':')).collect();
    assert_eq!(listed.len(), 10, "{formats}");
    for (format, _) in listed {
        assert!(readme.contains(&format!("| `{format}` |")), "format {format} is not in the README's table");
    }
}
