//! The programs of tests/stubs: each serves on a free loopback port until it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::needs::python;
use crate::support::sources::root;

/// Part of every secret that tests/stubs/aws.py hands out.
pub const STUB_SECRET: &str = "STUBSECRET";
pub const ACCOUNT: &str = "123456789012";

pub struct Stub {
    program: Child,
    port: u16,
}

impl Stub {
    /// Stands in for everything that hands out credentials; `log` gets a JSON line per request.
    pub fn aws(log: Option<&Path>) -> Self {
        Self::start("aws.py", log.as_slice())
    }

    /// Starts the same stub with a certificate and its key, so that it speaks TLS too.
    pub fn aws_with_tls(log: &Path, certificate: &Path, key: &Path) -> Self {
        Self::start("aws.py", &[log, certificate, key])
    }

    /// Stands in for AWS's control planes; `log` gets a JSON line per request.
    pub fn control(log: Option<&Path>) -> Self {
        Self::start("control.py", log.as_slice())
    }

    /// Stands in for AWS's control planes with what a file declares, whose name ends in `.json`;
    /// the stub's own introduction has its format. A test may write the file anew at any time.
    pub fn fleet(fleet: &Path, log: Option<&Path>) -> Self {
        assert!(fleet.extension().is_some_and(|ending| ending == "json"));
        Self::start("control.py", &[&[fleet], log.as_slice()].concat())
    }

    /// Starts moto's STS, which others have written.
    pub fn moto() -> Self {
        Self::start("moto_server.py", &[])
    }

    fn start(name: &str, arguments: &[&Path]) -> Self {
        let mut program = Command::new(python());
        program
            .arg("-B")
            .arg(root().join("tests/stubs").join(name))
            .args(arguments);
        let mut program = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stub starts");
        let mut line = String::new();
        BufReader::new(program.stdout.take().expect("its stdout"))
            .read_line(&mut line)
            .expect("a line");
        let port = line
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("{name} says {line:?}, which is not a port"));
        Self { program, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the stub's address, with words in front of the path that choose what happens.
    pub fn url(&self, words: &str) -> String {
        format!("http://127.0.0.1:{}/{words}", self.port)
            .trim_end_matches('/')
            .to_owned()
    }
}

/// Returns the requests that a stub has logged so far.
pub fn requests(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

impl Drop for Stub {
    fn drop(&mut self) {
        drop(self.program.stdin.take()); // which ends it
        let _ = self.program.wait();
    }
}

/// Runs `check` on every item, several at a time, and fails with all errors that it returns.
pub fn check_all<T: Sync>(items: &[T], check: impl Fn(&T) -> Result<(), String> + Sync) {
    const WORKERS: usize = 16;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            while let Some(item) =
                items.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            {
                wrong.extend(check(item).err());
            }
            wrong
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        items.len(),
        wrong.join("\n")
    );
}

/// Returns what is wrong with a refusal: an answer on stdout, a panic, a secret, or a number of
/// error lines other than one.
pub fn refusal_trouble(run: &crate::support::sandbox::Run, exits: &[i32]) -> Option<String> {
    let errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("pgcred: ") && !line.starts_with("pgcred: warning: "));
    let errors = errors.count();
    let what = if !exits.contains(&run.code) {
        format!("exit {} instead of {exits:?}", run.code)
    } else if !run.stdout.is_empty() {
        "stdout is not empty".to_owned()
    } else if errors != 1 {
        format!("{errors} error lines")
    } else if run.stderr.contains("panicked")
        || run.stderr.contains("Signature=")
        || run.stderr.contains(STUB_SECRET)
    {
        "a panic or a secret".to_owned()
    } else {
        return None;
    };
    let start: String = run.stderr.chars().take(400).collect();
    Some(format!("{what}; stderr: {}", start.trim()))
}

/// Tells whether every field of `part` is in `whole`, at any depth.
pub fn contains(whole: &Value, part: &Value) -> bool {
    match part.as_object() {
        Some(fields) => fields
            .iter()
            .all(|(name, value)| contains(&whole[name.as_str()], value)),
        None => whole == part,
    }
}
