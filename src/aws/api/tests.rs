//! Tests of the questions to AWS against `tests/stubs/control.py`, which verifies signatures and
//! misbehaves as the words in front of the path say. They need python3.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::inspector::AwsInspector;
use super::profile_client::ProfileClient;
use super::rds::RdsFilter;
use super::{address, client::ApiClient, dsql, rds, rds_resources};
use crate::authority::{
    AskPolicy, DeniedBy, InspectionResult, Inspector, LoginPolicy, NoAnswer, NoAnswerReason,
    Region, RunNotes, ServerLoginPermission, ServerState, TokenScope,
};
use crate::aws::credentials::Credentials;
use crate::aws::environment::AwsVariables;
use crate::aws::planned_profile::PlannedProfile;
use crate::aws::profile::files::ProfileFiles;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::{DSQL, IAM, RDS, STS};
use crate::aws::settings::{AwsSettings, SharedFiles};
use crate::http::block_on;
use crate::sys::env;

const SECRET: &str = "STUBSECRETthatnobodymayprint";
const ID: &str = "abcdefghijklmnopqrstuvwxyz";

/// Returns the port of the stub, which ends with this process; none without python3.
fn stub() -> Option<u16> {
    static STUB: OnceLock<Option<(u16, Child)>> = OnceLock::new();
    let started = STUB.get_or_init(|| {
        let python = env::var("PGCRED_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stubs/control.py");
        let mut program = Command::new(python);
        program
            .args(["-B", path])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let Ok(mut child) = program.spawn() else {
            let all = env::var("PGCRED_TEST_ALL").is_some();
            assert!(!all, "these tests need python3");
            return None;
        };
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        Some((line.trim().parse().unwrap(), child))
    });
    Some(started.as_ref()?.0)
}

/// Returns settings in which every service is the stub. The profile's name is the words for the
/// stub and then, behind a blank, the ID of the key.
fn plan(profile: Option<&str>) -> PlannedProfile {
    let profile = profile.unwrap_or("");
    let (words, key) = profile.split_once(' ').unwrap_or((profile, "AKIA"));
    let port = stub().unwrap();
    let secret = if key == "AKIAWRONG" { "other" } else { SECRET };
    let endpoint = format!("http://127.0.0.1:{port}/{words}");
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", "a session+token/="),
    ];
    plan_with(
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    )
}

fn plan_with(variables: BTreeMap<String, String>) -> PlannedProfile {
    let files = SharedFiles::already_read(Ok(ProfileFiles::new(Vec::new(), Vec::new())));
    PlannedProfile::make(AwsSettings::new(
        AwsVariables::Given(variables),
        files,
        None,
    ))
}

fn ask() -> AskPolicy {
    AskPolicy {
        timeout: Duration::from_secs(20),
        login: LoginPolicy::Browser,
        login_asked_for: true,
        mfa_code: None,
        terminal: true,
        in_group: false,
        print_notice: |_| panic!("the user is told something"),
        trace: None,
    }
}

fn within(seconds: u64, words: &str) -> AwsInspector {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    AwsInspector::from_client(ProfileClient::with_plan_reader(
        plan,
        Some(words),
        &ask(),
        deadline,
    ))
}

fn inspector(words: &str) -> AwsInspector {
    within(20, words)
}

fn region() -> Region {
    Region::from_trusted_name("eu-west-1")
}

fn of_dsql(host: &str) -> TokenScope<'_> {
    TokenScope {
        service: "dsql",
        action: "DbConnectAdmin",
        host,
        port: None,
        user: None,
        dbname: "",
        vars: &[],
    }
}

fn of_rds(host: &str) -> TokenScope<'_> {
    TokenScope {
        service: "rds-db",
        action: "connect",
        host,
        port: Some(5432),
        user: Some("app"),
        dbname: "",
        vars: &[],
    }
}

fn server_of_rds(words: &str, name: &str) -> InspectionResult<ServerState> {
    let host = format!("{name}c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com");
    inspector(words).server(&of_rds(&host), Some(&region()))
}

fn server_of_dsql(words: &str, id: &str) -> InspectionResult<ServerState> {
    let host = format!("{id}.dsql.eu-west-1.on.aws");
    inspector(words).server(&of_dsql(&host), Some(&region()))
}

