//! The checks of `pgcred doctor` that compare this machine with one target: what the passfile has
//! for it, and what the environment changes.

use super::fixture::{
    Fixture, HIDDEN, dsql, line_with_token, machine, nothing, one_connection, passfile, prove,
    put_program, rds, set,
};
use crate::support::sandbox::{HOST, KEY_ID, SECRET, Sandbox};

pub const ENTRY: [Fixture; 9] = [
    dsql("passfile.entry", nothing, "skip", None),
    dsql(
        "passfile.entry",
        |sandbox| passfile(sandbox, "other:1:*:b:c\n"),
        "ok",
        None,
    ),
    dsql("passfile.entry", refreshed, "ok", None),
    dsql(
        "passfile.entry",
        |sandbox| {
            refreshed(sandbox);
            sandbox.at("2030-01-01T00:20:00Z");
        },
        "fail",
        Some("token.expired"),
    ),
    dsql(
        "passfile.entry",
        |sandbox| passfile(sandbox, line_with_token(HOST, "20291231T000000Z")),
        "fail",
        Some("token.pasted"),
    ),
    dsql(
        "passfile.entry",
        |sandbox| passfile(sandbox, line_with_token(HOST, "20300101T000000Z")),
        "warn",
        Some("token.pasted"),
    ),
    dsql(
        "passfile.entry",
        |sandbox| {
            refreshed(sandbox);
            let block = String::from_utf8(sandbox.read(".pgpass")).expect("text");
            passfile(sandbox, format!("*:*:*:*:{HIDDEN}\n{block}"));
        },
        "fail",
        Some("passfile.shadow"),
    ),
    dsql(
        "passfile.entry",
        |sandbox| passfile(sandbox, format!("{HOST}:5432:*:someone:{HIDDEN}\n")),
        "warn",
        Some("passfile.key"),
    ),
    dsql(
        "passfile.entry",
        |sandbox| passfile(sandbox, format!("{HOST}.:5432:*:admin:{HIDDEN}\n")),
        "warn",
        Some("passfile.key"),
    ),
];

/// Lets pgcred write its line.
fn refreshed(sandbox: &mut Sandbox) {
    sandbox.set("AWS_ACCESS_KEY_ID", KEY_ID);
    sandbox.set("AWS_SECRET_ACCESS_KEY", SECRET);
    sandbox.ok(&["refresh", HOST, "--quiet"]);
}

#[test]
fn what_libpq_takes_from_the_passfile() {
    prove(&ENTRY);
}

/// Clients that dial an alias take the line for it.
#[test]
fn what_libpq_takes_for_an_alias() {
    prove(&[Fixture {
        target: Some("prod"),
        ..machine(
            "passfile.entry",
            |sandbox| {
                let options = ["add", "--quiet", "prod", HOST, "--alias", "localhost:15432"];
                sandbox.ok(&options);
                passfile(sandbox, format!("localhost:15432:*:admin:{HIDDEN}\n"));
            },
            "fail",
            Some("passfile.shadow"),
        )
    }]);
}

