//! A user's machine on which the clusters' names lead to a stand-in for Aurora DSQL and RDS. No
//! variable in its environment helps a client.
//!
//! Programs run in a mount namespace of their own: /etc/hosts sends the clusters' names to an
//! address that only this stand-in listens on, at PostgreSQL's own port. The system's store of root
//! certificates has the public authority, as every system has it, and not the one of RDS. The user
//! database names the sandbox as the home directory.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::unistd::getuid;
use standin::{Config, Face, Key, Listen, Standin, Upstream};

use crate::support::postgres::Postgres;
use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET, Sandbox};

/// An RDS Proxy. Its tokens are signed as those of RDS; its certificate is from a public authority.
pub const PROXY_HOST: &str = "pool.proxy-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
/// A name that the cluster has in the user's own network.
pub const PRIVATE_HOST: &str = "vpce-1.dsql.example.com";

/// The session token of the keys.
pub const SESSION: &str = "session/token+1==";
const CERTIFICATES: &str = "/etc/ssl/certs";
/// Where other systems keep the same certificates in one file.
const BUNDLES: [&str; 3] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

pub struct Cluster {
    pub sandbox: Sandbox,
    pub standin: Standin,
    /// Files and directories of the sandbox, each with the system's path at which programs see it.
    mounts: Vec<(PathBuf, PathBuf)>,
    postgres: Postgres,
}

