//! `pgcred setup TOOL --proxy`: what a tool is given that connects through the local gateway. The
//! password stands in no file, and only its own command prints it.

use serde_json::Value;

use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};
use crate::tools::fixtures::files;

/// Returns a home with two connections that the gateway serves, `prod` with a socket, and one that
/// it does not serve.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_keys();
    let config = format!(
        "[connections.prod]\nhost = '{HOST}'\nproxy = {{ port = 15432, socket = true }}\n\
         [connections.shop]\nhost = '{RDS_HOST}'\nuser = 'u'\nproxy = {{ port = 15433 }}\n\
         [connections.other]\nhost = 'other.dsql.us-east-1.on.aws'\n"
    );
    std::fs::write(sandbox.own().join("config.toml"), config).expect("a configuration");
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    sandbox
}

#[test]
fn a_dialog_gets_the_address_of_the_gateway_and_no_password() {
    let sandbox = sandbox();
    let password = sandbox.ok(&["proxy", "--password", "shop"]);
    let run = sandbox.run(&["setup", "datagrip", "--proxy"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let pgcred = env!("CARGO_BIN_EXE_pgcred");
    for says in [
        "prod, through the local gateway\n  Host      127.0.0.1\n  Port      15432\n",
        "shop, through the local gateway\n  Host      127.0.0.1\n  Port      15433\n  User ",
        "  SSL mode  disable",
        &format!("\n{pgcred} proxy --password shop\n"),
    ] {
        assert!(run.stdout.contains(says), "{says}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("other") && !run.stdout.contains(password.trim()));
    assert!(
        run.stderr.contains("`pgcred setup proxy` once") && !run.stderr.contains("passfile"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_tool_that_runs_a_command_gets_that_of_the_local_password() {
    let sandbox = sandbox();
    let password = sandbox.ok(&["proxy", "--password", "prod"]);
    let before = files(sandbox.home());
    let run = sandbox.run(&["setup", "pgadmin", "prod", "--proxy", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let file = sandbox.own().join("pgadmin-servers.json");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(!text.contains(password.trim()), "{text}");
    let servers: Value = serde_json::from_str(&text).expect("JSON");
    let server = &servers["Servers"]["1"];
    assert_eq!(server["Host"], "127.0.0.1");
    assert_eq!(server["Port"], 15432);
    assert_eq!(server["ConnectionParameters"]["sslmode"], "disable");
    assert!(server["ConnectionParameters"]["sslrootcert"].is_null());
    let mut shell = sandbox.command("/bin/sh");
    shell.args([
        "-c",
        server["PasswordExecCommand"].as_str().expect("a command"),
    ]);
    assert_eq!(Run::of(shell).stdout, password);
    sandbox.ok(&["setup", "pgadmin", "--undo", "--yes"]);
    assert!(!file.exists());
    assert_eq!(files(sandbox.home()), before);
}

/// A DBeaver that runs no command asks for the password, and may keep it.
#[test]
fn an_old_dbeaver_asks_for_the_local_password() {
    let sandbox = sandbox();
    let file = ".local/share/DBeaverData/workspace6/General/.dbeaver/data-sources-pgcred.json";
    sandbox.ok(&["setup", "dbeaver", "prod", "--yes"]);
    let run = sandbox.run(&["setup", "dbeaver", "prod", "--proxy", "--yes"]);
    let step = "paste the password that `pgcred proxy --password prod` prints";
    assert!(run.code == 0 && run.stderr.contains(step), "{}", run.stderr);
    let text = String::from_utf8(sandbox.read(file)).expect("text");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let configuration = &document["connections"]["pgcred-prod"]["configuration"];
    assert_eq!(configuration["host"], "127.0.0.1");
    assert_eq!(configuration["auth-model"], "native");
    assert!(configuration["events"].is_null(), "{text}");
    assert_eq!(configuration["properties"]["sslmode"], "disable");
    sandbox.ok(&["setup", "dbeaver", "--undo", "--yes"]);
    assert!(!sandbox.path(file).exists());
}

#[test]
fn libpq_takes_the_socket_and_else_is_told_where_the_password_is() {
    let sandbox = sandbox();
    let run = sandbox.run(&["setup", "psql", "--proxy", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let text = String::from_utf8(sandbox.read(".pg_service.conf")).expect("text");
    let directory = "/proxy\nport=15432\n"; // in the cache, as PGCRED_HOME is set
    assert!(
        text.contains("[prod]\nhost=/") && text.contains(directory),
        "{text}"
    );
    let shop = "[shop]\nhost=127.0.0.1\nport=15433\n";
    assert!(text.contains(shop), "{text}");
    assert_eq!(text.matches("sslmode=disable\n").count(), 2, "{text}");
    assert!(
        !text.contains("sslrootcert") && !text.contains("[other]"),
        "{text}"
    );
    let step = "type the one that `pgcred proxy --password shop` prints, or add `socket = true`";
    assert!(
        run.stderr.contains(step) && !run.stderr.contains("--password prod"),
        "{}",
        run.stderr
    );
    sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
    assert!(!sandbox.path(".pg_service.conf").exists());
}

#[test]
fn what_the_gateway_does_not_offer_is_refused_with_what_to_type() {
    let sandbox = sandbox();
    for (arguments, code, says) in [
        (
            &["psql", "other", "--proxy"][..],
            2,
            "pgcred add other --replace --proxy",
        ),
        (&["datagrip", HOST, "--proxy", "--print"], 0, ""),
        (&["cron", "--proxy"], 2, "--proxy is for tools that connect"),
        (&["proxy", "--proxy"], 2, "run `pgcred setup proxy`"),
        (&["--proxy"], 2, "<TOOL>"),
        (&["psql", "--proxy", "--undo"], 2, "cannot be used with"),
    ] {
        let run = sandbox.run(&[&["setup"], arguments].concat());
        assert!(
            run.code == code && run.stderr.contains(says),
            "{arguments:?}: {} {}",
            run.code,
            run.stderr
        );
    }
    assert!(!sandbox.path(".pg_service.conf").exists());
}
