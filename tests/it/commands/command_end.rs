//! How a run of a command of `[command.NAME]` ends: with pgcred itself, or before it begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::sandbox::{Run, Sandbox};

/// Returns a home where a connection `crm` has its tokens from a script.
fn home_with(script: &str, definition: &str, connection: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("tool.sh", script);
    let config = format!(
        "[command.tool]\nrun = [\"sh\", \"{}\"]\n{definition}\n[connections.crm]\n\
         host = \"crm.example.com\"\nprovider = \"tool\"\n{connection}\n",
        sandbox.path("tool.sh").display()
    );
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    sandbox
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_command_ends_with_pgcred() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let sandbox = home_with(
            "echo $$ >\"${0%/*}/pid\"; exec sleep 300",
            "life = \"1h\"",
            "user = \"u\"",
        );
        let mut pgcred = sandbox
            .pgcred(&["token", "crm"])
            .spawn()
            .expect("it starts");
        let program = wait_for("the command runs", || {
            let text = fs::read_to_string(sandbox.path("pid")).ok()?;
            Some(Pid::from_raw(text.trim().parse().ok()?))
        });
        let pid = Pid::from_raw(pgcred.id().try_into().expect("a process id"));
        kill(pid, signal).expect("a process");
        let status = pgcred.wait().expect("it ends");
        assert_eq!(status.signal(), Some(signal as i32));
        wait_for("the command has ended", || kill(program, None).err());
    }
}

#[test]
fn a_command_that_creates_users_is_not_run_for_a_user_who_is_named() {
    let sandbox = home_with(
        "echo x >>\"${0%/*}/runs\"; echo '{\"t\": \"token-1\", \"u\": \"v-1\"}'",
        "token = \"t\"\nuser = \"u\"\nlife = \"1h\"\nkind = \"creates\"",
        "",
    );
    let refused: Run = sandbox.run(&["token", "crm", "--user", "ann"]);
    refused.assert_fails(2, "creates a user for each token");
    assert!(!sandbox.path("runs").exists());
    assert_eq!(sandbox.ok(&["token", "crm"]), "token-1\n");
}

/// Only what says when the token ends counts, and what does not is told.
#[test]
fn an_end_that_is_no_time_is_told() {
    let claims = "eyJleHAiOiAic29vbiJ9"; // {"exp": "soon"}
    let script = format!("echo e30.{claims}.c2ln");
    let sandbox = home_with(&script, "life = \"1h\"", "user = \"u\"");
    let run = sandbox.run(&["token", "crm", "--debug"]);
    assert_eq!(run.stdout, format!("e30.{claims}.c2ln\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("a JWT, but its `exp` is a text\n"),
        "{}",
        run.stderr
    );
    let sandbox = home_with(&script, "", "user = \"u\"");
    let run = sandbox.run(&["token", "crm"]);
    run.assert_fails(
        2,
        "says when the token ends: the `exp` of the JWT is a text\n",
    );
    assert!(!run.stderr.contains(claims), "{}", run.stderr);
}

#[test]
fn a_line_before_the_token_is_never_the_token() {
    let sandbox = home_with(
        "echo warning; sleep 0.05; echo token-1",
        "life = \"1h\"",
        "user = \"u\"",
    );
    let run = sandbox.run(&["token", "crm"]);
    assert_eq!((run.code, &*run.stdout), (1, ""), "{}", run.stderr);
}

#[test]
fn a_script_without_its_first_line_is_told_what_it_lacks() {
    let sandbox = home_with("", "life = \"1h\"", "user = \"u\"");
    let script = sandbox.write("bare", "echo token\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let config = format!("[command.tool]\nrun = [\"{}\"]\n", script.display());
    let config = format!(
        "{config}life = \"1h\"\n[connections.crm]\nhost = \"crm.example.com\"\n\
         provider = \"tool\"\nuser = \"u\"\n"
    );
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    let run = sandbox.run(&["token", "crm"]);
    run.assert_fails(1, "cannot run ");
    assert!(run.stderr.contains("such as #!/bin/sh\n"), "{}", run.stderr);
}
