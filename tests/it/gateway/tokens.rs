//! When the gateway makes a token, and when it takes the one that it has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use standin::{Answer, amz_date};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::gateway::machine::{Connection, DSQL, Machine, RDS, block_on, runs};
use crate::support::greeter;
use crate::support::needs::{CLUSTER, skip_unless};

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_secs()
}

/// Returns the time as `PGCRED_TEST_NOW` takes it.
fn rfc3339(time: u64) -> String {
    let compact = amz_date(time); // 20300101T000000Z
    let (date, clock) = compact.split_once('T').expect("a date and a time");
    let [year, month, day] = [&date[..4], &date[4..6], &date[6..]];
    let [hour, minute, second] = [&clock[..2], &clock[2..4], &clock[4..6]];
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")
}

fn outcomes(machine: &Machine) -> Vec<&'static str> {
    let events = machine.cluster.standin.events();
    events.iter().map(|event| event.outcome).collect()
}

/// Puts a token of 8 minutes ago into the cache, which pgcred takes for fresh, and lets the server
/// think that it has ended.
fn refuse_the_cached_token(machine: &mut Machine, connection: Connection) {
    let sandbox = &mut machine.cluster.sandbox;
    sandbox.at(&rfc3339(now() - 480));
    sandbox.ok(&["token", connection.name]);
    sandbox.unset("PGCRED_TEST_NOW");
    machine.cluster.standin.set_clock_offset(480);
}

#[test]
fn a_refused_token_of_before_is_followed_by_exactly_one_new_one() {
    skip_unless!(CLUSTER);
    let refusal = "expired";
    for connection in [DSQL, RDS] {
        let mut machine = Machine::new();
        let marks = machine.count_credential_runs();
        refuse_the_cached_token(&mut machine, connection);
        assert_eq!(runs(&marks), 1);
        let _gateway = machine.start(&[]);
        machine.assert_session(connection);
        assert_eq!(outcomes(&machine), [refusal, "accepted"]);
        assert_eq!(runs(&marks), 2);
        // The gateway keeps the new one.
        machine.assert_session(connection);
        assert_eq!(outcomes(&machine), [refusal, "accepted", "accepted"]);
        assert_eq!(runs(&marks), 2);
    }
}

#[test]
fn a_new_token_that_is_refused_is_not_tried_again() {
    skip_unless!(CLUSTER);
    for (connection, answer, code) in [
        (
            DSQL,
            Answer::DsqlExpired,
            SqlState::CONNECTION_FAILURE, // as Aurora DSQL has it
        ),
        (
            RDS,
            Answer::RdsPamFailed,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        ),
    ] {
        let machine = Machine::with(|config| config.answer = Some(answer));
        let _gateway = machine.start(&[]);
        let error = machine.refused(connection);
        assert_eq!(error.code(), &code);
        assert_ne!(error.hint().unwrap_or_default(), "");
        assert_eq!(outcomes(&machine).len(), 1);
    }
}

/// The second token is refused like the first one: the server's words are the client's, once.
#[test]
fn there_is_no_second_retry() {
    skip_unless!(CLUSTER);
    let mut machine = Machine::new();
    refuse_the_cached_token(&mut machine, DSQL);
    machine
        .cluster
        .standin
        .set_answer(Some(Answer::DsqlKeyExpired));
    let _gateway = machine.start(&[]);
    let error = machine.refused(DSQL);
    assert_eq!(
        error.message(),
        "unable to accept connection, access denied"
    );
    assert_eq!(outcomes(&machine), ["expired", "dsql-key-expired"]);
}

/// A refusal of Aurora DSQL that no other token would change.
#[test]
fn a_refusal_that_says_nothing_of_the_token_is_not_tried_again() {
    skip_unless!(CLUSTER);
    for answer in [
        Answer::DsqlWrongAction,
        Answer::DsqlNotAuthorized,
        Answer::DsqlRoleMissing,
        Answer::DsqlTooMany,
    ] {
        let mut machine = Machine::with(|config| config.answer = Some(answer));
        let sandbox = &mut machine.cluster.sandbox;
        sandbox.at(&rfc3339(now() - 300));
        sandbox.ok(&["token", "dsql"]);
        sandbox.unset("PGCRED_TEST_NOW");
        let _gateway = machine.start(&[]);
        let error = machine.refused(DSQL);
        assert_ne!(error.hint().unwrap_or_default(), "", "{answer:?}");
        assert_eq!(outcomes(&machine).len(), 1, "{answer:?}");
    }
}

#[test]
fn sixty_four_connects_at_once_wait_for_one_token() {
    skip_unless!(CLUSTER);
    let mut machine = Machine::new();
    let marks = machine.count_credential_runs();
    let _gateway = machine.start(&[]);
    open_at_once(&machine, 64);
    assert_eq!(runs(&marks), 1);
}

/// Neither is there a password, for which a client computes 4,096 hashes, nor PostgreSQL, which
/// starts a process: the machine has enough to do with a thousand handshakes at both ends.
#[test]
fn a_thousand_connects_at_once_make_one_token_and_all_succeed() {
    skip_unless!(CLUSTER);
    allow_many_files();
    let mut machine = Machine::with(|config| config.upstream = greeter::start());
    machine.configure("auth = \"none\"");
    let marks = machine.count_credential_runs();
    let _gateway = machine.start(&["dsql", "--max-connections", "1000"]);
    open_at_once(&machine, 1000);
    assert_eq!(runs(&marks), 1);
}

/// Raises the limit of open files: client, stand-in and its way to PostgreSQL are in this process.
fn allow_many_files() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a limit");
    assert!(most > 4000, "{most} files are too few");
}

/// Opens so many sessions of Aurora DSQL, each of which stays open until all are.
fn open_at_once(machine: &Machine, count: usize) {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(machine.port(DSQL))
        .user("admin")
        .dbname("postgres")
        .password(machine.password(DSQL))
        .connect_timeout(Duration::from_mins(1));
    let config = &config;
    block_on(async {
        let mut sessions = Vec::new();
        for _ in 0..count {
            let config = config.clone();
            sessions.push(tokio::spawn(async move {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                client.batch_execute("select 1").await?;
                Ok::<_, tokio_postgres::Error>(client)
            }));
        }
        let mut clients = Vec::new();
        for session in sessions {
            clients.push(session.await.expect("it ends").expect("a session"));
        }
    });
    assert_eq!(machine.cluster.standin.accepted(), count);
    assert_eq!(machine.cluster.standin.refused(), 0);
}

#[test]
fn a_login_that_is_needed_is_told_to_the_client() {
    skip_unless!(CLUSTER);
    let mut machine = Machine::new();
    let sandbox = &mut machine.cluster.sandbox;
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        sandbox.unset(name);
    }
    sandbox.write(
        ".aws/config",
        "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dev\n\
         [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://example.invalid\n\
         sso_registration_scopes = sso:account:access\n",
    );
    let gateway = machine.start(&[]);
    let error = machine.refused(DSQL);
    assert_eq!(
        error.code(),
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        "{error:?}"
    );
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("login"), "{hint}");
    assert!(machine.cluster.standin.events().is_empty());
    gateway.wait_for("refused: ");
}
