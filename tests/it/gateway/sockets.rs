//! Ports and sockets: whose they are, what is left of a gateway that was killed, and those that a
//! service manager hands over.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;

use nix::sys::signal::Signal;

use crate::gateway::machine::{DSQL, Gateway, Machine, RDS, WHO};
use crate::support::needs::{CLUSTER, program, skip_unless};
use crate::support::owners::set_mode;
use crate::support::sandbox::Run;

/// Makes the directory of the sockets, as the gateway does.
fn make_directory(machine: &Machine) {
    let directory = machine.sockets();
    fs::create_dir_all(&directory).expect("a directory");
    set_mode(directory.parent().expect("a parent"), 0o700);
    set_mode(&directory, 0o700);
}

fn by_socket(machine: &Machine) -> Run {
    let mut psql = machine.psql(DSQL, &["-c", WHO]);
    psql.env("PGHOST", machine.sockets())
        .env_remove("PGPASSWORD");
    Run::of(psql)
}

#[test]
fn a_killed_gateway_leaves_a_socket_that_the_next_one_replaces_only_if_nobody_answers() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut killed = machine.start(&["dsql"]);
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.end().0, None);
    assert!(machine.socket(DSQL).exists());
    let run = by_socket(&machine);
    assert!(run.stderr.contains("Connection refused"), "{}", run.stderr);

    let mut second = machine.start(&["dsql"]);
    assert_eq!(by_socket(&machine).stdout, "admin@postgres\n");
    let third = machine.run(&["dsql"]);
    third.assert_fails(1, "cannot listen on ");
    let sockets = machine.sockets().display().to_string();
    let other_port = machine.port(RDS).to_string();
    let third = machine.run(&["dsql", "--listen", &sockets, "--listen", &other_port]);
    third.assert_fails(1, "cannot listen on ");
    assert!(second.is_running());
    assert_eq!(by_socket(&machine).stdout, "admin@postgres\n");
}

#[test]
fn what_is_no_socket_of_a_gateway_stays() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    make_directory(&machine);
    fs::write(machine.socket(DSQL), "mine").expect("a file");
    machine.run(&["dsql"]).assert_fails(1, "cannot listen on ");
    assert_eq!(fs::read(machine.socket(DSQL)).expect("a file"), b"mine");
    fs::remove_file(machine.socket(DSQL)).expect("removed");
    let _other = UnixListener::bind(machine.socket(DSQL)).expect("a socket");
    machine.run(&["dsql"]).assert_fails(1, "cannot listen on ");
    assert!(machine.socket(DSQL).exists());
}

#[test]
fn a_port_that_is_taken_is_named_with_its_holder() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, machine.port(DSQL))).expect("the port");
    let run = machine.run(&["dsql"]);
    run.assert_fails(1, &format!("127.0.0.1:{}", machine.port(DSQL)));
    assert!(!machine.socket(DSQL).exists());
    let mut gateway = machine.start(&["rds"]);
    machine.run(&["rds"]).assert_fails(1, "pgcred proxy");
    assert!(gateway.is_running());
}

#[test]
fn a_directory_of_the_users_own_and_ipv6() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let directory = machine
        .cluster
        .sandbox
        .path("sockets")
        .display()
        .to_string();
    let port = machine.port(DSQL);
    let ipv6 = format!("[::1]:{port}");
    let _gateway = machine.start(&["dsql", "--listen", &directory, "--listen", &ipv6]);
    for host in [&directory, "::1"] {
        let mut psql = machine.psql(DSQL, &["-c", WHO]);
        psql.env("PGHOST", host);
        let run = Run::of(psql);
        assert_eq!(run.stdout, "admin@postgres\n", "{host}: {}", run.stderr);
    }
    // not more than was asked for
    let run = Run::of(machine.psql(DSQL, &["-c", WHO]));
    assert!(run.stderr.contains("Connection refused"), "{}", run.stderr);
}

/// The service manager listens, and starts the gateway when the first client connects.
#[test]
fn a_service_manager_hands_over_its_sockets() {
    skip_unless!(CLUSTER, program("systemd-socket-activate"));
    let machine = Machine::new();
    make_directory(&machine);
    let addresses = [
        format!("--listen=127.0.0.1:{}", machine.port(DSQL)),
        format!("--listen={}", machine.socket(DSQL).display()),
    ];
    let mut command = machine.cluster.daemon("systemd-socket-activate");
    command.args(&addresses);
    for (name, _) in machine.proxy(&[]).get_envs() {
        command.arg("--setenv").arg(name);
    }
    command.args(["--", env!("CARGO_BIN_EXE_pgcred"), "proxy", "dsql"]);
    let gateway = Gateway::started(command, "Listening on ");
    assert!(!gateway.said().contains("ready"));
    machine.assert_session(DSQL);
    gateway.wait_for("pgcred: ready\n");
    assert_eq!(by_socket(&machine).stdout, "admin@postgres\n");
}

#[test]
fn a_socket_of_the_service_manager_that_no_connection_has_is_an_error() {
    skip_unless!(CLUSTER, program("systemd-socket-activate"));
    let machine = Machine::new();
    let mut command = machine.cluster.daemon("systemd-socket-activate");
    command.arg(format!("--listen=127.0.0.1:{}", machine.port(RDS)));
    for (name, _) in machine.proxy(&[]).get_envs() {
        command.arg("--setenv").arg(name);
    }
    command.args(["--", env!("CARGO_BIN_EXE_pgcred"), "proxy", "dsql"]);
    let mut gateway = Gateway::started(command, "Listening on ");
    drop(machine.dial(RDS));
    let (code, said) = gateway.end();
    assert_ne!(code, Some(0));
    assert!(said.contains("no connection has it"), "{said}");
}
