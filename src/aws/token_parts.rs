//! Takes a token apart, also one that another program has signed: nobody has to have the order of
//! the parameters that pgcred writes. It is pure.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::authority::TokenParts;
use crate::time::Time;

/// How much of an access key is shown: `AKIA` is one that stays, `ASIA` one of a session.
const SHOWN_KEY_LENGTH: usize = 4;

/// Returns what a token says of itself; `None` if it is not a presigned request.
pub(super) fn parse_token(token: &str) -> Option<TokenParts> {
    let (address, query) = token.split_once('?')?;
    let address = address.strip_suffix('/').unwrap_or(address);
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (address, None),
    };
    let credential = parameter_value(query, "X-Amz-Credential")?;
    let scope: Vec<&str> = credential.split('/').collect();
    // An access key has no slash.
    let [key, _date, region, service, _end] = scope[..] else {
        return None;
    };
    let issued_at = Time::from_compact(&parameter_value(query, "X-Amz-Date")?)?;
    let lifetime_seconds = parameter_value(query, "X-Amz-Expires")?.parse().ok()?;
    Some(TokenParts {
        service: Some(service.to_owned()),
        action: Some(parameter_value(query, "Action")?.into_owned()),
        host: Some(host.to_owned()),
        port,
        user: parameter_value(query, "DBUser").map(Cow::into_owned),
        region: Some(region.to_owned()),
        signs_whole_scope: true,
        kind_of_key: Some(key.chars().take(SHOWN_KEY_LENGTH).collect()),
        issued_at: Some(issued_at),
        ..TokenParts::until(issued_at.plus(lifetime_seconds))
    })
}

/// Returns the decoded value of a parameter.
fn parameter_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    for part in query.split('&') {
        if let Some((key, value)) = part.split_once('=')
            && key == name
        {
            return percent_decode_str(value).decode_utf8().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DSQL: &str = "abc.dsql.us-east-1.on.aws/?Action=DbConnect&X-Amz-Algorithm=\
        AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20260101%2Fus-east-1%2Fdsql%2Faws4_request\
        &X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
        &X-Amz-Security-Token=SESSION&X-Amz-Signature=0123456789abcdef";

    #[test]
    fn a_token_is_taken_apart_without_its_secrets() {
        let parts = parse_token(DSQL).unwrap();
        assert_eq!(parts.action.as_deref(), Some("DbConnect"));
        assert_eq!(parts.service.as_deref(), Some("dsql"));
        assert_eq!(parts.host.as_deref(), Some("abc.dsql.us-east-1.on.aws"));
        assert_eq!((parts.port, &parts.user), (None, &None));
        assert_eq!(parts.region.as_deref(), Some("us-east-1"));
        assert_eq!(parts.kind_of_key.as_deref(), Some("ASIA"));
        let issued_at = parts.issued_at.unwrap();
        assert_eq!(issued_at.rfc3339(), "2026-01-01T00:00:00Z");
        assert_eq!(parts.expires_at, issued_at.plus(900));
        let shown = format!("{parts:?}");
        for secret in ["ASIAEXAMPLE", "SESSION", "0123456789abcdef"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn user_and_port_of_an_rds_token_are_read_in_any_order() {
        let token = "db.example.com:5432/?DBUser=ann%40corp&Action=connect&X-Amz-Expires=900\
            &X-Amz-Date=20260101T000000Z&X-Amz-Credential=AKIA1%2F20260101%2Feu-west-1%2Frds-db\
            %2Faws4_request";
        let parts = parse_token(token).unwrap();
        assert_eq!(
            (parts.port, parts.user.as_deref()),
            (Some(5432), Some("ann@corp"))
        );
        assert_eq!(parts.service.as_deref(), Some("rds-db"));
        assert_eq!(parts.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn what_is_no_token_has_no_parts() {
        for text in [
            "",
            "secret",
            "?",
            "host/?Action=connect",
            "host:x/?Action=connect",
        ] {
            assert!(parse_token(text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn tokens_that_are_nearly_right(text in crate::text::mutation::bytes(
            &[DSQL],
            &["%", "%2F", "&", "=", "?", ":", "/", "X-Amz-Date=", "X-Amz-Expires=-1"],
        )) {
            if let Some(parts) = parse_token(&String::from_utf8_lossy(&text)) {
                let key = parts.kind_of_key.unwrap_or_default();
                proptest::prop_assert!(key.chars().count() <= SHOWN_KEY_LENGTH);
            }
        }
    }
}
