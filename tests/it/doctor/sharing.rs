//! `pgcred doctor --share`, end to end: nothing that identifies a user or a company, and no secret,
//! is in the report, whatever the names are. Without `--share` no secret is.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::fixture::configure;
use super::server::Server;
use crate::support::sandbox::{HOST, Sandbox};

/// How many homes are made up. Each takes three runs of pgcred.
const CASES: u32 = 8;

/// What identifies somebody, made up.
#[derive(Clone, Debug)]
struct Names {
    connection: String,
    profile: String,
    session: String,
    account: String,
    role: String,
    user: String,
    database: String,
    cluster: String,
    instance: String,
    private: String,
    email: String,
    home: String,
}

impl Names {
    fn all(&self) -> [&str; 12] {
        [
            &self.connection,
            &self.profile,
            &self.session,
            &self.account,
            &self.role,
            &self.user,
            &self.database,
            &self.cluster,
            &self.instance,
            &self.private,
            &self.email,
            &self.home,
        ]
    }
}

/// A word that is no part of a text of pgcred's own.
fn word() -> impl Strategy<Value = String> {
    "[a-z]{3}[0-9][a-z0-9_-]{2,10}[a-z0-9]"
}

fn names() -> impl Strategy<Value = Names> {
    let places = ("[a-z0-9]{25}[0-9]", word(), word());
    let email = "[a-z]{4,8}\\.[a-z]{4,8}@[a-z]{5,9}\\.(com|io|example)";
    let people = ("[1-9][0-9]{11}", word(), word(), email, word());
    ((word(), word(), word()), people, places, word()).prop_map(
        |(
            (connection, profile, session),
            (account, role, user, email, home),
            (cluster, instance, private),
            database,
        )| Names {
            connection,
            profile,
            session,
            account,
            role,
            user,
            database,
            cluster,
            instance: instance.replace('_', "-"),
            private: private.replace('_', "-"),
            email,
            home,
        },
    )
}

const KEY: &str = "AKIAQQQQWWWWEEEERRRR";
const SECRET_KEY: &str = "sEcReTsEcReTsEcReT/sEcReTsEcReT+sEcReTsE";
const SESSION_TOKEN: &str = "sessiontokenofnobodyatall==";
const PASSWORD: &str = "hunter2hunter2";

/// Makes a home that has each of the names somewhere, and a fault nearly everywhere.
fn home(names: &Names) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    let home = sandbox.path(&names.home).display().to_string();
    std::fs::create_dir_all(&home).expect("a directory");
    sandbox.set("HOME", &home).set("USERPROFILE", &home);
    let Names {
        connection,
        profile,
        session,
        account,
        role,
        user,
        database,
        cluster,
        instance,
        private,
        email,
        home: directory,
    } = names;
    let text = format!(
        "[connections.{connection}]\nhost = \"{cluster}.dsql.us-east-1.on.aws\"\n\
         hostaddr = \"127.0.0.1\"\nport = 1\nuser = \"{user}\"\nprofile = \"{profile}\"\n\
         [connections.other]\nhost = \"{instance}.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com\"\n\
         hostaddr = \"127.0.0.1\"\nport = 1\nuser = \"{email}\"\ndbname = \"{database}\"\n\
         [connections.third]\nhost = \"{private}.example.com\"\nprovider = \"dsql\"\n\
         region = \"us-east-1\"\nuser = \"{user}\"\nhostaddr = \"127.0.0.1\"\nport = 1\n"
    );
    configure(&sandbox, &text);
    sandbox.write(
        &format!("{directory}/.aws/config"),
        format!(
            "[default]\nregion = us-east-1\n[profile {profile}]\nsso_session = {session}\n\
             sso_account_id = {account}\nsso_role_name = {role}\nregion = us-east-1\n\
             [profile {role}]\nrole_arn = arn:aws:iam::{account}:role/{role}\n\
             source_profile = {profile}\nrole_session_name = {email}\n\
             [sso-session {session}]\nsso_start_url = https://{session}.awsapps.com/start\n\
             sso_region = us-east-1\n"
        ),
    );
    sandbox.write(
        &format!("{directory}/.pgpass"),
        format!(
            "{cluster}.dsql.us-east-1.on.aws:1:*:{user}:{PASSWORD}\n\
             {private}.example.com:1:{database}:{user}:{PASSWORD}\n"
        ),
    );
    sandbox
        .set("PGPASSWORD", PASSWORD)
        .set("PGSERVICE", database)
        .set("USER", user)
        .set("AWS_ACCESS_KEY_ID", KEY)
        .set("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .set("AWS_SESSION_TOKEN", SESSION_TOKEN);
    sandbox
}

fn assert_hidden(text: &str, hidden: &[&str], what: &str) {
    for name in hidden {
        assert!(!text.contains(name), "{what}: `{name}` is in {text}");
    }
}

const SECRETS: [&str; 5] = [SECRET_KEY, SESSION_TOKEN, PASSWORD, "X-Amz-", "panicked"];

