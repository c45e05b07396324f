//! The checks of credentials and tokens: what each of them says in a home where something is wrong,
//! and in one where nothing is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::credentials::cause::ROLE;
use crate::credentials::faults::{SSO_FILE, sso_token};
use crate::credentials::network::Net;
use crate::support::desk::{FAR, at_terminal, desk};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET, Sandbox};
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, requests};

const NOW: &str = "2030-01-01T00:00:00Z";

/// Runs doctor, and returns what it says of one check. The report shows no secret.
fn outcome(sandbox: &Sandbox, id: &str, arguments: &[&str]) -> (Value, Run) {
    let mut words = vec!["doctor", "--format", "json", "--timeout", "10"];
    words.extend(arguments);
    let run = sandbox.run(&words);
    for secret in [
        SECRET,
        STUB_SECRET,
        "Signature=",
        KEY_ID,
        "ssotoken",
        "panicked",
    ] {
        let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
        assert!(!shown, "{secret} in {}{}", run.stdout, run.stderr);
    }
    let report: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|_| panic!("{id}: {}{}", run.stdout, run.stderr));
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == id);
    let check = check.unwrap_or_else(|| panic!("{id} is not in {}", run.stdout));
    (check.clone(), run)
}

/// Asserts how a check ends: its status, its cause (empty for none) and a part of its detail.
fn assert_ends(sandbox: &Sandbox, id: &str, arguments: &[&str], wanted: [&str; 3]) -> (Value, Run) {
    let (check, run) = outcome(sandbox, id, arguments);
    let [status, cause, says] = wanted;
    assert_eq!(check["status"], status, "{id}: {check}");
    assert_eq!(check["cause"].as_str().unwrap_or(""), cause, "{check}");
    let detail = check["detail"].as_str().expect("a text");
    assert!(detail.contains(says), "{says:?} is not in {detail}");
    (check, run)
}

/// Asserts how a check ends that asks nobody.
fn offline(sandbox: &Sandbox, id: &str, more: &[&str], wanted: [&str; 3]) -> (Value, Run) {
    let mut words = vec!["--offline", "--check", id];
    words.extend(more);
    assert_ends(sandbox, id, &words, wanted)
}

/// Asserts how the token is issued, or what one of the checks after that says of it.
fn online(sandbox: &Sandbox, id: &str, more: &[&str], wanted: [&str; 3]) -> (Value, Run) {
    let mut words = vec!["--check", "credentials,token"];
    words.extend(more);
    assert_ends(sandbox, id, &words, wanted)
}

fn configured(config: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write(".aws/config", config);
    sandbox
}

/// Returns a home whose default profile runs a script for its credentials.
fn with_process(script: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let path = sandbox.write("program.sh", script);
    sandbox.write(
        ".aws/config",
        format!(
            "[default]\ncredential_process = /bin/sh {}\n",
            path.display()
        ),
    );
    sandbox
}

#[test]
fn the_source_is_named_or_why_there_is_none() {
    let id = "credentials.source";
    let says = "access key in variables";
    offline(&Sandbox::with_keys(), id, &[HOST], ["ok", "", says]);

    let mut sandbox = configured("[profile dev]\nregion = us-east-1\n");
    sandbox.set("AWS_PROFILE", "dov");
    let (check, run) = offline(&sandbox, id, &[HOST], ["fail", "aws.profile", "`dov`"]);
    assert_eq!(check["fix"]["text"], "did you mean `dev`?");
    assert_eq!(run.code, 1);

    let sandbox = configured(&format!("[default]\n{ROLE}"));
    offline(
        &sandbox,
        id,
        &[HOST],
        ["fail", "aws.config", "neither source_profile"],
    );
}

