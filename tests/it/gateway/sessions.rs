//! Logins through the gateway: with the local password, and without it.

use nix::sys::signal::Signal;

use super::fixture::Gateway;
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST};

const WHO: &str = "select current_user || '@' || current_database()";

#[test]
fn psql_logs_in_with_the_local_password() {
    skip_unless!(CLUSTER);
    let cluster = Cluster::start();
    for (host, user) in [(HOST, "admin"), (RDS_HOST, "app")] {
        let before = cluster.standin.accepted();
        let mut gateway = Gateway::start(&cluster, host, user, &[]);
        for _ in 0..3 {
            let run = gateway.psql(&gateway.conninfo(user), WHO);
            let log = gateway.log();
            assert_eq!(
                (run.code, run.stdout.trim_end()),
                (0, &*format!("{user}@postgres")),
                "{} {log}",
                run.stderr
            );
        }
        assert_eq!(cluster.standin.accepted(), before + 3);
        gateway.wait_for(&format!("shop: {user} from 127.0.0.1:"));
        gateway.wait_for("bytes sent");
        assert!(!gateway.log().contains("X-Amz"), "{}", gateway.log());
        gateway.signal(Signal::SIGTERM);
        assert_eq!(gateway.wait(), Some(0));
    }
}

#[test]
fn a_wrong_password_reaches_no_server() {
    skip_unless!(CLUSTER);
    let cluster = Cluster::start();
    let gateway = Gateway::start(&cluster, HOST, "admin", &[]);
    let wrong = gateway.conninfo("admin").replace("password=", "password=x");
    let run = gateway.psql(&wrong, WHO);
    assert_eq!((run.code, &*run.stdout), (2, ""));
    for says in [
        "password authentication failed for user \"admin\"",
        "HINT:  this is the gateway of pgcred",
        "pgcred proxy --password shop",
    ] {
        assert!(run.stderr.contains(says), "{says} not in {}", run.stderr);
    }
    let run = gateway.psql(&gateway.conninfo("other"), WHO);
    assert!(
        run.stderr.contains("this gateway logs in as admin"),
        "{}",
        run.stderr
    );
    let events = cluster.standin.events();
    assert!(events.is_empty(), "{events:?}");
}
