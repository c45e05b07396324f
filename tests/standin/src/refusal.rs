//! The reasons for which a login is refused, and the words of DSQL or RDS for the client. No text
//! repeats a secret of the client.

use std::fmt;

use crate::Kind;
use crate::clock::amz_date;
use crate::dialect::{NOT_SUPPORTED, not_settable};
use crate::visit::{Service, Visit};
use crate::wire::error_response;

/// One reason for every rule. `Display` is the hint a DSQL client reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The connection is not encrypted.
    NoTls,
    /// The TLS handshake named no host.
    NoSni,
    /// The password does not have the form of a token. The text says which part is wrong.
    Malformed(&'static str),
    MissingParameter(&'static str),
    UnknownParameter,
    DuplicateParameter,
    WrongAlgorithm,
    WrongSignedHeaders,
    WrongHost,
    UnknownKey,
    WrongSessionToken,
    ExpiredCredentials,
    WrongTerminator,
    WrongService {
        expected: &'static str,
    },
    WrongRegion {
        expected: String,
    },
    WrongScopeDate,
    WrongExpires {
        most: u64,
    },
    NotYetValid {
        issued: u64,
        now: u64,
    },
    Expired {
        issued: u64,
        lifetime: u64,
        now: u64,
    },
    BadSignature,
    /// The signature is right, but the token is for an action that this user may not take.
    WrongAction {
        user: String,
        action: String,
    },
    /// The token is right, but it is for another user. At RDS that is its `DBUser`.
    WrongUser,
    /// A service that mints: nobody has minted this token.
    NotMinted,
    /// A service that mints: the token has ended.
    Ended,
    /// DSQL, if it is strict: the startup message sets a parameter that may not be set.
    ForbiddenParameter(String),
}

impl Refusal {
    /// A short name for logs and assertions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoTls => "no-tls",
            Self::NoSni => "no-sni",
            Self::Malformed(_) => "malformed",
            Self::MissingParameter(_) => "missing-parameter",
            Self::UnknownParameter => "unknown-parameter",
            Self::DuplicateParameter => "duplicate-parameter",
            Self::WrongAlgorithm => "wrong-algorithm",
            Self::WrongSignedHeaders => "wrong-signed-headers",
            Self::WrongHost => "wrong-host",
            Self::UnknownKey => "unknown-key",
            Self::WrongSessionToken => "wrong-session-token",
            Self::ExpiredCredentials => "expired-credentials",
            Self::WrongTerminator => "wrong-terminator",
            Self::WrongService { .. } => "wrong-service",
            Self::WrongRegion { .. } => "wrong-region",
            Self::WrongScopeDate => "wrong-scope-date",
            Self::WrongExpires { .. } => "wrong-expires",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::BadSignature => "bad-signature",
            Self::WrongAction { .. } => "wrong-action",
            Self::WrongUser => "wrong-user",
            Self::NotMinted => "not-minted",
            Self::Ended => "ended",
            Self::ForbiddenParameter(_) => "forbidden-parameter",
        }
    }

    /// The `ErrorResponse` the client gets. Where it is not encrypted, the service is the one of
    /// clients without SNI.
    pub(crate) fn response(&self, visit: &Visit<'_>) -> Vec<u8> {
        if let Some(Service::Other(face)) = visit.service {
            return face.response(self, visit);
        }
        let text = self.to_string();
        let (sqlstate, text, hint) = match (self, visit.kind()) {
            (Self::NoTls, Some(Kind::Rds)) => ("28000", NO_HBA_ENTRY, None),
            (Self::NoTls, Some(Kind::RdsProxy)) => {
                ("28000", "This RDS Proxy requires TLS connections.", None)
            }
            (Self::NoTls, _) => ("28000", text.as_str(), None),
            (Self::NoSni, _) => ("08006", text.as_str(), None),
            (Self::ForbiddenParameter(_), _) => (NOT_SUPPORTED, text.as_str(), None),
            (_, Some(Kind::Rds)) => (
                "28000",
                "PAM authentication failed for user \"{user}\"",
                None,
            ),
            (_, Some(Kind::RdsProxy)) => (
                "28P01",
                "The IAM authentication failed for the role {user}. Check the IAM token for this \
                 role and try again.",
                None,
            ),
            _ => (
                "08006",
                "unable to accept connection, access denied",
                Some(text.as_str()),
            ),
        };
        error_response("FATAL", sqlstate, &visit.fill(text), hint)
    }
}

