//! Every client of the matrix that can be given a password, with the gateway's own, and psql over
//! several connections.

use std::sync::Mutex;

use crate::clients::matrix::for_all;
use crate::clients::programs::{Cell, Present, built, present};
use crate::gateway::machine::{Connection, DSQL, Machine, RDS};
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::Run;

/// Runs a client with the gateway's address and the local password: as a URL, or, where it has no
/// such way, as PG* variables.
fn log_in(machine: &Machine, connection: Connection, (client, command): &Present) -> Option<Run> {
    let Connection { user, .. } = connection;
    let (port, password) = (machine.port(connection), machine.password(connection));
    let at = format!("127.0.0.1:{port}/postgres?sslmode=disable");
    let url = match client.name {
        // the matrix says why
        "pgjdbc" => format!("postgresql://{at}&user={user}&password={password}"),
        _ => format!("postgresql://{user}:{password}@{at}"),
    };
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