/// Asks for all clusters of both services.
fn listed(words: &str) -> (InspectionResult<usize>, InspectionResult<usize>) {
    let plan = plan(Some(words));
    let (ask_policy, notes) = (ask(), RunNotes::default());
    let deadline = Instant::now() + ask_policy.timeout;
    let resolution =
        CredentialResolution::open(&plan.settings, &ask_policy, "", 0, deadline, &notes).unwrap();
    let credentials = Credentials::new("AKIA", SECRET, None, None, "test");
    let client = ApiClient::new(&resolution, credentials);
    block_on(async {
        let of_dsql = dsql::fetch_clusters(&client, "eu-west-1")
            .await
            .require_complete();
        let read = rds_resources::parse_cluster;
        let of_rds =
            rds::describe_all(&client, "eu-west-1", &rds::CLUSTERS, RdsFilter::All, read).await;
        let of_rds = of_rds.require_complete();
        (of_dsql.map(|all| all.len()), of_rds.map(|all| all.len()))
    })
    .unwrap()
}

#[track_caller]
fn reason_of<T>(answer: InspectionResult<T>) -> NoAnswerReason {
    let Err(NoAnswer { reason, error }) = answer else {
        panic!("there is an answer");
    };
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("STUBSECRET") && !text.contains("Signature="),
        "{text}"
    );
    reason
}

#[test]
fn the_state_of_a_cluster_of_dsql_is_known() {
    if stub().is_none() {
        return;
    }
    let state = server_of_dsql("", ID).unwrap();
    assert_eq!(
        state,
        ServerState {
            kind: "Aurora DSQL cluster",
            identifier: ID.to_owned(),
            status: "ACTIVE".to_owned(),
            is_ready: Some(true),
            can_use_key: Some(true),
            takes_tokens: Some(true),
            requires_tls: Some(true),
            resource: Some(format!("arn:aws:dsql:eu-west-1:123456789012:cluster/{ID}")),
            ..ServerState::default()
        }
    );
    for (begin, ready) in [
        ("idle", true),
        ("creating", false),
        ("failed", false),
        ("locked", false),
    ] {
        let id = format!("{begin}{}", &ID[..26 - begin.len()]);
        assert_eq!(
            server_of_dsql("", &id).unwrap().is_ready,
            Some(ready),
            "{begin}"
        );
    }
    assert_eq!(
        reason_of(server_of_dsql("", "missing0000000000000000000")),
        NoAnswerReason::NotFound
    );
}

#[test]
fn a_host_of_rds_leads_to_its_instance_cluster_or_proxy() {
    if stub().is_none() {
        return;
    }
    for (host, kind, resource_id) in [
        ("db.", "DB instance", "db-ABCDEFGHIJKL01234"),
        ("member-1.", "DB instance", "cluster-ABCDEFGHIJKL01234"),
        ("main.cluster-", "DB cluster", "cluster-ABCDEFGHIJKL01234"),
        (
            "main.cluster-ro-",
            "DB cluster",
            "cluster-ABCDEFGHIJKL01234",
        ),
        (
            "own.cluster-custom-",
            "DB cluster",
            "cluster-ABCDEFGHIJKL01234",
        ),
        ("main.proxy-", "RDS proxy", "prx-ABCDEFGHIJKL01234"),
        ("ro.endpoint.proxy-", "RDS proxy", "prx-ABCDEFGHIJKL01234"),
    ] {
        let state = server_of_rds("clusters-250", host).unwrap();
        assert_eq!(state.kind, kind, "{host}");
        let resource = format!("arn:aws:rds-db:eu-west-1:123456789012:dbuser:{resource_id}/app");
        assert_eq!(state.resource, Some(resource), "{host}");
        assert_eq!(
            (state.is_ready, state.takes_tokens),
            (Some(true), Some(true)),
            "{host}"
        );
    }
    let state = server_of_rds("", "db-public-off.").unwrap();
    assert_eq!(
        (state.is_public, state.takes_tokens),
        (Some(true), Some(false))
    );
    assert_eq!(state.port, Some(5433));
    assert_eq!(
        state.certificate_authority.as_deref(),
        Some("rds-ca-rsa2048-g1")
    );
    assert_eq!(
        server_of_rds("", "off.proxy-").unwrap().takes_tokens,
        Some(false)
    );
    for (host, status, ready) in [
        ("stopped-db.", "stopped", Some(false)),
        ("upgrading.cluster-", "upgrading", None),
        ("creating-db.", "creating", Some(false)),
        ("stopped.endpoint.proxy-", "stopped", Some(false)),
    ] {
        let state = server_of_rds("", host).unwrap();
        assert_eq!(
            (state.status.as_str(), state.is_ready),
            (status, ready),
            "{host}"
        );
    }
}

