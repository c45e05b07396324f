//! The client matrix: every client, in every way, with a token of DSQL and one of RDS, against the stand-in.
//!
//! `tests/clients` has a program per client; its README holds the table below in words, and a test compares them.
//! Each runs in a mount namespace of its own, whose /etc/hosts sends the clusters' names to the stand-in.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs, io, thread};

use crate::cluster::Cluster;
use crate::sandbox::{HOST, RDS_HOST, Run};
use crate::source::root;
use crate::stubs::python;

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

struct Client {
    name: &'static str,
    /// Where it comes from, for whom it is missing.
    package: &'static str,
    kind: Kind,
    /// In the order of `WAYS`.
    cells: [Cell; 4],
}

/// What runs its program in tests/clients.
enum Kind {
    Script(&'static str, &'static str),
    Python(&'static str),
    /// An example of this crate, and the crate it is about.
    Rust(&'static str, &'static str, &'static str),
    Go(&'static str),
    Java(&'static str),
}

/// `~/.pgpass` as `pgcred refresh` leaves it; `token --format url`; `token --format raw`, asked for by the client's own hook
/// where it has one; `pgcred exec`.
const WAYS: [&str; 4] = ["passfile", "url", "command", "exec"];

const ESCAPE: Cell = DsqlOnly("PAM authentication failed", r"keeps the `\` before `:` in a passfile");

const TOKIO_POSTGRES: Cell = Fails("password missing", "reads no passfile");
const PG8000: Cell = Fails("no password was provided", "reads no passfile");
/// It sends a password of its own then; either service refuses it.
const POSTGRES_JS: Cell = Fails("    at ErrorResponse (", "reads no passfile");

const CLIENTS: &[Client] = &[
    Client {
        name: "psql",
        package: "postgresql-client (Debian)",
        kind: Kind::Script("sh", "psql.sh"),
        cells: [Works; 4],
    },
    Client { name: "psycopg 3", package: "psycopg (pip)", kind: Kind::Python("psycopg.py"), cells: [Works; 4] },
    Client {
        name: "psqlODBC",
        package: "odbc-postgresql, unixodbc (Debian)",
        kind: Kind::Script("sh", "psqlodbc.sh"),
        cells: [Works, Lacks, Works, Works],
    },
    Client { name: "pgcli", package: "pgcli (pip)", kind: Kind::Python("pgcli.py"), cells: [Works; 4] },
    Client {
        name: "asyncpg",
        package: "asyncpg (pip)",
        kind: Kind::Python("asyncpg.py"),
        cells: [ESCAPE, Works, Works, ESCAPE],
    },
    Client {
        name: "pg8000",
        package: "pg8000 (pip)",
        kind: Kind::Python("pg8000.py"),
        cells: [PG8000, Lacks, Works, PG8000],
    },
    Client { name: "DuckDB", package: "duckdb-ext-postgres (pip)", kind: Kind::Python("duckdb.py"), cells: [Works; 4] },
    Client {
        name: "node-postgres",
        package: "pg (npm)",
        kind: Kind::Script("node", "node-postgres.js"),
        cells: [Works; 4],
    },
    Client {
        name: "postgres.js",
        package: "postgres (npm)",
        kind: Kind::Script("node", "postgres.js"),
        cells: [POSTGRES_JS, Works, Works, POSTGRES_JS],
    },
    Client {
        name: "pgjdbc",
        package: "default-jdk-headless, libpostgresql-jdbc-java (Debian)",
        kind: Kind::Java("Jdbc"),
        cells: [
            Works,
            Fails("UnknownHostException", "takes `user:password@` for a part of the host, and shows it in the error"),
            Works,
            Works,
        ],
    },
    Client { name: "pgx", package: "golang-github-jackc-pgx-v4-dev", kind: Kind::Go("pgx"), cells: [Works; 4] },
    Client { name: "lib/pq", package: "golang-github-lib-pq-dev", kind: Kind::Go("lib-pq"), cells: [Works; 4] },
    Client {
        name: "sqlx 0.9",
        package: "cargo test",
        kind: Kind::Rust("client-sqlx", "sqlx", "0.9."),
        cells: [Works; 4],
    },
    Client {
        name: "sqlx 0.8",
        package: "cargo test",
        kind: Kind::Rust("client-sqlx-0-8", "sqlx", "0.8."),
        cells: [ESCAPE, Works, Works, ESCAPE],
    },
    Client {
        name: "tokio-postgres",
        package: "cargo test",
        kind: Kind::Rust("client-tokio-postgres", "tokio-postgres", ""),
        cells: [
            TOKIO_POSTGRES,
            Fails("InvalidValue(\"sslmode\")", "knows no `verify-full`; works with PGSSLMODE=require"),
            Works,
            TOKIO_POSTGRES,
        ],
    },
    Client {
        name: "PHP",
        package: "php-cli, php-pgsql (Debian)",
        kind: Kind::Script("php", "php.php"),
        cells: [Works; 4],
    },
    Client {
        name: "DBD::Pg",
        package: "libdbd-pg-perl (Debian)",
        kind: Kind::Script("perl", "dbd-pg.pl"),
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
    /// Returns the program with its arguments, built where it has to be; a reason if that cannot be.
    fn command(&self) -> Result<Vec<String>, String> {
        let source = |name: &str| root().join("tests/clients").join(name).display().to_string();
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Ok(match self.kind {
            Kind::Script(interpreter, file) => words(&[interpreter, &source(file)]),
            Kind::Python(file) => words(&[&python(), "-IB", &source(file)]),
            Kind::Rust(example, ..) => {
                let folder = Path::new(env!("CARGO_BIN_EXE_pgcred")).with_file_name("examples");
                let program = folder.join(example).display().to_string();
                fs::metadata(&program).map_err(|error| format!("{program}: {error}"))?;
                words(&[&program])
            }
            Kind::Go(name) => {
                let program = built().join(name).display().to_string();
                let mut version = Command::new("dpkg-query");
                let version = finish(version.args(["-W", "-f", "${source:Package} ${source:Version}", self.package]))?;
                let mut go = Command::new("go");
                go.args(["build", "-o", &program, "-ldflags", &format!("-X 'main.version={version}'")]);
                go.arg(source(&format!("{name}.go"))).env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
                finish(go.env("GOFLAGS", "").env("GOCACHE", built().join("go-cache")))?;
                words(&[&program])
            }
            Kind::Java(class) => {
                let jar = "/usr/share/java/postgresql.jar";
                let folder = built().display().to_string();
                finish(Command::new("javac").args(["-cp", jar, "-d", &folder, &source(&format!("{class}.java"))]))?;
                words(&["java", "-XX:TieredStopAtLevel=1", "-cp", &format!("{folder}:{jar}"), class])
            }
        })
    }

    fn version(&self, command: &[String]) -> Result<String, String> {
        if let Kind::Rust(_, name, version) = self.kind {
            let lock: toml::Table =
                fs::read_to_string(root().join("Cargo.lock")).expect("a lock").parse().expect("TOML");
            let packages = lock["package"].as_array().expect("packages");
            let text = |package: &toml::Value, key: &str| package[key].as_str().expect("a text").to_owned();
            let package = packages
                .iter()
                .find(|package| text(package, "name") == name && text(package, "version").starts_with(version));
            return Ok(format!("{name} {}", text(package.expect("the crate"), "version")));
        }
        finish(
            Command::new(&command[0]).args(&command[1..]).arg("version").env("NODE_PATH", built().join("node_modules")),
        )
    }
}

fn finish(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Those that are here. With `PGCRED_TEST_ALL` or `CI` all have to be; without, the missing ones are named.
fn present() -> Vec<(&'static Client, Vec<String>)> {
    fs::create_dir_all(built()).expect("a folder");
    let all = ["PGCRED_TEST_ALL", "CI"].iter().any(|name| env::var_os(name).is_some());
    let mut found = Vec::new();
    for client in CLIENTS {
        match client.command().and_then(|command| Ok((client.version(&command)?, command))) {
            Ok((version, command)) => {
                say(&format!("{}: {version}", client.name));
                found.push((client, command));
            }
            Err(why) => {
                let missing = format!("client {} is missing; {} has it: {why}", client.name, client.package);
                assert!(!all, "{missing}");
                say(&format!("NOT TESTED: {missing}"));
            }
        }
    }
    found
}

struct Matrix {
    cluster: Cluster,
    works: Mutex<usize>,
    wrong: Mutex<Vec<String>>,
}

impl Matrix {
    fn start() -> Self {
        let mut cluster = Cluster::start();
        let folder = Path::new(env!("CARGO_BIN_EXE_pgcred")).parent().expect("a folder");
        let path = format!("{}:{}", folder.display(), env::var("PATH").expect("PATH"));
        let modules = built().join("node_modules").display().to_string();
        let sandbox = &mut cluster.sandbox;
        sandbox.set("PATH", &path).set("NODE_PATH", &modules).set("PGPORT", "5432");
        Self { cluster, works: Mutex::default(), wrong: Mutex::default() }
    }

    fn aim(&mut self, host: &str, user: &str) {
        self.cluster.aim(host, user);
        let roots = if host == RDS_HOST { "rds-roots.pem" } else { "etc/public-ca.pem" };
        let sandbox = &mut self.cluster.sandbox;
        let roots = sandbox.path(roots).display().to_string();
        sandbox.set("NODE_EXTRA_CA_CERTS", &roots);
        let url = sandbox.ok(&["token", "--format", "url"]);
        sandbox.set("URL", url.trim_end());
    }

    fn log_in(&self, client: &Client, command: &[String], way: usize, rds: bool) {
        let cell = match client.cells[way] {
            Lacks => return,
            DsqlOnly(..) if !rds => Works,
            cell => cell,
        };
        let run = self.run(command, way);
        let as_expected = match cell {
            Works => {
                *self.works.lock().expect("a count") += 1;
                run.code == 0 && run.stdout.trim_end() == if rds { "app@postgres" } else { "admin@postgres" }
            }
            DsqlOnly(says, _) | Fails(says, _) => run.code != 0 && run.stdout.is_empty() && run.stderr.contains(says),
            Lacks => false,
        };
        if !as_expected {
            let provider = if rds { "RDS" } else { "DSQL" };
            let (name, way) = (client.name, WAYS[way]);
            let text = format!("{name}, {way}, {provider}: {} {:?} {}", run.code, run.stdout, run.stderr);
            self.wrong.lock().expect("a list").push(text);
        }
    }

    fn run(&self, command: &[String], way: usize) -> Run {
        let mut program = self.cluster.command("env");
        if WAYS[way] == "exec" {
            program.args(["pgcred", "exec", "--"]);
        }
        program.args(command);
        program.arg(if ["url", "command"].contains(&WAYS[way]) { WAYS[way] } else { "environment" });
        Run::of(program)
    }

    /// A few at once: most of the time they start up.
    fn log_in_all(&self, clients: &[(&Client, Vec<String>)], ways: &[usize], rds: bool) {
        let next = Mutex::new(clients.iter());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let Some((client, command)) = next.lock().expect("a list").next() else { break };
                        for &way in ways {
                            self.log_in(client, command, way, rds);
                        }
                    }
                });
            }
        });
    }
}

