//! Tests of whole listings against `tests/stubs/control.py` with a declared fleet. They need
//! python3.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::ToSocketAddrs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::AwsCatalog;
use crate::authority::EndpointRole::{self, Custom, Main, Proxy, Reader};
use crate::authority::{
    AskPolicy, CatalogAnswer, CatalogStep, DatabaseCatalog, FoundDatabase, InspectionResult,
    LoginPolicy, NoAnswerReason, Region,
};
use crate::aws::api::profile_client::ProfileClient;
use crate::aws::environment::AwsVariables;
use crate::aws::planned_profile::PlannedProfile;
use crate::aws::profile::files::ProfileFiles;
use crate::aws::settings::{AwsSettings, SharedFiles};
use crate::sys::env;
use crate::sys::fs;

const SECRET: &str = "STUBSECRETthatnobodymayprint";
const ACCOUNT: &str = "123456789012";

/// A stub with a fleet, which ends with the test.
struct Fleet {
    program: Child,
    address: String,
    _directory: TempDir,
}

impl Fleet {
    /// Starts the stub; none without python3.
    fn start(fleet: &Value) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("fleet.json");
        fs::write_unsynced(&file, fleet.to_string().as_bytes()).unwrap();
        let python = env::var("PGCRED_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
        let mut program = Command::new(python);
        program
            .args([
                "-B",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stubs/control.py"),
            ])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let Ok(mut program) = program.spawn() else {
            let all = env::var("PGCRED_TEST_ALL").is_some();
            assert!(!all, "these tests need python3");
            return None;
        };
        let mut port = String::new();
        let output = program.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut port).unwrap();
        Some(Self {
            program,
            address: format!("http://127.0.0.1:{}", port.trim()),
            _directory: directory,
        })
    }

    /// Starts a stub that has this in the region eu-west-1 of the account.
    fn with_region(region: &Value) -> Option<Self> {
        Self::start(&json!({"accounts": {ACCOUNT: {"eu-west-1": region}}}))
    }

    /// Returns the variables of a profile, one in a line.
    fn variables(&self, words: &str, more: &str) -> String {
        let address = &self.address;
        format!(
            "AWS_ENDPOINT_URL={address}/{words}\nAWS_ACCESS_KEY_ID=AKIA\n\
             AWS_SECRET_ACCESS_KEY={SECRET}\nAWS_REGION=eu-west-1\n{more}"
        )
    }

    fn list(&self, regions: &[&str]) -> CatalogAnswer {
        listed(&self.variables("", ""), regions, 20).unwrap()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}

/// Returns settings of these variables only, one in a line. The last line of a name counts.
fn plan(lines: Option<&str>) -> PlannedProfile {
    let mut variables = BTreeMap::new();
    for line in lines.unwrap_or("").lines() {
        let (name, value) = line.split_once('=').unwrap();
        variables.insert(name.to_owned(), value.to_owned());
    }
    let files = SharedFiles::already_read(Ok(ProfileFiles::new(Vec::new(), Vec::new())));
    PlannedProfile::make(AwsSettings::new(
        AwsVariables::Given(variables),
        files,
        None,
    ))
}

fn catalog(variables: &str, seconds: u64) -> AwsCatalog {
    let ask_policy = AskPolicy {
        timeout: Duration::from_secs(seconds),
        login: LoginPolicy::Browser,
        login_asked_for: true,
        mfa_code: None,
        terminal: true,
        in_group: false,
        print_notice: |_| panic!("the user is told something"),
        trace: None,
    };
    let deadline = Instant::now() + ask_policy.timeout;
    AwsCatalog::from_client(ProfileClient::with_plan_reader(
        plan,
        Some(variables),
        &ask_policy,
        deadline,
    ))
}

fn named(regions: &[&str]) -> Vec<Region> {
    let one = |name: &&str| Region::from_trusted_name(*name);
    regions.iter().map(one).collect()
}

