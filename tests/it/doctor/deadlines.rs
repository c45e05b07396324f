//! Whatever hangs, `pgcred doctor` ends within its `--timeout`, and leaves no program behind.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use standin::Fault;

use super::fixture::{configure, put_first};
use super::server::{Report, Server};
use crate::support::sandbox::{HOST, Sandbox};

const TIMEOUT: &str = "3s";
/// The timeout, and time for a machine that is busy with other tests. What hangs here hangs for
/// good, or for ten timeouts.
const MOST: Duration = Duration::from_secs(15);

/// Puts a program first on PATH that never ends. It writes its process ID down.
fn put_hanging(sandbox: &mut Sandbox, name: &str) {
    let pids = sandbox.path("pids").display().to_string();
    let script = format!("#!/bin/sh\necho $$ {name} >> '{pids}'\nexec sleep 1000\n");
    let path = sandbox.write(&format!("bin/{name}"), script);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    put_first(sandbox);
}

/// Returns which of the hanging programs still run.
fn left_behind(sandbox: &Sandbox) -> Vec<String> {
    let pids = fs::read_to_string(sandbox.path("pids")).unwrap_or_default();
    let mut left = Vec::new();
    for line in pids.lines() {
        let (pid, name) = line.split_once(' ').expect("a process and its name");
        let pid: i32 = pid.parse().expect("a process ID");
        let process = nix::unistd::Pid::from_raw(pid);
        if nix::sys::signal::kill(process, None).is_ok() {
            left.push(name.to_owned());
        }
    }
    left
}

#[test]
fn programs_that_hang() {
    let mut sandbox = Sandbox::with_keys();
    let names = [
        "psql",
        "pg_config",
        "aws",
        "pgcred",
        "git",
        "systemctl",
        "crontab",
        "launchctl",
        "flatpak",
        "snap",
        "session-manager-plugin",
        "security",
        "dbus-launch",
    ];
    for name in names {
        put_hanging(&mut sandbox, name);
    }
    // There is a repository, and something to ask the scheduler about.
    fs::create_dir_all(sandbox.path(".git")).expect("a directory");
    sandbox.write(".pgpass", "a:1:b:c:d\n");
    let unit = ".config/systemd/user/pgcred-refresh.timer";
    sandbox.write(unit, "# Written by `pgcred setup systemd`\n");
    let words = [
        "doctor",
        "--format",
        "json",
        "--offline",
        "--timeout",
        TIMEOUT,
        HOST,
    ];
    let report = Report::of(&sandbox, &words);
    assert!(report.took < MOST, "{:?}", report.took);
    let pids = fs::read_to_string(sandbox.path("pids")).expect("hanging programs");
    assert!(pids.lines().count() >= 4, "{pids}");
    assert_eq!(left_behind(&sandbox), [""; 0]);
}

/// The keyring's bus accepts a connection and says nothing.
#[test]
#[cfg(feature = "secret-service")]
fn a_keyring_that_hangs() {
    use std::os::unix::net::UnixListener;
    let mut sandbox = Sandbox::with_keys();
    let socket = sandbox.path("bus");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let address = format!("unix:path={}", socket.display());
    sandbox
        .set("PGCRED_CACHE", "secret-service")
        .set("DBUS_SESSION_BUS_ADDRESS", &address);
    let words = [
        "doctor",
        "--format",
        "json",
        "--offline",
        "--timeout",
        TIMEOUT,
        HOST,
    ];
    let report = Report::of(&sandbox, &words);
    assert!(report.took < MOST, "{:?}", report.took);
    assert_eq!(report.status("store.key"), "warn", "{}", report.shown());
    assert_eq!(report.check("store.key")["cause"], "cache.key");
}

