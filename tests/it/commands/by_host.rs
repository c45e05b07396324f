//! A host that belongs to a connection stands for the connection, in every command.

use std::fs;

#[cfg(unix)]
use crate::commands::newcomer::config;
use crate::commands::newcomer::{ID, sandbox};
#[cfg(unix)]
use crate::support::sandbox::RDS_HOST;
use crate::support::sandbox::{HOST, KEY_ID, Sandbox};

#[test]
fn the_host_of_a_connection_stands_for_the_connection() {
    let mut sandbox = sandbox();
    sandbox.ok(&[
        "add",
        "prod",
        HOST,
        "--profile",
        "dev",
        "--expires-in",
        "1h",
    ]);
    sandbox.ok(&[
        "add",
        "app",
        HOST,
        "--profile",
        "acct-a",
        "--user",
        "app",
        "--port",
        "6432",
    ]);
    let by = |arguments: &[&str], id: &str, action: &str| {
        let token = sandbox.ok(&[&["token", "--no-cache"], arguments].concat());
        assert!(
            token.contains(&format!("Credential={id}%2F")) && token.contains(action),
            "{arguments:?}: {token}"
        );
        token
    };
    let uri = format!("postgres://{HOST}");
    for target in [
        &[HOST][..],
        &[ID],
        &[ID, "--region", "us-east-1"],
        &[&uri],
        &["--host", HOST],
        &["--host", HOST, "--port", "5432"],
    ] {
        assert!(
            by(target, KEY_ID, "Action=DbConnectAdmin&").contains("X-Amz-Expires=3600&"),
            "{target:?}"
        );
    }
    by(&[HOST, "--user", "app"], "AKIAOTHER", "Action=DbConnect&");
    by(&[&format!("{HOST}:6432")], "AKIAOTHER", "Action=DbConnect&");
    // Options win over the connection. An address of no connection gets nothing from one.
    by(
        &[HOST, "--profile", "acct-a"],
        "AKIAOTHER",
        "Action=DbConnectAdmin&",
    );
    assert!(by(&[HOST, "--expires-in", "60"], KEY_ID, "").contains("X-Amz-Expires=60&"));
    for other in [
        &[HOST, "--user", "bob"][..],
        &[HOST, "--port", "1"],
        &[ID, "--region", "eu-west-1"],
    ] {
        sandbox
            .run(&[&["token", "--no-cache"], other].concat())
            .assert_fails(3, "no AWS credentials");
    }
    sandbox.ok(&["refresh", HOST]);
    assert!(
        String::from_utf8(sandbox.read(".pgpass"))
            .expect("text")
            .contains(KEY_ID)
    );
    assert!(sandbox.ok(&["prompt", HOST]).contains("min"));
    sandbox.set("PGHOST", HOST);
    sandbox.ok(&["token"]);
    sandbox.set("PGPORT", "1");
    sandbox
        .run(&["token"])
        .assert_fails(3, "no AWS credentials");
}

#[cfg(unix)]
#[test]
fn exec_and_setup_find_the_connection_by_its_host() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev", "--dbname", "shop"]);
    assert_eq!(
        sandbox.ok(&["exec", HOST, "--", "sh", "-c", "echo $PGDATABASE"]),
        "shop\n"
    );
    let before = config(&sandbox);
    let run = sandbox.run(&["setup", "psql", HOST, "--yes"]);
    assert!(
        run.code == 0 && run.stderr.contains("psql service=prod"),
        "{}",
        run.stderr
    );
    assert_eq!(config(&sandbox), before);
}

#[cfg(unix)]
#[test]
fn setup_of_a_host_stores_what_refresh_needs() {
    let sandbox = sandbox();
    let shown = sandbox.run(&[
        "setup",
        "psql",
        RDS_HOST,
        "--user",
        "app",
        "--profile",
        "dev",
        "--dry-run",
    ]);
    assert!(
        shown.code == 0 && shown.stderr.contains("+[connections.db]\n"),
        "{}",
        shown.stderr
    );
    assert_eq!(config(&sandbox), "");
    let run = sandbox.run(&[
        "setup",
        "psql",
        RDS_HOST,
        "--user",
        "app",
        "--profile",
        "dev",
        "--yes",
    ]);
    assert!(
        run.code == 0 && run.stderr.contains("psql service=db"),
        "{}",
        run.stderr
    );
    let scheduler = ["systemd", "cron", "launchd", "task-scheduler"]
        .map(|name| format!("`pgcred setup {name}`"));
    assert!(
        scheduler.iter().any(|command| run.stderr.contains(command)),
        "{}",
        run.stderr
    );
    assert_eq!(
        config(&sandbox),
        format!("[connections.db]\nhost = \"{RDS_HOST}\"\nuser = \"app\"\nprofile = \"dev\"\n")
    );
    sandbox.ok(&["refresh"]);
    assert!(
        String::from_utf8(sandbox.read(".pgpass"))
            .expect("text")
            .contains(RDS_HOST)
    );
    // A user can type a cluster ID, although it is a long name.
    sandbox.ok(&[
        "setup",
        "psql",
        HOST,
        "--profile",
        "dev",
        "--yes",
        "--quiet",
    ]);
    sandbox.ok(&["token", ID]);
    let run = sandbox.run(&[
        "setup",
        "psql",
        "db.c1.us-east-2.rds.amazonaws.com",
        "--user",
        "app",
        "--yes",
    ]);
    run.assert_fails(2, "hint: name it with `pgcred add NAME HOST`");
    // For a tool that runs pgcred itself, no connection is added to the configuration.
    let before = config(&sandbox);
    sandbox.ok(&[
        "setup",
        "pgadmin",
        "other.dsql.us-east-1.on.aws",
        "--profile",
        "dev",
        "--yes",
    ]);
    assert_eq!(config(&sandbox), before);
    let run = sandbox.run(&[
        "setup",
        "datagrip",
        "other.dsql.us-east-1.on.aws",
        "--profile",
        "dev",
    ]);
    assert!(
        run.stderr
            .contains(" add --host other.dsql.us-east-1.on.aws "),
        "{}",
        run.stderr
    );
}

#[test]
fn erase_by_the_host_of_a_connection_also_erases_its_aliases() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST, "--alias", "localhost:15432"]);
    for target in [&[HOST][..], &["-h", HOST], &["prod"]] {
        sandbox.ok(&["refresh", "prod", "--passfile", "p"]);
        assert!(
            String::from_utf8(sandbox.read("p"))
                .expect("text")
                .contains("localhost:15432:")
        );
        sandbox.ok(&[&["erase", "--passfile", "p"], target].concat());
        let left = fs::read_to_string(sandbox.path("p")).unwrap_or_default();
        assert!(!left.contains("Signature"), "{target:?}: {left}");
    }
    let help = sandbox.ok(&["erase", "--help"]);
    assert!(
        !help.contains("[default: 5432]") && help.contains("Only tokens for this user"),
        "{help}"
    );
}
