//! The client matrix: every client, in every way, with a token of DSQL and one of RDS, against the
//! stand-in.
//!
//! `tests/clients` has a program for each client, and `programs.rs` has the table of them. The
//! README of `tests/clients` shows that table in words, and a test compares the two. A client gets
//! what pgcred wrote or printed for it, and nothing else; `support/cluster.rs` is the machine it
//! runs on.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs, thread};

use crate::clients::programs::Cell::{DsqlOnly, Fails, Lacks, NoColon, Works};
use crate::clients::programs::Wrote::{Dialog, Service, Url};
use crate::clients::programs::{
    CLIENTS, Client, Kind, Present, WAYS, Wrote, built, finish, present, version_of,
};
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, package, python, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run};
use crate::support::sources::root;

/// A connection that the machine has.
#[derive(Clone, Copy)]
struct Connection {
    name: &'static str,
    host: &'static str,
    user: &'static str,
}

const DSQL: Connection = Connection {
    name: "dsql",
    host: HOST,
    user: "admin",
};

const RDS: Connection = Connection {
    name: "rds",
    host: RDS_HOST,
    user: "app",
};

/// A user with a colon, as Redshift names its users. The token has none.
const COLON: Connection = Connection {
    name: "colon",
    host: HOST,
    user: "IAM:ann",
};

struct Matrix {
    cluster: Cluster,
    works: Mutex<usize>,
    wrong: Mutex<Vec<String>>,
}

impl Matrix {
    fn start() -> Self {
        let mut cluster = Cluster::with(|config| config.strict = true);
        let directory = Path::new(env!("CARGO_BIN_EXE_pgcred"))
            .parent()
            .expect("a directory");
        let path = format!(
            "{}:{}",
            directory.display(),
            env::var("PATH").expect("PATH")
        );
        let modules = built().join("node_modules").display().to_string();
        // Node.js trusts the roots that it contains. Debian's Node.js trusts the system's roots.
        cluster
            .sandbox
            .set("PATH", &path)
            .set("NODE_PATH", &modules)
            .set("NODE_OPTIONS", "--use-bundled-ca");
        let matrix = Self {
            cluster,
            works: Mutex::default(),
            wrong: Mutex::default(),
        };
        matrix.cluster.sql("create role \"IAM:ann\" login");
        for Connection { name, host, user } in [DSQL, RDS, COLON] {
            matrix
                .cluster
                .sandbox
                .ok(&["add", name, host, "--user", user]);
        }
        matrix.cluster.sandbox.ok(&["setup", "psql", "--yes"]);
        matrix
    }

    /// Adds the authority to Java's own store, which Debian keeps beside the system's.
    fn trust_public_authority_in_java(&self) {
        let store = self
            .cluster
            .sandbox
            .path("etc/certs/java/cacerts")
            .display()
            .to_string();
        let ca = self
            .cluster
            .sandbox
            .path("etc/public-ca.pem")
            .display()
            .to_string();
        let arguments = [
            "-importcert",
            "-noprompt",
            "-storepass",
            "changeit",
            "-keystore",
            &store,
            "-file",
            &ca,
        ];
        finish(Command::new("keytool").args(arguments)).expect("a trust store of Java");
    }

    fn log_in(&self, (client, command): &Present, way: usize, connection: Connection) {
        let cell = match client.cells[way] {
            Lacks => return,
            DsqlOnly(..) if connection.name != RDS.name => Works,
            NoColon(..) if connection.name == DSQL.name => Works,
            NoColon([_, says], why) if connection.name == COLON.name => Fails(says, why),
            NoColon([says, _], why) => Fails(says, why),
            cell => cell,
        };
        let run = self.run(client.wrote, command, way, connection);
        let as_expected = match cell {
            Works => {
                *self.works.lock().expect("a count") += 1;
                run.code == 0 && run.stdout.trim_end() == format!("{}@postgres", connection.user)
            }
            DsqlOnly(says, _) | Fails(says, _) => {
                run.code != 0 && run.stdout.is_empty() && run.stderr.contains(says)
            }
            NoColon(..) | Lacks => false,
        };
        if !as_expected {
            self.note(client, way, connection, &run);
        }
    }

    /// Asserts that the client does not log in, because its root certificates do not verify the
    /// server.
    fn is_turned_away(&self, (client, command): &Present) {
        let way = client
            .cells
            .iter()
            .position(|cell| matches!(cell, Works))
            .expect("a way that works");
        let run = self.run(client.wrote, command, way, RDS);
        let says = ["ertificate", "PKIX path"]
            .iter()
            .any(|text| run.stderr.contains(text));
        if run.code == 0 || !run.stdout.is_empty() || !says {
            self.note(client, way, RDS, &run);
        }
    }

