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

use super::packet::read_packet;
use super::stream::{TimedStream, failure_of_error};
use super::tls::EncryptedConnection;
use super::trust::ClientVerification;
use super::{Deadline, ProbeFailure};
use crate::wire::{
    self, AuthenticationMethod, ServerLogin, ServerLoginStep, ServerLoginVerdict, ServerMessage,
    hide_token,
};

/// Who logs in. `Debug` hides the token.
pub(crate) struct ServerLoginRequest<'a> {
    pub(crate) user: &'a str,
    pub(crate) database: &'a str,
    pub(crate) token: &'a str,
}

impl fmt::Debug for ServerLoginRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ServerLoginRequest");
        shown.field("user", &self.user);
        shown.field("database", &self.database);
        shown.finish_non_exhaustive()
    }
}

/// What became of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerLoginOutcome {
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
pub(crate) struct ServerLoginAttempt {
    pub(crate) outcome: ServerLoginOutcome,
    /// The server has asked for the token and got it.
    pub(crate) has_sent_token: bool,
    /// What the server said besides.
    pub(crate) notices: Vec<ServerMessage>,
    /// The newest minor version of protocol 3 that the server speaks, if it has said so.
    pub(crate) minor_version: Option<u32>,
    pub(crate) elapsed: Duration,
}

/// Logs in, and ends the session. Nothing is sent to a server that the policy does not accept.
pub(crate) fn log_in_to_server(
    mut session: EncryptedConnection,
    request: &ServerLoginRequest<'_>,
    client: &ClientVerification,
    deadline: Deadline,
) -> ServerLoginAttempt {
    let started = Instant::now();
    let mut login = ServerLoginAttempt {
        outcome: ServerLoginOutcome::NotBelieved,
        has_sent_token: false,
        notices: Vec::new(),
        minor_version: None,
        elapsed: Duration::ZERO,
    };
    if matches!(&session.verdict, Some(verdict) if client.accepts(verdict)) {
        let mut socket = TimedStream::new(&session.socket, deadline);
        let mut stream = Stream::new(&mut session.tls, &mut socket);
        login.outcome = match exchange_packets(&mut stream, request, &mut login) {
            Ok(outcome) => outcome,
            Err(broke) => ServerLoginOutcome::Broke(broke),
        };
        if login.outcome == ServerLoginOutcome::LoggedIn {
            let _ = stream.write_all(&wire::TERMINATE); // only a courtesy, as is what follows
        }
        session.tls.send_close_notify();
        let _ = session.tls.write_tls(&mut socket);
    }
    login.elapsed = started.elapsed();
    login
}

type TlsStream<'a, 'b> = Stream<'a, rustls::ClientConnection, TimedStream<'b>>;

fn exchange_packets(
    stream: &mut TlsStream<'_, '_>,
    request: &ServerLoginRequest<'_>,
    login: &mut ServerLoginAttempt,
) -> Result<ServerLoginOutcome, ProbeFailure> {
    let start_up = wire::start_up_packet([
        (&b"user"[..], request.user.as_bytes()),
        (b"database", request.database.as_bytes()),
        (b"application_name", b"pgcred-doctor"),
        (b"client_encoding", b"UTF8"),
    ]);
    let password = wire::password_packet(request.token);
    let (Some(start_up), Some(password)) = (start_up, password) else {
        return Ok(ServerLoginOutcome::CannotBeSent);
    };
    send_packet(stream, &start_up)?;
    let mut exchange = ServerLogin::default();
    let verdict = loop {
        match exchange.handle_packet(read_packet(stream)?) {
            ServerLoginStep::ReadPacket => {}
            ServerLoginStep::SendPassword => {
                send_packet(stream, &password)?;
                login.has_sent_token = true;
            }
            ServerLoginStep::End(verdict) => break verdict,
        }
    };
    login.minor_version = exchange.minor_version;
    for notice in &exchange.notices {
        let notice = parse_server_message(notice, request.token);
        login.notices.push(notice);
    }
    match verdict {
        ServerLoginVerdict::LoggedIn => Ok(ServerLoginOutcome::LoggedIn),
        ServerLoginVerdict::Refused(body) => {
            let message = parse_server_message(&body, request.token);
            Ok(ServerLoginOutcome::Refused(message))
        }
        ServerLoginVerdict::OtherMethod(method) => Ok(ServerLoginOutcome::OtherMethod(method)),
        ServerLoginVerdict::AskedAgain => Ok(ServerLoginOutcome::AskedAgain),
        ServerLoginVerdict::OutOfPlace(kind) => Ok(ServerLoginOutcome::OutOfPlace(kind)),
        ServerLoginVerdict::Endless => Err(ProbeFailure::TooMuch),
    }
}

fn send_packet(stream: &mut TlsStream<'_, '_>, packet: &[u8]) -> Result<(), ProbeFailure> {
    match stream.write_all(packet) {
        Ok(()) => Ok(()),
        Err(error) => Err(failure_of_error(&error)),
    }
}

/// Reads a message, and takes the token out of it, should a server repeat it.
fn parse_server_message(body: &[u8], token: &str) -> ServerMessage {
    let body = hide_token(token, &String::from_utf8_lossy(body));
    wire::parse_message(body.as_bytes())
}

#[cfg(test)]
mod tests;
