//! Runs the cases of `integrations/TOOL/fixtures`: home directories before `pgcred setup TOOL`,
//! after it, and after `--undo`, compared byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;
use crate::support::tools::BY_FILES;
use crate::tools::setup::roots;

/// Returns the files of a directory by their paths in it, without those that pgcred leaves on
/// purpose: locks, copies, and root certificates.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![directory.to_owned()]);
    while let Some(inner) = open.pop() {
        for entry in fs::read_dir(inner).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let left_out = |ending| {
                path.extension()
                    .is_some_and(|extension| extension == ending)
            };
            if path.ends_with("pgcred/roots") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if !left_out("pgcred-lock") && !left_out("pgcred-backup") {
                let bytes = fs::read(&path).expect("a file");
                found.insert(
                    path.strip_prefix(directory).expect("below").to_owned(),
                    bytes,
                );
            }
        }
    }
    found
}

pub fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path());
    let mut directories: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    directories.sort();
    directories
}

const CONFIG: &str = ".config/pgcred/config.toml";

/// Runs a case: the directory `before`, then `after` and `undone` with the files that differ from
/// it, or the text `refused`.
struct Case {
    directory: PathBuf,
    sandbox: Sandbox,
    arguments: Vec<String>,
}

impl Case {
    fn of(tool: &str, by_passfile: bool, directory: PathBuf) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.unset("PGCRED_HOME").set("PGCRED_CACHE", "none");
        let programs = sandbox.path("bin").display().to_string();
        sandbox.set("PATH", &format!("{programs}:/usr/bin:/bin"));
        let more = fs::read_to_string(directory.join("arguments"))
            .unwrap_or_else(|_| format!("{HOST} --profile dev"));
        let arguments = ["setup", tool]
            .into_iter()
            .chain(more.split_whitespace())
            .map(str::to_owned)
            .collect();
        let case = Self {
            directory,
            sandbox,
            arguments,
        };
        let before = case.directory.join("before/.");
        let copied = Command::new("cp")
            .arg("-R")
            .arg(before)
            .arg(case.sandbox.home())
            .status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "no directory `before` in {}",
            case.directory.display()
        );
        // `setup` also adds the connection to the configuration for a tool that reads the passfile.
        // The test has it there before, so that the fixtures need not.
        if by_passfile && !case.directory.join("arguments").exists() {
            let id = HOST.split('.').next().expect("an ID");
            case.sandbox.write(
                CONFIG,
                format!("[connections.{id}]\nhost = \"{HOST}\"\nprofile = \"dev\"\n"),
            );
        }
        case
    }

    /// Files with this machine's paths in them.
    fn state(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let pgcred = Path::new(env!("CARGO_BIN_EXE_pgcred"))
            .canonicalize()
            .expect("pgcred");
        let here = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => {
                let home = self.sandbox.home().display().to_string();
                let text = text
                    .replace("@PGCRED@", &pgcred.display().to_string())
                    .replace("@HOME@", &home);
                text.replace("@ROOTS@", roots()).into_bytes()
            }
            Err(error) => error.into_bytes(),
        };
        let mut state: BTreeMap<_, _> = files(&self.directory.join(name))
            .into_iter()
            .map(|(path, bytes)| (path, here(bytes)))
            .collect();
        if let ("before" | "undone", Ok(bytes)) = (name, fs::read(self.sandbox.path(CONFIG))) {
            // the connection is in the configuration already, so nothing is added to it
            state.insert(CONFIG.into(), bytes);
        }
        state
    }

    fn home(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.sandbox.home())
    }

    fn run(&self, more: &[&str]) -> Run {
        let words: Vec<&str> = self
            .arguments
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        self.sandbox.run(&words)
    }

    /// Compares texts as texts, which a person can read.
    fn assert_home(&self, expected: &BTreeMap<PathBuf, Vec<u8>>, when: &str) {
        let shown = |files: &BTreeMap<PathBuf, Vec<u8>>| -> BTreeMap<PathBuf, String> {
            files
                .iter()
                .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
                .collect()
        };
        assert_eq!(
            shown(&self.home()),
            shown(expected),
            "{} {when}",
            self.directory.display()
        );
        assert_eq!(
            &self.home(),
            expected,
            "{} {when}",
            self.directory.display()
        );
    }

    fn check(&self) {
        let name = self.directory.display();
        let before = self.state("before");
        if let Ok(says) = fs::read_to_string(self.directory.join("refused")) {
            let run = self.run(&["--yes"]);
            assert!(
                run.code != 0 && run.stderr.contains(says.trim()),
                "{name}: {} {}",
                run.code,
                run.stderr
            );
            return self.assert_home(&before, "refused");
        }
        let run = self.run(&[]);
        run.assert_fails(2, "there is no terminal to ask on");
        assert!(
            run.stderr.lines().any(|line| line.starts_with("+++ ")),
            "{name}: no diff in {}",
            run.stderr
        );
        self.assert_home(&before, "without a terminal");
        let shown = self.run(&["--dry-run"]);
        assert!(
            shown.code == 0 && shown.stderr.lines().any(|line| line.starts_with("+++ ")),
            "{name}: {}",
            shown.stderr
        );
        let printed = self.run(&["--print"]);
        assert!(
            printed.code == 0 && printed.stdout.contains(HOST),
            "{name}: {}",
            printed.stderr
        );
        self.assert_home(&before, "only shown");

        let mut after = before.clone();
        after.extend(self.state("after"));
        for time in ["once", "twice"] {
            let run = self.run(&["--yes"]);
            assert_eq!((run.code, &*run.stdout), (0, ""), "{name}: {}", run.stderr);
            assert_eq!(
                run.stderr.contains("nothing to change"),
                time == "twice",
                "{name}: {}",
                run.stderr
            );
            self.assert_home(&after, time);
        }
        for path in self.state("after").into_keys() {
            let copy = fs::read(
                self.sandbox
                    .path(&format!("{}.pgcred-backup", path.display())),
            )
            .ok();
            let has_ours = |text: &Vec<u8>| String::from_utf8_lossy(text).contains("pgcred");
            match before.get(&path) {
                Some(text) if has_ours(text) => {
                    assert!(!copy.as_ref().is_some_and(has_ours), "{name}: {copy:?}");
                }
                text => assert_eq!(
                    copy.as_ref(),
                    text,
                    "{name}: the copy of {}",
                    path.display()
                ),
            }
        }
        let undone = if self.directory.join("undone").exists() {
            self.state("undone")
        } else {
            before
        };
        for _ in 0..2 {
            let run = self
                .sandbox
                .run(&["setup", &self.arguments[1], "--undo", "--yes"]);
            assert_eq!(run.code, 0, "{name}: {}", run.stderr);
            self.assert_home(&undone, "undone");
        }
    }
}

