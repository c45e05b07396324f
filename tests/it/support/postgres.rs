//! A real PostgreSQL in a temporary directory. It listens on a Unix socket only, and stops when the
//! value is dropped.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;

use crate::support::needs::find;

pub struct Postgres {
    server: Child,
    directory: TempDir,
}

impl Postgres {
    /// Starts a server with the roles `admin` and `app`, and a database `postgres`, open to all
    /// that reach the socket.
    pub fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        let data = directory.path().join("data");
        let mut initdb = as_server_user("initdb", directory.path());
        initdb
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data);
        let made = initdb
            .stdout(Stdio::null())
            .status()
            .expect("initdb starts");
        assert!(made.success(), "initdb failed");
        let mut server = as_server_user("postgres", directory.path());
        server.arg("-D").arg(&data).arg("-k").arg(directory.path());
        server.args([
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ]);
        let log = fs::File::create(directory.path().join("log")).expect("a log");
        let server = server
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .expect("postgres starts");
        let postgres = Self { server, directory };
        let deadline = Instant::now() + Duration::from_mins(1);
        while !postgres.runs("create role admin login superuser") {
            let log = || fs::read_to_string(postgres.directory.path().join("log"));
            assert!(
                Instant::now() < deadline,
                "postgres does not answer: {:?}",
                log()
            );
            thread::sleep(Duration::from_millis(50));
        }
        assert!(postgres.runs("create role app login"));
        postgres
    }

    /// Returns the directory of the socket, which libpq takes for `host`.
    pub fn socket(&self) -> &Path {
        self.directory.path()
    }

    pub fn runs(&self, sql: &str) -> bool {
        let mut psql = Command::new("psql");
        psql.args(["-XqAt", "-U", "postgres", "-d", "postgres", "-c", sql, "-h"])
            .arg(self.socket());
        psql.stderr(Stdio::null())
            .status()
            .expect("psql starts")
            .success()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let pid = i32::try_from(self.server.id()).expect("a process id");
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        let _ = self.server.wait();
    }
}

/// Returns a program of the server. PostgreSQL refuses to run as root, so root runs it as the user
/// `postgres` and gives that user the directory.
fn as_server_user(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(find(program).expect("PostgreSQL's server"));
    command
        .current_dir(directory)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    if geteuid().is_root() {
        let user = User::from_name("postgres")
            .expect("users")
            .expect("a user `postgres`, which the package makes");
        chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("chown");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}