fn listed(variables: &str, regions: &[&str], seconds: u64) -> InspectionResult<CatalogAnswer> {
    let (planned, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let answer = catalog(variables, seconds).list(&named(regions), &|step| {
        let count = match step {
            CatalogStep::Planned => &planned,
            CatalogStep::Done => &done,
        };
        count.fetch_add(1, Ordering::SeqCst);
        assert!(done.load(Ordering::SeqCst) <= planned.load(Ordering::SeqCst));
    });
    assert_eq!(done.into_inner(), planned.into_inner());
    let text = format!("{answer:?}");
    assert!(!text.contains("STUBSECRET") && !text.contains("Signature="));
    answer
}

/// Returns region, question and reason of each failure.
fn failures(answer: &CatalogAnswer) -> Vec<(&str, &str, NoAnswerReason)> {
    let mut found = Vec::new();
    for failure in &answer.failures {
        let region = failure.region.as_str();
        found.push((region, failure.question.as_str(), failure.no_answer.reason));
    }
    found
}

/// Returns role, name and host of each database.
fn hosts(answer: &CatalogAnswer) -> Vec<(EndpointRole, &str, &str)> {
    let mut found = Vec::new();
    for database in &answer.databases {
        found.push((
            database.role,
            database.identifier.as_str(),
            database.host.as_deref().unwrap_or(""),
        ));
    }
    found
}

#[test]
#[expect(clippy::too_many_lines, reason = "one region with everything in it")]
fn everything_of_a_region_is_found() {
    let Some(fleet) = Fleet::with_region(&json!({
        "dsql": [{"id": "a1", "tags": {"Name": "Main \u{e9}"}}],
        "clusters": [
            {"id": "orders", "custom": ["reports"], "readers": 2, "dbname": "app"},
            {"id": "lonely", "readers": 0, "iam": false, "tags": {"Name": "<b>"}},
            {"id": "zone", "engine": "postgres", "readers": 2, "public": true},
            {"id": "fast", "express": true, "readers": 0},
            {"id": "graph", "engine": "neptune"},
        ],
        "instances": [
            {"id": "db-1", "port": 5433, "public": true},
            {"id": "new", "status": "creating"},
            {"id": "my", "engine": "mysql"},
        ],
        "proxies": [
            {"id": "px", "endpoints": ["ro"]},
            {"id": "off", "iam": false},
            {"id": "my", "family": "MYSQL", "endpoints": ["other"]},
        ],
    })) else {
        return;
    };
    let answer = fleet.list(&["eu-west-1"]);
    assert_eq!(answer.account.as_deref(), Some(ACCOUNT));
    assert_eq!(failures(&answer), []);
    let rds = "c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let id = "a1000000000000000000000000";
    let expected = [
        (Main, id, &*format!("{id}.dsql.eu-west-1.on.aws")),
        (Main, "orders", &format!("orders.cluster-{rds}")),
        (Reader, "orders", &format!("orders.cluster-ro-{rds}")),
        (Custom, "reports", &format!("reports.cluster-custom-{rds}")),
        (Main, "lonely", &format!("lonely.cluster-{rds}")),
        (Main, "zone", &format!("zone.cluster-{rds}")),
        (Reader, "zone", &format!("zone.cluster-ro-{rds}")),
        (Main, "fast", &format!("fast.cluster-{rds}")),
        (Main, "db-1", &format!("db-1.{rds}")),
        (Main, "new", ""),
        (Proxy, "px", &format!("px.proxy-{rds}")),
        (Proxy, "off", &format!("off.proxy-{rds}")),
        (Proxy, "ro", &format!("ro.endpoint.proxy-{rds}")),
    ];
    assert_eq!(hosts(&answer), expected);
    let idle = ["lonely", "fast"].map(|name| format!("{name}.cluster-ro-{rds}"));
    assert_eq!(answer.idle_hosts, idle);
    let database = |name: &str| -> &FoundDatabase {
        let mut databases = answer.databases.iter();
        databases
            .find(|database| database.identifier == name)
            .unwrap()
    };
    let dsql = database(id);
    assert_eq!(
        (dsql.kind, dsql.status.as_str()),
        ("DSQL cluster", "ACTIVE")
    );
    assert_eq!((dsql.is_ready, dsql.takes_tokens), (Some(true), Some(true)));
    assert_eq!(dsql.label.as_deref(), Some("Main \u{e9}"));
    assert_eq!(dsql.user.as_deref(), Some("admin"));
    assert_eq!(database("orders").dbname.as_deref(), Some("app"));
    assert_eq!(
        (database("orders").kind, database("zone").kind),
        ("Aurora cluster", "RDS cluster")
    );
    assert_eq!(
        (
            database("orders").user.as_deref(),
            database("orders").is_public
        ),
        (None, None)
    );
    assert_eq!(
        (
            database("lonely").takes_tokens,
            database("fast").takes_tokens
        ),
        (Some(false), Some(true))
    );
    assert_eq!(database("lonely").label.as_deref(), Some("<b>"));
    assert_eq!(
        (database("fast").user.as_deref(), database("fast").is_public),
        (Some("postgres"), Some(true))
    );
    assert_eq!(
        (database("db-1").port, database("db-1").is_public),
        (Some(5433), Some(true))
    );
    assert_eq!(database("new").is_ready, Some(false));
    assert_eq!(
        (database("px").takes_tokens, database("off").takes_tokens),
        (Some(true), Some(false))
    );
    for (name, begin) in [
        ("orders", "cluster-"),
        ("db-1", "db-"),
        ("px", "prx-"),
        ("ro", "prx-"),
    ] {
        let id = database(name).resource_id.as_deref().unwrap();
        assert!(id.starts_with(begin), "{name}: {id}");
    }
}

/// Rows come by region in the order of the question, whichever answers first.
#[test]
fn regions_keep_their_order_and_their_failures() {
    let Some(fleet) = Fleet::start(&json!({"accounts": {ACCOUNT: {
        "eu-west-1": {"instances": [{"id": "slow"}], "delay": 300},
        "eu-south-1": {"refuse": {"*": "UnrecognizedClientException"}},
        "ap-east-1": {"refuse": {"*": "OptInRequired"}},
        "af-south-1": {"refuse": {"*": "AuthFailure"}},
        "us-east-1": {
            "refuse": {"DescribeDBProxies": "AccessDenied", "GetCluster": "AccessDeniedException"},
            "dsql": [{"id": "a"}, {"id": "b"}],
            "throttle": {"DescribeDBInstances": 2},
            "instances": [{"id": "quick"}],
        },
    }}})) else {
        return;
    };
    let regions = [
        "eu-west-1",
        "eu-south-1",
        "ap-east-1",
        "af-south-1",
        "us-east-1",
        "us-west-2",
    ];
    let answer = fleet.list(&regions);
    let names: Vec<&str> = answer
        .databases
        .iter()
        .map(|database| &database.identifier[..1])
        .collect();
    assert_eq!(names, ["s", "a", "b", "q"]);
    let bare = &answer.databases[1];
    assert_eq!(
        (bare.status.as_str(), bare.is_ready, &bare.host),
        ("", None, &None)
    );
    let expected = [
        (
            "eu-south-1",
            "Aurora DSQL ListClusters",
            NoAnswerReason::RegionOff,
        ),
        (
            "ap-east-1",
            "Aurora DSQL ListClusters",
            NoAnswerReason::RegionOff,
        ),
        (
            "af-south-1",
            "Aurora DSQL ListClusters",
            NoAnswerReason::RegionOff,
        ),
        (
            "us-east-1",
            "Aurora DSQL GetCluster",
            NoAnswerReason::NotAllowed,
        ),
        (
            "us-east-1",
            "RDS DescribeDBProxies",
            NoAnswerReason::NotAllowed,
        ),
    ];
    assert_eq!(failures(&answer), expected);
}

#[test]
fn a_region_that_hangs_costs_only_its_own_answers() {
    let hangs = json!({"hang": ["GetCluster"], "dsql": [{"id": "a", "many": 40}]});
    let Some(fleet) = Fleet::start(&json!({"accounts": {ACCOUNT: {
        "eu-west-1": {"hang": ["*"]},
        "us-east-1": hangs,
        "us-east-2": hangs,
        // Its clusters are asked for when others have taken all of the room.
        "us-west-1": {"delay": 500, "dsql": [{"id": "b"}]},
        "*": {"instances": [{"id": "x"}]},
    }}})) else {
        return;
    };
    let regions = [
        "eu-west-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ];
    let started = Instant::now();
    let answer = listed(&fleet.variables("", ""), &regions, 10).unwrap();
    let taken = started.elapsed();
    assert!(
        taken >= Duration::from_secs(10) && taken < Duration::from_secs(16),
        "{taken:?}"
    );
    assert_eq!(answer.databases.len(), 82);
    let whole = &answer.databases[80];
    assert_eq!(
        (&whole.identifier[..1], whole.status.as_str()),
        ("b", "ACTIVE")
    );
    let late = failures(&answer);
    assert!(
        late.iter().all(|(_, _, why)| *why == NoAnswerReason::Late),
        "{late:?}"
    );
    assert_eq!(late.len(), 4 + 2, "{late:?}");
    assert_eq!(
        late[4],
        ("us-east-1", "Aurora DSQL GetCluster", NoAnswerReason::Late)
    );
}

/// Aurora DSQL is not in every region. A network that is down is another matter.
#[test]
fn a_service_that_is_not_in_the_region_is_nothing_to_tell() {
    let Some(fleet) = Fleet::with_region(&json!({"instances": [{"id": "db"}]})) else {
        return;
    };
    let host = "dsql.eu-west-1.invalid";
    let Err(error) = (host, 80).to_socket_addrs() else {
        return; // a network that invents addresses
    };
    if error.to_string().contains("Temporary failure") {
        return; // nobody here knows that there is no such name
    }
    let no_dsql = format!("AWS_ENDPOINT_URL_DSQL=http://{host}");
    let answer = listed(&fleet.variables("", &no_dsql), &["eu-west-1"], 20).unwrap();
    assert_eq!((answer.databases.len(), failures(&answer)), (1, Vec::new()));
    let neither = format!("{no_dsql}\nAWS_ENDPOINT_URL_RDS=http://{host}");
    let answer = listed(&fleet.variables("", &neither), &["eu-west-1"], 20).unwrap();
    let found = failures(&answer);
    assert_eq!(found.len(), 4);
    assert!(
        found
            .iter()
            .all(|(_, _, reason)| *reason == NoAnswerReason::NoSuchHost),
        "{found:?}"
    );
    let refused = "AWS_ENDPOINT_URL_DSQL=http://127.0.0.1:1";
    let answer = listed(&fleet.variables("", refused), &["eu-west-1"], 20).unwrap();
    let expected = [(
        "eu-west-1",
        "Aurora DSQL ListClusters",
        NoAnswerReason::Unreachable,
    )];
    assert_eq!(failures(&answer), expected);
}

#[test]
fn two_thousand_clusters_are_a_list() {
    let Some(fleet) = Fleet::with_region(&json!({
        "dsql": [{"id": "c", "many": 300}],
        "instances": [{"id": "i", "many": 2000, "tags": {"Name": "x"}}],
        "clusters": [{"id": "c", "many": 1000}],
    })) else {
        return;
    };
    let answer = fleet.list(&["eu-west-1"]);
    assert_eq!(failures(&answer), []);
    assert_eq!(answer.databases.len(), 300 + 2000 + 2 * 1000);
}

#[test]
fn what_is_no_list_of_aws_is_no_answer() {
    let Some(fleet) = Fleet::with_region(&json!({"instances": [{"id": "i", "many": 150}]})) else {
        return;
    };
    for (words, reason) in [
        ("loop", NoAnswerReason::NotUnderstood),
        ("html", NoAnswerReason::NotUnderstood),
        ("garbage", NoAnswerReason::NotUnderstood),
        ("cut", NoAnswerReason::NotUnderstood),
        ("redirect", NoAnswerReason::NotUnderstood),
        ("close", NoAnswerReason::Unreachable),
        ("error-Other", NoAnswerReason::Refused),
        ("throttle-99", NoAnswerReason::Throttled),
    ] {
        let answer = listed(&fleet.variables(words, ""), &["eu-west-1"], 20).unwrap();
        assert_eq!(answer.databases, [], "{words}");
        assert_eq!(answer.failures.len(), 4, "{words}: {:?}", answer.failures);
        for (_, question, found) in failures(&answer) {
            assert_eq!(found, reason, "{words}: {question}");
        }
    }
}

#[test]
fn keys_that_aws_refuses_are_one_error() {
    let Some(fleet) = Fleet::with_region(&json!({})) else {
        return;
    };
    for (more, reason) in [
        ("AWS_ACCESS_KEY_ID=AKIAGONE", NoAnswerReason::KeyUnknown),
        ("AWS_ACCESS_KEY_ID=AKIAEXPIRED", NoAnswerReason::Expired),
        ("AWS_SECRET_ACCESS_KEY=other", NoAnswerReason::SecretWrong),
    ] {
        let answer = listed(&fleet.variables("", more), &["eu-west-1", "us-east-1"], 20);
        assert_eq!(answer.unwrap_err().reason, reason, "{more}");
    }
    let nobody = "AWS_EC2_METADATA_DISABLED=true";
    let answer = listed(nobody, &["eu-west-1"], 20);
    assert_eq!(answer.unwrap_err().reason, NoAnswerReason::NoCredentials);
}

/// STS is not needed: the names of what was found have the account in them.
#[test]
fn the_account_is_known_without_sts() {
    let Some(fleet) = Fleet::with_region(&json!({"instances": [{"id": "db"}]})) else {
        return;
    };
    let words = "AWS_ENDPOINT_URL_STS=http://127.0.0.1:1";
    let answer = listed(&fleet.variables("", words), &["eu-west-1"], 20).unwrap();
    assert_eq!(answer.account.as_deref(), Some(ACCOUNT));
    assert_eq!((answer.databases.len(), answer.failures.len()), (1, 0));
}

#[test]
fn the_regions_are_those_of_the_partition() {
    for (variables, own, some, count) in [
        ("AWS_REGION=eu-west-1", Some("eu-west-1"), "us-east-1", 34),
        (
            "AWS_REGION=cn-north-1",
            Some("cn-north-1"),
            "cn-northwest-1",
            2,
        ),
        (
            "AWS_REGION=us-gov-west-1",
            Some("us-gov-west-1"),
            "us-gov-east-1",
            2,
        ),
        ("", None, "us-west-2", 34),
    ] {
        let found = catalog(variables, 20).regions();
        assert_eq!(found.own_region.as_ref().map(Region::as_str), own);
        assert_eq!(found.known_regions.len(), count, "{variables}");
        assert!(
            found
                .known_regions
                .contains(&Region::from_trusted_name(some)),
            "{variables}"
        );
        assert!(
            found.known_regions.is_sorted_by_key(Region::as_str),
            "{variables}"
        );
    }
}

/// Five profiles, each in a thread of its own, in 17 regions that answer after 100 ms.
#[test]
fn eighty_five_regions_take_little_time() {
    let Some(fleet) = Fleet::start(&json!({
        "delay": 100,
        "accounts": {"*": {"*": {"instances": [{"id": "db"}], "dsql": [{"id": "a"}]}}},
    })) else {
        return;
    };
    let regions = catalog("AWS_REGION=eu-west-1", 20).regions().known_regions;
    let regions: Vec<&str> = regions[..17].iter().map(Region::as_str).collect();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let answer = fleet.list(&regions);
                assert_eq!((answer.databases.len(), answer.failures.len()), (34, 0));
            });
        }
    });
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(10), "{taken:?}"); // 3 s with half of a core
}
