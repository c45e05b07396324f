//! MCP servers: what `pgcred setup mcp` prints for them, and a server that outlives its token.

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::clients::matrix::one;
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::owners::set_mode;
use crate::support::sandbox::{HOST, RDS_HOST, Run};
use crate::support::sources::root;

const MIDNIGHT: u64 = 1_893_456_000;

/// Has a server run a query before and after the end of its token, with a new session: the old one
/// is `ended`, or the pool has closed it because it was `idle`.
fn renews(server: &str, how: &str) -> Option<Run> {
    let command = one(server)?;
    let mut cluster = Cluster::with(|config| config.now = Some(MIDNIGHT));
    cluster
        .sandbox
        .at("2030-01-01T00:00:00Z")
        .set("NODE_OPTIONS", "--use-bundled-ca")
        .ok(&["add", "prod", HOST]);
    cluster.sandbox.ok(&["refresh"]);
    let printed = cluster
        .sandbox
        .ok(&["setup", "mcp", "prod", "--print", "-q"]);
    let mut client = cluster.command(&command[0]);
    client.args(&command[1..]).arg(how);
    client.env("URL", printed.lines().nth(1).expect("a URL").trim());
    let client = client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let client = client.spawn().expect("a client");
    let deadline = Instant::now() + Duration::from_secs(90);
    while cluster.standin.accepted() == 0 {
        assert!(Instant::now() < deadline, "{server} never connected");
        thread::sleep(Duration::from_millis(10));
    }
    cluster.standin.set_now(Some(MIDNIGHT + 900));
    cluster.sandbox.at("2030-01-01T00:15:00Z").ok(&["refresh"]);
    cluster.sandbox.write("refreshed", "");
    let run = Run::finished(client.wait_with_output().expect("it ends"));
    let (accepted, refused) = (cluster.standin.accepted(), cluster.standin.refused());
    assert_eq!(refused, 0, "{server}: {}", run.stderr);
    assert!(accepted > 1 || run.code != 0, "{server} kept its session");
    Some(run)
}

#[test]
fn postgres_mcp_logs_in_anew_with_the_next_token() {
    skip_unless!(CLUSTER);
    if let Some(run) = renews("postgres-mcp", "ended") {
        assert_eq!(run.stdout, "admin@postgres\n".repeat(2), "{}", run.stderr);
    }
}

#[test]
fn server_postgres_logs_in_anew_with_the_next_token() {
    skip_unless!(CLUSTER);
    if let Some(run) = renews("server-postgres", "idle") {
        assert_eq!(run.stdout, "admin@postgres\n".repeat(2), "{}", run.stderr);
    }
}

/// The page warns of it.
#[test]
fn server_postgres_ends_when_the_server_ends_its_session() {
    skip_unless!(CLUSTER);
    if let Some(run) = renews("server-postgres", "ended") {
        assert_eq!(run.stdout, "admin@postgres\n", "{}", run.stderr);
        assert!(
            run.stderr.contains("Unhandled 'error' event"),
            "{}",
            run.stderr
        );
    }
}

/// The lines of JSON that setup prints start the server, each as it stands.
#[test]
fn what_setup_prints_for_the_client_starts_the_server() {
    skip_unless!(CLUSTER);
    let Some(command) = one("postgres-mcp") else {
        return;
    };
    let mut cluster = Cluster::with(|config| config.strict = true);
    let (target, launcher) = (
        root().join("target"),
        root().join("tests/clients/postgres-mcp.py"),
    );
    let program = format!(
        "#!/bin/sh\nexec {}/mcp/bin/python -IB {} \"$@\"\n",
        target.display(),
        launcher.display()
    );
    set_mode(&cluster.sandbox.write("bin/postgres-mcp", program), 0o755);
    let path = env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", cluster.sandbox.path("bin").display());
    cluster.sandbox.set("PATH", &path);
    for (name, host, user) in [("dsql", HOST, "admin"), ("rds", RDS_HOST, "app")] {
        cluster.sandbox.ok(&["add", name, host, "--user", user]);
        let printed = cluster.sandbox.ok(&["setup", "mcp", name, "--print", "-q"]);
        let entries: Vec<serde_json::Value> = printed
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        assert_eq!(entries.len(), 2, "{printed}");
        for (entry, started_by) in entries.iter().zip(["postgres-mcp", "pgcred"]) {
            let entry = &entry["mcpServers"][name];
            // pgcred's own passfile is the only one that a server started by pgcred finds
            if started_by == "postgres-mcp" {
                cluster.sandbox.ok(&["refresh", name]);
            } else {
                cluster.sandbox.ok(&["erase", name]);
            }
            let mut client = cluster.command(&command[0]);
            client.args(&command[1..]).arg("url");
            let run = Run::of({
                client.env("ENTRY", entry.to_string());
                client
            });
            let who = format!("{user}@postgres\n");
            assert_eq!(
                (run.code, &*run.stdout),
                (0, &*who),
                "{started_by}: {}",
                run.stderr
            );
        }
    }
}
