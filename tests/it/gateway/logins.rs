//! Who is let in by the gateway, and as whom.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tokio_postgres::error::SqlState;

use crate::gateway::machine::{DSQL, Machine, RDS, WHO};
use crate::gateway::wire::{self, PROTOCOL_3_0};
use crate::support::needs::{CLUSTER, program, skip_unless};
use crate::support::owners::set_mode;
use crate::support::sandbox::{NOBODY, Run};

#[test]
fn psql_logs_in_at_both_services_with_one_token_each() {
    skip_unless!(CLUSTER);
    let mut machine = Machine::new();
    let marks = machine.count_credential_runs();
    let gateway = machine.start(&[]);
    for (connection, most) in [(DSQL, 1), (RDS, 2)] {
        for _ in 0..3 {
            machine.assert_session(connection);
        }
        let runs = fs::read_to_string(&marks).expect("a file").lines().count();
        assert!(runs <= most, "{runs}");
    }
    assert_eq!(machine.cluster.standin.accepted(), 6);
    assert_eq!(machine.cluster.standin.refused(), 0);
    gateway.wait_for("pgcred: rds: app from 127.0.0.1:");
    assert!(gateway.said().contains(": ended after "));
}

#[test]
fn another_password_is_refused_before_anything_is_asked_of_the_server() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let gateway = machine.start(&[]);
    let wrong = machine.password(RDS);
    let error = machine.refused_with(DSQL, "admin", &wrong);
    assert_eq!(error.code(), &SqlState::INVALID_PASSWORD);
    assert_eq!(
        error.message(),
        "password authentication failed for user \"admin\""
    );
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("pgcred proxy --password dsql"), "{hint}");

    let mut psql = machine.psql(DSQL, &["-c", WHO]);
    let run = Run::of({
        psql.env("PGPASSWORD", "");
        psql
    });
    assert_ne!(run.code, 0);
    assert!(machine.cluster.standin.events().is_empty());
    gateway.wait_for("refused: ");
    assert!(!gateway.said().contains(&wrong));
}

#[test]
fn only_the_user_of_the_connection_is_logged_in() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let error = machine.refused_with(DSQL, "app", &machine.password(DSQL));
    assert_eq!(error.code(), &SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
    assert_eq!(error.message(), "this gateway logs in as admin");
    // Whoever does not know the password does not learn who has it.
    let error = machine.refused_with(DSQL, "app", "another");
    assert_eq!(error.code(), &SqlState::INVALID_PASSWORD);
    assert!(machine.cluster.standin.events().is_empty());
}

/// libpq sends the user's name as the database where it was told none.
#[test]
fn the_database_is_that_of_the_connection_if_the_client_names_none() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    for connection in [DSQL, RDS] {
        let mut psql = machine.psql(connection, &["-c", WHO]);
        psql.env_remove("PGDATABASE");
        let run = Run::of(psql);
        let who = format!("{}@postgres\n", connection.user);
        assert_eq!(run.stdout, who, "{}", run.stderr);
    }
    machine.cluster.sql("create database other");
    let other = Run::of(machine.psql(RDS, &["-d", "other", "-c", WHO]));
    assert_eq!(other.stdout, "app@other\n", "{}", other.stderr);
}

#[test]
fn what_a_client_asks_of_its_session_reaches_the_server() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let show = "select current_setting('application_name') || ' ' || current_setting('geqo')";
    let mut psql = machine.psql(RDS, &["-c", show]);
    psql.env("PGAPPNAME", "an application")
        .env("PGOPTIONS", "-c geqo=off");
    let run = Run::of(psql);
    assert_eq!(run.stdout, "an application off\n", "{}", run.stderr);
}

#[test]
fn replication_is_refused() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut psql = machine.psql(RDS, &["-d", "replication=database", "-c", WHO]);
    let run = Run::of({
        psql.env_remove("PGDATABASE");
        psql
    });
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert!(run.stderr.contains("FATAL:"), "{}", run.stderr);
    assert!(machine.cluster.standin.events().is_empty());
}