    fn note(&self, client: &Client, way: usize, connection: Connection, run: &Run) {
        let (name, way, service) = (client.name, WAYS[way], connection.name);
        let text = format!(
            "{name}, {way}, {service}: {} {:?} {}",
            run.code, run.stdout, run.stderr
        );
        self.wrong.lock().expect("a list").push(text);
    }

    fn run(&self, wrote: Wrote, command: &[String], way: usize, connection: Connection) -> Run {
        let sandbox = &self.cluster.sandbox;
        let mut program = self.cluster.command("env");
        if WAYS[way] == "exec" {
            program.args(["pgcred", "exec", connection.name, "--"]);
        }
        program.args(command);
        let printed = |tool| sandbox.ok(&["setup", tool, connection.name, "--print", "-q"]);
        match (WAYS[way], wrote) {
            // An MCP server takes nothing but a URL.
            ("exec", Url("mcp")) => program.arg("url").env("URL", url_in(&printed("mcp"))),
            ("exec", _) => program.arg("environment"),
            ("url", _) => {
                let url = sandbox.ok(&["token", connection.name, "--format", "url"]);
                program.arg("url").env("URL", url.trim_end())
            }
            (_, Service) => program.arg("environment").env("PGSERVICE", connection.name),
            (_, Url(tool)) => program.arg("url").env("URL", url_in(&printed(tool))),
            (_, Dialog(tool)) => program.arg("dialog").env("DIALOG", printed(tool)),
        };
        if WAYS[way] == "command" {
            program.arg("command").env("CONNECTION", connection.name);
        }
        Run::of(program)
    }
}

/// Runs `work` for several clients at once, because most of the time they are starting.
pub fn for_all(clients: &[Present], work: impl Fn(&Present) + Sync) {
    let next = Mutex::new(clients.iter());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(client) = next.lock().expect("a list").next() else {
                        break;
                    };
                    work(client);
                }
            });
        }
    });
}

/// Returns the URL in the text that pgcred prints for a tool.
fn url_in(text: &str) -> &str {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '"');
    words
        .find(|word| word.starts_with("postgresql://"))
        .expect("a URL")
}

