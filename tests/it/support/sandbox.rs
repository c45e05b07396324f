//! A home directory, an environment with nothing in it but what a test sets, and the real pgcred.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub const HOST: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
pub const RDS_HOST: &str = "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
/// A user who owns nothing on this machine.
#[cfg(unix)]
pub const NOBODY: u32 = 65_534;
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

pub struct Sandbox {
    directory: TempDir,
    /// The directory that pgcred keeps for itself: configuration, cache, locks.
    own: TempDir,
    variables: Vec<(String, String)>,
}

pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

impl Sandbox {
    /// Returns a home without credentials and without configuration. Instance metadata is off, so
    /// that nothing but loopback is asked.
    pub fn empty() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let own = TempDir::new().expect("a temporary directory");
        let mut sandbox = Self {
            directory,
            own,
            variables: Vec::new(),
        };
        let own = sandbox.own().display().to_string();
        sandbox.set("PGCRED_HOME", &own).set("PGCRED_CACHE", "file");
        let home = sandbox.home().display().to_string();
        sandbox
            .set("HOME", &home)
            .set("USERPROFILE", &home)
            .set("AWS_EC2_METADATA_DISABLED", "true");
        if cfg!(windows) {
            // On Windows HOME does not move the user's profile, which all tests share.
            let passfile = sandbox.path(".pgpass").display().to_string();
            sandbox.set("PGPASSFILE", &passfile);
        }
        if let Ok(path) = std::env::var("PATH") {
            sandbox.set("PATH", &path);
        }
        if let Ok(root) = std::env::var("SystemRoot") {
            sandbox.set("SystemRoot", &root); // Windows programs do not start without it
        }
        sandbox
    }

    /// Returns a home with static example keys in its environment.
    pub fn with_keys() -> Self {
        let mut sandbox = Self::empty();
        sandbox
            .set("AWS_ACCESS_KEY_ID", KEY_ID)
            .set("AWS_SECRET_ACCESS_KEY", SECRET);
        sandbox
    }

    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    pub fn own(&self) -> &Path {
        self.own.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// Stops the clock of debug builds.
    pub fn at(&mut self, rfc3339: &str) -> &mut Self {
        self.set("PGCRED_TEST_NOW", rfc3339)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file")
    }

    /// Installs pgcred at another path. This process does not write the file itself: while it has a
    /// handle open for writing, the system refuses to run the file.
    pub fn installed(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        // never written to: it may be a link to the program under test
        let _ = fs::remove_file(&path);
        let pgcred = env!("CARGO_BIN_EXE_pgcred");
        let linked = fs::hard_link(pgcred, &path).is_ok();
        let copied = || {
            Command::new("cp")
                .arg(pgcred)
                .arg(&path)
                .status()
                .is_ok_and(|status| status.success())
        };
        assert!(linked || copied(), "no {}", path.display());
        path
    }

    /// Returns a program that runs in this environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home());
        command
    }

    pub fn pgcred(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_pgcred"));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.pgcred(arguments))
    }

    /// Runs pgcred, asserts that it succeeds, and returns its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run.stdout
    }
}

impl Run {
    pub fn of(mut command: Command) -> Self {
        Self::finished(command.output().expect("the program starts"))
    }

    pub fn finished(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Asserts that the run failed as it should: this exit code, nothing on stdout, this text on
    /// stderr, no panic and no secret.
    pub fn assert_fails(&self, code: i32, says: &str) {
        assert_eq!(
            self.code, code,
            "stdout {:?}, stderr {}",
            self.stdout, self.stderr
        );
        assert_eq!(self.stdout, "");
        assert!(
            self.stderr.contains(says),
            "{says:?} is not in {}",
            self.stderr
        );
        for never in ["panicked", "Signature=", SECRET, "RUST_BACKTRACE"] {
            assert!(!self.stderr.contains(never), "{never} in {}", self.stderr);
        }
    }
}