/// What PostgreSQL says where no line of its `pg_hba.conf` fits.
pub(crate) const NO_HBA_ENTRY: &str = "no pg_hba.conf entry for host \"{client}\", user \
    \"{user}\", database \"{database}\", {encryption}";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTls => f.write_str("unable to accept connection, TLS is required"),
            Self::NoSni => f.write_str("unable to accept connection, sni was not received"),
            Self::Malformed(part) => write!(f, "The authentication token is malformed: {part}."),
            Self::MissingParameter(name) => write!(
                f,
                "AWS query-string parameters must include \
                '{name}'."
            ),
            Self::UnknownParameter => f.write_str(
                "The authentication token has a parameter that \
                is not expected.",
            ),
            Self::DuplicateParameter => f.write_str(
                "The authentication token has a parameter more \
                than once.",
            ),
            Self::WrongAlgorithm => f.write_str(
                "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA256' \
                is expected.",
            ),
            Self::WrongSignedHeaders => f.write_str("'X-Amz-SignedHeaders' must be 'host'."),
            Self::WrongHost => f.write_str(
                "The host of the authentication token is not the \
                endpoint connected to.",
            ),
            Self::UnknownKey => f.write_str(
                "The security token included in the request is \
                invalid.",
            ),
            Self::WrongSessionToken => f.write_str(
                "The security token included in the request is invalid: it is not the one issued \
                 with this access key.",
            ),
            Self::ExpiredCredentials => f.write_str(
                "The security token included in the request is \
                expired",
            ),
            Self::WrongTerminator => {
                f.write_str("Credential should be scoped with a valid terminator: 'aws4_request'.")
            }
            Self::WrongService { expected } => {
                write!(
                    f,
                    "Credential should be scoped to correct service: '{expected}'."
                )
            }
            Self::WrongRegion { expected } => {
                write!(
                    f,
                    "Credential should be scoped to a valid region, here '{expected}'."
                )
            }
            Self::WrongScopeDate => f.write_str(
                "Date in Credential scope does not match YYYYMMDD \
                from X-Amz-Date.",
            ),
            Self::WrongExpires { most } => {
                write!(
                    f,
                    "X-Amz-Expires must be a number of seconds from 1 to {most}."
                )
            }
            Self::NotYetValid { issued, now } => write!(
                f,
                "Signature not yet current: {} is still later than {} ({} + 5 min.)",
                amz_date(*issued),
                amz_date(now + crate::verify::SKEW),
                amz_date(*now)
            ),
            Self::Expired {
                issued,
                lifetime,
                now,
            } => write!(
                f,
                "Signature expired: {} is now earlier than {} ({} - {lifetime} sec.)",
                amz_date(*issued),
                amz_date(now.saturating_sub(*lifetime)),
                amz_date(*now)
            ),
            Self::BadSignature => f.write_str(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method.",
            ),
            Self::WrongAction { user, action } => {
                write!(
                    f,
                    "Wrong user to action mapping. user: {user}, action: {action}"
                )
            }
            Self::WrongUser => f.write_str(
                "The authentication token was made for another database \
                user.",
            ),
            Self::NotMinted => f.write_str("Nobody has minted this token."),
            Self::Ended => f.write_str("The token has ended."),
            Self::ForbiddenParameter(name) => f.write_str(&not_settable(name)),
        }
    }
}

impl std::error::Error for Refusal {}