#[test]
fn every_client_in_every_way_with_tokens_of_both_kinds() {
    let clients = present();
    let mut matrix = Matrix::start();
    for (host, user) in [(HOST, "admin"), (RDS_HOST, "app")] {
        matrix.aim(host, user);
        let rds = host == RDS_HOST;
        matrix.log_in_all(&clients, &[1, 2, 3], rds);
        matrix.cluster.sandbox.ok(&["refresh"]);
        matrix.cluster.sandbox.unset("URL");
        matrix.log_in_all(&clients, &[0], rds);
        matrix.cluster.sandbox.ok(&["erase", "--all"]);
    }
    let wrong = matrix.wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(matrix.cluster.standin.accepted(), matrix.works.into_inner().expect("a count"));
}

/// What the table promises for tokio-postgres, which knows three modes only.
#[test]
fn tokio_postgres_takes_the_url_of_a_weaker_sslmode() {
    let client = CLIENTS.iter().find(|client| client.name == "tokio-postgres").expect("in the table");
    let command = client.command().expect("a path");
    let mut matrix = Matrix::start();
    matrix.cluster.sandbox.set("PGSSLMODE", "require");
    for (host, user) in [(HOST, "admin"), (RDS_HOST, "app")] {
        matrix.aim(host, user);
        let run = matrix.run(&command, 1);
        assert_eq!(run.stdout, format!("{user}@postgres\n"), "{}", run.stderr);
    }
}

/// tests/clients/README.md shows what the table above proves.
#[test]
fn the_readme_shows_the_table() {
    let mut table =
        "| client | passfile | `--format url` | command | `pgcred exec` |\n|---|---|---|---|---|\n".to_owned();
    for client in CLIENTS {
        let cells = client.cells.map(|cell| match cell {
            Works => "works".to_owned(),
            DsqlOnly(_, why) => format!("DSQL works, RDS fails: {why}"),
            Fails(_, why) => format!("fails: {why}"),
            Lacks => "-".to_owned(),
        });
        let _ = writeln!(table, "| {} | {} |", client.name, cells.join(" | "));
    }
    let readme = fs::read_to_string(root().join("tests/clients/README.md")).expect("a README");
    assert!(readme.contains(&table), "tests/clients/README.md has to show:\n{table}");
}
