//! Each judgement with what it accepts and what it does not.
//!
//! By values alone: requests are made here, tokens are parts without a signature, and `now` is
//! given.

use super::*;
use crate::command::doctor::finding::FindingStatus;
use crate::provider::{self, fake};

const NOW: Time = Time::from_unix(1_800_000_000);
const DSQL: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
const RDS: &str = "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";

fn request(provider: &str, host: &str, user: &str) -> Request {
    let provider = provider::from_name(provider).expect("it is in the table");
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
        region: (provider.region_of)(host),
        profile: None,
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        vars: Vec::new(),
        lifetime_seconds: 900,
    }
}

/// Makes a token one of another request.
type Change = fn(&mut TokenParts);

/// Returns what the token of a request says of itself.
fn parts(request: &Request) -> TokenParts {
    let scope = request.scope();
    let region = request.region.as_ref().expect("a region");
    TokenParts {
        service: Some(scope.service.to_owned()),
        action: Some(scope.action.to_owned()),
        host: Some(scope.host.to_owned()),
        port: scope.port,
        user: scope.user.map(str::to_owned),
        region: Some(region.to_string()),
        signs_whole_scope: true,
        kind_of_key: Some("ASIA".to_owned()),
        issued_at: Some(NOW),
        ..TokenParts::until(NOW.plus(900))
    }
}

fn assert_is(finding: &Finding, status: FindingStatus, cause: Option<&str>, says: &str) {
    assert_eq!(finding.status, status, "{}", finding.detail);
    assert_eq!(finding.cause, cause, "{}", finding.detail);
    assert!(finding.detail.contains(says), "{}", finding.detail);
}

/// The times of a token of the passfile that the index does not know.
fn unknown() -> TokenTimes {
    TokenTimes {
        issued_at: None,
        fresh_until: None,
        expires_at: NOW.plus(900),
    }
}

#[test]
fn only_a_name_of_the_service_is_worth_signing() {
    let cause = Some("token.endpoint");
    let own = request("dsql", DSQL, "admin");
    assert_is(
        &judge_host(&own),
        FindingStatus::Ok,
        None,
        "signed for foo0",
    );
    let tunnel = Request {
        host: "localhost".to_owned(),
        ..request("dsql", DSQL, "admin")
    };
    assert_is(
        &judge_host(&tunnel),
        FindingStatus::Ok,
        None,
        "dialled as localhost",
    );
    let finding = judge_host(&request("dsql", "localhost", "admin"));
    assert_is(
        &finding,
        FindingStatus::Fail,
        cause,
        "no name of Aurora DSQL",
    );
    assert_eq!(
        finding.commands,
        ["pgcred add NAME ENDPOINT --alias localhost:5432"]
    );
    let new = request("rds", "db.new.amazonaws.com", "ann");
    assert_is(
        &judge_host(&new),
        FindingStatus::Warn,
        cause,
        "no name of RDS",
    );
    let other = request("fake", "db.example", "ann");
    let finding = judge_host(&other);
    assert_is(&finding, FindingStatus::Fail, cause, "no name of Fake");
    let advice = finding.advice.expect("an advice");
    assert!(advice.contains("endpoint of Fake"), "{advice}");
    let named = Request {
        provider: &fake::WITHOUT_HOSTS,
        ..other
    };
    assert_is(
        &judge_host(&named),
        FindingStatus::Ok,
        None,
        "signed for db.example",
    );
    let of_rds = Request {
        sign_host: RDS.to_owned(),
        ..named
    };
    assert_is(
        &judge_host(&of_rds),
        FindingStatus::Fail,
        cause,
        "no name of Nameless",
    );
}

#[test]
fn the_region_is_that_of_the_host() {
    let (east, west) = (
        Region::from_trusted_name("us-east-1"),
        Region::from_trusted_name("eu-west-1"),
    );
    let set = || Some(("eu-west-1".to_owned(), "AWS_REGION".to_owned()));
    let aws = request("dsql", DSQL, "admin").provider;
    let differs = judge_region(aws, Some(&east), Some(&west), None);
    assert_is(
        &differs,
        FindingStatus::Fail,
        Some("region"),
        "for eu-west-1",
    );
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
            &judge_region(aws, host, request, configured),
            FindingStatus::Ok,
            None,
            says,
        );
    }
    let unknown = judge_region(aws, None, None, None);
    assert_is(&unknown, FindingStatus::Warn, Some("aws.region"), "neither");
    let other = &fake::PROVIDER;
    let differs = judge_region(other, Some(&east), Some(&west), None);
    assert_is(&differs, FindingStatus::Fail, None, "for eu-west-1");
    let unknown = judge_region(other, None, None, None);
    assert_is(&unknown, FindingStatus::Warn, None, "neither");
}

