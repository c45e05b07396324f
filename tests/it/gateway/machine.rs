//! A machine with a connection of Aurora DSQL and one of RDS that a gateway serves, and that
//! gateway.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use standin::Config;
use tokio_postgres::NoTls;
use tokio_postgres::error::DbError;

use crate::support::cluster::{Cluster, SESSION};
use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET};

/// Far more than anything takes that is no fault.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const WHO: &str = "select current_user || '@' || current_database()";

/// A connection of the machine.
#[derive(Clone, Copy)]
pub struct Connection {
    pub name: &'static str,
    pub host: &'static str,
    pub user: &'static str,
}

pub const DSQL: Connection = Connection {
    name: "dsql",
    host: HOST,
    user: "admin",
};

pub const RDS: Connection = Connection {
    name: "rds",
    host: RDS_HOST,
    user: "app",
};

pub struct Machine {
    pub cluster: Cluster,
    /// Of `DSQL`, and of `RDS`.
    ports: [u16; 2],
}

impl Machine {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let cluster = Cluster::with(adjust);
        let machine = Self {
            cluster,
            ports: free_ports(),
        };
        machine.configure("auth = \"password\"");
        machine
    }

    /// Writes both connections anew, with `more` in what they say of the gateway.
    pub fn configure(&self, more: &str) {
        let mut text = String::new();
        for connection in [DSQL, RDS] {
            let Connection { name, host, user } = connection;
            let port = self.port(connection);
            let _ = writeln!(
                text,
                "[connections.{name}]\nhost = \"{host}\"\nuser = \"{user}\"\n\
                 proxy = {{ port = {port}, socket = true, {more} }}\n"
            );
        }
        fs::write(self.cluster.sandbox.own().join("config.toml"), text).expect("a file");
    }

    pub fn port(&self, connection: Connection) -> u16 {
        self.ports[usize::from(connection.name == RDS.name)]
    }

    /// Where the gateway's sockets are.
    pub fn sockets(&self) -> PathBuf {
        self.cluster.sandbox.own().join("cache/proxy")
    }

    pub fn socket(&self, connection: Connection) -> PathBuf {
        let name = format!(".s.PGSQL.{}", self.port(connection));
        self.sockets().join(name)
    }

    /// Has a program give the credentials, which leaves a mark at each run, and returns the file of
    /// the marks.
    pub fn count_credential_runs(&mut self) -> PathBuf {
        let sandbox = &mut self.cluster.sandbox;
        let marks = sandbox.write("marks", "");
        let answer = serde_json::json!({
            "Version": 1,
            "AccessKeyId": KEY_ID,
            "SecretAccessKey": SECRET,
            "SessionToken": SESSION,
        });
        let script = format!("sleep 1; echo >> {}; echo '{answer}'\n", marks.display());
        let script = sandbox.write("credentials.sh", script);
        sandbox.write(
            ".aws/config",
            format!(
                "[default]\ncredential_process = /bin/sh {}\n",
                script.display()
            ),
        );
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ] {
            sandbox.unset(name);
        }
        marks
    }

    /// Returns `pgcred proxy`, not yet started. Its process is the one that is started.
    pub fn proxy(&self, arguments: &[&str]) -> Command {
        let mut command = self.cluster.daemon(env!("CARGO_BIN_EXE_pgcred"));
        command.arg("proxy").args(arguments);
        command
    }

    /// Starts a gateway and waits until it listens.
    pub fn start(&self, arguments: &[&str]) -> Gateway {
        Gateway::of(self.proxy(arguments))
    }

    /// Runs a gateway that ends by itself.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.cluster.command(env!("CARGO_BIN_EXE_pgcred"));
        command.arg("proxy").args(arguments);
        Run::of(command)
    }

    pub fn password(&self, connection: Connection) -> String {
        let said = self
            .cluster
            .sandbox
            .ok(&["proxy", "--password", connection.name]);
        said.trim_end().to_owned()
    }

    /// Returns psql as a user of the gateway's port has it. It is ended if it hangs.
    pub fn psql(&self, connection: Connection, arguments: &[&str]) -> Command {
        let mut psql = self.psql_alone(connection, "timeout");
        psql.args(["120", "psql", "-XAtw"]).args(arguments);
        psql
    }

    /// Returns the same for a test that ends it itself, without options.
    pub fn psql_alone(&self, connection: Connection, program: &str) -> Command {
        let mut psql = self.cluster.sandbox.command(program);
        psql.env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port(connection).to_string())
            .env("PGUSER", connection.user)
            .env("PGDATABASE", "postgres")
            .env("PGSSLMODE", "disable")
            .env("PGPASSWORD", self.password(connection))
            .stdin(Stdio::null());
        psql
    }

    /// Asserts that psql opens a session through the gateway.
    pub fn assert_session(&self, connection: Connection) {
        let run = Run::of(self.psql(connection, &["-c", WHO]));
        let who = format!("{}@postgres\n", connection.user);
        let events = self.cluster.standin.events();
        assert_eq!(run.stdout, who, "{} {events:?}", run.stderr);
    }

    /// Returns a connection to the gateway's port for bytes made by hand.
    pub fn dial(&self, connection: Connection) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port(connection)));
        let stream = stream.expect("a gateway");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
    }

    /// Returns how the gateway refuses the right password.
    pub fn refused(&self, connection: Connection) -> DbError {
        self.refused_with(connection, connection.user, &self.password(connection))
    }

    pub fn refused_with(&self, connection: Connection, user: &str, password: &str) -> DbError {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port(connection))
            .dbname("postgres")
            .user(user)
            .password(password);
        let error = block_on(async {
            let connected = tokio::time::timeout(PATIENCE * 3, config.connect(NoTls)).await;
            match connected.expect("an answer in time") {
                Ok(_) => panic!("a session was opened that must be refused"),
                Err(error) => error,
            }
        });
        let Some(said) = error.as_db_error() else {
            panic!("not an error of the protocol: {error:?}");
        };
        said.clone()
    }
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// Returns how often the credentials' program has run, by its marks.
pub fn runs(marks: &Path) -> usize {
    fs::read_to_string(marks).expect("a file").lines().count()
}

/// Returns a port that nobody listens on.
pub fn free_port() -> u16 {
    free_ports()[0]
}

/// The ports are free at this moment. Both are held until both are known.
fn free_ports() -> [u16; 2] {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    [free(), free()].map(|listener| listener.local_addr().expect("an address").port())
}

/// A running gateway. It is killed when the value is dropped.
pub struct Gateway {
    pub process: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Starts the command and waits until it says that it listens.
    pub fn of(command: Command) -> Self {
        Self::started(command, "pgcred: ready\n")
    }

    /// Starts the command and waits until it says this.
    pub fn started(mut command: Command, sign: &str) -> Self {
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a gateway");
        let stderr = process.stderr.take().expect("a pipe");
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().expect("a text");
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        let gateway = Self {
            process,
            said,
            reader: Some(reader),
        };
        gateway.wait_for(sign);
        gateway
    }

    /// Returns what it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("a text").clone()
    }

    /// Waits until it has said this.
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains(text) {
            assert!(
                Instant::now() < deadline,
                "{text:?} is not in {}",
                self.said()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("a process");
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("a state").is_none()
    }

    /// Waits for its end; returns the exit code, `None` if a signal has killed it, and all that it
    /// has said.
    pub fn end(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("a state") {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on: {}", self.said());
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("a reader");
        }
        (status.code(), self.said())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
