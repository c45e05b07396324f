//! Tells a tool why it cannot log in: by an error of PostgreSQL's protocol with an SQLSTATE, what
//! failed, and a hint that says what to type.
//!
//! There are three kinds: a peer that does not speak PostgreSQL's protocol gets no answer, the
//! server's own error is passed on as it came, and everything else is an error of the gateway's
//! with a message and a hint. No answer has a secret in it. It is pure.

use crate::error::{Error, Exit};
use crate::wire::packet;

/// Why a local connection gets no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It does not speak PostgreSQL's protocol, or it went away: it gets no answer.
    Silent,
    /// It is told this.
    WithError(ErrorResponse),
    /// The server's own error, as it came.
    Server {
        packet: Vec<u8>,
        message: String,
        /// What is known of the cause.
        hint: Option<String>,
    },
}

/// An error of the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// The SQLSTATE: five letters and digits.
    code: &'static str,
    message: String,
    hint: String,
}

/// SQLSTATEs, by PostgreSQL's names for them.
mod sqlstate {
    pub(super) const SQLCLIENT_UNABLE_TO_ESTABLISH_CONNECTION: &str = "08001";
    pub(super) const PROTOCOL_VIOLATION: &str = "08P01";
    pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(super) const INVALID_AUTHORIZATION: &str = "28000";
    pub(super) const INVALID_PASSWORD: &str = "28P01";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";
}

impl Refusal {
    fn with_error(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::WithError(ErrorResponse {
            code,
            message: message.into(),
            hint: hint.into(),
        })
    }

    pub(super) fn protocol(major: u32) -> Self {
        Self::with_error(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!("this gateway speaks protocol 3.0 of PostgreSQL, and not {major}"),
            "use a client of PostgreSQL 7.4 or newer",
        )
    }

    pub(super) fn replication() -> Self {
        Self::with_error(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "this gateway does not pass replication on",
            "connect to the server itself with `pgcred exec NAME -- PROGRAM`",
        )
    }

    pub(super) fn malformed() -> Self {
        Self::with_error(
            sqlstate::PROTOCOL_VIOLATION,
            "the client's start-up packet cannot be read",
            "use another client, or report this to its makers",
        )
    }

    pub(super) fn scram() -> Self {
        Self::with_error(
            sqlstate::PROTOCOL_VIOLATION,
            "the client does not speak SCRAM-SHA-256 as PostgreSQL's do",
            "use a client that knows the passwords of PostgreSQL 10 and newer, or the Unix socket",
        )
    }

    pub(super) fn wrong_password(user: &str, connection: &str) -> Self {
        Self::with_error(
            sqlstate::INVALID_PASSWORD,
            format!("password authentication failed for user \"{user}\""),
            format!(
                "give the tool the password that `pgcred proxy --password {connection}` prints: \
                 it connects to the gateway of pgcred"
            ),
        )
    }

    pub(super) fn wrong_user(required_user: &str) -> Self {
        Self::with_error(
            sqlstate::INVALID_AUTHORIZATION,
            format!("this gateway logs in as {required_user}"),
            format!("set the user to {required_user} in the tool"),
        )
    }

    pub(super) fn other_owner() -> Self {
        Self::with_error(
            sqlstate::INVALID_AUTHORIZATION,
            "this gateway serves only the user who started it",
            "run `pgcred proxy` as your own user",
        )
    }

    pub(super) fn too_many(max_connections: usize) -> Self {
        Self::with_error(
            sqlstate::TOO_MANY_CONNECTIONS,
            format!("too many connections for this gateway, whose limit is {max_connections}"),
            "close some of them, or start the gateway with a larger --max-connections",
        )
    }

    pub(super) fn stopping() -> Self {
        Self::with_error(
            sqlstate::CANNOT_CONNECT_NOW,
            "the gateway of pgcred is stopping",
            "run `pgcred proxy` again",
        )
    }