/// Runs psql over the gateway's socket, without a password.
fn over_the_socket(machine: &Machine, mut command: Command) -> Run {
    command.args(["timeout", "60", "psql", "-XAtwc", WHO]);
    command
        .env("PGHOST", machine.sockets())
        .env("PGPORT", machine.port(DSQL).to_string())
        .env("PGUSER", DSQL.user)
        .env("PGDATABASE", "postgres");
    Run::of(command)
}

#[test]
fn the_socket_serves_its_owner_without_a_password() {
    skip_unless!(CLUSTER, program("setpriv"));
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let sandbox = &machine.cluster.sandbox;
    let mode = |path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(machine.sockets()), 0o700);
    assert_eq!(mode(machine.socket(DSQL)), 0o600);
    let run = over_the_socket(&machine, sandbox.command("env"));
    assert_eq!(run.stdout, "admin@postgres\n", "{}", run.stderr);

    // Another user does not reach it, and is refused where somebody has opened the way.
    let other = || {
        let mut setpriv = sandbox.command("setpriv");
        setpriv
            .arg(format!("--reuid={NOBODY}"))
            .arg("--clear-groups");
        over_the_socket(&machine, setpriv)
    };
    let run = other();
    assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
    set_mode(sandbox.home(), 0o755); // psql starts there
    set_mode(sandbox.own(), 0o755);
    set_mode(&sandbox.own().join("cache"), 0o755);
    set_mode(&machine.sockets(), 0o755);
    set_mode(&machine.socket(DSQL), 0o666);
    let run = other();
    let says = "FATAL:  this gateway serves only the user who started it";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    assert_eq!(machine.cluster.standin.events().len(), 1);
}

#[test]
fn a_port_without_a_password_serves_only_its_owner() {
    skip_unless!(CLUSTER, program("setpriv"));
    let machine = Machine::new();
    machine.configure("auth = \"none\"");
    let _gateway = machine.start(&[]);
    let psql = |mut command: Command| {
        command.args(["timeout", "60", "psql", "-XAtwc", WHO]);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", machine.port(DSQL).to_string())
            .env("PGUSER", DSQL.user)
            .env("PGDATABASE", "postgres");
        Run::of(command)
    };
    let sandbox = &machine.cluster.sandbox;
    let run = psql(sandbox.command("env"));
    assert_eq!(run.stdout, "admin@postgres\n", "{}", run.stderr);
    let mut setpriv = sandbox.command("setpriv");
    setpriv
        .arg(format!("--reuid={NOBODY}"))
        .arg("--clear-groups");
    let run = psql(setpriv);
    let says = "FATAL:  this gateway serves only the user who started it";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    assert_eq!(machine.cluster.standin.events().len(), 1);
}

#[test]
fn no_more_connections_than_allowed() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&["--max-connections", "1"]);
    let first = machine.psql(RDS, &["-c", "select pg_sleep(60)"]).spawn();
    let mut first = first.expect("psql");
    crate::commands::exec::wait_until("a session", || machine.cluster.standin.accepted() == 1);
    let error = machine.refused(RDS);
    assert_eq!(error.code(), &SqlState::TOO_MANY_CONNECTIONS);
    assert!(
        error.message().ends_with("limit is 1"),
        "{}",
        error.message()
    );
    first.kill().expect("a process");
    first.wait().expect("an end");
}

/// The answer to a client that begins without TLS is the request for the local password.
#[test]
fn the_password_is_asked_for_by_scram_alone() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    for user in ["admin", "somebody"] {
        let mut stream = machine.dial(DSQL);
        let message = wire::startup(PROTOCOL_3_0, &[("user", user)]);
        std::io::Write::write_all(&mut stream, &message).expect("sent");
        let asked = wire::read(&mut stream);
        assert_eq!(asked, ('R', b"\0\0\0\x0aSCRAM-SHA-256\0\0".to_vec()));
    }
}