pub const ENVIRONMENT: [Fixture; 25] = [
    dsql("environment.password", nothing, "ok", None),
    dsql(
        "environment.password",
        |sandbox| set(sandbox, "PGPASSWORD", HIDDEN),
        "fail",
        Some("env.password"),
    ),
    dsql(
        "environment.password",
        |sandbox| {
            let line = line_with_token(HOST, "20291231T000000Z");
            let token = line.trim().rsplit(':').next().expect("a token").to_owned();
            sandbox.set("PGPASSWORD", &token);
        },
        "fail",
        Some("token.pasted"),
    ),
    dsql(
        "environment.password",
        |sandbox| {
            refreshed(sandbox);
            let token = sandbox.ok(&["token", HOST]);
            sandbox.set("PGPASSWORD", token.trim());
        },
        "ok",
        None,
    ),
    dsql(
        "environment.password",
        |sandbox| {
            refreshed(sandbox);
            let token = sandbox.ok(&["token", HOST, "--user", "another"]);
            sandbox.set("PGPASSWORD", token.trim());
        },
        "fail",
        Some("dsql.action"),
    ),
    dsql("environment.service", nothing, "ok", None),
    dsql("environment.service", service_of_target, "ok", None),
    dsql(
        "environment.service",
        |sandbox| set(sandbox, "PGSERVICE", "none"),
        "fail",
        Some("env.service"),
    ),
    dsql(
        "environment.service",
        |sandbox| {
            service_of_target(sandbox);
            sandbox.write(".pg_service.conf", format!("[s]\npassword={HIDDEN}\n"));
        },
        "fail",
        Some("env.service"),
    ),
    dsql("environment.address", nothing, "ok", None),
    dsql("environment.tls", nothing, "ok", None),
    dsql(
        "environment.tls",
        |sandbox| mode(sandbox, "disable"),
        "fail",
        Some("tls.off"),
    ),
    dsql(
        "environment.tls",
        |sandbox| mode(sandbox, "prefer"),
        "warn",
        Some("tls.off"),
    ),
    dsql(
        "environment.tls",
        |sandbox| mode(sandbox, "require"),
        "ok",
        None,
    ),
    dsql(
        "environment.tls",
        |sandbox| mode(sandbox, "verify-ca"),
        "fail",
        Some("tls.rootfile"),
    ),
    dsql(
        "environment.tls",
        |sandbox| set(sandbox, "PGSSLSNI", "0"),
        "fail",
        Some("tls.sni"),
    ),
    dsql(
        "environment.tls",
        |sandbox| {
            put_program(sandbox, "psql", "psql (PostgreSQL) 15.18");
            sandbox.set("PGSSLROOTCERT", "system");
        },
        "fail",
        Some("tls.system.old"),
    ),
    dsql(
        "environment.tls",
        |sandbox| {
            put_program(sandbox, "psql", "psql (PostgreSQL) 17.2");
            sandbox.set("PGSSLROOTCERT", "system");
            mode(sandbox, "require");
        },
        "fail",
        Some("tls.weak"),
    ),
    rds(
        "environment.tls",
        |sandbox| set(sandbox, "PGSSLROOTCERT", "system"),
        "fail",
        Some("tls.roots.rds"),
    ),
    rds(
        "environment.tls",
        |sandbox| {
            mode(sandbox, "require");
            sandbox.set("PGSSLNEGOTIATION", "direct");
        },
        "warn",
        Some("tls.alpn"),
    ),
    dsql("environment.demands", nothing, "ok", None),
    dsql(
        "environment.demands",
        |sandbox| set(sandbox, "PGREQUIREAUTH", "scram-sha-256"),
        "fail",
        Some("tool.require_auth"),
    ),
    dsql("environment.options", nothing, "ok", None),
    dsql(
        "environment.options",
        |sandbox| set(sandbox, "PGOPTIONS", "-c client_min_messages=error"),
        "warn",
        Some("dsql.param"),
    ),
    rds(
        "environment.options",
        |sandbox| set(sandbox, "PGOPTIONS", "-c client_min_messages=error"),
        "ok",
        None,
    ),
];

fn mode(sandbox: &mut Sandbox, mode: &str) {
    sandbox.set("PGSSLMODE", mode);
}

fn service_of_target(sandbox: &mut Sandbox) {
    let file = sandbox.write(
        ".pg_service.conf",
        format!("[s]\nhost={HOST}\nuser=admin\n"),
    );
    sandbox.set("PGSERVICEFILE", &file.display().to_string());
    sandbox.set("PGSERVICE", "s");
}

#[test]
fn the_environment() {
    prove(&ENVIRONMENT);
}

/// A connection is examined as it is configured, so the variable is not a part of the target.
pub const ADDRESS: [Fixture; 1] = [Fixture {
    target: Some("prod"),
    ..machine(
        "environment.address",
        |sandbox| {
            one_connection(sandbox);
            sandbox.set("PGHOSTADDR", "192.0.2.1");
        },
        "warn",
        Some("env.address"),
    )
}];

#[test]
fn an_address_in_the_environment() {
    prove(&ADDRESS);
}
