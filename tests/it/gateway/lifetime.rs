//! How a gateway ends: by a signal, at once or when its sessions are done; when nobody uses it;
//! with the program that has started it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio_postgres::error::SqlState;

use crate::gateway::machine::{Gateway, Machine, RDS};
use crate::gateway::statement::{begin, rest};
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::Run;

#[test]
fn a_signal_ends_it_and_its_sessions_at_once() {
    skip_unless!(CLUSTER);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let machine = Machine::new();
        let mut gateway = machine.start(&[]);
        let (client, stdout) = begin(&machine, RDS, 60);
        let began = Instant::now();
        gateway.signal(signal);
        let (code, said) = gateway.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(rest(stdout), "");
        let run = Run::finished(client.wait_with_output().expect("an end"));
        assert_ne!(run.code, 0);
        assert!(!machine.socket(RDS).exists(), "its socket is gone");
    }
}

#[test]
fn drain_lets_sessions_end_and_takes_no_new_ones() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&["--drain", "30"]);
    let (client, stdout) = begin(&machine, RDS, 15);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_for("ending: 1 session may go on for 30 s\n");
    let error = machine.refused(RDS);
    assert_eq!(error.code(), &SqlState::CANNOT_CONNECT_NOW, "{error:?}");
    assert!(gateway.is_running());
    assert_eq!(rest(stdout).trim(), "done");
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let began = Instant::now();
    assert_eq!(gateway.end().0, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn drain_has_an_end() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&["--drain", "1"]);
    let (client, _stdout) = begin(&machine, RDS, 60);
    let began = Instant::now();
    gateway.signal(Signal::SIGTERM);
    assert_eq!(gateway.end().0, Some(0));
    let took = began.elapsed();
    assert!(
        took > Duration::from_millis(900) && took < Duration::from_secs(10),
        "{took:?}"
    );
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_ne!(run.code, 0);
}

/// Who does not want to wait says it twice.
#[test]
fn a_second_signal_ends_a_drain() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&["--drain", "60"]);
    let (mut client, _stdout) = begin(&machine, RDS, 60);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_for("ending: 1 session may go on for 60 s\n");
    assert!(gateway.is_running());
    gateway.signal(Signal::SIGTERM);
    gateway.end();
    client.wait().expect("an end");
}

#[test]
fn an_idle_gateway_ends_and_one_with_a_session_does_not() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&["--exit-idle", "2"]);
    let (client, _stdout) = begin(&machine, RDS, 4);
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(gateway.is_running());
    let began = Instant::now();
    let (code, said) = gateway.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(began.elapsed() > Duration::from_secs(1));
    // nobody has ever connected
    let mut gateway = machine.start(&["--exit-idle", "1"]);
    assert_eq!(gateway.end().0, Some(0));
}

#[test]
fn it_ends_with_the_program_that_has_started_it() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut command = machine.proxy(&["--until-stdin-closes"]);
    command.stdin(Stdio::piped());
    let mut gateway = Gateway::of(command);
    machine.assert_session(RDS);
    assert!(gateway.is_running());
    drop(gateway.process.stdin.take());
    let (code, said) = gateway.end();
    assert_eq!(code, Some(0), "{said}");
    // a service manager gives it an empty stdin, which means nothing
    let mut gateway = machine.start(&[]);
    machine.assert_session(RDS);
    assert!(gateway.is_running());
}