#[test]
fn every_client_in_every_way_with_tokens_of_both_kinds_and_a_colon_in_the_user() {
    skip_unless!(CLUSTER);
    let clients = present();
    let matrix = Matrix::start();
    if clients
        .iter()
        .any(|(client, _)| matches!(client.kind, Kind::Java(_)))
    {
        matrix.trust_public_authority_in_java();
    }
    let cluster = &matrix.cluster;
    for connection in [DSQL, RDS, COLON] {
        for_all(&clients, |client| {
            for way in [1, 2, 3] {
                matrix.log_in(client, way, connection);
            }
        });
        cluster.sandbox.ok(&["refresh", connection.name]);
        for_all(&clients, |client| matrix.log_in(client, 0, connection));
        cluster.sandbox.ok(&["erase", connection.name]);
    }
    let (accepted, works) = (
        cluster.standin.accepted(),
        *matrix.works.lock().expect("a count"),
    );
    // a pool may log in more often than it is asked to
    assert!(accepted >= works, "{accepted} of {works}");

    // Each client that logged in to RDS has verified it.
    cluster.sandbox.ok(&["refresh", RDS.name]);
    cluster.carry_wrong_rds_roots();
    for_all(&clients, |client| matrix.is_turned_away(client));
    assert_eq!(cluster.standin.accepted(), accepted);
    let wrong = matrix.wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the command of one client if this machine has it.
pub fn one(name: &str) -> Option<Vec<String>> {
    let client = CLIENTS
        .iter()
        .find(|client| client.name == name)
        .expect("in the table");
    let command = client.command();
    version_of(client, &command).and(command.ok())
}

/// tokio-postgres knows only three modes of TLS.
#[test]
fn tokio_postgres_takes_the_url_of_a_weaker_sslmode() {
    skip_unless!(CLUSTER);
    let Some(command) = one("tokio-postgres") else {
        return;
    };
    let matrix = Matrix::start();
    for Connection { host, user, .. } in [DSQL, RDS] {
        let target = format!("host={host} user={user} sslmode=require");
        let url = matrix
            .cluster
            .sandbox
            .ok(&["token", &target, "--format", "url"]);
        let roots = matrix.cluster.sandbox.ok(&["roots", host]);
        let mut program = matrix.cluster.command(&command[0]);
        program
            .arg("url")
            .env("URL", url.trim_end())
            .env("ROOTS", roots.trim_end());
        let run = Run::of(program);
        assert_eq!(run.stdout, format!("{user}@postgres\n"), "{}", run.stderr);
    }
}

/// Node's roots verify Aurora DSQL, but postgres.js still cannot use the URL, as the table says.
#[test]
fn postgres_js_sends_sslrootcert_to_the_server() {
    skip_unless!(CLUSTER);
    let Some(command) = one("postgres.js") else {
        return;
    };
    let matrix = Matrix::start();
    let sandbox = &matrix.cluster.sandbox;
    let url = sandbox.ok(&["token", DSQL.name, "--format", "url"]);
    let mut program = matrix.cluster.command(&command[0]);
    program
        .args(&command[1..])
        .arg("url")
        .env("URL", url.trim_end());
    program.env("NODE_EXTRA_CA_CERTS", sandbox.path("etc/public-ca.pem"));
    let run = Run::of(program);
    assert!(
        run.stderr
            .contains(r#"setting configuration parameter "sslrootcert" not supported"#),
        "{}",
        run.stderr
    );
}

/// The page of `DbGate` warns of this setting: the token goes to a server that was not verified.
#[test]
fn dbgates_use_ssl_alone_verifies_nobody() {
    skip_unless!(CLUSTER);
    let Some(command) = one("DbGate") else { return };
    let matrix = Matrix::start();
    let sandbox = &matrix.cluster.sandbox;
    sandbox.ok(&["refresh", RDS.name]);
    let mut program = matrix.cluster.command(&command[0]);
    program.args(&command[1..]).arg("use-ssl-alone");
    program.env(
        "DIALOG",
        sandbox.ok(&["setup", "dbgate", RDS.name, "--print", "-q"]),
    );
    let run = Run::of(program);
    assert_eq!(run.stdout, "app@postgres\n", "{}", run.stderr);
}

/// Aurora DSQL refuses what these send by default; tests/clients/README.md has the options.
#[test]
fn pools_of_asyncpg_and_sqlalchemy_on_psycopg_3_need_an_option_on_aurora_dsql() {
    skip_unless!(CLUSTER, package("asyncpg"), package("sqlalchemy"));
    let matrix = Matrix::start();
    let cluster = &matrix.cluster;
    cluster.sandbox.ok(&["refresh", DSQL.name]);
    for (program, by_default, with_option, refusal) in [
        (
            "asyncpg.py",
            "pool",
            "pool-reset",
            "function pg_advisory_unlock_all not supported",
        ),
        (
            "sqlalchemy.py",
            "psycopg",
            "psycopg-without-hstore",
            "unsupported transaction statement: SAVEPOINT",
        ),
    ] {
        let run = |how| {
            let mut client = cluster.command(&python());
            client
                .arg("-IB")
                .arg(root().join("tests/clients").join(program));
            client.arg(how).env("PGSERVICE", DSQL.name);
            Run::of(client)
        };
        let refused = run(by_default);
        assert!(refused.stderr.contains(refusal), "{}", refused.stderr);
        assert_ne!(refused.code, 0, "{}", refused.stdout);
        let works = run(with_option);
        assert_eq!(works.stdout, "admin@postgres\n", "{}", works.stderr);
    }
}

/// tests/clients/README.md shows what the table above proves.
#[test]
fn the_readme_shows_the_table() {
    let mut table =
        "| client | set up by | passfile | `--format url` | command | `pgcred exec` |\n\
         |---|---|---|---|---|---|\n"
            .to_owned();
    for client in CLIENTS {
        let cells = client.cells.map(|cell| match cell {
            Works => "works".to_owned(),
            DsqlOnly(_, why) => format!("DSQL works, RDS fails: {why}"),
            NoColon(_, why) => {
                format!("DSQL works, RDS and a user with a colon fail: {why}")
            }
            Fails(_, why) => format!("fails: {why}"),
            Lacks => "-".to_owned(),
        });
        let tool = match client.wrote {
            Service => "psql",
            Url(tool) | Dialog(tool) => tool,
        };
        let _ = writeln!(
            table,
            "| {} | {tool} | {} |",
            client.name,
            cells.join(" | ")
        );
    }
    let readme = fs::read_to_string(root().join("tests/clients/README.md")).expect("a README");
    assert!(
        readme.contains(&table),
        "tests/clients/README.md has to show:\n{table}"
    );
}