#[test]
fn a_host_that_belongs_to_nothing_is_not_found() {
    if stub().is_none() {
        return;
    }
    for host in [
        "missing.",
        "renamed.",
        "missing.cluster-",
        "renamed.cluster-ro-",
        "none.cluster-custom-",
        "missing.proxy-",
        "renamed.proxy-",
        "renamed.endpoint.proxy-",
    ] {
        assert_eq!(
            reason_of(server_of_rds("", host)),
            NoAnswerReason::NotFound,
            "{host}"
        );
    }
    assert_eq!(
        reason_of(server_of_rds("", "a.global-")),
        NoAnswerReason::NotAskable
    );
    let own = inspector("").server(&of_rds("db.example.com"), Some(&region()));
    assert_eq!(reason_of(own), NoAnswerReason::NotAskable);
    let other = TokenScope {
        service: "newsvc",
        ..of_rds("orders.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com")
    };
    let Err(answer) = inspector("").server(&other, Some(&region())) else {
        panic!("a service that is not known was asked about as RDS");
    };
    assert_eq!(answer.reason, NoAnswerReason::NotAskable);
    assert!(answer.error.to_string().ends_with("the service newsvc"));
    let allowed = inspector("").permission(&other, Some(&region()), None);
    assert_eq!(allowed.unwrap_err().reason, NoAnswerReason::NotAskable);
}

#[test]
fn the_caller_and_what_policies_allow_are_known() {
    if stub().is_none() {
        return;
    }
    let caller = inspector("role-dba").caller(None).unwrap();
    assert_eq!(caller.account, "123456789012");
    assert!(
        caller.name.ends_with(":assumed-role/dba/jane@example.com"),
        "{caller:?}"
    );
    let host = format!("{ID}.dsql.eu-west-1.on.aws");
    let allowed = |words: &str| inspector(words).permission(&of_dsql(&host), Some(&region()), None);
    for words in [
        "",
        "role-dba",
        "role-AWSReservedSSO_dba",
        "role-dba/denied-GetRole",
    ] {
        assert_eq!(
            allowed(words).unwrap(),
            ServerLoginPermission::Allowed,
            "{words}"
        );
    }
    for (words, by) in [
        ("implicit", DeniedBy::NoStatement),
        ("explicit", DeniedBy::Statement),
        ("role-dba/scp", DeniedBy::Organization),
        ("boundary", DeniedBy::Boundary),
        ("condition", DeniedBy::NoStatement),
    ] {
        let ServerLoginPermission::Denied(denial) = allowed(words).unwrap() else {
            panic!("{words}");
        };
        assert_eq!(denial.by, by, "{words}");
        let policies: &[&str] = if by == DeniedBy::Statement {
            &["PolicyOfStub"]
        } else {
            &[]
        };
        assert_eq!(denial.policies, policies);
        let open: &[&str] = if words == "condition" {
            &["aws:SourceVpc"]
        } else {
            &[]
        };
        assert_eq!(denial.open_conditions, open);
    }
    for (words, reason) in [
        ("root", NoAnswerReason::NotAskable),
        ("denied-SimulatePrincipalPolicy", NoAnswerReason::NotAllowed),
        ("role-missing", NoAnswerReason::NotFound),
        // The path cannot be had, and without it IAM knows no such role.
        (
            "role-AWSReservedSSO_dba/denied-GetRole",
            NoAnswerReason::NotAllowed,
        ),
    ] {
        assert_eq!(reason_of(allowed(words)), reason, "{words}");
    }
    let host = "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let looked_up = inspector("").permission(&of_rds(host), Some(&region()), None);
    assert_eq!(looked_up.unwrap(), ServerLoginPermission::Allowed);
}

#[test]
fn the_clocks_are_compared_without_credentials() {
    if stub().is_none() {
        return;
    }
    for (words, ahead) in [
        ("", 0),
        ("skew-1000 AKIAGONE", -1000),
        ("skew--4000 AKIAWRONG", 4000),
    ] {
        let found = inspector(words).clock_offset(Some(&region())).unwrap();
        assert!((found - ahead).abs() <= 1, "{words}: {found}");
    }
}

