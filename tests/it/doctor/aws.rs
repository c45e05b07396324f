//! The checks of `pgcred doctor` that ask AWS, against the stand-in of its control planes: what
//! each of them says where something is wrong, and where nothing is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::credentials::network::Net;
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, requests};

/// The secret that the stand-in verifies signatures with.
const KEY: &str = "STUBSECRETthatnobodymayprint";
const LOGIN_IS_MISSING: i32 = 3;

/// A home with keys, in which the stand-in is AWS.
struct Aws {
    sandbox: Sandbox,
    stub: Stub,
    log: PathBuf,
}

/// How a check ends: its id, its status, its cause (empty for none) and a part of its detail.
type Ends = [&'static str; 4];

impl Aws {
    fn new() -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox
            .set("AWS_ACCESS_KEY_ID", "AKIASTUB")
            .set("AWS_SECRET_ACCESS_KEY", KEY);
        let log = sandbox.path("log");
        let stub = Stub::control(Some(&log));
        Self { sandbox, stub, log }
    }

    /// Runs doctor, with the words that say how AWS behaves. No report shows a secret.
    fn run(&mut self, words: &str, arguments: &[&str]) -> Run {
        let address = self.stub.url(words);
        self.sandbox.set("AWS_ENDPOINT_URL", &address);
        run(&self.sandbox, arguments)
    }

    /// Asserts how a check ends.
    fn ends(&mut self, words: &str, arguments: &[&str], wanted: Ends) -> (Value, i32) {
        let address = self.stub.url(words);
        self.sandbox.set("AWS_ENDPOINT_URL", &address);
        ends(&self.sandbox, arguments, wanted)
    }

    fn asks(&mut self, words: &str, target: &str, wanted: Ends) -> (Value, i32) {
        self.ends(words, &["--aws", "--timeout", "10", target], wanted)
    }

    fn operations(&self) -> BTreeSet<String> {
        let mut operations = BTreeSet::new();
        for request in requests(&self.log) {
            let text = |name: &str| request[name].as_str().expect("a text").to_owned();
            operations.insert(format!("{}:{}", text("service"), text("operation")));
        }
        operations
    }
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut all = vec!["doctor"];
    all.extend(arguments);
    let run = sandbox.run(&all);
    for secret in [KEY, STUB_SECRET, "Signature=", "panicked"] {
        let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
        assert!(!shown, "{secret} in {}{}", run.stdout, run.stderr);
    }
    run
}

fn ends(sandbox: &Sandbox, arguments: &[&str], wanted: Ends) -> (Value, i32) {
    let [id, status, cause, says] = wanted;
    let mut all = vec!["--format", "json", "--check", id];
    all.extend(arguments);
    let run = run(sandbox, &all);
    let report: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|_| panic!("{id}: {}{}", run.stdout, run.stderr));
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id);
    let found = found.unwrap_or_else(|| panic!("{id} is not in {}", run.stdout));
    assert_eq!(found["status"], status, "{found}");
    assert_eq!(found["cause"].as_str().unwrap_or(""), cause, "{found}");
    let detail = found["detail"].as_str().expect("a text");
    assert!(detail.contains(says), "{says:?} is not in {detail:?}");
    (found.clone(), run.code)
}

/// A cluster of Aurora DSQL, whose ID begins with its state.
fn dsql(state: &str) -> String {
    format!("{state:0<26}.dsql.eu-west-1.on.aws")
}

/// A server of RDS, whose name says its state, and the port of the stand-in's instances.
fn rds(name: &str) -> String {
    format!("postgres://app@{name}c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com:5433/app")
}