#[test]
fn a_name_that_sql_folds_is_told() {
    let judge = |user| judge_user(&request("dsql", DSQL, user));
    for user in ["admin", "app_1", "my-app", "a.b"] {
        assert_is(&judge(user), FindingStatus::Ok, None, user);
    }
    let cause = Some("role.case");
    for (user, says) in [
        ("Admin", "is not `admin`: the token permits DbConnect"),
        ("Ann", "has `A`"),
        ("ann@corp", "has `@`"),
        ("ann smith", "has ` `"),
    ] {
        assert_is(&judge(user), FindingStatus::Warn, cause, says);
    }
}

#[test]
fn an_address_may_be_the_name_of_a_user() {
    let judge = |user| judge_user(&request("fake", "books.fake.invalid", user));
    assert_is(
        &judge("ann+b@corp.example"),
        FindingStatus::Ok,
        None,
        "who is",
    );
    let finding = judge("Ann@corp.example");
    assert_is(&finding, FindingStatus::Warn, Some("role.case"), "has `A`");
    let mut request = request("fake", "db.example", "Guest");
    request.provider = &fake::WITHOUT_HOSTS;
    let finding = judge_user(&request);
    assert_is(&finding, FindingStatus::Warn, Some("role.case"), "has `G`");
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
        assert_is(&asking("rds", value), FindingStatus::Ok, None, "none");
    }
    let cause = Some("rds.replication");
    let finding = asking("rds", Some("database"));
    assert_is(&finding, FindingStatus::Fail, cause, "replication=database");
    let finding = asking("fake", Some("database"));
    assert_is(&finding, FindingStatus::Ok, None, "replication=database");
}

#[test]
fn a_token_says_what_the_request_says() {
    let dsql = request("dsql", DSQL, "admin");
    let ok = judge_scope(&parts(&dsql), &dsql);
    assert_is(&ok, FindingStatus::Ok, None, "DbConnectAdmin on foo0");
    assert!(ok.detail.contains("by a key ASIA..."), "{}", ok.detail);
    let rds = request("rds", RDS, "ann");
    let said = format!("connect on {RDS}:5432 for ann in eu-west-1");
    assert_is(
        &judge_scope(&parts(&rds), &rds),
        FindingStatus::Ok,
        None,
        &said,
    );

    let changes: [(&str, Change); 7] = [
        ("token.service", |parts| {
            parts.service = Some("dsql".to_owned());
        }),
        ("token.endpoint", |parts| {
            parts.host = Some("localhost".to_owned());
        }),
        ("token.endpoint", |parts| parts.port = Some(15432)),
        ("token.endpoint", |parts| parts.port = None),
        ("token.user", |parts| parts.user = Some("bob".to_owned())),
        ("token.user", |parts| parts.user = None),
        ("region", |parts| {
            parts.region = Some("us-east-1".to_owned());
        }),
    ];
    for (cause, change) in changes {
        let mut other = parts(&rds);
        change(&mut other);
        let finding = judge_scope(&other, &rds);
        assert_is(&finding, FindingStatus::Fail, Some(cause), "is asked for");
        let finding = judge_passfile(Some(&other), &unknown(), &rds, NOW);
        assert_is(
            &finding,
            FindingStatus::Fail,
            Some(cause),
            "in the passfile",
        );
    }
    // Only Aurora DSQL has two actions, of which one is for another user.
    for (request, cause) in [(&dsql, Some("dsql.action")), (&rds, None)] {
        let mut other = parts(request);
        other.action = Some("DbConnect".to_owned());
        let finding = judge_scope(&other, request);
        assert_is(
            &finding,
            FindingStatus::Fail,
            cause,
            "is for action DbConnect",
        );
    }
}

#[test]
fn a_token_that_names_only_its_end_differs_in_nothing() {
    let silent = TokenParts::until(NOW.plus(900));
    for request in [
        request("fake", "books.fake.invalid", "guest"),
        request("rds", RDS, "ann"),
    ] {
        let finding = judge_scope(&silent, &request);
        assert_is(&finding, FindingStatus::Ok, None, "nothing but its end");
        let finding = judge_passfile(Some(&silent), &unknown(), &request, NOW.plus(800));
        assert_is(&finding, FindingStatus::Ok, None, "good for");
    }
}

