//! The gateway as a service: the units, the calls of systemd, undo, and who is refused.

use std::fs;

use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};
use crate::tools::schedulers::{calls, sandbox};

const SOCKET: &str = ".config/systemd/user/pgcred-proxy.socket";
const SERVICE: &str = ".config/systemd/user/pgcred-proxy.service";

/// Writes a configuration of two connections: `prod` with these settings of the gateway, and one
/// that the gateway does not serve.
fn offer(sandbox: &Sandbox, proxy: &str) {
    let text = format!(
        "[connections.prod]\nhost = '{HOST}'\n{proxy}\n[connections.other]\nhost = \
         '{RDS_HOST}'\nuser = 'u'\n"
    );
    fs::write(sandbox.own().join("config.toml"), text).expect("a configuration");
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).expect("text")
}

#[test]
fn systemd_accepts_the_units_of_the_gateway_and_undo_removes_them() {
    skip_unless!(program("systemd-analyze"));
    let sandbox = sandbox(&["systemctl"]);
    offer(&sandbox, "proxy = { port = 15432, socket = true }");
    for how in ["--dry-run", "--print"] {
        let run = sandbox.run(&["setup", "proxy", how]);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(
            run.code == 0 && shown.contains("ListenStream=127.0.0.1:15432\n"),
            "{shown}"
        );
        assert!(!sandbox.path(".config/systemd").exists() && calls(&sandbox).is_empty());
    }
    let run = sandbox.run(&["setup", "proxy", "--yes"]);
    let step = "prod: give a tool the host 127.0.0.1, the port 15432, no TLS";
    assert!(run.code == 0 && run.stderr.contains(step), "{}", run.stderr);
    assert!(!run.stderr.contains("other"), "{}", run.stderr);
    assert_eq!(
        calls(&sandbox),
        "systemctl --user show-environment\nsystemctl --user daemon-reload\n\
         systemctl --user enable --now pgcred-proxy.socket\n"
    );
    let socket = text(&sandbox, SOCKET);
    let listeners = "[Socket]\nListenStream=127.0.0.1:15432\n\
                     ListenStream=%t/pgcred/.s.PGSQL.15432\nSocketMode=0600\nDirectoryMode=0700\n";
    assert!(socket.contains(listeners), "{socket}");
    let mut verify = sandbox.command("/usr/bin/systemd-analyze");
    verify
        .args(["--user", "verify"])
        .arg(sandbox.path(SOCKET))
        .arg(sandbox.path(SERVICE))
        // A path that ends in a colon goes on with systemd's own.
        .env(
            "SYSTEMD_UNIT_PATH",
            format!("{}/.config/systemd/user:", sandbox.home().display()),
        )
        .env("XDG_RUNTIME_DIR", sandbox.home());
    let verified = Run::of(verify);
    assert!(
        verified.code == 0 && !verified.stderr.contains("pgcred"),
        "{}",
        verified.stderr
    );
    let overview = sandbox.ok(&["setup"]);
    assert!(
        overview
            .lines()
            .any(|line| line.starts_with("proxy") && line.ends_with("set up")),
        "{overview}"
    );
    sandbox.ok(&["setup", "proxy", "--undo", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "systemctl --user disable --now pgcred-proxy.socket\n\
         systemctl --user stop pgcred-proxy.service\nsystemctl --user daemon-reload\n"
    );
    assert!(!sandbox.path(".config/systemd").exists());
}

/// Sessions are not ended for nothing.
#[test]
fn a_gateway_that_has_not_changed_is_left_running() {
    const ASKED: &str = "systemctl --user show-environment\n\
                         systemctl --user is-active --quiet pgcred-proxy.socket\n";
    let sandbox = sandbox(&["systemctl"]);
    offer(&sandbox, "proxy = { port = 15432 }");
    sandbox.ok(&["setup", "proxy", "--yes"]);
    calls(&sandbox);
    let run = sandbox.run(&["setup", "proxy", "--yes"]);
    assert!(
        run.code == 0 && run.stderr.contains("it runs already, and is left running"),
        "{}",
        run.stderr
    );
    assert_eq!(calls(&sandbox), ASKED);
    // What it has read at its start has changed, though its units would not.
    offer(&sandbox, "proxy = { port = 15432 }\nprofile = 'dev'");
    sandbox.ok(&["setup", "proxy", "--yes"]);
    assert!(calls(&sandbox).contains(" stop pgcred-proxy.socket pgcred-proxy.service\n"));
    sandbox.ok(&["setup", "proxy", "--yes"]);
    assert_eq!(calls(&sandbox), ASKED);
    sandbox.ok(&["proxy", "--new-password"]);
    sandbox.ok(&["setup", "proxy", "--yes"]);
    assert!(calls(&sandbox).contains(" stop pgcred-proxy.socket pgcred-proxy.service\n"));
    // It does not run: the user has stopped it, or it has failed.
    let script = "#!/bin/sh\necho systemctl \"$@\" >>\"$HOME/calls\"\n[ \"$2\" != is-active ]\n";
    sandbox.write("bin/systemctl", script);
    sandbox.ok(&["setup", "proxy", "--yes"]);
    assert!(calls(&sandbox).ends_with(" enable --now pgcred-proxy.socket\n"));
}

/// systemd does not open the sockets of a changed unit while the service runs.
#[test]
fn a_changed_port_ends_the_gateway_before_the_unit_is_written() {
    let sandbox = sandbox(&["systemctl"]);
    let mine = "[Socket]\nListenStream=/mine\n";
    sandbox.write(SOCKET, mine);
    offer(&sandbox, "proxy = { port = 15432 }");
    sandbox.ok(&["setup", "proxy", "--yes"]);
    calls(&sandbox);
    offer(&sandbox, "proxy = { port = 15433 }");
    sandbox.ok(&["setup", "proxy", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "systemctl --user show-environment\n\
         systemctl --user stop pgcred-proxy.socket pgcred-proxy.service\n\
         systemctl --user daemon-reload\nsystemctl --user enable --now pgcred-proxy.socket\n"
    );
    let socket = text(&sandbox, SOCKET);
    assert!(
        socket.contains("ListenStream=127.0.0.1:15433\n") && !socket.contains("15432"),
        "{socket}"
    );
    sandbox.ok(&["setup", "proxy", "--undo", "--yes"]);
    assert_eq!(text(&sandbox, SOCKET), mine);
    assert!(!sandbox.path(SERVICE).exists());
}

#[test]
fn what_the_gateway_cannot_serve_is_refused_with_what_to_type() {
    let sandbox = sandbox(&["systemctl"]);
    let refuses = |code: i32, says: &str, hint: &str| {
        let run = sandbox.run(&["setup", "proxy", "--yes"]);
        run.assert_fails(code, says);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        assert!(!sandbox.path(".config/systemd").exists());
    };
    offer(&sandbox, "");
    refuses(
        4,
        "no connection is offered by the gateway",
        "proxy = { port = 15432 }",
    );
    let two = format!(
        "proxy = {{ port = 15432 }}\n[connections.b]\nhost = '{HOST}'\nproxy = {{ port = 15432 }}"
    );
    offer(&sandbox, &two);
    refuses(
        2,
        "prod and b have the same port for the gateway",
        "another port",
    );
    offer(&sandbox, "proxy = { port = 15432 }");
    sandbox
        .run(&["setup", "proxy", "prod", "--yes"])
        .assert_fails(
            2,
            "serves every connection that has `proxy`, and no other target",
        );
    sandbox.ok(&["setup", "proxy", "--yes"]);
    sandbox
        .run(&["setup", "proxy", "prod", "--undo", "--yes"])
        .assert_fails(2, "has no entry for a single one");
    sandbox.write("bin/systemctl", "#!/bin/sh\necho no bus >&2\nexit 1\n");
    let run = sandbox.run(&["setup", "proxy", "--yes"]);
    run.assert_fails(1, "no bus");
    assert!(
        run.stderr
            .contains("run `pgcred proxy`, which does the same"),
        "{}",
        run.stderr
    );
}

/// The gateway is a door that only who names it opens, and it keeps no passfile fresh.
#[test]
fn the_gateway_is_no_scheduler() {
    let sandbox = sandbox(&["systemctl", "psql"]);
    offer(&sandbox, "proxy = { port = 15432 }");
    sandbox.ok(&["setup", "--all", "--yes"]);
    assert!(!sandbox.path(SOCKET).exists());
    sandbox.ok(&["setup", "--undo", "--yes"]);
    sandbox.ok(&["setup", "proxy", "--yes"]);
    let run = sandbox.run(&["setup", "psql", "--yes"]);
    assert!(
        run.stderr.contains("and once `pgcred setup "),
        "{}",
        run.stderr
    );
    let doctor = sandbox.run(&["doctor", "--check", "installation.schedule"]);
    let report = format!("{}{}", doctor.stdout, doctor.stderr);
    assert!(report.contains("no scheduler is set up"), "{report}");
    let run = sandbox.run(&["remove", "prod"]);
    let note = "the gateway still listens for prod: pgcred setup proxy --undo";
    assert!(run.code == 0 && run.stderr.contains(note), "{}", run.stderr);
    sandbox.ok(&["setup", "--undo", "--yes"]);
    assert!(!sandbox.path(SOCKET).exists());
}