#[test]
fn keys_in_variables_that_are_old_or_in_the_way_are_told() {
    let id = "credentials.environment";
    offline(&Sandbox::empty(), id, &[HOST], ["ok", "", "no AWS key"]);

    let mut sandbox = Sandbox::with_keys();
    sandbox.at(NOW).set("AWS_PROFILE", "dev");
    let says = "AWS_PROFILE counts for nothing";
    offline(&sandbox, id, &[HOST], ["warn", "aws.stale.env", says]);
    sandbox.set("AWS_CREDENTIAL_EXPIRATION", "2029-12-31T23:50:00Z");
    let (check, _) = offline(
        &sandbox,
        id,
        &[HOST],
        ["fail", "aws.stale.env", "10 min ago"],
    );
    let command = check["fix"]["commands"][0].as_str().expect("a command");
    assert!(command.starts_with("unset AWS_ACCESS_KEY_ID"), "{command}");
}

#[test]
fn a_profile_of_this_shell_alone_is_told_once_a_tool_is_set_up() {
    let id = "credentials.desktop";
    let mut sandbox = configured("[profile dev]\naws_access_key_id = A\n");
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.set("AWS_PROFILE", "dev");
    offline(&sandbox, id, &["prod"], ["ok", "", "no tool is set up"]);
    sandbox.ok(&["setup", "psql", "prod", "--yes"]);
    let (check, _) = offline(&sandbox, id, &["prod"], ["warn", "tool.path", "`dev`"]);
    assert_eq!(check["fix"]["commands"][0], "pgcred setup psql");
    let advice = check["fix"]["text"].as_str().expect("an advice");
    assert!(
        advice.starts_with("write profile = \"dev\" into"),
        "{advice}"
    );
    let config = sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    let changed = text.replace(
        "[connections.prod]",
        "[connections.prod]\nprofile = \"dev\"",
    );
    fs::write(&config, changed).expect("written");
    offline(
        &sandbox,
        id,
        &["prod"],
        ["ok", "", "does not depend on this shell"],
    );
}

#[test]
fn a_login_that_is_missing_is_known_without_asking() {
    let id = "credentials.login";
    let mut sandbox = desk("http://127.0.0.1:9");
    sandbox.set("AWS_PROFILE", "p");
    let file = sandbox.path(SSO_FILE).display().to_string();
    let says = format!("nobody has logged in to SSO yet: {file} holds no login");
    let (check, run) = offline(&sandbox, id, &[HOST], ["fail", "aws.login", &says]);
    assert_eq!(check["fix"]["commands"][0], "pgcred login --profile p");
    assert_eq!(run.code, 3);

    sandbox.write(SSO_FILE, sso_token("ssotoken", FAR));
    offline(&sandbox, id, &[HOST], ["ok", "", "logged in"]);
    sandbox.write(SSO_FILE, sso_token("ssotoken", "2020-01-01T00:00:00Z"));
    offline(&sandbox, id, &[HOST], ["ok", "", "renews it without you"]);
    let no_renewal = sso_token("ssotoken", "2020-01-01T00:00:00Z").replace("refreshToken", "x");
    sandbox.write(SSO_FILE, no_renewal);
    let says = "the SSO session has expired";
    offline(&sandbox, id, &[HOST], ["fail", "aws.login", says]);

    sandbox.set("AWS_PROFILE", "l");
    let says = "nobody has logged in with `aws login` yet";
    let (check, _) = offline(&sandbox, id, &[HOST], ["fail", "aws.login", says]);
    assert_eq!(check["fix"]["commands"][0], "aws login --profile l");
}

#[test]
fn the_last_failure_is_told_with_its_pause() {
    let id = "credentials.failure";
    let sandbox = with_process("echo 'no vault' >&2; exit 3");
    offline(&sandbox, id, &[HOST], ["ok", "", "none is recorded"]);
    assert_eq!(sandbox.run(&["token", HOST, "--region=us-east-1"]).code, 1);
    let (check, _) = offline(&sandbox, id, &[HOST], ["warn", "aws.process", "no vault"]);
    let detail = check["detail"].as_str().expect("a text");
    assert!(detail.contains("pgcred asks again in"), "{detail}");
}

