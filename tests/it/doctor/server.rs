//! A stand-in for the server of a target, and the report of `pgcred doctor` about it.
//!
//! The target dials the stand-in by the real name of a cluster and libpq's `hostaddr`, so that no
//! name of this machine has to change.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use standin::{Config, Key, Standin, Upstream};

use crate::support::sandbox::{KEY_ID, RDS_HOST, Run, SECRET, Sandbox};

/// An RDS Proxy, whose certificate is public.
pub const PROXY_HOST: &str = "pool.proxy-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";

/// What a server says that lets a client in: `AuthenticationOk` and `ReadyForQuery`.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Time enough for a busy machine, where nothing is meant to be late.
pub const LONG: &str = "60s";

pub struct Server {
    pub standin: Standin,
    pub sandbox: Sandbox,
    host: &'static str,
}

/// What `pgcred doctor` said, and how long that took.
pub struct Report {
    json: Value,
    pub run: Run,
    pub took: Duration,
}

impl Server {
    pub fn of(host: &'static str) -> Self {
        Self::with(host, |_| {})
    }

    pub fn with(host: &'static str, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            keys: vec![Key {
                access_key_id: KEY_ID.into(),
                secret_access_key: SECRET.into(),
                session_token: None,
                expires_at: None,
            }],
            upstream: upstream(),
            ..Config::default()
        };
        adjust(&mut config);
        let standin = Standin::start(config).expect("a stand-in");
        let server = Self {
            standin,
            sandbox: Sandbox::with_keys(),
            host,
        };
        let pem = match host {
            RDS_HOST => server.standin.rds_ca_pem(),
            _ => server.standin.ca_pem(),
        };
        server.trust(pem);
        server
    }

    /// Lets the user's clients trust these roots, and no others.
    pub fn trust(&self, pem: &str) {
        self.sandbox.write("roots.pem", pem);
    }

    /// Returns the target as a conninfo string. `more` has further keywords, or other values.
    pub fn target(&self, more: &[(&str, &str)]) -> String {
        let port = self.standin.port().to_string();
        let roots = self.sandbox.path("roots.pem").display().to_string();
        let mut words = vec![
            ("host", self.host),
            ("hostaddr", "127.0.0.1"),
            ("port", &port),
            ("user", "admin"),
            ("dbname", "postgres"),
            ("sslmode", "verify-full"),
            ("sslrootcert", &roots),
        ];
        for (keyword, value) in more {
            words.retain(|(known, _)| known != keyword);
            words.push((keyword, value));
        }
        let words = words
            .iter()
            .map(|(name, value)| format!("{name}='{value}'"));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Makes the target a connection of the configuration. There the user may say that the server
    /// is not verified.
    pub fn configure(&self, name: &str, sslmode: &str) {
        let port = self.standin.port();
        let host = self.host;
        let text = format!(
            "[connections.{name}]\nhost = \"{host}\"\nhostaddr = \"127.0.0.1\"\nport = {port}\n\
             user = \"admin\"\nsslmode = \"{sslmode}\"\n"
        );
        super::fixture::configure(&self.sandbox, &text);
    }

    /// Examines the server, and nothing else that this machine has.
    pub fn report(&self, more: &[(&str, &str)]) -> Report {
        self.report_within(LONG, more)
    }

    pub fn report_within(&self, timeout: &str, more: &[(&str, &str)]) -> Report {
        self.report_of(timeout, &[&self.target(more)])
    }

    pub fn report_of(&self, timeout: &str, targets: &[&str]) -> Report {
        let words = ["doctor", "--check", "net,tls,login", "--format", "json"];
        let words = [&words, &["--timeout", timeout][..], targets].concat();
        Report::of(&self.sandbox, &words)
    }
}

impl Report {
    pub fn of(sandbox: &Sandbox, words: &[&str]) -> Self {
        Self::of_command(sandbox.pgcred(words))
    }

    pub fn of_command(command: Command) -> Self {
        let began = Instant::now();
        let run = Run::of(command);
        let took = began.elapsed();
        for never in [SECRET, "X-Amz-Signature", "panicked"] {
            assert!(!run.stdout.contains(never), "{never}: {}", run.stdout);
            assert!(!run.stderr.contains(never), "{never}: {}", run.stderr);
        }
        let json = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr));
        Self { json, run, took }
    }

    /// Returns the check and the cause that the report names first.
    pub fn first(&self) -> (Option<&str>, Option<&str>) {
        let text = |key: &str| self.json[key].as_str();
        (text("first_check"), text("first_cause"))
    }

    /// Returns what a check has found. With several targets it is that of the first.
    pub fn check(&self, id: &str) -> &Value {
        let checks = self.json["checks"].as_array().expect("checks");
        let found = checks.iter().find(|check| check["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {:#}", self.json))
    }

    pub fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().expect("checks")
    }

    pub fn status(&self, id: &str) -> &str {
        self.check(id)["status"].as_str().expect("a status")
    }

    pub fn shown(&self) -> &str {
        &self.run.stdout
    }

    /// Proves that a check fails by a cause which the table knows, and that it is the first.
    pub fn assert_first(&self, what: &str, check: &str, cause: Option<&str>) {
        let shown = self.shown();
        assert_eq!(self.first(), (Some(check), cause), "{what}: {shown}");
        let is_known = self.check(check)["because"].is_string();
        assert_eq!(is_known, cause.is_some(), "{what}: {shown}");
        assert_eq!(self.run.code, 1, "{what}: {shown}");
    }
}

/// Starts a few lines of script in place of the real server, which let every client in.
fn upstream() -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                let mut packet = [0; 4096];
                let _ = stream.read(&mut packet);
                let _ = stream.write_all(WELCOME);
                let _ = stream.read(&mut packet); // until the client goes
            });
        }
    });
    let host = "127.0.0.1".to_owned();
    Upstream::Tcp { host, port }
}
