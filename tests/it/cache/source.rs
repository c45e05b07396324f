//! A credentials source that counts how often it is called, for the tests of the cache.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::support::sandbox::{HOST, Run, Sandbox};

/// A profile `p` whose `credential_process` counts its calls and is slow.
pub struct Source {
    pub sandbox: Sandbox,
}

impl Source {
    pub fn new() -> Self {
        Self::that("")
    }

    /// Returns a source whose program runs `first` before it answers; `exit 1` makes it fail.
    pub fn that(first: &str) -> Self {
        let sandbox = Sandbox::empty();
        let source = Self { sandbox };
        source.now_does(first);
        let script = source.sandbox.path("source");
        let command = if cfg!(windows) {
            script.with_extension("cmd")
        } else {
            script
        };
        let command = if cfg!(windows) {
            command.display().to_string()
        } else {
            format!("sh {}", command.display())
        };
        source.sandbox.write(
            ".aws/config",
            format!("[profile p]\ncredential_process = {command}\n"),
        );
        let calls = source.calls_file().display().to_string();
        let answer = source.sandbox.write(
            "answer.json",
            r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"SECRETKEY"}"#,
        );
        let (does, answer) = (
            source.sandbox.path("does").display().to_string(),
            answer.display(),
        );
        if cfg!(windows) {
            let text = format!("@echo x>>{calls}\r\n@call {does}.cmd\r\n@type {answer}\r\n");
            source.sandbox.write("source.cmd", text);
        } else {
            source.sandbox.write(
                "source",
                format!("echo x >>{calls}\n. {does}\ncat {answer}\n"),
            );
        }
        source
    }

    /// Makes the program run another `first`. Its file is not named in the command, so that pgcred
    /// cannot notice the change.
    pub fn now_does(&self, first: &str) {
        if cfg!(windows) {
            self.sandbox.write("does.cmd", format!("@{first}\r\n"));
        } else {
            self.sandbox.write("does", format!("{first}\n"));
        }
    }

    pub fn calls_file(&self) -> PathBuf {
        self.sandbox.path("calls")
    }

    pub fn calls(&self) -> usize {
        fs::read_to_string(self.calls_file()).map_or(0, |text| text.lines().count())
    }

    pub fn token(&self, arguments: &[&str]) -> Run {
        self.sandbox
            .run(&[&["token", HOST, "--profile", "p"], arguments].concat())
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let run = self.token(arguments);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{arguments:?}");
        run.stdout
    }

    pub fn spawn(&self, target: &str) -> Child {
        let mut pgcred = self.sandbox.pgcred(&["token", target, "--profile", "p"]);
        pgcred
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pgcred starts")
    }

    /// Returns the path of the one sealed token.
    pub fn entry(&self) -> PathBuf {
        let mut entries =
            fs::read_dir(self.sandbox.own().join("cache/tokens")).expect("a directory");
        let entry = entries.next().expect("an entry").expect("an entry").path();
        assert!(entries.next().is_none());
        entry
    }
}

pub fn answer(child: Child) -> String {
    let run = Run::finished(child.wait_with_output().expect("an end"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}