#[test]
fn what_gives_no_token_is_told_by_its_cause() {
    let id = "token.issued";
    let (_, run) = online(
        &Sandbox::empty(),
        id,
        &[HOST],
        ["fail", "aws.none", "no AWS credentials"],
    );
    assert_eq!(run.code, 3);
    let failing = with_process("echo 'no vault' >&2; exit 3");
    online(&failing, id, &[HOST], ["fail", "aws.process", "no vault"]);
    let past = format!(
        "echo '{{\"Version\":1,\"AccessKeyId\":\"ASIAP\",\"SecretAccessKey\":\"{STUB_SECRET}\",\
         \"Expiration\":\"2020-01-01T00:00:00Z\"}}'"
    );
    online(
        &with_process(&past),
        id,
        &[HOST],
        ["fail", "aws.expired", "have expired"],
    );
    let hanging = with_process("sleep 60");
    let says = "no answer from the credential_process";
    let slow = ["--timeout", "2", HOST];
    let began = std::time::Instant::now();
    let mut words = vec!["doctor", "--check", id, "--format", "json"];
    words.extend(slow);
    let run = hanging.run(&words);
    assert!(run.stdout.contains(says), "{}", run.stdout);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    let mfa = configured(&format!(
        "[default]\n{ROLE}mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/me\nsource_profile = keys\n\
         [profile keys]\naws_access_key_id = AKIAP\naws_secret_access_key = {STUB_SECRET}\n"
    ));
    online(&mfa, id, &[HOST], ["fail", "aws.mfa", "needs an MFA code"]);
}

#[test]
fn what_aws_refuses_is_told_by_its_own_words() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let id = "token.issued";
    let keys = format!(
        "[profile keys]\naws_access_key_id = AKIAP\naws_secret_access_key = {STUB_SECRET}\n"
    );
    for (words, cause) in [
        ("error-RequestTimeTooSkewed", "clock"),
        ("error-InvalidClientTokenId", "aws.stale.env"),
        ("error-NoSuchReason", "aws.refused"),
        ("close", "aws.unreachable"),
    ] {
        let mut sandbox = configured(&format!("[default]\n{ROLE}source_profile = keys\n{keys}"));
        sandbox.set("AWS_ENDPOINT_URL_STS", &stub.url(words));
        online(&sandbox, id, &[HOST], ["fail", cause, ""]);
    }
    // AWS has ended the session that the file still calls good.
    let mut sandbox = desk(&stub.url(""));
    sandbox.set("AWS_PROFILE", "p");
    sandbox.write(SSO_FILE, sso_token("revoked", FAR));
    let says = "the SSO session was ended by AWS";
    let (check, run) = online(&sandbox, id, &[HOST], ["fail", "aws.login", says]);
    assert_eq!(check["fix"]["commands"][0], "pgcred login --profile p");
    assert_eq!(run.code, 3);
}

#[test]
fn a_certificate_of_a_company_is_told() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let https = net.https();
    net.sandbox.set("AWS_ENDPOINT_URL_STS", &https);
    let id = "token.issued";
    online(
        &net.sandbox,
        id,
        &[HOST],
        ["fail", "aws.tls", "cannot be reached"],
    );
    let roots = net.roots();
    net.trust(&roots);
    online(&net.sandbox, id, &[HOST], ["ok", "", "signed now"]);
}

#[test]
fn a_healthy_run_signs_once_and_then_asks_nobody() {
    skip_unless!(PYTHON);
    let directory = tempfile::TempDir::new().expect("a directory");
    let log = directory.path().join("log");
    let stub = Stub::aws(Some(&log));
    let mut sandbox = desk(&stub.url(""));
    sandbox.set("AWS_PROFILE", "p");
    sandbox.write(SSO_FILE, sso_token("ssotoken", FAR));
    let id = "token.issued";
    online(
        &sandbox,
        id,
        &[HOST],
        ["ok", "", "signed now, and good for 15 min"],
    );
    let asked = requests(&log).len();
    assert_eq!(asked, 1);
    online(&sandbox, id, &[HOST], ["ok", "", "a token is cached"]);
    assert_eq!(requests(&log).len(), asked);
    // Without a connection its parts are those of the cached token.
    let says = "DbConnectAdmin on foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws in us-east-1, \
                by a key ASIA...";
    offline(&sandbox, "token.scope", &[HOST], ["ok", "", says]);
    offline(&sandbox, "token.life", &[HOST], ["ok", "", "more"]);
    offline(&sandbox, "token.length", &[HOST], ["ok", "", "characters"]);
    let (_, run) = offline(&sandbox, id, &[HOST], ["skip", "", ""]);
    assert_eq!(run.code, 0);
    let empty = Sandbox::empty();
    let says = "there is no token to look at";
    offline(&empty, "token.scope", &[HOST], ["skip", "", says]);
}

