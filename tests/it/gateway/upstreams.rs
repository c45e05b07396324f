//! Servers that are hostile, broken or silent: each gives the client an error in words, with a
//! SQLSTATE and a hint, and none gets a token that it must not have.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use standin::{Answer, Event, Fault};

use crate::gateway::machine::{Connection, DSQL, Machine, RDS};
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::Run;

/// A fault, the connections that meet it, the SQLSTATE and a part of the text.
type Row = (Fault, &'static [Connection], &'static str, &'static str);

/// Asserts how a fault is told. The gateway goes on after it.
fn meets(machine: &Machine, (fault, connections, code, says): Row) {
    machine.cluster.standin.set_fault(Some(fault));
    for connection in connections {
        let began = Instant::now();
        let error = machine.refused(*connection);
        let about = format!("{fault:?} at {}: {error:?}", connection.name);
        assert_eq!(error.severity(), "FATAL", "{about}");
        assert_eq!(error.code().code(), code, "{about}");
        assert!(error.message().contains(says), "{about}");
        assert_ne!(error.hint().unwrap_or_default(), "", "{about}");
        assert!(began.elapsed() < Duration::from_secs(45), "{about}");
    }
    let events = machine.cluster.standin.events();
    assert!(
        events
            .iter()
            .all(|event| event.outcome != Event::SENT_IN_CLEAR),
        "a token went out without TLS"
    );
}

const BOTH: &[Connection] = &[DSQL, RDS];
const ONLY_DSQL: &[Connection] = &[DSQL];
/// Aurora DSQL is spoken to by TLS at once, so that there is no request to answer.
const ONLY_RDS: &[Connection] = &[RDS];

#[test]
fn servers_that_refuse_or_fake_tls() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    for row in [
        (Fault::TlsRefused, ONLY_RDS, "08001", "refuses TLS"),
        (Fault::AsksInClear, ONLY_RDS, "08001", "refuses TLS"),
        (
            Fault::ClosesAfterSslRequest,
            ONLY_RDS,
            "08001",
            "cannot reach",
        ),
        (
            Fault::ErrorAfterSslRequest,
            ONLY_RDS,
            "08001",
            "with an error",
        ),
        (Fault::PlainAfterS, ONLY_RDS, "08001", "TLS"),
        (Fault::NoDirectTls, ONLY_DSQL, "08001", "cannot reach"),
        (Fault::Closes, BOTH, "08001", "cannot reach"),
        (Fault::HttpServer, BOTH, "08001", "cannot reach"),
        (Fault::MysqlServer, BOTH, "08001", "cannot reach"),
        (Fault::TlsVersion, BOTH, "08001", "TLS"),
    ] {
        meets(&machine, row);
    }
    assert!(machine.cluster.standin.events().is_empty());
    machine.cluster.standin.set_fault(None);
    machine.assert_session(DSQL);
    machine.assert_session(RDS);
}

#[test]
fn servers_whose_certificate_does_not_verify() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    // what other clients are told does not weaken the gateway
    let config = machine.cluster.sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    let weaker = text.replace("user = ", "sslmode = \"require\"\nuser = ");
    fs::write(&config, weaker).expect("a file");
    let _gateway = machine.start(&[]);
    for row in [
        (
            Fault::CertOtherName,
            BOTH,
            "08001",
            "certificate is not for",
        ),
        (Fault::CertExpired, BOTH, "08001", "TLS"),
        (Fault::CertNotYetValid, BOTH, "08001", "TLS"),
        (Fault::CertSelfSigned, BOTH, "08001", "verifies the server"),
        (Fault::CertUnknownCa, BOTH, "08001", "verifies the server"),
        (Fault::CertCompanyCa, BOTH, "08001", "verifies the server"),
        (Fault::CertRdsCa, ONLY_DSQL, "08001", "verifies the server"),
        (
            Fault::CertPublicCa,
            ONLY_RDS,
            "08001",
            "verifies the server",
        ),
    ] {
        meets(&machine, row);
    }
    assert!(machine.cluster.standin.events().is_empty());
}

#[test]
fn servers_that_break_off_or_answer_nonsense_in_the_login() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&[]);
    for row in [
        (Fault::NoAlpn, ONLY_DSQL, "08001", "ALPN"),
        (Fault::ClosesAfterStartup, BOTH, "08001", "failed"),
        (Fault::ClosesAfterPassword, BOTH, "08001", "failed"),
        (Fault::BrokenLength, BOTH, "08001", "failed"),
        (Fault::LongError, BOTH, "08001", "failed"),
        (Fault::EndlessNotices, BOTH, "08001", "failed"),
        (Fault::ControlCharacters, BOTH, "28000", "first line"),
    ] {
        meets(&machine, row);
    }
    machine.cluster.standin.set_fault(None);
    for answer in [Answer::RdsAsksScram, Answer::RdsAsksMd5] {
        machine.cluster.standin.set_answer(Some(answer));
        let error = machine.refused(RDS);
        assert_eq!(error.code().code(), "08P01", "{error:?}");
        assert_ne!(error.hint().unwrap_or_default(), "");
    }
    gateway.signal(Signal::SIGTERM);
    let (_, said) = gateway.end();
    let strange = |c: char| c.is_control() && c != '\n';
    assert!(
        !said.contains(strange) && !said.contains('\u{202e}'),
        "{said:?}"
    );
}