#[test]
fn who_signs_is_what_aws_says() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let id = "aws.identity";
    let target = dsql("active");
    for (words, says) in [
        (
            "",
            "account 123456789012: arn:aws:iam::123456789012:user/jane",
        ),
        ("role-dba", "arn:aws:sts::123456789012:assumed-role/dba/"),
    ] {
        aws.asks(words, &target, [id, "ok", "", says]);
    }
    for words in ["500", "close", "garbage", "html", "redirect"] {
        aws.asks(
            words,
            &target,
            [id, "skip", "", "GetCallerIdentity in eu-west-1"],
        );
    }
    let slow = ["--aws", "--timeout", "2", &target];
    aws.ends("hang", &slow, [id, "skip", "", ""]);
    aws.asks(
        "skew-400",
        &target,
        [id, "fail", "clock", "Signature expired"],
    );
    for (variable, value, cause) in [
        ("AWS_SECRET_ACCESS_KEY", "another", "aws.secret"),
        ("AWS_ACCESS_KEY_ID", "AKIAGONE", "aws.stale.env"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXPIRED", "aws.expired"),
    ] {
        let mut aws = Aws::new();
        aws.sandbox.set(variable, value);
        let (_, code) = aws.asks("", &target, [id, "fail", cause, "refused"]);
        assert_eq!(code, 1);
        // What cannot be asked is not asked.
        aws.asks(
            "",
            &target,
            ["iam.policy", "skip", "", "needs aws.identity"],
        );
    }
}

#[test]
fn a_login_that_is_missing_has_its_own_exit_code() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    aws.sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    aws.sandbox.write(
        ".aws/config",
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://s.awsapps.com/start\n",
    );
    let run = aws.run("", &["--aws", "--check", "server.state", &dsql("active")]);
    assert_eq!(run.code, LOGIN_IS_MISSING, "{}", run.stdout);
    assert!(run.stdout.contains("you have to log in"), "{}", run.stdout);
    assert_eq!(aws.operations(), BTreeSet::new());
}

#[test]
fn the_state_of_the_server_is_told() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let id = "server.state";
    for (words, target, wanted) in [
        ("", dsql("active"), [id, "ok", "", "ACTIVE"]),
        ("", dsql("idle"), [id, "ok", "", "IDLE"]),
        ("", dsql("creating"), [id, "fail", "dsql.state", "CREATING"]),
        (
            "",
            dsql("locked"),
            [id, "fail", "dsql.kms", "its key cannot be used"],
        ),
        (
            "",
            dsql("missing"),
            [id, "fail", "aws.account", "was not found"],
        ),
        (
            "",
            rds("orders."),
            [
                id,
                "ok",
                "",
                "DB instance orders: available, without a public",
            ],
        ),
        (
            "",
            rds("public-db."),
            [id, "ok", "", "with a public address"],
        ),
        (
            "",
            rds("main.cluster-"),
            [id, "ok", "", "DB cluster main: available"],
        ),
        ("", rds("stopped-db."), [id, "fail", "rds.state", "stopped"]),
        (
            "",
            rds("upgrading-db."),
            [id, "warn", "rds.state", "it may take no connections"],
        ),
        (
            "",
            rds("renamed-db."),
            [id, "fail", "aws.account", "has no DB instance"],
        ),
        (
            "",
            rds("db.shardgrp-"),
            [id, "skip", "", "does not say which instance"],
        ),
        (
            "account-999999999999",
            dsql("active"),
            [id, "warn", "aws.account", "999999999999"],
        ),
        (
            "denied-GetCluster",
            dsql("active"),
            [id, "skip", "", "allow you dsql:GetCluster"],
        ),
        (
            "denied-DescribeDBInstances",
            rds("db."),
            [id, "skip", "", "rds:DescribeDBInstances"],
        ),
        (
            "throttle-99",
            dsql("active"),
            ["aws.identity", "skip", "", "Rate exceeded"],
        ),
    ] {
        aws.asks(words, &target, wanted);
    }
}