#[test]
fn what_the_token_has_to_be_good_for_is_judged_before_it_is_signed() {
    let keys = Sandbox::with_keys();
    let east = ["--provider", "dsql", "--region", "us-east-1", "--host"];
    let with = |host| [&east[..], &[host]].concat();
    offline(&keys, "token.host", &[HOST], ["ok", "", "signed for foo0"]);
    let wanted = ["fail", "token.endpoint", "no name of Aurora DSQL"];
    let (check, _) = offline(&keys, "token.host", &with("localhost"), wanted);
    assert_eq!(
        check["fix"]["commands"][0],
        "pgcred add NAME ENDPOINT --alias localhost:5432"
    );
    let wanted = ["warn", "token.endpoint", "no name of Aurora DSQL"];
    offline(&keys, "token.host", &with("new.example.on.aws"), wanted);

    offline(
        &keys,
        "token.region",
        &[HOST],
        ["ok", "", "us-east-1, as the host says"],
    );
    let other = ["--region", "eu-west-1", HOST];
    offline(
        &keys,
        "token.region",
        &other,
        ["fail", "region", "is in us-east-1"],
    );
    let none = ["--provider", "rds", "--user", "me", "--host", "db.internal"];
    offline(
        &keys,
        "token.region",
        &none,
        ["warn", "aws.region", "neither"],
    );

    offline(&keys, "token.user", &[HOST], ["ok", "", "DbConnectAdmin"]);
    let named = ["--user", "Admin", HOST];
    offline(
        &keys,
        "token.user",
        &named,
        ["warn", "role.case", "permits DbConnect"],
    );

    let id = "token.replication";
    offline(&keys, id, &[HOST], ["ok", "", "none is asked for"]);
    let uri = format!("postgres://me@{RDS_HOST}/app?replication=database");
    offline(&keys, id, &[&uri], ["fail", "rds.replication", "database"]);
}

#[test]
fn a_token_that_ends_too_early_or_is_too_long_is_told() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at(NOW);
    online(&sandbox, "token.life", &[HOST], ["ok", "", "15 min more"]);
    sandbox.set("AWS_CREDENTIAL_EXPIRATION", "2030-01-01T00:04:00Z");
    let wanted = ["warn", "aws.expired", "was cut short"];
    online(&sandbox, "token.life", &[HOST], wanted);
    sandbox.set("AWS_SESSION_TOKEN", &"x".repeat(5_000));
    let wanted = ["warn", "token.cut", "some programs read no more"];
    online(&sandbox, "token.length", &[HOST], wanted);
}

#[test]
fn the_token_in_the_passfile_is_looked_at() {
    let id = "token.passfile";
    let mut sandbox = Sandbox::with_keys();
    sandbox.at(NOW);
    offline(&sandbox, id, &[HOST], ["ok", "", "has written none"]);
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["refresh", "prod"]);
    offline(&sandbox, id, &["prod"], ["ok", "", "good for 15 min"]);
    // The token that the clients have is the one that is looked at; none is signed besides.
    let cached = ["ok", "", "a token is cached"];
    online(&sandbox, "token.issued", &["prod"], cached);

    sandbox.at("2030-01-01T00:12:00Z");
    offline(
        &sandbox,
        id,
        &["prod"],
        ["warn", "schedule", "nothing has renewed it"],
    );
    sandbox.at("2030-01-01T00:20:00Z");
    offline(
        &sandbox,
        id,
        &["prod"],
        ["warn", "schedule", "expired 5 min ago"],
    );

    sandbox.at(NOW);
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("UTF-8");
    sandbox.write(".pgpass", text.replace("DbConnectAdmin", "DbConnect"));
    let says = "for action DbConnect, and DbConnectAdmin is asked for";
    offline(&sandbox, id, &["prod"], ["fail", "dsql.action", says]);
}