#[test]
fn refusals_are_told_apart() {
    if stub().is_none() {
        return;
    }
    for (words, reason) in [
        (
            "denied-GetCluster/denied-DescribeDBInstances",
            NoAnswerReason::NotAllowed,
        ),
        ("error-OptInRequired", NoAnswerReason::RegionOff),
        ("error-Other", NoAnswerReason::Refused),
        (" AKIAGONE", NoAnswerReason::KeyUnknown),
        (" AKIAEXPIRED", NoAnswerReason::Expired),
        (" AKIAWRONG", NoAnswerReason::SecretWrong),
        ("skew-1000", NoAnswerReason::ClockWrong),
        ("garbage", NoAnswerReason::NotUnderstood),
        ("html", NoAnswerReason::NotUnderstood),
        ("cut", NoAnswerReason::NotUnderstood),
        ("huge", NoAnswerReason::NotUnderstood),
        ("redirect", NoAnswerReason::NotUnderstood),
        ("500", NoAnswerReason::NotUnderstood),
        ("close", NoAnswerReason::Unreachable),
    ] {
        assert_eq!(
            reason_of(server_of_dsql(words, ID)),
            reason,
            "DSQL: {words}"
        );
        assert_eq!(
            reason_of(server_of_rds(words, "db.")),
            reason,
            "RDS: {words}"
        );
    }
}

#[test]
fn an_error_names_service_and_operation() {
    if stub().is_none() {
        return;
    }
    let error = server_of_rds("html", "db.").unwrap_err().error.to_string();
    assert_eq!(
        error,
        "DescribeDBInstances in eu-west-1: the answer of RDS cannot be understood (HTTP 200)"
    );
    let error = server_of_dsql("denied-GetCluster", ID).unwrap_err().error;
    let text = error.to_string();
    assert!(
        text.starts_with("GetCluster in eu-west-1: Aurora DSQL refused: AccessDeniedException: "),
        "{text}"
    );
    assert!(error.hint_text().is_some());
}

#[test]
fn a_throttled_request_is_sent_again_but_not_for_ever() {
    if stub().is_none() {
        return;
    }
    assert!(server_of_dsql("throttle-3/clusters-1", ID).is_ok());
    assert!(server_of_rds("throttle-2/clusters-2", "db.").is_ok());
    let started = Instant::now();
    assert_eq!(
        reason_of(server_of_dsql("throttle-99/clusters-3", ID)),
        NoAnswerReason::Throttled
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    // Where there is no time for a pause, the refusal is the answer, and not the deadline.
    let host = format!("{ID}.dsql.eu-west-1.on.aws");
    let short = within(1, "throttle-99/clusters-4");
    assert_eq!(
        reason_of(short.server(&of_dsql(&host), Some(&region()))),
        NoAnswerReason::Throttled
    );
}

#[test]
fn a_service_that_hangs_costs_no_more_than_the_deadline() {
    if stub().is_none() {
        return;
    }
    let host = format!("{ID}.dsql.eu-west-1.on.aws");
    let started = Instant::now();
    let hanging = within(1, "hang");
    assert_eq!(
        reason_of(hanging.server(&of_dsql(&host), Some(&region()))),
        NoAnswerReason::Late
    );
    let taken = started.elapsed();
    assert!(
        taken >= Duration::from_millis(900) && taken < Duration::from_secs(3),
        "{taken:?}"
    );
}

#[test]
fn lists_are_read_to_their_end() {
    if stub().is_none() {
        return;
    }
    let (of_dsql, of_rds) = listed("clusters-250");
    assert_eq!((of_dsql.unwrap(), of_rds.unwrap()), (250, 251));
    let (of_dsql, of_rds) = listed("clusters-0");
    assert_eq!((of_dsql.unwrap(), of_rds.unwrap()), (0, 1));
    let (of_dsql, of_rds) = listed("loop/clusters-250");
    assert_eq!(reason_of(of_dsql), NoAnswerReason::NotUnderstood);
    assert_eq!(reason_of(of_rds), NoAnswerReason::NotUnderstood);
}

/// Returns settings of these variables only, one in a line.
fn plan_of_variables(lines: Option<&str>) -> PlannedProfile {
    let mut variables = BTreeMap::new();
    for line in lines.unwrap_or("").lines() {
        let (name, value) = line.split_once('=').unwrap();
        variables.insert(name.to_owned(), value.to_owned());
    }
    plan_with(variables)
}

/// Credentials that are missing, and settings that cannot be used, are told apart too.
#[test]
fn what_is_wrong_here_is_not_blamed_on_aws() {
    let keys = format!("AWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY={SECRET}\n");
    let host = format!("{ID}.dsql.eu-west-1.on.aws");
    for (variables, reason) in [
        (
            "AWS_EC2_METADATA_DISABLED=true".to_owned(),
            NoAnswerReason::NoCredentials,
        ),
        (
            format!("{keys}AWS_CREDENTIAL_EXPIRATION=2020-01-01T00:00:00Z"),
            NoAnswerReason::Expired,
        ),
        (
            format!("{keys}AWS_CREDENTIAL_EXPIRATION=nonsense"),
            NoAnswerReason::Setting,
        ),
        (
            format!("{keys}AWS_ENDPOINT_URL_DSQL=nonsense"),
            NoAnswerReason::Setting,
        ),
        (
            format!("{keys}AWS_ENDPOINT_URL_STS=nonsense"),
            NoAnswerReason::Setting,
        ),
        (
            format!("{keys}AWS_ENDPOINT_URL_DSQL=http://127.0.0.1:1"),
            NoAnswerReason::Unreachable,
        ),
    ] {
        let deadline = Instant::now() + Duration::from_secs(5);
        let read = plan_of_variables;
        let inspector = AwsInspector::from_client(ProfileClient::with_plan_reader(
            read,
            Some(&variables),
            &ask(),
            deadline,
        ));
        let answer = inspector.server(&of_dsql(&host), Some(&region()));
        assert_eq!(reason_of(answer), reason, "{variables}");
    }
}

/// The second reading of the settings finds a key that AWS refuses, so what was resolved at first
/// is what signs. The threads wait for one resolution.
#[test]
fn credentials_are_resolved_once_for_all_threads() {
    static READ: AtomicU32 = AtomicU32::new(0);
    if stub().is_none() {
        return;
    }
    let read = |_: Option<&str>| {
        let is_first = READ.fetch_add(1, Ordering::SeqCst) == 0;
        plan(Some(if is_first { " AKIA" } else { " AKIAGONE" }))
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    let inspector = AwsInspector::from_client(ProfileClient::with_plan_reader(
        read,
        None,
        &ask(),
        deadline,
    ));
    assert!(inspector.caller(None).is_ok());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(inspector.caller(None).is_ok()));
        }
    });
    assert_eq!(READ.load(Ordering::SeqCst), 5);
}