    /// Says that a server cannot be reached, or not be believed.
    pub(super) fn unreachable(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::with_error(
            sqlstate::SQLCLIENT_UNABLE_TO_ESTABLISH_CONNECTION,
            message,
            hint,
        )
    }

    /// Says that a server does something in the login that the protocol does not allow, or that a
    /// token is no use for.
    pub(super) fn server_protocol(message: impl Into<String>, doctor: &str) -> Self {
        Self::with_error(sqlstate::PROTOCOL_VIOLATION, message, doctor)
    }

    /// Says why there is no token.
    pub(super) fn no_token(error: &Error) -> Self {
        let code = match error.exit() {
            Exit::Login => sqlstate::INVALID_AUTHORIZATION,
            _ => sqlstate::SQLCLIENT_UNABLE_TO_ESTABLISH_CONNECTION,
        };
        let hint = error.hint_text().unwrap_or("run `pgcred doctor`");
        Self::with_error(code, format!("pgcred: {error}"), hint)
    }

    /// Returns what is sent to the client.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Silent => Vec::new(),
            Self::WithError(answer) => answer.to_bytes(),
            Self::Server { packet, .. } => packet.clone(),
        }
    }

    /// Returns the words for the gateway's own log.
    pub(super) fn in_words(&self) -> &str {
        match self {
            Self::Silent => "it is not a client of PostgreSQL, or it has gone",
            Self::WithError(answer) => &answer.message,
            Self::Server { message, .. } => message,
        }
    }

    /// Returns the error for a user at a terminal, who has tried a login.
    pub(super) fn to_error(&self) -> Error {
        let error = Error::failure(self.in_words());
        match self {
            Self::WithError(answer) if answer.code == sqlstate::INVALID_AUTHORIZATION => {
                error.hint(&answer.hint).exiting(Exit::Login)
            }
            Self::WithError(answer) => error.hint(&answer.hint),
            Self::Server {
                hint: Some(hint), ..
            } => error.hint(hint),
            Self::Server { hint: None, .. } | Self::Silent => {
                error.hint("run `pgcred doctor` with the same target")
            }
        }
    }
}

impl ErrorResponse {
    fn to_bytes(&self) -> Vec<u8> {
        error_packet(&[
            (b'S', "FATAL"),
            (b'V', "FATAL"),
            (b'C', self.code),
            (b'M', &self.message),
            (b'H', &self.hint),
        ])
    }
}

/// Returns an error packet with these fields.
fn error_packet(fields: &[(u8, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, text) in fields {
        body.push(*kind);
        body.extend(text.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    packet(b'E', &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_code_and_says_what_to_type() {
        let bytes = Refusal::wrong_password("ann", "prod").to_bytes();
        assert!(bytes.starts_with(b"E"));
        let text = str::from_utf8(&bytes[5..]).unwrap();
        let fields: Vec<&str> = text.split('\0').collect();
        assert_eq!(fields[..3], ["SFATAL", "VFATAL", "C28P01"]);
        assert_eq!(
            fields[3],
            "Mpassword authentication failed for user \"ann\""
        );
        assert!(fields[4].starts_with('H') && fields[4].contains("pgcred proxy --password prod"));
        assert_eq!(fields[5..], ["", ""]);
        assert!(Refusal::Silent.to_bytes().is_empty());
    }

    #[test]
    fn a_needed_login_is_told_apart() {
        let login = Error::login("the login has ended").hint("aws sso login");
        let Refusal::WithError(answer) = Refusal::no_token(&login) else {
            panic!("it is told");
        };
        assert_eq!(
            (answer.code, answer.hint.as_str()),
            ("28000", "aws sso login")
        );
        let Refusal::WithError(answer) = Refusal::no_token(&Error::failure("no way")) else {
            panic!("it is told");
        };
        assert_eq!(
            (answer.code, answer.message.as_str()),
            ("08001", "pgcred: no way")
        );
    }
}