#[test]
fn names_of_the_login_are_not_in_a_report_for_others() {
    let sandbox = configured(
        "[profile dev]\nsso_session = corpsession\nsso_account_id = 123456789012\n\
         sso_role_name = CorpDba\n[sso-session corpsession]\nsso_region = us-west-2\n\
         sso_start_url = https://corp.awsapps.com/start\n",
    );
    let run = sandbox.run(&["doctor", "--offline", "--share", "--profile", "dev", HOST]);
    assert!(run.stdout.contains("credentials.source"), "{}", run.stdout);
    for name in ["corpsession", "CorpDba", "123456789012", "foo0bar1"] {
        assert!(!run.stdout.contains(name), "{name} in {}", run.stdout);
    }
}

/// Puts a psql first on PATH that ends with this code.
fn psql(sandbox: &mut Sandbox, code: u8) {
    let path = sandbox.write(
        "bin/psql",
        format!("#!/bin/sh\necho said >&2\nexit {code}\n"),
    );
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").expect("PATH");
    sandbox.set("PATH", &format!("{}:{path}", sandbox.path("bin").display()));
}

#[test]
fn a_psql_that_could_not_log_in_leads_to_doctor() {
    let hint = format!("hint: pgcred doctor {HOST} finds out why the login failed\n");
    let mut sandbox = Sandbox::with_keys();
    psql(&mut sandbox, 2);
    let run = sandbox.run(&["exec", HOST, "--", "psql", "-c", "select 1"]);
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert_eq!(run.stderr, format!("said\n{hint}"));
    sandbox.ok(&["add", "prod", HOST]);
    let run = sandbox.run(&["exec", "prod", "--", "psql"]);
    assert!(
        run.stderr.contains("pgcred doctor prod finds"),
        "{}",
        run.stderr
    );

    let run = sandbox.run(&["exec", HOST, "--quiet", "--", "psql"]);
    assert_eq!((run.code, &*run.stderr), (2, "said\n"));
    let run = sandbox.run(&["exec", HOST, "--", "sh", "-c", "exit 2"]);
    assert_eq!((run.code, &*run.stderr), (2, ""));
    psql(&mut sandbox, 1);
    let run = sandbox.run(&["exec", HOST, "--", "psql"]);
    assert_eq!((run.code, &*run.stderr), (1, "said\n"));
}

#[test]
fn at_a_terminal_the_hint_says_what_doctor_found() {
    skip_unless!(PYTHON);
    let mut sandbox = Sandbox::with_keys();
    psql(&mut sandbox, 2);
    sandbox.ok(&["add", "prod", HOST]);
    let run = at_terminal(&sandbox, &["exec", "prod", "--", "psql"]);
    let shown = run.stdout + &run.stderr;
    for part in [
        format!("hint: {HOST}: "),
        format!(": getent ahosts {HOST}; `pgcred doctor prod` says more"),
    ] {
        assert!(shown.contains(&part), "no {part} in {shown}");
    }
}

/// The advice of the first cause stands twice in the report: below its check and at the end.
#[test]
fn names_in_advice_are_not_in_a_report_for_others() {
    let sandbox = configured("[profile acmesecret]\nregion = us-west-2\n");
    let run = sandbox.run(&["doctor", "--offline", "--share", "--profile", "acme", HOST]);
    assert!(run.stdout.contains("first cause"), "{}", run.stdout);
    assert!(!run.stdout.contains("acmesecret"), "{}", run.stdout);
}
