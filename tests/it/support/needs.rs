//! What a test needs besides Rust and a C compiler, and what happens where that is missing.
//!
//! The first line of such a test names its needs: `skip_unless!(ROOT, program("strace"));`. Where
//! one is missing, the test ends there, and a line on stderr names the test and what it needs. The
//! test harness captures what a test prints, so that line is written to stderr directly.
//! `tests/skipped.rs` prints the sum at the end of `cargo test`.
//!
//! With `PGCRED_TEST_ALL`, which tests/run.sh sets, a test whose need is missing fails, so that a
//! complete run skips nothing.

#![cfg_attr(
    not(target_os = "linux"),
    allow(
        dead_code,
        unused_macros,
        unused_imports,
        reason = "most tests that use it run on Linux only"
    )
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Something that not every machine has.
#[derive(Clone, Copy)]
pub enum Need {
    /// The rights of root.
    Root,
    /// A program on PATH.
    Program(&'static str),
    /// A package of `python()`.
    Package(&'static str),
    /// Something that only the test can look up: its name, and whether this machine has it.
    Looked(&'static str, bool),
    /// All of several needs.
    All(&'static [Self]),
}

pub const ROOT: Need = Need::Root;
/// An interpreter for the programs of tests/stubs. It needs no packages.
pub const PYTHON: Need = Need::Program("python3");
/// A terminal that a test types at, as `tmux.rs` makes it.
pub const TERMINAL: Need = Need::All(&[program("tmux"), program("pkill")]);
/// A PostgreSQL server behind the stand-in, as `cluster.rs` makes it. Root is for its mounts: the
/// clusters' names in /etc/hosts and the system's root certificates.
pub const CLUSTER: Need =
    Need::All(&[ROOT, program("initdb"), program("psql"), program("openssl")]);

pub const fn program(name: &'static str) -> Need {
    Need::Program(name)
}

pub const fn package(name: &'static str) -> Need {
    Need::Package(name)
}

/// Ends a test that needs what this machine does not have, and says so.
macro_rules! skip_unless {
    ($($need:expr),+ $(,)?) => {
        if !$crate::support::needs::can_run!($($need),+) {
            return;
        }
    };
}
pub(crate) use skip_unless;

/// Tells whether a part of a test can run, and says what is missing if it cannot.
macro_rules! can_run {
    ($($need:expr),+ $(,)?) => {{
        fn here() {}
        $crate::support::needs::are_met(std::any::type_name_of_val(&here), &[$($need),+])
    }};
}
pub(crate) use can_run;

/// Tells whether all needs are met. Use it by `skip_unless!` or `can_run!`, which name the test.
pub fn are_met(here: &str, needs: &[Need]) -> bool {
    let missing: Vec<String> = needs.iter().filter_map(Need::missing).collect();
    let test = here.strip_suffix("::here").unwrap_or(here);
    let test = test.strip_prefix("it::").unwrap_or(test);
    if missing.is_empty() {
        LazyLock::force(&SKIPPED);
        return true;
    }
    skip(test, &missing.join(", "));
    false
}

/// Says that a test or a part of it does not run, and why. Fails in a complete run.
pub fn skip(test: &str, missing: &str) {
    assert!(
        std::env::var_os("PGCRED_TEST_ALL").is_none(),
        "{test} needs {missing}"
    );
    say_skipped(test, missing);
}

/// Says the same where nothing that can be installed would help: the kernel refuses user namespaces
/// in a chroot, and some containers refuse them to all programs. A complete run goes on.
pub fn say_skipped(test: &str, missing: &str) {
    let line = format!("{test}\t{missing}\n");
    let mut list = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if !list.lines.insert(line.clone()) {
        return; // the same part in another round of the test
    }
    let _ = writeln!(io::stderr(), "skipped: {test}: needs {missing}");
    if let Some(file) = &mut list.file {
        file.write_all(line.as_bytes())
            .expect("the list of skipped tests is written");
    }
}

/// What was skipped in this run: tests and what they need.
static SKIPPED: LazyLock<Mutex<Skipped>> = LazyLock::new(Mutex::default);

struct Skipped {
    lines: BTreeSet<String>,
    /// The list that tests/skipped.rs reads. There is none if another user has built the tests.
    file: Option<File>,
}

impl Default for Skipped {
    /// Empties the list that an earlier run has left.
    fn default() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped-tests");
        Self {
            lines: BTreeSet::new(),
            file: File::create(path).ok(),
        }
    }
}

impl Need {
    /// Returns the name of what is missing on this machine.
    fn missing(&self) -> Option<String> {
        let (name, is_here) = match *self {
            Self::Root => ("root".to_owned(), is_root()),
            Self::Program(name) => (name.to_owned(), find(name).is_some()),
            Self::Package(name) => (format!("Python's {name}"), has_package(name)),
            Self::Looked(name, is_here) => (name.to_owned(), is_here),
            Self::All(needs) => {
                let missing: Vec<String> = needs.iter().filter_map(Self::missing).collect();
                (missing.join(", "), missing.is_empty())
            }
        };
        if is_here { None } else { Some(name) }
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Returns the Python that has the tests' packages, or else the system's.
pub fn python() -> String {
    let python = find("python3").expect("a test that runs python() begins with skip_unless!");
    let python = python.display().to_string();
    let started = Command::new(&python).arg("--version").output();
    assert!(started.is_ok(), "{python} cannot be run: {started:?}");
    python
}

fn has_package(name: &str) -> bool {
    let Some(python) = find("python3") else {
        return false;
    };
    let script = "import importlib.util, sys; sys.exit(not importlib.util.find_spec(sys.argv[1]))";
    let status = Command::new(python)
        .args(["-c", script, name])
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Returns where a program is: on PATH, or where tests/run.sh or Debian has put it.
pub fn find(program: &str) -> Option<PathBuf> {
    if program == "python3"
        && let Some(python) = std::env::var_os("PGCRED_TEST_PYTHON")
    {
        return Some(python.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories = postgres_directories();
    directories.extend(std::env::split_paths(&path));
    let programs = directories.iter().map(|directory| directory.join(program));
    programs.into_iter().find(|path| path.is_file())
}

/// Returns the directories in which Debian keeps PostgreSQL's server, the newest version first.
fn postgres_directories() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let versions = versions.into_iter().flatten().flatten();
    let mut directories: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    directories.sort();
    directories.reverse();
    directories
}
