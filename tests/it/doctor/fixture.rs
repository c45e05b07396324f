//! A home with a fault, or without one, and how a check of `pgcred doctor` ends in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::support::sandbox::{HOST, Run, SECRET, Sandbox};

/// A check, a home made ready for it, and how the check ends there: its status and its cause.
pub struct Fixture {
    pub id: &'static str,
    /// What is examined; `None` if it is the machine.
    pub target: Option<&'static str>,
    pub prepare: fn(&mut Sandbox),
    pub status: &'static str,
    pub cause: Option<&'static str>,
}

pub const fn machine(
    id: &'static str,
    prepare: fn(&mut Sandbox),
    status: &'static str,
    cause: Option<&'static str>,
) -> Fixture {
    Fixture {
        id,
        target: None,
        prepare,
        status,
        cause,
    }
}

pub const fn dsql(
    id: &'static str,
    prepare: fn(&mut Sandbox),
    status: &'static str,
    cause: Option<&'static str>,
) -> Fixture {
    Fixture {
        target: Some(HOST),
        ..machine(id, prepare, status, cause)
    }
}

pub const fn rds(
    id: &'static str,
    prepare: fn(&mut Sandbox),
    status: &'static str,
    cause: Option<&'static str>,
) -> Fixture {
    Fixture {
        target: Some(RDS_TARGET),
        ..machine(id, prepare, status, cause)
    }
}

pub const NOW: &str = "2030-01-01T00:00:00Z";
pub const RDS_TARGET: &str = "postgres://me@db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com/app";
/// What no report may show: it stands as a password in the homes below.
pub const HIDDEN: &str = "s3cret-password";

pub fn nothing(_: &mut Sandbox) {}

/// Writes a passfile as libpq accepts it.
pub fn passfile(sandbox: &Sandbox, text: impl AsRef<[u8]>) {
    let path = sandbox.write(".pgpass", text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
}

pub fn configure(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.own().join("config.toml"), text).expect("written");
}

pub fn set(sandbox: &mut Sandbox, name: &str, value: &str) {
    sandbox.set(name, value);
}

pub fn one_connection(sandbox: &mut Sandbox) {
    configure(sandbox, &format!("[connections.prod]\nhost = \"{HOST}\"\n"));
}

/// Puts a program first on PATH, which prints a text.
pub fn put_program(sandbox: &mut Sandbox, name: &str, prints: &str) {
    let file = format!("bin/{name}");
    let path = sandbox.write(&file, format!("#!/bin/sh\necho '{prints}'\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    put_first(sandbox);
}

/// Puts the directory `bin` of the home first on PATH.
pub fn put_first(sandbox: &mut Sandbox) {
    let path = std::env::var("PATH").expect("PATH");
    let first = sandbox.path("bin").display().to_string();
    sandbox.set("PATH", &format!("{first}:{path}"));
}

pub fn link(sandbox: &mut Sandbox, name: &str, to: &str) {
    fs::create_dir_all(sandbox.path("bin")).expect("a directory");
    symlink(to, sandbox.path("bin").join(name)).expect("a link");
    put_first(sandbox);
}

/// A line of the passfile with a token that expires then.
pub fn line_with_token(host: &str, signed_at: &str) -> String {
    format!(
        "{host}:5432:*:admin:{HOST}/?Action=DbConnectAdmin\
         &X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Fus-east-1%2Fdsql%2Faws4_request\
         &X-Amz-Date={signed_at}\
         &X-Amz-Expires=900&X-Amz-Signature={HIDDEN}\n"
    )
}

/// Makes a connection of DBeaver's own.
pub fn dbeaver(sandbox: &Sandbox, file: &str, id: &str, configuration: &str) {
    let directory = ".local/share/DBeaverData/workspace6/General/.dbeaver";
    let directory = if cfg!(target_os = "macos") {
        directory.replace(".local/share", "Library")
    } else {
        directory.to_owned()
    };
    let text = format!(
        "{{\"connections\": {{\"{id}\": {{\"provider\": \"postgresql\", \"name\": \"Prod\", \
         \"configuration\": {{\"host\": \"{HOST}\", {configuration}}}}}}}}}"
    );
    sandbox.write(&format!("{directory}/{file}"), text);
}

/// Proves how each check ends in its home. What fails is the first cause that the whole of doctor
/// names there, too.
pub fn prove(fixtures: &[Fixture]) {
    for fixture in fixtures {
        let report = fixture.report(&["--check", fixture.id]);
        fixture.check(&report);
        if fixture.status == "fail" {
            let report = fixture.report(&[]);
            assert_eq!(report["first_check"], fixture.id, "{report:#}");
            assert_eq!(report["first_cause"].as_str(), fixture.cause, "{report:#}");
        }
    }
}

impl Fixture {
    /// Runs doctor in a new home.
    fn report(&self, options: &[&str]) -> Value {
        let mut sandbox = Sandbox::empty();
        sandbox.at(NOW);
        (self.prepare)(&mut sandbox);
        let mut words = vec!["doctor", "--offline", "--format", "json"];
        words.extend(options);
        words.extend(self.target);
        let Run {
            stdout,
            stderr,
            code,
        } = sandbox.run(&words);
        for never in [HIDDEN, SECRET, "panicked"] {
            assert!(!stdout.contains(never), "{}: {stdout}", self.id);
            assert!(!stderr.contains(never), "{}: {stderr}", self.id);
        }
        assert_eq!(
            code,
            i32::from(self.status == "fail"),
            "{}: {stdout} {stderr}",
            self.id
        );
        serde_json::from_str(&stdout).expect("a report")
    }

    fn check(&self, report: &Value) {
        let checks = report["checks"].as_array().expect("checks");
        let of_id = |check: &&Value| check["id"] == self.id;
        let found = checks
            .iter()
            .find(of_id)
            .unwrap_or_else(|| panic!("no {}", self.id));
        assert_eq!(found["status"], self.status, "{found}");
        assert_eq!(found["cause"].as_str(), self.cause, "{found}");
        // The table of causes knows it.
        assert_eq!(
            found["because"].is_string(),
            self.cause.is_some(),
            "{found}"
        );
    }
}