#[test]
fn a_server_that_takes_no_tokens_of_this_port_is_told() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let other_port = rds("db.").replace("5433", "5432");
    for (target, wanted) in [
        (rds("db."), ["server.iam", "ok", "", "takes tokens"]),
        (
            rds("off-db."),
            ["server.iam", "fail", "rds.iam.off", "is off"],
        ),
        (
            rds("main.proxy-"),
            ["server.iam", "skip", "", "server.proxy"],
        ),
        (
            rds("main.proxy-"),
            ["server.proxy", "ok", "", "takes tokens"],
        ),
        (
            rds("off.proxy-"),
            ["server.proxy", "fail", "rds.proxy.method", "is off"],
        ),
        (rds("db."), ["server.proxy", "skip", "", "no proxy"]),
        (rds("db."), ["server.port", "ok", "", "5433"]),
        (dsql("active"), ["server.port", "ok", "", "every port"]),
        (
            other_port,
            ["server.port", "fail", "token.endpoint", "signed for 5432"],
        ),
    ] {
        aws.asks("", &target, wanted);
    }
    aws.asks(
        "denied-DescribeDBInstances",
        &rds("db."),
        ["server.iam", "skip", "", "needs server.state"],
    );
}

#[test]
fn policies_that_do_not_allow_the_login_are_told() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let id = "iam.policy";
    let simulate = "allow you iam:SimulatePrincipalPolicy";
    for (words, target, wanted) in [
        ("", dsql("active"), [id, "ok", "", "dsql:DbConnectAdmin"]),
        ("", rds("db."), [id, "ok", "", "rds-db:connect"]),
        (
            "role-dba",
            dsql("active"),
            [id, "ok", "", "dsql:DbConnectAdmin"],
        ),
        (
            "role-dba/denied-GetRole",
            dsql("active"),
            [id, "ok", "", "they allow"],
        ),
        (
            "implicit",
            dsql("active"),
            [id, "fail", "iam.dsql", "no policy allows"],
        ),
        (
            "implicit",
            rds("db."),
            [id, "fail", "iam.rds.resource", "rds-db:connect"],
        ),
        (
            "explicit",
            rds("db."),
            [id, "fail", "iam.deny", "(PolicyOfStub)"],
        ),
        (
            "scp",
            dsql("active"),
            [id, "fail", "iam.deny", "organisation"],
        ),
        (
            "boundary",
            dsql("active"),
            [id, "fail", "iam.boundary", "boundary"],
        ),
        (
            "condition",
            dsql("active"),
            [id, "warn", "iam.dsql", "aws:SourceVpc"],
        ),
        (
            "condition",
            rds("db."),
            [id, "warn", "rds.condition", "aws:SourceVpc"],
        ),
        (
            "denied-SimulatePrincipalPolicy",
            rds("db."),
            [id, "skip", "", simulate],
        ),
        (
            "root",
            rds("db."),
            [id, "skip", "", "simulates no policies"],
        ),
        (
            "denied-GetCluster",
            dsql("active"),
            [id, "ok", "", "they allow"],
        ),
    ] {
        aws.asks(words, &target, wanted);
    }
    let (check, _) = aws.asks(
        "implicit",
        &rds("db."),
        [id, "fail", "iam.rds.resource", ""],
    );
    let advice = check["fix"]["text"].as_str().expect("an advice");
    assert!(
        advice.ends_with("dbuser:db-ABCDEFGHIJKL01234/app"),
        "{advice}"
    );
}

#[test]
fn the_clock_is_compared_with_that_of_aws() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let id = "clock.offset";
    let target = dsql("active");
    for (words, wanted) in [
        ("", [id, "ok", "", "that of AWS"]),
        ("skew-120", [id, "warn", "clock", "s behind that of AWS"]),
        ("skew-400", [id, "fail", "clock", "s behind that of AWS"]),
        ("skew--400", [id, "fail", "clock", "s ahead of that of AWS"]),
        ("", ["aws.reach", "ok", "", "AWS answers in eu-west-1"]),
        // Whoever refuses says what time it is, too.
        ("500", ["aws.reach", "ok", "", "AWS answers"]),
        (
            "close",
            ["aws.reach", "warn", "aws.unreachable", "cannot be reached"],
        ),
        ("close", [id, "skip", "", "cannot be reached"]),
    ] {
        aws.ends(words, &["--timeout", "10", &target], wanted);
    }
    for wanted in [
        ["aws.reach", "warn", "aws.unreachable", ""],
        [id, "skip", "", ""],
    ] {
        aws.ends("hang", &["--timeout", "2", &target], wanted);
    }
    // Nothing but the time was asked for, by nobody.
    let asked = requests(&aws.log);
    assert!(
        asked.iter().all(|request| request["key"].is_null()),
        "{asked:?}"
    );
    aws.sandbox.at("2030-01-01T00:00:00Z");
    aws.ends(
        "",
        &[&target],
        [id, "fail", "clock", "s ahead of that of AWS"],
    );
}