/// A service of AWS accepts connections and never answers.
#[test]
fn a_service_of_aws_that_hangs() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let server = Server::of(HOST);
    let mut sandbox = Sandbox::empty();
    sandbox
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &format!("{address}/credentials"),
        )
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "none");
    sandbox.write("roots.pem", server.standin.ca_pem());
    let target = server.target(&[]);
    let words = ["doctor", "--format", "json", "--timeout", TIMEOUT, &target];
    let report = Report::of(&sandbox, &words);
    assert!(report.took < MOST, "{:?}", report.took);
    assert_eq!(report.status("token.issued"), "fail", "{}", report.shown());
    assert_eq!(
        report.status("login.accepted"),
        "skip",
        "{}",
        report.shown()
    );
}

/// A program that the AWS configuration names.
#[test]
fn a_credential_process_that_hangs() {
    let mut sandbox = Sandbox::empty();
    put_hanging(&mut sandbox, "credentials");
    let program = sandbox.path("bin/credentials").display().to_string();
    sandbox.write(
        ".aws/config",
        format!("[default]\ncredential_process = {program}\n"),
    );
    let server = Server::of(HOST);
    sandbox.write("roots.pem", server.standin.ca_pem());
    let target = server.target(&[]);
    let words = ["doctor", "--format", "json", "--timeout", TIMEOUT, &target];
    let report = Report::of(&sandbox, &words);
    assert!(report.took < MOST, "{:?}", report.took);
    assert_eq!(report.status("token.issued"), "fail", "{}", report.shown());
    assert_eq!(left_behind(&sandbox), [""; 0]);
}

/// Ten servers that say nothing take the time of one, and do not hide that an eleventh works.
#[test]
fn many_servers_are_waited_for_side_by_side() {
    let silent = Server::with(HOST, |config| config.fault = Some(Fault::Silent));
    let healthy = Server::of(HOST);
    let mut targets = Vec::new();
    for user in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        targets.push(silent.target(&[("user", user)]));
    }
    targets.push(healthy.target(&[("user", "last")]));
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let report = healthy.report_of("5s", &targets);
    assert!(report.took < MOST, "{:?}", report.took);
    let mut shakes = Vec::new();
    let mut logins = Vec::new();
    for check in report.checks() {
        match check["id"].as_str() {
            Some("tls.handshake") => shakes.push(check["status"].as_str().expect("a status")),
            Some("login.accepted") => logins.push(check["status"].as_str().expect("a status")),
            _ => {}
        }
    }
    assert_eq!(
        shakes,
        [&["fail"; 10][..], &["ok"]].concat(),
        "{}",
        report.shown()
    );
    assert_eq!(
        logins,
        [&["skip"; 10][..], &["ok"]].concat(),
        "{}",
        report.shown()
    );
}

/// The queue of the port is full: connections are neither accepted nor refused.
#[test]
#[cfg(target_os = "linux")]
fn a_port_that_does_not_answer() {
    let full = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = full.local_addr().expect("an address");
    let soon = Duration::from_millis(300);
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, soon) {
        waiting.push(stream);
        assert!(waiting.len() < 900, "the queue is endless");
    }
    let server = Server::of(HOST);
    let port = address.port().to_string();
    let report = server.report_within(TIMEOUT, &[("port", &port)]);
    report.assert_first("silent port", "net.tcp", Some("net.blocked"));
    assert!(report.took < MOST, "{:?}", report.took);
}

/// A connection of the configuration counts as any other target.
#[test]
fn nothing_hangs_for_a_whole_configuration() {
    let silent = Server::with(HOST, |config| config.fault = Some(Fault::SilentTls));
    let port = silent.standin.port();
    let connection = |number: u32| {
        format!(
            "[connections.c{number}]\nhost = \"{HOST}\"\nhostaddr = \"127.0.0.1\"\nport = {port}\n\
             user = \"u{number}\"\n"
        )
    };
    let text: String = (0..40).map(connection).collect();
    configure(&silent.sandbox, &text);
    let words = ["doctor", "--format", "json", "--timeout", TIMEOUT];
    let report = Report::of(&silent.sandbox, &words);
    assert!(report.took < MOST, "{:?}", report.took);
}