#[test]
fn the_settings_of_the_user_decide_which_address_is_asked() {
    for (variables, service, address) in [
        ("", DSQL, "https://dsql.eu-west-1.api.aws"),
        (
            "AWS_USE_FIPS_ENDPOINT=true",
            DSQL,
            "https://dsql-fips.eu-west-1.api.aws",
        ),
        (
            "AWS_USE_DUALSTACK_ENDPOINT=true",
            RDS,
            "https://rds.eu-west-1.api.aws",
        ),
        (
            "AWS_USE_FIPS_ENDPOINT=true",
            IAM,
            "https://iam-fips.amazonaws.com",
        ),
        (
            "AWS_ENDPOINT_URL=http://a/b/\nAWS_USE_FIPS_ENDPOINT=true",
            STS,
            "http://a/b",
        ),
        (
            "AWS_ENDPOINT_URL=http://a\nAWS_ENDPOINT_URL_RDS=http://r",
            RDS,
            "http://r",
        ),
        (
            "AWS_ENDPOINT_URL=http://a\nAWS_ENDPOINT_URL_RDS=http://r",
            IAM,
            "http://a",
        ),
        (
            "AWS_ENDPOINT_URL=http://a\nAWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
            RDS,
            "https://rds.eu-west-1.amazonaws.com",
        ),
    ] {
        let plan = plan_of_variables(Some(variables));
        let (ask_policy, notes) = (ask(), RunNotes::default());
        let deadline = Instant::now() + ask_policy.timeout;
        let resolution =
            CredentialResolution::open(&plan.settings, &ask_policy, "", 0, deadline, &notes)
                .unwrap();
        let found = address::address_for(&resolution, service, "eu-west-1").unwrap();
        assert_eq!(found.base, address, "{variables}");
        let signed = if service.key == IAM.key {
            "us-east-1"
        } else {
            "eu-west-1"
        };
        assert_eq!(found.region, signed, "{variables}");
    }
}