/// Returns the tools that are set up by files of the user's. The schedulers and the gateway have
/// tests of their own.
fn tools_by_files() -> Vec<PathBuf> {
    let mut tools = directories(&root().join("integrations"));
    tools.retain(|directory| {
        let code = fs::read_to_string(directory.join("mod.rs")).unwrap_or_default();
        let runs_pgcred = ["ToolKind::Scheduler", "ToolKind::Service"]
            .iter()
            .any(|kind| code.contains(kind));
        let is_by_files = !code.is_empty() && !runs_pgcred;
        is_by_files || directory.join("fixtures").exists()
    });
    tools
}

#[test]
fn the_tools_by_files_are_all_named() {
    let mut names = Vec::new();
    for directory in tools_by_files() {
        let name = directory.file_name().expect("a name").to_string_lossy();
        names.push(name.into_owned());
    }
    names.sort();
    assert_eq!(names, BY_FILES);
}

/// Tells whether a tool reads the passfile, by the table that `pgcred setup` prints.
fn reads_passfile(overview: &str, tool: &str) -> bool {
    let column = overview.find("BY").expect("a column");
    let line = overview
        .lines()
        .find(|line| line.split_whitespace().next() == Some(tool))
        .unwrap_or_else(|| panic!("`pgcred setup` does not list {tool}"));
    line[column..].starts_with("passfile")
}

#[test]
fn setup_and_undo_give_the_expected_files() {
    let overview = Sandbox::empty().ok(&["setup"]);
    let (mut failed, mut run) = (Vec::new(), 0);
    for tool in tools_by_files() {
        let cases = directories(&tool.join("fixtures"));
        assert!(!cases.is_empty(), "no case in {}/fixtures", tool.display());
        let name = tool.file_name().expect("a name").to_string_lossy();
        let by_passfile = reads_passfile(&overview, &name);
        for directory in cases {
            let shown = directory.display().to_string();
            let check = || Case::of(&name, by_passfile, directory).check();
            // Every case runs, so that one run tells of all that fail.
            if catch_unwind(AssertUnwindSafe(check)).is_err() {
                failed.push(shown);
            }
            run += 1;
        }
    }
    assert!(failed.is_empty(), "these fixtures failed: {failed:#?}");
    assert!(run > 35, "only {run} fixtures were found");
}
