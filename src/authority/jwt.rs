//! Reads what a JWT says of itself, whoever has signed it, and which time a number is. It is pure,
//! and tells no secret: the signature is not looked at.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::TokenParts;
use crate::text;
use crate::time::Time;

/// The claims that name the account, the first that is there: of a person, else of a program.
const HOLDERS: [&str; 5] = [
    "upn",
    "preferred_username",
    "email",
    "app_displayname",
    "appid",
];

/// The last second of the year 9999, which is written for "never". A larger number counts
/// milliseconds: as such, this one would be a day of 1978.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// Whoever made the token wrote the claims.
const MAX_CLAIM_LENGTH: usize = 120;

/// Returns the time that is so many seconds, or milliseconds, after 1970.
pub(crate) fn time_at(number: f64) -> Option<Time> {
    let seconds = if number.abs() > MAX_SECONDS {
        number / 1_000.0
    } else {
        number
    };
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let whole = seconds as i64;
    Some(Time::from_unix(whole))
}

/// When a token ends, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtExpiry {
    /// It is no JWT, or a JWT without `exp`.
    Unsaid,
    At(Time),
    /// It is a JWT whose `exp` is no time, but this.
    Unusable(&'static str),
}

/// Returns the end that a JWT names.
pub(crate) fn expiry_of(token: &str) -> JwtExpiry {
    let Some(claims) = claims_of(token) else {
        return JwtExpiry::Unsaid;
    };
    let number = match claims.get("exp") {
        None => return JwtExpiry::Unsaid,
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(_)) => return JwtExpiry::Unusable("a text"),
        Some(_) => return JwtExpiry::Unusable("not a number"),
    };
    match number.and_then(time_at) {
        Some(time) => JwtExpiry::At(time),
        None => JwtExpiry::Unusable("a number that is not a valid time"),
    }
}

/// Returns what a JWT names; `None` of any other text. When it was issued is left out: a program
/// may print the same token for long, so that this does not say when to ask for another.
pub(crate) fn parts_of(token: &str) -> Option<TokenParts> {
    let claims = claims_of(token)?;
    let JwtExpiry::At(expires_at) = expiry_of(token) else {
        return None;
    };
    Some(TokenParts {
        audience: claim(&claims, "aud"),
        issuer: claim(&claims, "iss"),
        holder: HOLDERS.iter().find_map(|name| claim(&claims, name)),
        ..TokenParts::until(expires_at)
    })
}

fn claims_of(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = payload.trim_end_matches('=');
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Returns a claim that is a text, or the first of several.
fn claim(claims: &Value, name: &str) -> Option<String> {
    let value = claims.get(name)?;
    let value = value.as_str().or_else(|| value.get(0)?.as_str())?;
    if value.is_empty() {
        return None;
    }
    Some(text::shortened(&text::printable(value), MAX_CLAIM_LENGTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn only_three_parts_with_a_number_are_a_jwt() {
        let end = JwtExpiry::At(Time::from_unix(5));
        assert_eq!(expiry_of(&jwt(r#"{"exp": 5}"#)), end);
        for other in [
            "a.b.c",
            "opaque",
            "a.b",
            "e30.e30.e30",
            "....",
            &jwt(r#"{"iat": 5}"#),
            &format!("{}.x", jwt(r#"{"exp": 5}"#)),
            &jwt("[]"),
            &jwt("x"),
        ] {
            assert_eq!(expiry_of(other), JwtExpiry::Unsaid, "{other}");
            assert_eq!(parts_of(other), None, "{other}");
        }
    }

    #[test]
    fn an_end_that_is_no_time_is_told() {
        for (exp, what) in [
            (r#""5""#, "a text"),
            ("null", "not a number"),
            ("[5]", "not a number"),
            ("-5", "a number that is not a valid time"),
            ("1e300", "a number that is not a valid time"),
            ("1800000000000000", "a number that is not a valid time"),
        ] {
            let token = jwt(&format!(r#"{{"exp": {exp}}}"#));
            assert_eq!(expiry_of(&token), JwtExpiry::Unusable(what), "{exp}");
            assert_eq!(parts_of(&token), None, "{exp}");
        }
    }

    #[test]
    fn milliseconds_begin_where_seconds_end_with_the_year_9999() {
        let at = |seconds| Some(Time::from_unix(seconds));
        assert_eq!(time_at(1_800_000_000.9), at(1_800_000_000));
        assert_eq!(time_at(1_800_000_000_000.0), at(1_800_000_000));
        assert_eq!(time_at(253_402_300_799.0), at(253_402_300_799));
        assert_eq!(time_at(253_402_300_800.0), at(253_402_300));
        assert_eq!(time_at(-1.0), None);
    }

    #[test]
    fn the_claims_of_entra_are_read() {
        let parts = |claims: &str| parts_of(&jwt(&format!(r#"{{"exp": 5, {claims}}}"#))).unwrap();
        let person = parts(
            r#""aud": "https://ossrdbms-aad.database.windows.net", "appid": "04b0", "oid": "1",
               "iss": "https://sts.windows.net/t/", "upn": "ann@example.com""#,
        );
        assert_eq!(
            person.audience.as_deref(),
            Some("https://ossrdbms-aad.database.windows.net")
        );
        assert_eq!(person.issuer.as_deref(), Some("https://sts.windows.net/t/"));
        assert_eq!(person.holder.as_deref(), Some("ann@example.com"));
        assert_eq!(person.issued_at, None);
        let program = parts(r#""aud": ["first", "second"], "appid": "04b0""#);
        assert_eq!(program.audience.as_deref(), Some("first"));
        assert_eq!(program.holder.as_deref(), Some("04b0"));
        let hostile = parts(r#""upn": "\u001b[2J", "aud": {"a": 1}, "iss": 7"#);
        assert_eq!(hostile.holder.as_deref(), Some("\\u{1b}[2J"));
        assert_eq!((hostile.audience, hostile.issuer), (None, None));
    }
}