impl Cluster {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let postgres = Postgres::start();
        let key = Key {
            access_key_id: KEY_ID.into(),
            secret_access_key: SECRET.into(),
            session_token: Some(SESSION.into()),
            expires_at: None,
        };
        let upstream = Upstream::Socket {
            directory: postgres.socket().into(),
            port: 5432,
        };
        let mut config = Config {
            keys: vec![key],
            upstream,
            ..Config::default()
        };
        adjust(&mut config);
        let standin = listening(&config);
        let mut sandbox = Sandbox::with_keys();
        sandbox.set("AWS_SESSION_TOKEN", SESSION);
        sandbox.write("rds-roots.pem", standin.rds_ca_pem());
        let mut cluster = Self {
            sandbox,
            standin,
            mounts: Vec::new(),
            postgres,
        };
        cluster.name_hosts(&config.minted.hosts);
        cluster.move_home();
        cluster.trust_public_authority();
        cluster.carry_rds_roots(cluster.standin.rds_ca_pem());
        cluster
    }

    /// Mounts a file or directory of the sandbox over one of the system.
    fn mount(&mut self, own: PathBuf, over: impl Into<PathBuf>) {
        self.mounts.push((own, over.into()));
    }

    fn name_hosts(&mut self, more: &[(String, Face)]) {
        let address = self.standin.address().ip();
        let mut hosts = format!(
            "127.0.0.1 localhost\n{address} {HOST} {RDS_HOST} {PROXY_HOST} {PRIVATE_HOST}\n"
        );
        for (host, _) in more {
            let _ = writeln!(hosts, "{address} {host}");
        }
        let hosts = self.sandbox.write("etc/hosts", hosts);
        self.mount(hosts, "/etc/hosts");
    }

    /// Names the sandbox in the user database, because Java and pgx do not read HOME.
    fn move_home(&mut self) {
        let users = fs::read_to_string("/etc/passwd").expect("users");
        let (me, home) = (
            getuid().to_string(),
            self.sandbox.home().display().to_string(),
        );
        let users = users.lines().map(|line| {
            let mut fields: Vec<_> = line.split(':').collect();
            if fields.get(2) == Some(&&*me) {
                fields[5] = &home;
            }
            fields.join(":") + "\n"
        });
        let users = self.sandbox.write("etc/passwd", users.collect::<String>());
        self.mount(users, "/etc/passwd");
    }

    /// Adds the stand-in's authority to the system's roots: in the one file, and under its hash,
    /// where OpenSSL looks.
    fn trust_public_authority(&mut self) {
        let directory = self.sandbox.path("etc/certs");
        let copied = Command::new("cp")
            .arg("-a")
            .arg(CERTIFICATES)
            .arg(&directory)
            .status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "no copy of {CERTIFICATES}"
        );
        let ca = self
            .sandbox
            .write("etc/public-ca.pem", self.standin.ca_pem());
        let mut openssl = Command::new("openssl");
        let hash = Run::of({
            openssl.args(["x509", "-noout", "-hash", "-in"]).arg(&ca);
            openssl
        });
        fs::copy(&ca, directory.join(format!("{}.0", hash.stdout.trim()))).expect("a certificate");
        self.mount(directory, CERTIFICATES);
        for bundle in ["/etc/ssl/certs/ca-certificates.crt"]
            .iter()
            .chain(&BUNDLES)
            .map(Path::new)
        {
            let Ok(roots) = fs::read_to_string(bundle) else {
                continue;
            };
            let name = format!(
                "etc/certs/{}",
                bundle.file_name().expect("a name").display()
            );
            let with_ours = self
                .sandbox
                .write(&name, roots + "\n" + self.standin.ca_pem());
            if !bundle.starts_with(CERTIFICATES) {
                self.mount(with_ours, bundle);
            }
        }
    }

    /// Puts roots of RDS where pgcred keeps those of the region, as if they had been fetched.
    pub fn carry_rds_roots(&self, pem: &str) {
        let directory = self.sandbox.own().join("roots");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("rds-eu-west-1.pem"), pem).expect("a file");
    }

    /// Puts other roots there, which do not verify the server.
    pub fn carry_wrong_rds_roots(&self) {
        let other =
            rcgen::generate_simple_self_signed(["another root".to_owned()]).expect("a certificate");
        self.carry_rds_roots(&other.cert.pem());
    }

    /// Takes the public authority out of the system's roots.
    pub fn distrust_public_authority(&mut self) {
        self.mounts.retain(|(_, over)| {
            over != Path::new(CERTIFICATES) && !BUNDLES.contains(&&*over.to_string_lossy())
        });
    }

    /// Sets the variables for a user who takes only tokens from pgcred and sets all else by hand.
    pub fn aim(&mut self, host: &str, user: &str) {
        let roots = if host == RDS_HOST {
            self.sandbox.path("rds-roots.pem").display().to_string()
        } else {
            format!("{CERTIFICATES}/ca-certificates.crt")
        };
        self.sandbox
            .set("PGHOST", host)
            .set("PGUSER", user)
            .set("PGDATABASE", "postgres");
        self.sandbox
            .set("PGSSLMODE", "verify-full")
            .set("PGSSLROOTCERT", &roots);
    }

    /// Returns a program that runs on this machine. It is ended if it hangs.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.daemon("timeout");
        command.args(["300", program]);
        command
    }

    /// The same for a program that the test ends: the process that it starts is the program's.
    pub fn daemon(&self, program: &str) -> Command {
        let mut command = self.sandbox.command("unshare");
        let script = "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\" || exit 125; shift 2; \
            done; shift; exec \"$@\"";
        command.args(["--mount", "sh", "-c", script, "sh"]);
        command.args(self.mounts.iter().flat_map(|(own, over)| [own, over]));
        command.args(["--", program]).stdin(Stdio::null());
        command
    }

    /// Runs SQL as the superuser of the real PostgreSQL.
    pub fn sql(&self, sql: &str) {
        assert!(self.postgres.runs(sql), "{sql}");
    }

    pub fn psql(&self, arguments: &[&str]) -> Command {
        let mut psql = self.command("psql");
        psql.args(["-XAtw"]).args(arguments);
        psql
    }

    pub fn query(&self, arguments: &[&str]) -> Run {
        Run::of(
            self.psql(
                &[
                    &["-c", "select current_user || '@' || current_database()"],
                    arguments,
                ]
                .concat(),
            ),
        )
    }

    pub fn assert_session(&self, arguments: &[&str], who: &str) {
        let run = self.query(arguments);
        assert_eq!(
            (run.code, run.stdout.trim_end()),
            (0, who),
            "{}: {:?}",
            run.stderr,
            self.standin.events()
        );
    }

    pub fn assert_refused(&self, says: &[&str]) {
        let run = self.query(&[]);
        assert_eq!(
            (run.code, &*run.stdout),
            (2, ""),
            "a session was opened that must be refused"
        );
        for text in says {
            assert!(run.stderr.contains(text), "{text} not in {}", run.stderr);
        }
    }
}

/// Starts the stand-in at an address of its own and at PostgreSQL's port: RDS signs the port, and
/// clients that are told none use this one.
fn listening(config: &Config) -> Standin {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if config.public_port.is_some() {
        // The near end of a tunnel has a port of its own.
        return Standin::start(config.clone()).expect("a free port");
    }
    let base = u32::from(Ipv4Addr::new(127, 128, 0, 1)) + (process::id() << 6 & 0x003f_ffff);
    let mut last = None;
    for _ in 0..64 {
        let address = Ipv4Addr::from(base + NEXT.fetch_add(1, Ordering::Relaxed) % 64);
        let listen = Listen::at((address, 5432).into()).expect("a loopback address");
        match Standin::start(Config {
            listen,
            ..config.clone()
        }) {
            Ok(standin) => return standin,
            Err(error) => last = Some(error),
        }
    }
    panic!(
        "no loopback address has port 5432 free; does a server listen on all addresses? {last:?}"
    );
}
