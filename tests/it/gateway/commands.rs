//! The command line of `pgcred proxy`: passwords, addresses, trials, and what it never shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use standin::Answer;

use crate::gateway::machine::{DSQL, Machine, RDS};
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::{HOST, SECRET, Sandbox};

/// A home with a connection that a gateway serves.
fn home() -> Sandbox {
    let sandbox = Sandbox::with_keys();
    let text = format!(
        "[connections.prod]\nhost = \"{HOST}\"\nproxy = {{ port = 15432 }}\n\n\
         [connections.other]\nhost = \"{HOST}\"\nuser = \"app\"\nproxy = {{ port = 15433 }}\n"
    );
    fs::write(sandbox.own().join("config.toml"), text).expect("a file");
    sandbox
}

#[test]
fn the_local_password_is_stable_private_and_of_one_connection() {
    let sandbox = home();
    let password = sandbox.ok(&["proxy", "--password", "prod"]);
    let text = password.trim_end();
    assert_eq!(text.len(), 26, "{text}");
    let base32 = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    assert!(text.chars().all(base32), "{text}");
    assert_eq!(sandbox.ok(&["proxy", "--password", "prod"]), password);
    assert_ne!(sandbox.ok(&["proxy", "--password", "other"]), password);
    let key = sandbox.own().join("proxy-key");
    let state = fs::metadata(&key).expect("a key");
    assert_eq!(state.permissions().mode() & 0o777, 0o600);
    assert_eq!(state.len(), 32);
    // A new key makes new passwords, for all.
    let other = sandbox.ok(&["proxy", "--password", "other"]);
    let new = sandbox.ok(&["proxy", "--password", "--new-password", "prod"]);
    assert_ne!(new, password);
    assert_eq!(sandbox.ok(&["proxy", "--password", "prod"]), new);
    assert_ne!(sandbox.ok(&["proxy", "--password", "other"]), other);
    sandbox
        .run(&["proxy", "--password"])
        .assert_fails(2, "--password needs one target");
    // Another home has another key.
    assert_ne!(home().ok(&["proxy", "--password", "prod"]), new);
}

#[test]
fn a_key_that_others_may_read_or_that_is_broken_is_not_used() {
    let sandbox = home();
    sandbox.ok(&["proxy", "--password", "prod"]);
    let key = sandbox.own().join("proxy-key");
    fs::write(&key, "short").expect("a file");
    let run = sandbox.run(&["proxy", "--password", "prod"]);
    assert_ne!(run.code, 0);
    run.assert_fails(run.code, "proxy-key");
}

#[test]
fn other_addresses_than_those_of_this_machine_are_refused() {
    let sandbox = home();
    for address in [
        "0.0.0.0:15432",
        "[::]:15432",
        "192.168.1.2:15432",
        "localhost:15432",
        "127.0.0.1",
        "127.0.0.1:0",
        "0",
        "65536",
        "relative/directory",
        "",
    ] {
        let run = sandbox.run(&["proxy", "prod", "--listen", address]);
        assert_eq!(run.code, 2, "{address}: {}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    let run = sandbox.run(&["proxy", "prod", "other", "--listen", "15440"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let run = sandbox.run(&["proxy", "prod", "--auth", "peer"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let run = sandbox.run(&["proxy", "prod", "--max-connections", "0"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
}

#[test]
fn the_configuration_is_checked() {
    let sandbox = Sandbox::with_keys();
    let file = sandbox.own().join("config.toml");
    for (proxy, says) in [
        ("{ port = 0 }", "port"),
        ("{ port = 65536 }", "port"),
        ("{ socket = true }", "port"),
        ("{ port = 15432, auth = \"peer\" }", "auth"),
        ("{ port = 15432, address = \"0.0.0.0\" }", "address"),
        ("15432", "proxy"),
    ] {
        let text = format!("[connections.prod]\nhost = \"{HOST}\"\nproxy = {proxy}\n");
        fs::write(&file, text).expect("a file");
        let run = sandbox.run(&["proxy"]);
        assert_ne!(run.code, 0, "{proxy}");
        run.assert_fails(run.code, says);
        assert!(run.stderr.contains("config.toml"), "{}", run.stderr);
    }
    let text = format!("[connections.prod]\nhost = \"{HOST}\"\n");
    fs::write(&file, text).expect("a file");
    sandbox.run(&["proxy"]).assert_fails(4, "proxy = { port = ");
    sandbox.run(&["proxy", "prod"]).assert_fails(2, "--listen");
    let both = format!(
        "[connections.a]\nhost = \"{HOST}\"\nproxy = {{ port = 15432 }}\n\
         [connections.b]\nhost = \"{HOST}\"\nproxy = {{ port = 15432 }}\n"
    );
    fs::write(&file, both).expect("a file");
    let run = sandbox.run(&["proxy"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("15432"), "{}", run.stderr);
}

#[test]
fn a_trial_logs_in_once_at_each_target() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let run = machine.run(&["--test"]);
    assert_eq!(run.stdout, "dsql: ok\nrds: ok\n", "{}", run.stderr);
    assert_eq!(machine.cluster.standin.accepted(), 2);
    assert!(!machine.socket(DSQL).exists());
    machine
        .cluster
        .standin
        .set_answer(Some(Answer::DsqlWrongAction));
    let run = machine.run(&["--test", "dsql"]);
    assert_ne!(run.code, 0);
    run.assert_fails(run.code, "access denied");
}

#[test]
fn quiet_says_nothing_of_connections() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut command = machine.proxy(&["--quiet"]);
    command.stderr(std::process::Stdio::piped());
    let gateway = command.spawn().expect("a gateway");
    crate::commands::exec::wait_until("the socket", || machine.socket(RDS).exists());
    machine.assert_session(DSQL);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(gateway.id()).expect("a process id"));
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("a process");
    let ended = gateway.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(0));
}

/// Neither a token, nor the local password, nor a key of AWS stands where others can read it.
#[test]
fn no_secret_is_in_the_log_or_in_the_arguments() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let mut gateway = machine.start(&["--debug"]);
    machine.assert_session(DSQL);
    machine.assert_session(RDS);
    let password = machine.password(DSQL);
    machine.refused_with(RDS, "app", &password);
    machine
        .cluster
        .standin
        .set_answer(Some(Answer::DsqlWrongAction));
    machine.refused(DSQL);
    let process = format!("/proc/{}", gateway.process.id());
    let arguments = fs::read(format!("{process}/cmdline")).expect("arguments");
    let limits = fs::read_to_string(format!("{process}/limits")).expect("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    gateway.signal(Signal::SIGTERM);
    let (_, said) = gateway.end();
    let arguments = String::from_utf8_lossy(&arguments);
    for secret in ["X-Amz-Signature", SECRET, &password, "session/token"] {
        assert!(!said.contains(secret), "{secret} in {said}");
        assert!(!arguments.contains(secret), "{secret} in {arguments}");
    }
    assert!(
        said.contains("pgcred: dsql: listening on 127.0.0.1:"),
        "{said}"
    );
}
