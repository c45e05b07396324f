//! The workflows of CI and of the release, and the check of a tag.
//!
//! `tests/run.sh` runs the linters of workflows; here is what they cannot know of this project.

use std::fs;

use crate::packaging::release::{TARGETS, VERSION};
use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;

fn workflow(name: &str) -> String {
    let path = root().join(".github/workflows").join(name);
    fs::read_to_string(path).expect("a workflow")
}

/// Returns what stands behind a key in each line that has it, in order.
fn values_of<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for line in text.lines() {
        if let Some((_, value)) = line.split_once(key) {
            let value = value.split('}').next().unwrap_or_default();
            values.push(value.trim());
        }
    }
    values
}

#[test]
fn a_release_builds_and_tries_each_target() {
    let release = workflow("release.yml");
    let (build, rest) = release.split_once("\n  packages:").expect("two parts");
    for part in [build, rest] {
        let mut targets = values_of(part, ", target: ");
        targets.sort_unstable();
        assert_eq!(targets, TARGETS);
    }
}

#[test]
fn actions_are_pinned_and_no_job_has_rights_that_it_does_not_name() {
    for name in ["ci.yml", "publish.yml", "release.yml"] {
        let text = workflow(name);
        assert!(text.contains("\npermissions: {}\n"), "{name}");
        let actions = values_of(&text, "uses: ");
        assert!(!actions.is_empty(), "{name}");
        for action in actions {
            let (_, pin) = action.split_once('@').expect("an action and its commit");
            let (commit, version) = pin.split_once(" # v").expect("a commit and its version");
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{name}: {action}");
        }
        let checkouts = text.matches("actions/checkout@").count();
        assert_eq!(
            text.matches("persist-credentials: false").count(),
            checkouts
        );
    }
}

/// A certificate is for the step that signs, where no code of others runs.
#[test]
fn only_the_step_that_signs_sees_secrets() {
    let release = workflow("release.yml");
    let steps: Vec<&str> = release.split("\n      - ").collect();
    let with_secrets = steps.iter().filter(|step| step.contains("secrets."));
    let with_secrets: Vec<_> = with_secrets.collect();
    assert_eq!(with_secrets.len(), 1, "{with_secrets:?}");
    assert!(with_secrets[0].contains("run: packaging/sign.sh "));
    for name in ["ci.yml", "publish.yml"] {
        assert!(!workflow(name).contains("secrets."), "{name}");
    }
}

#[test]
fn the_scripts_that_a_workflow_calls_exist() {
    let release = workflow("release.yml") + &workflow("publish.yml");
    let mut count = 0;
    for (start, _) in release.match_indices("packaging/") {
        let path = &release[start..];
        let end = path.find([' ', '\'', '\n']).expect("an end");
        if path[..end].contains('.') && !path[..end].ends_with('.') {
            assert!(root().join(&path[..end]).is_file(), "{}", &path[..end]);
            count += 1;
        }
    }
    assert!(count >= 5, "{count} scripts");
}

/// Each way to install has a script, and the workflow runs it for each kind.
#[test]
fn a_release_tries_each_way_to_install() {
    let release = workflow("release.yml");
    let scripts = fs::read_dir(root().join("packaging/try")).expect("a directory");
    let mut count = 0;
    for script in scripts {
        let path = script.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        // The others call it.
        if path.extension().is_some_and(|extension| extension == "sh") && name != "login.sh" {
            let call = format!("packaging/try/{name} ");
            assert!(release.contains(&call), "{call}");
            count += 1;
        }
    }
    assert_eq!(count, 5);
    for kind in ["deb", "rpm", "apk", "arch"] {
        let row = format!(" kind: {kind}, image: ");
        assert!(release.contains(&row), "{row}");
    }
    assert!(release.contains("for tool in pip pipx uv; do"));
    assert_eq!(release.matches("if: matrix.all-ways\n").count(), 3);
    assert_eq!(release.matches(" all-ways: true,").count(), 4);
    assert!(release.contains("needs: [try, install]\n"));
}

/// Runs a copy of the check of a tag beside another changelog.
fn check_version(changelog: &str, arguments: &[&str]) -> Run {
    let sandbox = Sandbox::empty();
    for name in [
        "packaging/check_version.py",
        "packaging/targets.py",
        "Cargo.toml",
    ] {
        sandbox.write(name, fs::read(root().join(name)).expect("a file"));
    }
    sandbox.write("CHANGELOG.md", changelog);
    let mut command = sandbox.command(&python());
    command
        .args(["-B", "packaging/check_version.py"])
        .args(arguments);
    Run::of(command)
}

#[test]
fn a_tag_that_the_tree_does_not_agree_with_is_refused() {
    skip_unless!(PYTHON);
    let tag = format!("v{VERSION}");
    let released = format!(
        "# Changelog\n\n## [{VERSION}] - 2026-01-02\n\nIt works.\n\n## [0.0.1] - 2025-01-01\n\nOld.\n"
    );
    let notes = check_version(&released, &[&tag, "--notes"]);
    assert_eq!((notes.code, notes.stdout.as_str()), (0, "It works.\n"));
    assert_eq!(check_version(&released, &[&tag]).code, 0);
    let other = check_version(&released, &["v99.0.0"]);
    assert_ne!(other.code, 0);
    assert!(
        other.stderr.contains("the version in Cargo.toml"),
        "{}",
        other.stderr
    );
    let unreleased = check_version(
        "# Changelog\n\n## [Unreleased]\n\nNew.\n",
        &[&tag, "--notes"],
    );
    assert_ne!(unreleased.code, 0);
    assert_eq!(unreleased.stdout, "");
    assert!(
        unreleased.stderr.contains("newest heading"),
        "{}",
        unreleased.stderr
    );
}
