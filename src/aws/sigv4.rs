//! Signs requests: presigned ones in the AWS CLI's spelling, which are the tokens, and those that
//! are sent to AWS's services. It is pure, and the only user of `aws-sigv4`.
//!
//! ```text
//! TokenScope            service, action, host; port and user only where the token is for one alone
//!     |
//!     |-- signed_host   HOST, or HOST:PORT
//!     '-- query         Action=ACTION, or Action=ACTION&DBUser=USER
//!           |
//!           v
//! canonical request     GET https://HOST/?QUERY without a body; the ID of the key, the region, the
//!     |                 time and the lifetime are parameters. `aws-sigv4` makes it and signs its
//!     |                 digest
//!     v
//!   token               HOST/?QUERY&X-Amz-Algorithm=...&X-Amz-Signature=...
//!                       the parameters in the order of the AWS CLI, and no scheme
//! ```
//!
//! The canonical request has the parameters sorted, so their order in the token means nothing to
//! the server. They are spelled as AWS CLI v2 does, to the byte, so that a token of pgcred's can be
//! compared with one of the AWS CLI, as `tests/vectors` does, and so that `pgcred aws` can stand in
//! for it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::authority::TokenScope;
use crate::aws::credentials::Credentials;
use crate::error::{Error, Result};
use crate::text::quote::percent;
use crate::time::Time;
use crate::token::Token;

/// The order in which AWS CLI v2 prints the parameters; the signer has its own.
const CLI_ORDER: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// The longest token, in bytes. The signer panics on an address of 65,536.
const MAX_TOKEN_LENGTH: usize = 60_000;

/// Returns when a token was signed.
pub(super) fn signing_time(token: &str) -> Option<Time> {
    let (_, rest) = token.split_once("X-Amz-Date=")?;
    Time::from_compact(rest.split('&').next().unwrap_or(rest))
}

/// Returns the token `HOST/?query&X-Amz-...`: a presigned URL without its scheme, good for
/// `lifetime_seconds` from `signed_at`.
pub(super) fn presign(
    scope: &TokenScope<'_>,
    region: &str,
    credentials: &Credentials,
    signed_at: Time,
    lifetime_seconds: u32,
) -> Result<Token> {
    let signed_host = signed_host(scope);
    let query = query_of_scope(scope);
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.expires_in = Some(Duration::from_secs(lifetime_seconds.into()));

    let signing_error = |cause: &dyn std::error::Error| {
        // No hint: it does not happen with texts that pgcred has checked.
        Error::failure(format!("cannot sign for {signed_host}")).caused_by(cause)
    };
    let identity = without_empty_session_token(credentials).to_sdk().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(scope.service)
        .time(signed_at.to_system())
        .settings(settings)
        .build()
        .map_err(|error| signing_error(&error))?
        .into();
    check_length(signed_host.len() + query.len(), region, credentials)?;
    let url = format!("https://{signed_host}/?{query}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(|error| signing_error(&error))?;
    let (instructions, _signature) = sign(request, &params)
        .map_err(|error| signing_error(&error))?
        .into_parts();

    let signature = order_as_cli(instructions.params());
    let token = format!("{signed_host}/?{query}{signature}");
    Ok(Token::new(
        token,
        signed_at,
        signed_at.plus(lifetime_seconds),
    ))
}

/// What a request to a service is signed for.
pub(super) struct SignedFor<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) signed_at: Time,
}

/// Adds the headers of a signature to a request whose body is a text. The signature covers all the
/// headers that the request has already.
pub(super) fn sign_headers(
    request: &mut HttpRequest,
    signed_for: &SignedFor<'_>,
    credentials: &Credentials,
) -> Result<()> {
    let signing_error = |cause: &dyn std::error::Error| {
        // No hint: it does not happen with texts that pgcred has checked.
        Error::failure(format!("cannot sign a request to {}", signed_for.service)).caused_by(cause)
    };
    let identity = without_empty_session_token(credentials).to_sdk().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(signed_for.region)
        .name(signed_for.service)
        .time(signed_for.signed_at.to_system())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| signing_error(&error))?
        .into();
    let body = request.body().bytes().unwrap_or_default();
    let signable = SignableRequest::new(
        request.method(),
        request.uri(),
        request.headers().iter(),
        SignableBody::Bytes(body),
    )
    .map_err(|error| signing_error(&error))?;
    let (instructions, _signature) = sign(signable, &params)
        .map_err(|error| signing_error(&error))?
        .into_parts();
    for (name, value) in instructions.headers() {
        request
            .headers_mut()
            .try_insert(name.to_owned(), value.to_owned())
            .map_err(|error| signing_error(&error))?;
    }
    Ok(())
}