fn prove(names: &Names) {
    let sandbox = home(names);
    let Names {
        role,
        cluster,
        user,
        database,
        ..
    } = names;
    let by_conninfo = format!(
        "host={cluster}.dsql.us-east-1.on.aws hostaddr=127.0.0.1 port=1 user={user} \
         dbname={database} password={PASSWORD}"
    );
    for targets in [&[][..], &[by_conninfo.as_str(), "--profile", role]] {
        let shared = sandbox.run(&[&["doctor", "--share", "--timeout", "20s"], targets].concat());
        let mut hidden = names.all().to_vec();
        hidden.extend(SECRETS);
        hidden.push(KEY);
        assert_hidden(&shared.stdout, &hidden, "--share");
        assert_hidden(&shared.stderr, &hidden, "standard error of --share");
        assert!(shared.stdout.contains("FAIL"), "{}", shared.stdout);
    }
    let json = sandbox.run(&["doctor", "--format", "json", "--timeout", "20s"]);
    assert_hidden(&json.stdout, &SECRETS, "JSON");
    assert_hidden(&json.stderr, &SECRETS, "standard error");
}

#[test]
fn what_is_shared_identifies_nobody() {
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..Config::default()
    });
    let result = runner.run(&names(), |names| {
        prove(&names);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// A server's error repeats who wanted to log in, and may repeat anything else.
#[test]
fn what_a_server_says_is_shared_without_names() {
    let server = Server::of(HOST);
    let target = server.target(&[("user", "jane_q17"), ("dbname", "ledger_q17")]);
    let run = |options: &[&str]| {
        let words = [&["doctor", "--timeout", "60s"], options, &[&*target]].concat();
        server.sandbox.run(&words)
    };
    for answer in standin::Answer::ALL {
        if answer.kind() != standin::Kind::Dsql {
            continue;
        }
        server.standin.set_answer(Some(*answer));
        let shared = run(&["--share", "--check", "login"]);
        let hidden = [
            "jane_q17",
            "ledger_q17",
            "111122223333",
            "Developer",
            "foo0bar1baz2",
        ];
        assert_hidden(&shared.stdout, &hidden, answer.name());
        assert!(
            shared.stdout.contains("login.accepted"),
            "{}",
            shared.stdout
        );
        let text = run(&["--check", "login"]);
        assert_hidden(&text.stdout, &["X-Amz-", "panicked"], answer.name());
    }
    server
        .standin
        .set_answer(Some(standin::Answer::DsqlRoleMissing));
    assert!(run(&["--check", "login"]).stdout.contains("jane_q17"));
}

/// The summary, errors about files that cannot be read, and programs speak of names that are in no
/// list of pgcred's.
#[test]
fn names_that_nothing_lists_are_shared_by_nobody() {
    let sandbox = Sandbox::empty();
    configure(
        &sandbox,
        "[connections.zaphod-a]\nhost = \"foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws\"\n\
         hostaddr = \"127.0.0.1\"\nport = 1\nprofile = \"zaphod-b\"\n\
         [connections.zaphod-c]\nhost = \"foo0bar1baz2quux3quuux4abd.dsql.us-east-1.on.aws\"\n\
         hostaddr = \"127.0.0.1\"\nport = 1\nprofile = \"zaphod-d\"\n",
    );
    let program = sandbox.write(
        "program",
        "echo no login for $2 of /home/zaphod-e/x >&2\nexit 1\n",
    );
    let program = program.display();
    sandbox.write(
        ".aws/config",
        format!(
            "[profile zaphod-b]\ncredential_process = /bin/sh {program} --password zaphod-f\n\
             [profile zaphod-d]\nrole_arn = arn:aws:iam::111122223333:role/zaphod-g\n\
             source_profile = zaphod-h\n"
        ),
    );
    let passfile = sandbox.write(".pgpass", "*:*:*:*:zaphod-i\n");
    std::fs::set_permissions(passfile, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let shared = sandbox.run(&["doctor", "--share", "--timeout", "20s"]);
    assert_hidden(&shared.stdout, &["zaphod"], "--share");
    // Which number the user has depends on where pgcred itself is.
    for says in ["delete line 1", "no login for [...] of /home/<user-"] {
        assert!(shared.stdout.contains(says), "{says}: {}", shared.stdout);
    }
    configure(&sandbox, "[zaphod-a]\nhost = \"x\"\n");
    let shared = sandbox.run(&["doctor", "--share", "--timeout", "20s"]);
    assert_hidden(&shared.stdout, &["zaphod"], "--share");
    assert!(shared.stdout.contains("no such key"), "{}", shared.stdout);
}

/// A certificate names hosts and a company of the user's.
#[test]
fn what_a_certificate_says_is_shared_without_names() {
    let server = Server::of(HOST);
    let target = server.target(&[]);
    let run = |options: &[&str]| {
        let words = [&["doctor", "--check", "tls"], options, &[&*target]].concat();
        server.sandbox.run(&words).stdout
    };
    for (fault, private) in [
        (standin::Fault::CertOtherName, "other.example.com"),
        (standin::Fault::CertCompanyCa, "Example Corp"),
    ] {
        server.standin.set_fault(Some(fault));
        assert!(run(&[]).contains(private), "{private}");
        assert_hidden(&run(&["--share"]), &[private], fault.name());
    }
}
