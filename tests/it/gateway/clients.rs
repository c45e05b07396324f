//! Every client of the matrix that can be given a password, with the gateway's own; several
//! connections of psql; a cancel by pgjdbc; pools whose sessions outlive the token.

use std::sync::Mutex;

use crate::clients::matrix::for_all;
use crate::clients::programs::{CLIENTS, Cell, Present, built, present, version_of};
use crate::gateway::machine::{Connection, DSQL, Machine, RDS, runs};
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::Run;

/// Runs a client with the gateway's address and the local password: as a URL, or, where it has no
/// such way, as PG* variables.
fn log_in(machine: &Machine, connection: Connection, (client, command): &Present) -> Option<Run> {
    let url = url_of(machine, connection, client.name);
    let way = match (client.name, client.cells[1]) {
        ("psqlODBC", _) => "environment",
        (_, Cell::Lacks) | ("pg8000", _) => return None, // pg8000's program insists on TLS
        _ => "url",
    };
    let mut program = machine.psql_alone(connection, &command[0]);
    program.args(&command[1..]).arg(way);
    if way == "url" {
        program.env("URL", url);
    }
    program.env("NODE_PATH", built().join("node_modules"));
    // tokio-postgres's program wants a file of root certificates, even if there is no TLS.
    program.env("ROOTS", machine.cluster.sandbox.path("rds-roots.pem"));
    Some(Run::of(program))
}

fn url_of(machine: &Machine, connection: Connection, client: &str) -> String {
    let Connection { user, .. } = connection;
    let (port, password) = (machine.port(connection), machine.password(connection));
    let at = format!("127.0.0.1:{port}/postgres?sslmode=disable");
    match client {
        // the matrix says why
        "pgjdbc" => format!("postgresql://{at}&user={user}&password={password}"),
        _ => format!("postgresql://{user}:{password}@{at}"),
    }
}

/// Returns a client of the matrix, if this machine has it.
fn client(name: &str) -> Option<Present> {
    let client = CLIENTS.iter().find(|client| client.name == name);
    let client = client.expect("a client of the matrix");
    let command = client.command();
    version_of(client, &command)?;
    Some((client, command.ok()?))
}

/// Runs a client's program in one of its other ways.
fn run(machine: &Machine, connection: Connection, client: &Present, way: &[&str]) -> Run {
    let (client, command) = client;
    let mut program = machine.psql_alone(connection, &command[0]);
    program.args(&command[1..]).args(way);
    program.env("URL", url_of(machine, connection, client.name));
    program.env("NODE_PATH", built().join("node_modules"));
    Run::of(program)
}

#[test]
fn every_client_logs_in_with_the_local_password() {
    skip_unless!(CLUSTER);
    let clients = present();
    let machine = Machine::with(|config| config.strict = true);
    let _gateway = machine.start(&[]);
    let wrong = Mutex::new(Vec::new());
    for connection in [DSQL, RDS] {
        for_all(&clients, |present| {
            let Some(run) = log_in(&machine, connection, present) else {
                return;
            };
            if run.stdout.trim_end() != format!("{}@postgres", connection.user) {
                let (client, service) = (present.0.name, connection.name);
                let text = format!("{client}, {service}: {:?} {}", run.stdout, run.stderr);
                wrong.lock().expect("a list").push(text);
            }
        });
    }
    let wrong = wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(machine.cluster.standin.refused(), 0);
}

#[test]
fn psql_connects_again_in_the_same_session() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let run = Run::of(machine.psql(RDS, &["-c", "\\c", "-c", "select 1", "-c", "\\c - - - -"]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(machine.cluster.standin.accepted(), 3, "{}", run.stderr);
}

#[test]
fn pgjdbc_cancels_a_statement() {
    skip_unless!(CLUSTER);
    let Some(pgjdbc) = client("pgjdbc") else {
        return;
    };
    let machine = Machine::new();
    let gateway = machine.start(&[]);
    for connection in [DSQL, RDS] {
        let run = run(&machine, connection, &pgjdbc, &["cancel"]);
        assert_eq!(run.stdout, "57014\ngoes on\n", "{}", run.stderr);
    }
    assert!(!gateway.said().contains("refused"), "{}", gateway.said());
}

/// Two sessions are older than their token when the pool opens a third one.
fn a_pool_outlives_the_token(name: &str, way: &str) {
    let Some(client) = client(name) else {
        return;
    };
    let mut machine = Machine::new();
    let sandbox = &machine.cluster.sandbox;
    sandbox.ok(&["add", "dsql", "--expires-in", "9", "--replace"]);
    let marks = machine.count_credential_runs();
    let _gateway = machine.start(&[]);
    let run = run(&machine, DSQL, &client, &[way, "10"]);
    assert_eq!(run.stdout, "sessions go on\n", "{}", run.stderr);
    let standin = &machine.cluster.standin;
    assert_eq!((standin.accepted(), standin.refused()), (3, 0));
    assert_eq!(runs(&marks), 2);
}

#[test]
fn a_pool_of_node_postgres_outlives_the_token() {
    skip_unless!(CLUSTER);
    a_pool_outlives_the_token("node-postgres", "pool");
}

#[test]
fn a_pool_of_asyncpg_outlives_the_token() {
    skip_unless!(CLUSTER);
    a_pool_outlives_the_token("asyncpg", "old-pool");
}