/// Checks that the token does not become too long. `length` is that of its address.
fn check_length(length: usize, region: &str, credentials: &Credentials) -> Result<()> {
    let mut token_length = length;
    let session_token = credentials.session_token().unwrap_or("");
    for text in [region, credentials.access_key_id(), session_token] {
        token_length += percent(text).to_string().len();
    }
    if token_length <= MAX_TOKEN_LENGTH {
        return Ok(());
    }
    Err(Error::usage(format!(
        "the token would be longer than {MAX_TOKEN_LENGTH} characters"
    ))
    .hint(
        "check where the session token, the access key ID and the user come from: one of them is \
         too long",
    ))
}

/// Returns the parameters of a signature in the order of the AWS CLI, each with `&` before it.
fn order_as_cli(parameters: &[(&str, Cow<'static, str>)]) -> String {
    let mut text = String::new();
    for name in CLI_ORDER {
        if let Some((_, value)) = parameters.iter().find(|(key, _)| *key == name) {
            let _ = write!(text, "&{name}={}", percent(value));
        }
    }
    text
}

/// Returns the host that is signed, with its port if the token is for one port alone.
fn signed_host(scope: &TokenScope<'_>) -> String {
    match scope.port {
        Some(port) => format!("{}:{port}", scope.host),
        None => scope.host.to_owned(),
    }
}

/// Returns the parameters that name the action, and the user if the token is for one alone.
fn query_of_scope(scope: &TokenScope<'_>) -> String {
    match scope.user {
        Some(user) => format!("Action={}&DBUser={}", scope.action, percent(user)),
        None => format!("Action={}", scope.action),
    }
}

/// The signer would sign and print an empty session token; the AWS CLI takes it for none.
fn without_empty_session_token(credentials: &Credentials) -> Credentials {
    if credentials.session_token() != Some("") {
        return credentials.clone();
    }
    let (id, secret) = (credentials.access_key_id(), credentials.secret_access_key());
    Credentials::new(
        id,
        secret,
        None,
        credentials.expires_at(),
        "empty session token dropped",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Time = Time::from_unix(1_893_456_000);

    fn keys(session_token: Option<&str>) -> Credentials {
        Credentials::new("AKIA", "secret", session_token, None, "test")
    }

    fn scope(port: Option<u16>, user: Option<&str>) -> TokenScope<'_> {
        TokenScope {
            service: "rds-db",
            action: "connect",
            host: "db.example",
            port,
            user,
            dbname: "",
            vars: &[],
        }
    }

    fn signed(scope: &TokenScope<'_>, credentials: &Credentials) -> String {
        let token = presign(scope, "eu-west-1", credentials, AT, 900).unwrap();
        assert_eq!(token.expires_at, AT.plus(900));
        token.expose().to_owned()
    }

    #[test]
    fn a_token_has_the_parameters_in_the_order_of_the_aws_cli() {
        let token = signed(&scope(None, None), &keys(Some("session")));
        let mut rest = token.as_str();
        for name in CLI_ORDER {
            let at = rest.find(&format!("&{name}="));
            rest = &rest[at.unwrap_or_else(|| panic!("{name}: {token}"))..];
        }
        assert!(token.starts_with("db.example/?Action=connect&X-Amz-Algorithm="));
    }

    #[test]
    fn a_token_names_port_and_user_only_where_it_is_for_one_alone() {
        let token = signed(&scope(Some(5433), Some("a b&c")), &keys(None));
        let start = "db.example:5433/?Action=connect&DBUser=a%20b%26c&";
        assert!(token.starts_with(start), "{token}");
        let token = signed(&scope(None, None), &keys(None));
        assert!(!token.contains("DBUser"), "{token}");
    }

    #[test]
    fn an_empty_session_token_counts_as_none() {
        let scope = scope(None, None);
        assert_eq!(signed(&scope, &keys(Some(""))), signed(&scope, &keys(None)));
    }

    #[test]
    fn a_token_that_would_be_too_long_is_an_error() {
        let long = "x".repeat(MAX_TOKEN_LENGTH);
        let found = presign(&scope(None, None), "r", &keys(Some(&long)), AT, 900);
        assert!(found.err().unwrap().to_string().contains("longer than"));
    }

    #[test]
    fn a_token_says_when_it_was_signed() {
        let time = Time::from_compact("20260101T000000Z");
        for (token, expected) in [
            (
                "h/?Action=connect&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900",
                time,
            ),
            ("h/?X-Amz-Date=20260101T000000Z", time),
            ("h/?X-Amz-Date=soon&X-Amz-Expires=900", None),
            ("h/?X-Amz-Date=", None),
            ("a token of another authority", None),
            ("", None),
        ] {
            assert_eq!(signing_time(token), expected, "{token}");
        }
    }
}