/// What a JWT of Entra names. Its users are addresses, groups and programs.
#[test]
fn a_token_of_another_account_or_audience_is_named() {
    let right = TokenParts {
        audience: Some("https://right.example".to_owned()),
        issuer: Some("https://sts.example/tenant".to_owned()),
        holder: Some("ann@example.com".to_owned()),
        ..TokenParts::until(NOW.plus(900))
    };
    let of = |user: &str| request("fake", "books.fake.invalid", user);
    for user in [
        "ann@example.com",
        "Ann@Example.com",
        "Readers",
        "bob_x#EXT#@e.com",
    ] {
        let says = "issued to ann@example.com, by https://sts.example/tenant, for https://right";
        assert_is(
            &judge_scope(&right, &of(user)),
            FindingStatus::Ok,
            None,
            says,
        );
    }
    let finding = judge_scope(&right, &of("bob@example.com"));
    let says = "issued to ann@example.com, and the user is bob@example.com";
    assert_is(&finding, FindingStatus::Warn, None, says);
    assert_eq!(finding.private_names.len(), 2);
    let foreign = TokenParts {
        audience: Some("https://foreign.invalid".to_owned()),
        ..right
    };
    let finding = judge_scope(&foreign, &of("ann@example.com"));
    let says = "is for https://foreign.invalid, and not for Fake";
    assert_is(&finding, FindingStatus::Fail, None, says);
    let finding = judge_passfile(Some(&foreign), &unknown(), &of("x"), NOW);
    assert_is(
        &finding,
        FindingStatus::Fail,
        None,
        "in the passfile the token is for",
    );
}

#[test]
fn what_a_token_of_another_authority_names_has_no_cause_of_aws() {
    let request = request("fake", "books.fake.invalid", "guest");
    let other = || Some("other".to_owned());
    let changes: [(Option<&str>, Change); 4] = [
        (None, |parts| parts.service = Some("other".to_owned())),
        (None, |parts| parts.action = Some("other".to_owned())),
        (Some("token.endpoint"), |parts| {
            parts.host = Some("other".to_owned());
        }),
        (Some("token.user"), |parts| {
            parts.user = Some("other".to_owned());
        }),
    ];
    for (cause, change) in changes {
        let mut parts = TokenParts::until(NOW.plus(900));
        change(&mut parts);
        let finding = judge_scope(&parts, &request);
        assert_is(&finding, FindingStatus::Fail, cause, "other, and");
    }
    // The request has no port that is signed, and no region.
    let named = TokenParts {
        port: Some(1),
        region: other(),
        ..TokenParts::until(NOW.plus(900))
    };
    assert_is(
        &judge_scope(&named, &request),
        FindingStatus::Ok,
        None,
        ":1 in other",
    );
}

#[test]
fn a_token_that_ends_soon_is_told() {
    let judge = |lifetime: u32, usual, passed| {
        let lifetime = TokenLifetime {
            issued_at: NOW,
            expires_at: NOW.plus(lifetime),
            usual_seconds: usual,
            cause: Some("aws.expired"),
        };
        judge_lifetime(&lifetime, NOW.plus(passed))
    };
    let cause = Some("aws.expired");
    assert_is(&judge(900, 900, 0), FindingStatus::Ok, None, "15 min more");
    assert_is(&judge(900, 900, 550), FindingStatus::Ok, None, "more");
    assert_is(
        &judge(900, 900, 700),
        FindingStatus::Warn,
        cause,
        "3 min more",
    );
    assert_is(
        &judge(600, 900, 0),
        FindingStatus::Warn,
        cause,
        "was cut short",
    );
    // A short lifetime that the user asked for is none of the credentials' doing.
    assert_is(&judge(60, 60, 0), FindingStatus::Ok, None, "60 s more");
    // Nor is a long lifetime cut to what the credentials have.
    assert_is(&judge(3_600, 900, 0), FindingStatus::Ok, None, "more");
}

#[test]
fn a_token_of_unusual_length_is_told() {
    assert_is(
        &judge_length(1_801),
        FindingStatus::Ok,
        None,
        "1801 characters",
    );
    let finding = judge_length(4_097);
    assert_is(
        &finding,
        FindingStatus::Warn,
        Some("token.cut"),
        "4097 characters",
    );
}

#[test]
fn the_token_in_the_passfile_is_renewed_in_time() {
    let request = request("dsql", DSQL, "admin");
    let parts = parts(&request);
    let judge = |passed| judge_passfile(Some(&parts), &unknown(), &request, NOW.plus(passed));
    assert_is(&judge(0), FindingStatus::Ok, None, "good for 15 min");
    let cause = Some("schedule");
    assert_is(
        &judge(700),
        FindingStatus::Warn,
        cause,
        "nothing has renewed it",
    );
    assert_is(&judge(960), FindingStatus::Warn, cause, "expired 60 s ago");
    let silent = judge_passfile(None, &unknown(), &request, NOW.plus(700));
    assert_is(&silent, FindingStatus::Ok, None, "good for");
    // What the index says counts, and not that the authority has made the token before.
    let recorded = TokenTimes {
        issued_at: Some(NOW.plus(600)),
        fresh_until: Some(NOW.plus(800)),
        ..unknown()
    };
    let judge = |parts, passed| judge_passfile(parts, &recorded, &request, NOW.plus(passed));
    for parts in [Some(&parts), None] {
        assert_is(&judge(parts, 700), FindingStatus::Ok, None, "good for");
        assert_is(
            &judge(parts, 850),
            FindingStatus::Warn,
            cause,
            "has renewed it",
        );
    }
}