#[test]
fn nothing_is_asked_offline_without_a_target_and_for_another_check() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let target = dsql("active");
    for id in ["clock.offset", "aws.reach"] {
        aws.ends("", &[], [id, "skip", "", "nothing to log in to"]);
        aws.ends(
            "",
            &["--offline", &target],
            [id, "skip", "", "needs a connection"],
        );
    }
    aws.ends(
        "",
        &[&target],
        ["passfile.mode", "skip", "", "does not exist"],
    );
    aws.run("", &["--offline", &target]);
    assert_eq!(aws.operations(), BTreeSet::new());
    aws.run("", &["--check", "server,iam,clock", &target]);
    assert_eq!(
        requests(&aws.log).len(),
        1,
        "without --aws only the time is asked for"
    );
}

#[test]
fn a_certificate_that_is_not_trusted_is_told() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let address = net.https();
    net.sandbox.set("AWS_ENDPOINT_URL", &address);
    let target = dsql("active");
    let id = "aws.reach";
    ends(
        &net.sandbox,
        &[&target],
        [id, "warn", "aws.tls", "cannot be reached"],
    );
    let roots = net.roots();
    net.trust(&roots);
    ends(
        &net.sandbox,
        &[&target],
        [id, "ok", "", "AWS answers in eu-west-1"],
    );
    net.trust(&PathBuf::from("/none/roots.pem"));
    ends(
        &net.sandbox,
        &[&target],
        [id, "warn", "aws.config", "/none/roots.pem"],
    );
    net.sandbox.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    ends(
        &net.sandbox,
        &[&target],
        [id, "warn", "aws.unreachable", "cannot be reached"],
    );
}

#[test]
fn a_report_to_share_has_no_names_of_aws() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let words = "role-billing-admins/explicit";
    for target in [
        rds("orders-prod."),
        rds("missing-orders-prod."),
        dsql("active"),
    ] {
        let options = ["--aws", "--share", "--check", "aws,server,iam", &target];
        let report = aws.run(words, &options).stdout;
        assert!(report.contains("iam.policy"), "{report}");
        for name in [
            ACCOUNT,
            "billing",
            "jane",
            "orders",
            "PolicyOfStub",
            "active0",
            "c1a2b3c4d5e6",
        ] {
            assert!(!report.contains(name), "{name} in {report}");
        }
    }
}

/// Whoever copies the policy of the page can ask everything.
#[test]
fn the_page_has_the_policy_for_all_questions() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    for target in [
        dsql("active"),
        rds("member-1."),
        rds("main.proxy-"),
        rds("ro.endpoint.proxy-"),
    ] {
        aws.run("role-dba", &["--aws", "--check", "aws,server,iam", &target]);
    }
    let mut asked = aws.operations();
    assert!(
        asked.remove("sts:GetCallerIdentity"),
        "it needs no permission"
    );
    let page =
        std::fs::read_to_string(root().join("src/command/doctor/README.md")).expect("a page");
    let (_, policy) = page.split_once("```json\n").expect("a policy");
    let (policy, _) = policy.split_once("```").expect("its end");
    let policy: Value = serde_json::from_str(policy).expect("JSON");
    let actions = policy["Statement"][0]["Action"]
        .as_array()
        .expect("actions");
    let actions = actions
        .iter()
        .map(|action| action.as_str().expect("a text").to_owned());
    assert_eq!(asked, actions.collect());
}
