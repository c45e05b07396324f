//! A running gateway, which is ended when the value is dropped.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::cluster::Cluster;
use crate::support::sandbox::Run;

/// A gateway of one cluster for the connection `shop`.
pub struct Gateway<'a> {
    pub cluster: &'a Cluster,
    pub port: u16,
    pub password: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

/// Returns a port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl<'a> Gateway<'a> {
    /// Adds the connection `shop` and starts a gateway for it.
    pub fn start(cluster: &'a Cluster, host: &str, user: &str, options: &[&str]) -> Self {
        let sandbox = &cluster.sandbox;
        sandbox.ok(&["add", "shop", host, "--user", user, "-q", "--replace"]);
        let port = free_port();
        let listen = port.to_string();
        let mut words = vec!["proxy", "shop", "--listen", &listen];
        words.extend(options);
        Self::started(cluster, port, &words)
    }

    /// Starts a gateway with these words, and waits until it is ready.
    pub fn started(cluster: &'a Cluster, port: u16, words: &[&str]) -> Self {
        // The shell says its process id, which is then the gateway's.
        let mut command = cluster.command("sh");
        command.args(["-c", "echo pid $$ >&2; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_pgcred")).args(words);
        Self::of(cluster, port, command)
    }

    pub fn of(cluster: &'a Cluster, port: u16, mut command: Command) -> Self {
        let password = cluster.sandbox.ok(&["proxy", "--password", "shop"]);
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                written.lock().expect("a log").push_str(&(line + "\n"));
            }
        });
        let gateway = Self {
            cluster,
            port,
            password: password.trim_end().to_owned(),
            child,
            log,
        };
        gateway.wait_for("pgcred: ready");
        gateway
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("a log").clone()
    }

    /// Waits until the gateway has said this.
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?} in {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns libpq's conninfo for it, with the local password.
    pub fn conninfo(&self, user: &str) -> String {
        let Self { port, password, .. } = self;
        format!("host=127.0.0.1 port={port} user={user} dbname=postgres password={password}")
    }

    /// Runs SQL by psql.
    pub fn psql(&self, conninfo: &str, sql: &str) -> Run {
        Run::of(self.cluster.psql(&["-d", conninfo, "-c", sql]))
    }

    /// Returns the gateway's own process id.
    pub fn pid(&self) -> i32 {
        let log = self.log();
        let line = log.lines().find_map(|line| line.strip_prefix("pid "));
        line.expect("a process id").parse().expect("a number")
    }

    /// Sends a signal to the gateway itself.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid()), signal); // it may have ended
    }

    /// Waits for the end and returns the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the gateway does not end: {}", self.log());
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
