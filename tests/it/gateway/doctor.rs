//! `pgcred doctor` before a gateway: one that runs, one that does not, and another program that has
//! its port.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use crate::gateway::machine::{Gateway, free_port};
use crate::support::needs::{ROOT, skip_unless};
use crate::support::owners::{give, set_mode};
use crate::support::sandbox::{HOST, NOBODY, Run, Sandbox};
use crate::tools::schedulers;

/// A home with a connection that the gateway offers at a port and at a socket.
fn home(port: u16) -> Sandbox {
    let sandbox = Sandbox::with_keys();
    offer(&sandbox, port);
    sandbox
}

fn offer(sandbox: &Sandbox, port: u16) {
    let text = format!(
        "[connections.prod]\nhost = \"{HOST}\"\nproxy = {{ port = {port}, socket = true }}\n\
         [connections.other]\nhost = \"{HOST}\"\nuser = \"app\"\n"
    );
    fs::write(sandbox.own().join("config.toml"), text).expect("a file");
}

const LOOK: [&str; 4] = ["doctor", "--offline", "--check", "gateway"];

/// Returns how the checks of the port and of the socket end.
fn examined(sandbox: &Sandbox) -> [Value; 2] {
    let mut doctor = sandbox.pgcred(&LOOK);
    doctor.args(["prod", "--format", "json"]);
    checks_of(doctor)
}

fn checks_of(doctor: Command) -> [Value; 2] {
    let run = Run::of(doctor);
    let report: Value = serde_json::from_str(&run.stdout).expect("a report");
    let checks = report["checks"].as_array().expect("checks").clone();
    let [port, socket] = checks.try_into().expect("two checks");
    let has_failure = port["status"] == "fail" || socket["status"] == "fail";
    assert_eq!(run.code, i32::from(has_failure), "{port} {socket}");
    assert_eq!(port["id"], "gateway.port");
    assert_eq!(socket["id"], "gateway.socket");
    [port, socket]
}

fn says(check: &Value, status: &str, text: &str) {
    let detail = check["detail"].as_str().expect("a detail");
    assert!(
        check["status"] == status && detail.contains(text),
        "{check}"
    );
}

#[test]
fn a_gateway_that_does_not_run_is_a_note_with_what_to_type() {
    let sandbox = home(free_port());
    let [port, socket] = examined(&sandbox);
    says(&port, "skip", "nobody listens on 127.0.0.1:");
    says(&socket, "ok", "makes");
    let report = sandbox.ok(&[&LOOK[..], &["prod"]].concat());
    assert!(report.contains("note: prod: "), "{report}");
    assert!(
        report.ends_with("type: pgcred proxy\ntype: pgcred setup proxy\n"),
        "{report}"
    );
    let report = sandbox.ok(&[&LOOK[..], &["other"]].concat());
    assert!(report.contains("does not offer the target"), "{report}");
    assert!(!report.contains("type:"), "{report}");
}

#[test]
fn a_gateway_that_runs_is_seen_and_does_not_notice() {
    let sandbox = home(free_port());
    let mut gateway = Gateway::of(sandbox.pgcred(&["proxy"]));
    let heard = gateway.said();
    let [port, socket] = examined(&sandbox);
    says(&port, "ok", "pgcred (process ");
    says(&socket, "ok", "is yours alone");
    assert_eq!(gateway.said(), heard);
    assert!(gateway.is_running());
    let directory = sandbox.own().join("cache/proxy");
    set_mode(&directory, 0o755);
    let [_, socket] = examined(&sandbox);
    says(&socket, "warn", "other users can enter");
    let command = socket["fix"]["commands"][0].as_str().expect("a command");
    assert_eq!(command, format!("chmod 700 '{}'", directory.display()));
    set_mode(&directory, 0o777);
    let [_, socket] = examined(&sandbox);
    says(&socket, "fail", "cache/proxy");
    set_mode(&directory, 0o700);
    fs::remove_dir_all(&directory).expect("removed");
    let [_, socket] = examined(&sandbox);
    says(&socket, "warn", "the gateway's socket is not in");
}

/// The system shows neither the files of pgcred's process nor those of other users' processes to a
/// user.
#[test]
fn a_user_is_told_whose_program_has_the_port() {
    skip_unless!(ROOT);
    let number = free_port();
    let sandbox = home(number);
    for directory in [sandbox.home(), sandbox.own()] {
        give(directory, NOBODY);
    }
    let as_user = |mut command: Command| {
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    let look = || {
        let mut doctor = sandbox.pgcred(&LOOK);
        doctor.args(["prod", "--format", "json"]);
        let [port, _] = checks_of(as_user(doctor));
        port
    };
    let gateway = Gateway::of(as_user(sandbox.pgcred(&["proxy"])));
    let id = gateway.process.id();
    says(&look(), "ok", &format!("pgcred (process {id}) listens"));
    let second = Run::of(as_user(sandbox.pgcred(&["proxy"])));
    second.assert_fails(1, &format!("pgcred (process {id}) has it"));
    drop(gateway);
    let _of_root = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).expect("the port");
    says(&look(), "fail", "a program of user 0 listens on");
}

#[test]
fn another_program_on_the_port_is_named() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let number = holder.local_addr().expect("an address").port();
    let sandbox = home(number);
    let own = format!("(process {}) listens", std::process::id());
    // A program that another test starts has the socket too, between its fork and its exec.
    let examine = || examined(&sandbox)[0].clone();
    let names_own = |port: &Value| {
        port["detail"]
            .as_str()
            .is_some_and(|text| text.contains(&own))
    };
    let mut port = examine();
    for _ in 0..5 {
        if names_own(&port) {
            break;
        }
        port = examine();
    }
    says(&port, "fail", &own);
    let command = "pgcred add prod --replace --proxy=PORT";
    assert_eq!(port["fix"]["commands"][0], command);
}

/// systemd listens for a service, and starts it when a tool connects.
#[test]
fn a_service_whose_port_is_free_is_a_warning() {
    let sandbox = schedulers::sandbox(&["systemctl"]);
    offer(&sandbox, free_port());
    sandbox.ok(&["setup", "proxy", "--yes"]);
    let [port, _] = examined(&sandbox);
    says(&port, "warn", "although the gateway is a service");
    assert_eq!(port["fix"]["commands"][0], "pgcred setup proxy");
}