/// The gateway has 10 s for connection and TLS, and 30 s for the login.
#[test]
fn servers_that_say_nothing() {
    skip_unless!(CLUSTER);
    thread::scope(|scope| {
        for faults in [
            &[
                (Fault::Silent, "cannot reach"),
                (Fault::SilentAfterStartup, "no verdict"),
            ][..],
            &[
                (Fault::SilentTls, "cannot reach"),
                (Fault::SilentAfterPassword, "no verdict"),
            ],
            &[(Fault::SlowTls, "cannot reach")],
        ] {
            scope.spawn(move || {
                let machine = Machine::new();
                let _gateway = machine.start(&[]);
                for (fault, says) in faults {
                    meets(&machine, (*fault, ONLY_RDS, "08001", says));
                }
                machine.cluster.standin.set_fault(None);
                machine.assert_session(RDS);
            });
        }
    });
}

#[test]
fn other_roots_verify_nobody() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    machine.cluster.carry_wrong_rds_roots();
    let _gateway = machine.start(&[]);
    let error = machine.refused(RDS);
    assert_eq!(error.code().code(), "08001");
    assert!(error.message().contains("verifies the server"), "{error:?}");
    assert!(machine.cluster.standin.events().is_empty());
}

/// A file of roots that is not there never means the system's roots, which believe many more.
#[test]
fn roots_that_cannot_be_read_keep_the_gateway_from_starting() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let file = machine.cluster.sandbox.own().join("config.toml");
    let text = fs::read_to_string(&file).expect("the configuration");
    let nowhere = machine
        .cluster
        .sandbox
        .path("nowhere.pem")
        .display()
        .to_string();
    let with_roots = format!("\nroots = \"{nowhere}\"\nproxy = ");
    fs::write(&file, text.replace("\nproxy = ", &with_roots)).expect("a file");
    for connection in [DSQL, RDS] {
        let run = machine.run(&[connection.name, "--exit-idle", "1s"]); // an end if it starts
        let says = format!(
            "pgcred: {}: no root certificate can be read from {nowhere}",
            connection.name
        );
        assert!(run.stderr.contains(&says), "{says}: {}", run.stderr);
        assert_eq!(run.code, 2);
    }
}

#[test]
fn a_server_that_cannot_be_reached() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let (port, password) = (machine.port(DSQL), machine.password(DSQL));
    let mut psql = machine.psql_alone(DSQL, "psql");
    psql.args(["-XAtwc", "select 1"])
        .env("PGPASSWORD", password);
    let Machine { cluster, .. } = machine;
    let Cluster {
        standin, sandbox, ..
    } = cluster;
    drop(standin);
    let run = Run::of(psql);
    assert!(run.stderr.contains("FATAL:"), "port {port}: {}", run.stderr);
    assert!(run.stderr.contains("cannot reach"), "{}", run.stderr);
    assert!(run.stderr.contains("HINT:"), "{}", run.stderr);
    drop(sandbox);
}

/// No error is made up in the middle of a stream: the client sees the end, as without a gateway.
#[test]
fn a_server_that_dies_in_the_middle_of_a_row() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&[]);
    let copy = "copy (select repeat('x', 1000000) from generate_series(1, 500)) to stdout";
    let mut psql = machine.psql(RDS, &["-c", copy]);
    psql.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = psql.spawn().expect("psql");
    let mut stdout = client.stdout.take().expect("a pipe");
    let mut first = vec![0; 3_500_000];
    stdout.read_exact(&mut first).expect("rows");
    thread::sleep(Duration::from_millis(500)); // all buffers on the way are full
    let Machine { cluster, .. } = machine;
    let Cluster {
        standin, sandbox, ..
    } = cluster;
    drop(standin);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).expect("the end");
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_ne!(run.code, 0);
    assert!(!run.stderr.contains("FATAL"), "{}", run.stderr);
    assert!(rest.iter().all(|byte| matches!(byte, b'x' | b'\n')));
    gateway.wait_for("ended after ");
    assert!(gateway.is_running());
    drop(sandbox);
}

/// A client that goes away ends its session at the server.
#[test]
fn a_client_that_is_killed_leaves_no_session() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let gateway = machine.start(&[]);
    let mut psql = machine.psql_alone(RDS, "psql");
    psql.args(["-XAtw"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut client = psql.spawn().expect("psql");
    let mut stdin = client.stdin.take().expect("a pipe");
    stdin.write_all(b"select 'begun';\n").expect("sent");
    let mut line = [0; 6];
    let mut stdout = client.stdout.take().expect("a pipe");
    stdout.read_exact(&mut line).expect("a line");
    client.kill().expect("a process");
    client.wait().expect("an end");
    gateway.wait_for("ended after ");
    let left = "do $$begin for n in 1..100 loop \
        if not exists (select from pg_stat_activity where usename = 'app') then return; end if; \
        perform pg_sleep(0.1); perform pg_stat_clear_snapshot(); end loop; raise 'left'; end$$";
    machine.cluster.sql(left);
}
