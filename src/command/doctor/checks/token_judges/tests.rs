//! Each judgement with what it accepts and what it does not.
//!
//! By values alone: requests are made here, tokens are parts without a signature, and `now` is
//! given.

use super::*;
use crate::command::doctor::finding::Status;
use crate::provider::{self, fake};

const NOW: Time = Time::from_unix(1_800_000_000);
const DSQL: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
const RDS: &str = "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";

fn request(provider: &str, host: &str, user: &str) -> Request {
    let provider = provider::named(provider).expect("it is in the table");
    Request {
        connection: None,
        provider,
        host: host.to_owned(),
        sign_host: host.to_owned(),
        sign_port: 5432,
        port: 5432,
        user: user.to_owned(),
        dbname: "postgres".to_owned(),
        keywords: Vec::new(),
        target_has_address: false,
        roots: None,
        region: (provider.region)(host),
        profile: None,
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        life: 900,
    }
}

/// Makes a token one of another request.
type Change = fn(&mut TokenParts);

/// Returns what the token of a request says of itself.
fn parts(request: &Request) -> TokenParts {
    let scope = request.scope();
    let region = request.region.as_ref().expect("a region");
    TokenParts {
        service: scope.service.to_owned(),
        action: scope.action.to_owned(),
        host: scope.host.to_owned(),
        port: scope.port,
        user: scope.user.map(str::to_owned),
        region: region.to_string(),
        kind_of_key: "ASIA".to_owned(),
        issued_at: NOW,
        life: 900,
    }
}

fn assert_is(finding: &Finding, status: Status, cause: Option<&str>, says: &str) {
    assert_eq!(finding.status, status, "{}", finding.detail);
    assert_eq!(finding.cause, cause, "{}", finding.detail);
    assert!(finding.detail.contains(says), "{}", finding.detail);
}

#[test]
fn only_a_name_of_the_service_is_worth_signing() {
    let cause = Some("token.endpoint");
    let own = request("dsql", DSQL, "admin");
    assert_is(&judge_host(&own), Status::Ok, None, "signed for foo0");
    let tunnel = Request {
        host: "localhost".to_owned(),
        ..request("dsql", DSQL, "admin")
    };
    assert_is(
        &judge_host(&tunnel),
        Status::Ok,
        None,
        "dialled as localhost",
    );
    let finding = judge_host(&request("dsql", "localhost", "admin"));
    assert_is(&finding, Status::Fail, cause, "no name of Aurora DSQL");
    assert_eq!(
        finding.commands,
        ["pgcred add NAME ENDPOINT --alias localhost:5432"]
    );
    let new = request("rds", "db.new.amazonaws.com", "ann");
    assert_is(&judge_host(&new), Status::Warn, cause, "no name of RDS");
    let other = request("fake", "db.example", "ann");
    let finding = judge_host(&other);
    assert_is(&finding, Status::Fail, cause, "no name of Fake");
    let advice = finding.advice.expect("an advice");
    assert!(advice.contains("endpoint of Fake"), "{advice}");
    let named = Request {
        provider: &fake::WITHOUT_HOSTS,
        ..other
    };
    assert_is(
        &judge_host(&named),
        Status::Ok,
        None,
        "signed for db.example",
    );
    let of_rds = Request {
        sign_host: RDS.to_owned(),
        ..named
    };
    assert_is(
        &judge_host(&of_rds),
        Status::Fail,
        cause,
        "no name of Nameless",
    );
}

#[test]
fn the_region_is_that_of_the_host() {
    let (east, west) = (
        Region::vouched_for("us-east-1"),
        Region::vouched_for("eu-west-1"),
    );
    let set = || Some(("eu-west-1".to_owned(), "AWS_REGION".to_owned()));
    let differs = judge_region(Some(&east), Some(&west), None);
    assert_is(&differs, Status::Fail, Some("region"), "for eu-west-1");
    for (host, request, configured, says) in [
        (Some(&east), Some(&east), None, "as the host says"),
        (
            Some(&east),
            Some(&east),
            set(),
            "of AWS_REGION does not count",
        ),
        (
            Some(&west),
            Some(&west),
            set(),
            "eu-west-1, as the host says",
        ),
        (None, Some(&west), None, "as the request says"),
        (None, None, set(), "by AWS_REGION"),
    ] {
        assert_is(
            &judge_region(host, request, configured),
            Status::Ok,
            None,
            says,
        );
    }
    let unknown = judge_region(None, None, None);
    assert_is(&unknown, Status::Warn, Some("aws.region"), "neither");
}

