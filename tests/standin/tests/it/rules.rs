//! Tokens that break one rule each: refused, and with the hint that belongs to that rule.

use standin::{Expect, Key, Refusal, verify};

use crate::support::{Draft, HOST, ID, RDS_HOST, SECRET, expect, expect_rds, issued, key};

const SESSION: &str = "IQoJb3JpZ2luX2VjE/+=";

fn keys() -> [Key; 2] {
    [
        key(ID, SECRET, None),
        key("ASIAEXAMPLE", SECRET, Some(SESSION)),
    ]
}

fn temporary() -> Draft {
    let draft = Draft::dsql(Some(SESSION));
    let credential = "ASIAEXAMPLE/20260228/us-east-1/dsql/aws4_request";
    draft.with("X-Amz-Credential", credential)
}

fn refusal(token: &str, expect: &Expect<'_>) -> Refusal {
    verify(token, expect).expect_err(token)
}

fn reason(draft: &Draft, expect: &Expect<'_>) -> &'static str {
    refusal(&draft.signed(), expect).reason()
}

#[test]
fn drafts_are_accepted_when_nothing_is_changed() {
    let keys = keys();
    for draft in [Draft::dsql(None), temporary()] {
        assert_eq!(verify(&draft.signed(), &expect(&keys)), Ok(()));
        assert_eq!(
            verify(&draft.signed().replacen("/?", "?", 1), &expect(&keys)),
            Ok(())
        );
    }
    assert_eq!(verify(&Draft::rds().signed(), &expect_rds(&keys)), Ok(()));
}

#[test]
fn every_single_character_alteration_is_refused() {
    let keys = keys();
    for (token, expect) in [
        (Draft::dsql(None).signed(), expect(&keys)),
        (temporary().signed(), expect(&keys)),
        (temporary().signed().replacen("/?", "?", 1), expect(&keys)),
        (Draft::rds().signed(), expect_rds(&keys)),
    ] {
        for (at, old) in token.char_indices() {
            let swapped = if old.is_lowercase() {
                old.to_ascii_uppercase()
            } else {
                old.to_ascii_lowercase()
            };
            for new in "09afAFGz&=%/?+ ~.:\u{0}ü"
                .chars()
                .chain([swapped])
                .filter(|new| *new != old)
            {
                let altered = format!("{}{new}{}", &token[..at], &token[at + 1..]);
                assert!(verify(&altered, &expect).is_err(), "{altered}");
            }
            let shortened = format!("{}{}", &token[..at], &token[at + 1..]);
            let is_the_optional_slash = token[at..].starts_with("/?");
            assert_eq!(
                verify(&shortened, &expect).is_ok(),
                is_the_optional_slash,
                "{shortened}"
            );
        }
    }
}

#[test]
fn lifetime_is_kept_to_the_second() {
    let keys = keys();
    let token = Draft::dsql(None).signed();
    let at = |now| {
        verify(
            &token,
            &Expect {
                now,
                ..expect(&keys)
            },
        )
    };
    assert_eq!(at(issued() + 899), Ok(()));
    let expired = at(issued() + 900).unwrap_err();
    assert_eq!(expired.reason(), "expired");
    assert_eq!(
        expired.to_string(),
        "Signature expired: 20260228T235959Z is now earlier than 20260228T235959Z \
         (20260301T001459Z - 900 sec.)"
    );
    assert_eq!(at(issued() - 300), Ok(()));
    let early = at(issued() - 301).unwrap_err();
    assert_eq!(early.reason(), "not-yet-valid");
    assert!(
        early
            .to_string()
            .starts_with("Signature not yet current: 20260228T235959Z is still later than ")
    );
}

#[test]
fn lifetimes_have_their_service_s_bounds() {
    let keys = keys();
    let dsql = |text| {
        verify(
            &Draft::dsql(None).with("X-Amz-Expires", text).signed(),
            &expect(&keys),
        )
    };
    assert_eq!((dsql("1"), dsql("604800")), (Ok(()), Ok(())));
    for text in [
        "0",
        "604801",
        "-1",
        "0900",
        "+900",
        "",
        "900.0",
        "99999999999999999999",
    ] {
        assert_eq!(
            dsql(text),
            Err(Refusal::WrongExpires { most: 604_800 }),
            "{text}"
        );
    }
    let rds = Draft::rds().with("X-Amz-Expires", "901").signed();
    assert_eq!(
        verify(&rds, &expect_rds(&keys)),
        Err(Refusal::WrongExpires { most: 900 })
    );
}

#[test]
fn the_action_must_be_the_user_s() {
    let keys = keys();
    let user = Draft::dsql(None).with("Action", "DbConnect");
    assert_eq!(
        refusal(&user.signed(), &expect(&keys)).to_string(),
        "Wrong user to action mapping. user: admin, action: DbConnect"
    );
    for name in ["app", "Admin", ""] {
        let expect = Expect {
            user: name,
            ..expect(&keys)
        };
        assert_eq!(verify(&user.signed(), &expect), Ok(()));
        assert_eq!(
            refusal(&Draft::dsql(None).signed(), &expect).to_string(),
            format!("Wrong user to action mapping. user: {name}, action: DbConnectAdmin")
        );
    }
    assert_eq!(
        reason(
            &Draft::rds(),
            &Expect {
                user: "john",
                ..expect_rds(&keys)
            }
        ),
        "wrong-user"
    );
    assert_eq!(
        reason(
            &Draft::rds().with("Action", "DbConnect"),
            &expect_rds(&keys)
        ),
        "wrong-action"
    );
    assert_eq!(
        verify(
            &Draft::rds().with("DBUser", "jane").signed(),
            &expect_rds(&keys)
        ),
        Ok(())
    );
    let odd = Draft::rds().with("DBUser", "jané / +=&%").signed();
    assert_eq!(
        verify(
            &odd,
            &Expect {
                user: "jané / +=&%",
                ..expect_rds(&keys)
            }
        ),
        Ok(())
    );
}

#[test]
fn a_forgery_learns_nothing_about_actions() {
    let keys = [key(ID, "another secret", None)];
    let draft = Draft::dsql(None).with("Action", "DbConnect");
    let refusal = refusal(&draft.signed(), &expect(&keys));
    assert_eq!(refusal, Refusal::BadSignature);
    assert!(
        refusal
            .to_string()
            .starts_with("The request signature we calculated does not match the signature you")
    );
}

#[test]
fn the_scope_must_fit() {
    let keys = keys();
    let scoped = |scope: &str| Draft::dsql(None).with("X-Amz-Credential", &format!("{ID}/{scope}"));
    for (scope, wanted) in [
        ("20260228/eu-west-1/dsql/aws4_request", "wrong-region"),
        ("20260228/US-EAST-1/dsql/aws4_request", "wrong-region"),
        ("20260228//dsql/aws4_request", "wrong-region"),
        ("20260228/us-east-1/rds-db/aws4_request", "wrong-service"),
        ("20260228/us-east-1/dsql/aws4", "wrong-terminator"),
        ("20260301/us-east-1/dsql/aws4_request", "wrong-scope-date"),
    ] {
        assert_eq!(reason(&scoped(scope), &expect(&keys)), wanted, "{scope}");
    }
    let region = refusal(
        &scoped("20260228/eu-west-1/dsql/aws4_request").signed(),
        &expect(&keys),
    )
    .to_string();
    assert_eq!(
        region,
        "Credential should be scoped to a valid region, here 'us-east-1'."
    );
    let service = refusal(
        &scoped("20260228/us-east-1/rds-db/aws4_request").signed(),
        &expect(&keys),
    )
    .to_string();
    assert_eq!(
        service,
        "Credential should be scoped to correct service: 'dsql'."
    );
    let rds = Draft::rds().with(
        "X-Amz-Credential",
        &format!("{ID}/20260228/us-east-1/rds-db/aws4_request"),
    );
    assert_eq!(reason(&rds, &expect_rds(&keys)), "wrong-region");
}

#[test]
fn the_key_must_be_known_alive_and_come_with_its_session_token() {
    let keys = keys();
    let unknown = Draft::dsql(None).with(
        "X-Amz-Credential",
        "AKIAUNKNOWN/20260228/us-east-1/dsql/aws4_request",
    );
    assert_eq!(
        refusal(&unknown.signed(), &expect(&keys)),
        Refusal::UnknownKey
    );
    assert_eq!(
        Refusal::UnknownKey.to_string(),
        "The security token included in the request is invalid."
    );
    for draft in [
        temporary().with("X-Amz-Security-Token", "another"),
        temporary().without("X-Amz-Security-Token"),
        Draft::dsql(Some(SESSION)),
        Draft::dsql(Some("")),
    ] {
        let refusal = refusal(&draft.signed(), &expect(&keys));
        assert_eq!(refusal, Refusal::WrongSessionToken);
        assert!(
            refusal
                .to_string()
                .starts_with("The security token included in the request is invalid")
        );
    }
    let dying = [Key {
        expires_at: Some(issued() + 60),
        ..key(ID, SECRET, None)
    }];
    let at = |now| {
        verify(
            &Draft::dsql(None).signed(),
            &Expect {
                now,
                ..expect(&dying)
            },
        )
    };
    assert_eq!(at(issued() + 59), Ok(()));
    assert_eq!(at(issued() + 60), Err(Refusal::ExpiredCredentials));
}

#[test]
fn the_host_must_be_the_one_dialled() {
    let keys = keys();
    let other = "bar0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
    for host in [
        other,
        &format!("{HOST}."),
        &format!("{HOST}:5432"),
        &HOST.to_uppercase(),
        "",
    ] {
        assert_eq!(
            reason(&Draft::dsql(None).at(host), &expect(&keys)),
            "wrong-host",
            "{host}"
        );
    }
    let rds = expect_rds(&keys);
    assert_eq!(
        reason(&Draft::rds(), &Expect { port: 5433, ..rds }),
        "wrong-host"
    );
    for host in [
        RDS_HOST.to_owned(),
        format!("{RDS_HOST}:05432"),
        format!("{RDS_HOST}.:5432"),
    ] {
        assert_eq!(
            reason(&Draft::rds().at(&host), &rds),
            "wrong-host",
            "{host}"
        );
    }
}

#[test]
fn a_cluster_id_stands_for_the_host_name() {
    let keys = keys();
    let host = "vpce-0abc.dsql-fnh4.us-east-1.vpce.amazonaws.com";
    let through = |id| Expect {
        host,
        cluster_id: Some(id),
        ..expect(&keys)
    };
    let token = Draft::dsql(None);
    assert_eq!(
        verify(&token.signed(), &through("foo0bar1baz2quux3quuux4abc")),
        Ok(())
    );
    assert_eq!(
        reason(&token, &through("bar0bar1baz2quux3quuux4abc")),
        "wrong-host"
    );
    assert_eq!(
        reason(
            &token,
            &Expect {
                host,
                ..expect(&keys)
            }
        ),
        "wrong-host"
    );
    let elsewhere = token.at("foo0bar1baz2quux3quuux4abc.dsql.eu-west-1.on.aws");
    assert_eq!(
        reason(&elsewhere, &through("foo0bar1baz2quux3quuux4abc")),
        "wrong-region"
    );
}

#[test]
fn parameters_come_once_and_completely() {
    let keys = keys();
    let complete = temporary();
    for (name, _) in &complete.parameters {
        let token = complete.signed();
        let pairs: Vec<_> = token.split_once('?').unwrap().1.split('&').collect();
        let pair = pairs
            .iter()
            .find(|pair| pair.starts_with(&format!("{name}=")))
            .unwrap();
        let dropped = token.replacen(&format!("{pair}&"), "", 1);
        let wanted = if name == "X-Amz-Security-Token" {
            "wrong-session-token"
        } else {
            "missing-parameter"
        };
        assert_eq!(
            refusal(&dropped, &expect(&keys)).reason(),
            wanted,
            "{dropped}"
        );
        for doubled in [format!("{token}&{pair}"), format!("{token}&{name}=x")] {
            assert_eq!(
                refusal(&doubled, &expect(&keys)),
                Refusal::DuplicateParameter,
                "{doubled}"
            );
        }
    }
    let unsigned = complete.signed();
    let unsigned = unsigned.rsplit_once("&X-Amz-Signature=").unwrap().0;
    assert_eq!(
        refusal(unsigned, &expect(&keys)),
        Refusal::MissingParameter("X-Amz-Signature")
    );
    assert_eq!(
        reason(&complete.clone().with("Extra", "1"), &expect(&keys)),
        "unknown-parameter"
    );
    assert_eq!(
        reason(&complete.with("DBUser", "admin"), &expect(&keys)),
        "unknown-parameter"
    );
    assert_eq!(
        reason(&Draft::rds().without("DBUser"), &expect_rds(&keys)),
        "missing-parameter"
    );
}

#[test]
fn other_passwords_are_malformed() {
    let keys = keys();
    for password in [
        "",
        "hunter2",
        "?",
        "/?",
        "a?b",
        "a?b=c d",
        "host/?Action=%2f",
        "host/?Action=%zz",
    ] {
        let refusal = refusal(password, &expect(&keys));
        let is_form = matches!(refusal, Refusal::Malformed(_));
        assert!(is_form, "{password}: {refusal:?}");
    }
    let draft = Draft::dsql(None);
    assert_eq!(
        reason(
            &draft.clone().with("X-Amz-Algorithm", "AWS4-HMAC-SHA1"),
            &expect(&keys)
        ),
        "wrong-algorithm"
    );
    let headers = draft.clone().with("X-Amz-SignedHeaders", "host;x-amz-date");
    assert_eq!(reason(&headers, &expect(&keys)), "wrong-signed-headers");
    assert_eq!(
        reason(
            &draft.with("X-Amz-Date", "2026-02-28T23:59:59Z"),
            &expect(&keys)
        ),
        "malformed"
    );
}
