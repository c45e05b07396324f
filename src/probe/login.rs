//! Logs in to a server with a token, for a probe, and tells the server's first verdict. Then the
//! session ends: no SQL is sent.
//!
//! The token is sent once, when the server asks for a password in clear text, and only to a server
//! that the user's own clients would believe. At most 100 packets are read, and 8 notices kept; the
//! deadline of the probe bounds every wait.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use rustls::Stream;

use super::stream::{TimedStream, failure_of_error};
use super::tls::TlsSession;
use super::trust::ClientVerification;
use super::wire::{self, AuthenticationMethod, AuthenticationRequest, ServerMessage, ServerPacket};
use super::{Deadline, ProbeFailure};

/// The most notices that are kept.
const MOST_NOTICES: usize = 8;
/// The most packets of one login.
const MOST_PACKETS: usize = 100;

/// Who logs in. `Debug` hides the token.
pub(crate) struct LoginRequest<'a> {
    pub(crate) user: &'a str,
    pub(crate) database: &'a str,
    pub(crate) token: &'a str,
}

impl fmt::Debug for LoginRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LoginRequest");
        shown.field("user", &self.user);
        shown.field("database", &self.database);
        shown.finish_non_exhaustive()
    }
}

/// What became of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LoginOutcome {
    LoggedIn,
    /// The server's first error.
    Refused(ServerMessage),
    /// The server asks for something else than a password in clear text, so it does not expect a
    /// token.
    OtherMethod(AuthenticationMethod),
    /// The server has taken the token and asks for it again.
    AskedAgain,
    /// The user's own clients would not believe this server, so nothing was sent.
    NotBelieved,
    /// The user, the database or the token has a zero byte, or is too long.
    CannotBeSent,
    /// The server sent a packet that has no place in a login.
    OutOfPlace(u8),
    Broke(ProbeFailure),
}

/// A login at one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginAttempt {
    pub(crate) outcome: LoginOutcome,
    /// The server has asked for the token and got it.
    pub(crate) has_sent_token: bool,
    /// What the server said besides.
    pub(crate) notices: Vec<ServerMessage>,
    /// The newest minor version of protocol 3 that the server speaks, if it has said so.
    pub(crate) minor_version: Option<u32>,
    pub(crate) took: Duration,
}

/// Logs in, and ends the session. Nothing is sent to a server that the policy does not accept.
pub(crate) fn log_in(
    mut session: TlsSession,
    request: &LoginRequest<'_>,
    client: &ClientVerification,
    deadline: Deadline,
) -> LoginAttempt {
    let began = Instant::now();
    let mut login = LoginAttempt {
        outcome: LoginOutcome::NotBelieved,
        has_sent_token: false,
        notices: Vec::new(),
        minor_version: None,
        took: Duration::ZERO,
    };
    if matches!(&session.verdict, Some(verdict) if client.accepts(verdict)) {
        let mut socket = TimedStream::new(&session.socket, deadline);
        let mut stream = Stream::new(&mut session.tls, &mut socket);
        login.outcome = match exchange_packets(&mut stream, request, &mut login) {
            Ok(outcome) => outcome,
            Err(broke) => LoginOutcome::Broke(broke),
        };
        if login.outcome == LoginOutcome::LoggedIn {
            let _ = stream.write_all(&wire::TERMINATE); // only a courtesy, as is what follows
        }
        session.tls.send_close_notify();
        let _ = session.tls.write_tls(&mut socket);
    }
    login.took = began.elapsed();
    login
}

type TlsStream<'a, 'b> = Stream<'a, rustls::ClientConnection, TimedStream<'b>>;

fn exchange_packets(
    stream: &mut TlsStream<'_, '_>,
    request: &LoginRequest<'_>,
    login: &mut LoginAttempt,
) -> Result<LoginOutcome, ProbeFailure> {
    let start = wire::start_up(request.user, request.database);
    let password = wire::password_packet(request.token);
    let (Some(start), Some(password)) = (start, password) else {
        return Ok(LoginOutcome::CannotBeSent);
    };
    send_packet(stream, &start)?;
    for _ in 0..MOST_PACKETS {
        let ServerPacket { kind, body } = wire::read_packet(stream)?;
        match kind {
            b'N' if login.notices.len() < MOST_NOTICES => {
                login
                    .notices
                    .push(read_server_message(&body, request.token));
            }
            b'N' => {}
            b'v' => login.minor_version = wire::minor_version(&body),
            b'E' => {
                return Ok(LoginOutcome::Refused(read_server_message(
                    &body,
                    request.token,
                )));
            }
            b'R' => match wire::read_authentication(&body) {
                Some(AuthenticationRequest::Nothing) => return Ok(LoginOutcome::LoggedIn),
                Some(AuthenticationRequest::Password) if login.has_sent_token => {
                    return Ok(LoginOutcome::AskedAgain);
                }
                Some(AuthenticationRequest::Password) => {
                    send_packet(stream, &password)?;
                    login.has_sent_token = true;
                }
                Some(AuthenticationRequest::Other(method)) => {
                    return Ok(LoginOutcome::OtherMethod(method));
                }
                None => return Ok(LoginOutcome::OutOfPlace(kind)),
            },
            _ => return Ok(LoginOutcome::OutOfPlace(kind)),
        }
    }
    Err(ProbeFailure::TooMuch)
}

fn send_packet(stream: &mut TlsStream<'_, '_>, packet: &[u8]) -> Result<(), ProbeFailure> {
    match stream.write_all(packet) {
        Ok(()) => Ok(()),
        Err(error) => Err(failure_of_error(&error)),
    }
}

/// Reads a message, and takes the token out of it, should a server repeat it.
fn read_server_message(body: &[u8], token: &str) -> ServerMessage {
    let body = hide_token(token, &String::from_utf8_lossy(body));
    wire::read_message(body.as_bytes())
}

/// Returns a text without the token, whole or in the parts of its query that are secret or long.
pub(crate) fn hide_token(token: &str, text: &str) -> String {
    const LONG: usize = 24;
    const HIDDEN: &str = "[...]";
    let mut text = text.to_owned();
    if !token.is_empty() {
        text = text.replace(token, HIDDEN);
    }
    for part in token.split(['&', '?', '=']) {
        if part.len() >= LONG {
            text = text.replace(part, HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests;