#[test]
fn a_name_that_sql_folds_is_told() {
    let judge = |user| judge_user(&request("dsql", DSQL, user));
    for user in ["admin", "app_1", "my-app", "a.b"] {
        assert_is(&judge(user), Status::Ok, None, user);
    }
    let cause = Some("role.case");
    for (user, says) in [
        ("Admin", "is not `admin`: the token permits DbConnect"),
        ("Ann", "has `A`"),
        ("ann@corp", "has `@`"),
        ("ann smith", "has ` `"),
    ] {
        assert_is(&judge(user), Status::Warn, cause, says);
    }
}

#[test]
fn replication_needs_a_password() {
    let asking = |provider, value: Option<&str>| {
        let mut request = request(provider, RDS, "ann");
        if let Some(value) = value {
            let keyword = ("replication".to_owned(), value.to_owned());
            request.keywords.push(keyword);
        }
        judge_replication(&request)
    };
    for value in [None, Some("false"), Some("0")] {
        assert_is(&asking("rds", value), Status::Ok, None, "none");
    }
    let cause = Some("rds.replication");
    let finding = asking("rds", Some("database"));
    assert_is(&finding, Status::Fail, cause, "replication=database");
    let finding = asking("fake", Some("database"));
    assert_is(&finding, Status::Ok, None, "replication=database");
}

#[test]
fn a_token_says_what_the_request_says() {
    let dsql = request("dsql", DSQL, "admin");
    let ok = judge_scope(&parts(&dsql), &dsql);
    assert_is(&ok, Status::Ok, None, "DbConnectAdmin on foo0");
    assert!(ok.detail.contains("by a key ASIA..."), "{}", ok.detail);
    let rds = request("rds", RDS, "ann");
    let said = format!("connect on {RDS}:5432 for ann in eu-west-1");
    assert_is(&judge_scope(&parts(&rds), &rds), Status::Ok, None, &said);

    let changes: [(&str, Change); 6] = [
        ("token.service", |parts| {
            "dsql".clone_into(&mut parts.service);
        }),
        ("token.endpoint", |parts| {
            "localhost".clone_into(&mut parts.host);
        }),
        ("token.endpoint", |parts| parts.port = Some(15432)),
        ("dsql.action", |parts| {
            "DbConnect".clone_into(&mut parts.action);
        }),
        ("token.user", |parts| parts.user = Some("bob".to_owned())),
        ("region", |parts| "us-east-1".clone_into(&mut parts.region)),
    ];
    for (cause, change) in changes {
        let mut other = parts(&rds);
        change(&mut other);
        let finding = judge_scope(&other, &rds);
        assert_is(&finding, Status::Fail, Some(cause), "is asked for");
        let finding = judge_passfile(Some(&other), NOW.plus(900), &rds, NOW);
        assert_is(&finding, Status::Fail, Some(cause), "in the passfile");
    }
}

#[test]
fn a_token_that_ends_soon_is_told() {
    let judge = |life: u32, usual, passed| {
        let life = TokenLife {
            issued_at: NOW,
            expires_at: NOW.plus(life),
            usual,
            cause: Some("aws.expired"),
        };
        judge_life(&life, NOW.plus(passed))
    };
    let cause = Some("aws.expired");
    assert_is(&judge(900, 900, 0), Status::Ok, None, "15 min more");
    assert_is(&judge(900, 900, 550), Status::Ok, None, "more");
    assert_is(&judge(900, 900, 700), Status::Warn, cause, "3 min more");
    assert_is(&judge(600, 900, 0), Status::Warn, cause, "was cut short");
    // A short life that the user asked for is none of the credentials' doing.
    assert_is(&judge(60, 60, 0), Status::Ok, None, "60 s more");
    // Nor is a long life cut to what the credentials have.
    assert_is(&judge(3_600, 900, 0), Status::Ok, None, "more");
}

#[test]
fn a_token_of_unusual_length_is_told() {
    assert_is(&judge_length(1_801), Status::Ok, None, "1801 characters");
    let finding = judge_length(4_097);
    assert_is(&finding, Status::Warn, Some("token.cut"), "4097 characters");
}

#[test]
fn the_token_in_the_passfile_is_renewed_in_time() {
    let request = request("dsql", DSQL, "admin");
    let parts = parts(&request);
    let judge = |passed| judge_passfile(Some(&parts), NOW.plus(900), &request, NOW.plus(passed));
    assert_is(&judge(0), Status::Ok, None, "good for 15 min");
    let cause = Some("schedule");
    assert_is(&judge(700), Status::Warn, cause, "nothing has renewed it");
    assert_is(&judge(960), Status::Warn, cause, "expired 60 s ago");
    let silent = judge_passfile(None, NOW.plus(900), &request, NOW);
    assert_is(&silent, Status::Ok, None, "good for");
}
