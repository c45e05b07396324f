//! Serves one local connection from its first byte to its last. `mod.rs` has the picture.
//!
//! 1. The client has a minute to prove who it is: requests for encryption are declined once each,
//!    and then it sends its start-up packet or a cancel request. By a Unix socket the system tells
//!    its user; by TCP it answers SCRAM-SHA-256 with the local password.
//! 2. A cancel request is passed on to the server, and that is all.
//! 3. The session takes one of the slots (`--max-connections`), gets the target's token, and logs
//!    in to the server. If the server refuses, the token is a minute old or older, and another one
//!    may help, the login is tried once more with a new token.
//! 4. The client is told that it is logged in, and `relay` copies bytes until both sides have
//!    ended.
//!
//! A peer that does not speak PostgreSQL's protocol gets no answer; a client is told why in an
//! error of PostgreSQL's. The log has one line for each session that was refused or has ended: who,
//! how long, and how many bytes, but never what they were.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::listener::{LocalPeer, LocalStream};
use super::packet::{read_first_packet, read_packet};
use super::refusal::Refusal;
use super::relay::{SessionEnd, relay};
use super::scram::{MECHANISM, ScramFault};
use super::server::{self, ServerStream};
use super::server_login::{ServerLoginFailure, log_in_to_server};
use super::startup::{FirstPacket, StartUp, read_first};
use super::state::{Gateway, SessionSlot, TargetState, UnauthenticatedPermit};
use super::tokens::HandedToken;
use crate::config::LocalAuth;
use crate::text::printable;
use crate::time::{Time, spoken_duration};
use crate::wire::{MAX_PACKET_LENGTH, authentication_code, authentication_packet};

/// How long a local program may take to say who it is.
const MAX_PROOF_TIME: Duration = Duration::from_mins(1);
/// A token younger than this, in seconds, is not the reason for which a server refuses a login.
const NEW_TOKEN_SECONDS: u32 = 60;

/// Serves one local connection. Says in the log how it ended.
pub(super) async fn serve(
    gateway: Rc<Gateway>,
    state: Rc<TargetState>,
    stream: LocalStream,
    peer: LocalPeer,
    permit: UnauthenticatedPermit,
) {
    let mut session = GatewaySession {
        gateway: &gateway,
        state: &state,
        peer: &peer,
        user: String::new(),
        permit: Some(permit),
    };
    match stream {
        LocalStream::Tcp(mut stream) => session.run(&mut stream).await,
        #[cfg(unix)]
        LocalStream::Unix(mut stream) => session.run(&mut stream).await,
    }
}

struct GatewaySession<'a> {
    gateway: &'a Gateway,
    state: &'a TargetState,
    peer: &'a LocalPeer,
    /// The user that the client names, once it has.
    user: String,
    /// Given back when the client has proved who it is.
    permit: Option<UnauthenticatedPermit>,
}

/// A session that is logged in.
struct OpenedSession {
    server: ServerStream,
    /// The session counts for as long as this lives.
    slot: SessionSlot,
}

/// What a client asks for.
enum ClientRequest {
    Session(StartUp),
    /// The body of a cancel request.
    Cancel(Vec<u8>),
}

impl GatewaySession<'_> {
    async fn run(&mut self, client: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let started = Instant::now();
        let served = match self.open(client).await {
            Ok(Some(OpenedSession {
                server,
                slot: _slot,
            })) => Ok(relay(client, server).await),
            Ok(None) => return, // a statement was cancelled
            Err(refusal) => Err(refusal),
        };
        match served {
            Ok(end) => self.log_end(&end, started),
            Err(refusal) => {
                self.log(&format!("refused: {}", refusal.in_words()));
                let _ = client.write_all(&refusal.to_bytes()).await; // it may have gone
                let _ = client.shutdown().await;
            }
        }
    }

    /// Takes a connection up to the moment from which bytes are copied. `None` if it was a cancel
    /// request.
    async fn open(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<Option<OpenedSession>, Refusal> {
        let proven = match timeout(MAX_PROOF_TIME, self.authenticate(client)).await {
            Ok(proven) => proven?,
            Err(_) => return Err(Refusal::Silent),
        };
        let TargetState { target, tls, .. } = self.state;
        let start_up = match proven {
            ClientRequest::Session(start_up) => start_up,
            ClientRequest::Cancel(body) => {
                server::cancel(target, tls, &body).await?;
                return Ok(None);
            }
        };
        self.permit = None;
        let slot = self.gateway.take_slot()?;
        let (server, notices) = log_in_with_token(self.state, &start_up).await?;
        let mut accepted = authentication_packet(authentication_code::OK, b"");
        accepted.extend(notices);
        client
            .write_all(&accepted)
            .await
            .map_err(|_| Refusal::Silent)?;
        Ok(Some(OpenedSession { server, slot }))
    }

    /// Hears who connects and what it wants, and lets it prove that it may.
    async fn authenticate(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<ClientRequest, Refusal> {
        let auth = self.state.target.auth;
        let is_known_user = self.peer.is_own_user;
        let needs_known_user = self.peer.is_by_socket || auth == LocalAuth::None;
        let start_up = match read_start_up(client).await? {
            ClientRequest::Session(start_up) => start_up,
            // A client proves a cancel request by the secret key of the session in it, which only
            // the server knows. Where the system tells, a stranger makes nobody dial for that.
            ClientRequest::Cancel(_) if self.peer.is_stranger() => {
                return Err(Refusal::Silent);
            }
            cancel @ ClientRequest::Cancel(_) => return Ok(cancel),
        };
        self.user = printable(&start_up.user);
        if self.gateway.is_stopping() {
            return Err(Refusal::stopping());
        }
        if needs_known_user && !is_known_user {
            return Err(Refusal::other_owner());
        }
        if let Some(negotiation) = &start_up.negotiation {
            write(client, negotiation).await?;
        }
        if !needs_known_user {
            self.check_password(client).await?;
        }
        let required_user = &self.state.target.request.user;
        if !required_user.is_empty() && start_up.user != *required_user {
            return Err(Refusal::wrong_user(required_user));
        }
        Ok(ClientRequest::Session(start_up))
    }

    /// Lets the client prove that it knows the local password.
    async fn check_password(
        &self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<(), Refusal> {
        let target = &self.state.target;
        let refuse = |fault| match fault {
            ScramFault::Malformed => Refusal::scram(),
            ScramFault::WrongPassword => Refusal::wrong_password(&self.user, &target.name),
        };
        let mechanisms = format!("{MECHANISM}\0\0");
        let offer = authentication_packet(authentication_code::SASL, mechanisms.as_bytes());
        write(client, &offer).await?;
        let first = read_password_packet(client).await?;
        let first = client_first(&first).ok_or_else(Refusal::scram)?;
        let exchange = target.verifier().begin(first).map_err(refuse)?;
        let answer = exchange.first_answer().as_bytes();
        let answer = authentication_packet(authentication_code::SASL_CONTINUE, answer);
        write(client, &answer).await?;
        let last = read_password_packet(client).await?;
        let proof = exchange.finish(&last).map_err(refuse)?;
        let proof = authentication_packet(authentication_code::SASL_FINAL, proof.as_bytes());
        write(client, &proof).await
    }

    fn log_end(&self, end: &SessionEnd, started: Instant) {
        let seconds = u32::try_from(started.elapsed().as_secs()).unwrap_or(u32::MAX);
        let mut text = format!(
            "ended after {}, {} bytes sent, {} received",
            spoken_duration(seconds),
            end.sent,
            end.received
        );
        if let Some(fault) = &end.fault {
            text = format!("{text}: {fault}");
        }
        self.log(&text);
    }

    fn log(&self, message: &str) {
        let Self { peer, user, .. } = self;
        let client = match user.as_str() {
            "" => peer.name.clone(),
            user => format!("{user} from {}", peer.name),
        };
        let name = &self.state.target.name;
        self.gateway
            .output
            .note(&format!("{name}: {client}: {message}"));
    }
}

async fn write(client: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Refusal> {
    client.write_all(bytes).await.map_err(|_| Refusal::Silent)
}

/// Reads a client's first packets, and declines encryption: the connection stays on this machine.
async fn read_start_up(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<ClientRequest, Refusal> {
    const NOT_ENCRYPTED: &[u8] = b"N";
    let mut declined_packets = Vec::new();
    loop {
        let body = read_first_packet(client)
            .await
            .map_err(|_| Refusal::Silent)?;
        let packet = match read_first(&body)? {
            packet @ (FirstPacket::Tls | FirstPacket::Gss) => packet,
            FirstPacket::Cancel => return Ok(ClientRequest::Cancel(body)),
            FirstPacket::StartUp(start_up) => return Ok(ClientRequest::Session(start_up)),
        };
        if declined_packets.contains(&packet) {
            return Err(Refusal::Silent);
        }
        declined_packets.push(packet);
        write(client, NOT_ENCRYPTED).await?;
    }
}

async fn read_password_packet(client: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Refusal> {
    match read_packet(client, MAX_PACKET_LENGTH).await {
        Ok(packet) if packet.kind == b'p' => Ok(packet.body),
        Ok(_) => Err(Refusal::scram()),
        Err(_) => Err(Refusal::Silent),
    }
}

/// Takes SCRAM's first message out of the packet with which a client chooses the mechanism.
fn client_first(body: &[u8]) -> Option<&[u8]> {
    let rest = body
        .strip_prefix(MECHANISM.as_bytes())?
        .strip_prefix(b"\0")?;
    let (length, message) = rest.split_first_chunk()?;
    let is_whole = usize::try_from(u32::from_be_bytes(*length)) == Ok(message.len());
    is_whole.then_some(message)
}

/// Connects to the server and logs in. If the server refuses a token that was made a while ago, a
/// new one is tried once: the server may know more of its end than the gateway.
pub(super) async fn log_in_with_token(
    state: &TargetState,
    start_up: &StartUp,
) -> Result<(ServerStream, Vec<u8>), Refusal> {
    let no_token = |error| Refusal::no_token(&error);
    let handed_token = state.tokens.fresh().await.map_err(no_token)?;
    let failure = match log_in_to_server_once(state, start_up, &handed_token).await {
        Ok(session) => return Ok(session),
        Err(failure) => failure,
    };
    let is_old = handed_token.token.issued_at.until(Time::now()) >= NEW_TOKEN_SECONDS;
    if handed_token.is_new || !is_old || !failure.may_be_caused_by_token {
        return Err(failure.refusal);
    }
    let handed_token = state
        .tokens
        .other_than(&handed_token.token)
        .await
        .map_err(no_token)?;
    match log_in_to_server_once(state, start_up, &handed_token).await {
        Ok(session) => Ok(session),
        Err(failure) => Err(failure.refusal),
    }
}

async fn log_in_to_server_once(
    state: &TargetState,
    start_up: &StartUp,
    handed_token: &HandedToken,
) -> Result<(ServerStream, Vec<u8>), ServerLoginFailure> {
    let TargetState { target, tls, .. } = state;
    let connection = server::connect(target, tls).await;
    let mut stream = connection.map_err(|refusal| ServerLoginFailure {
        refusal,
        may_be_caused_by_token: false,
    })?;
    let user = match &target.request.user {
        user if user.is_empty() => handed_token.token.user.as_deref().unwrap_or(&start_up.user),
        user => user,
    };
    let token = handed_token.token.expose();
    let notices = log_in_to_server(&mut stream, target, start_up, user, token).await?;
    Ok((stream, notices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_a_mechanism_holds_its_first_message() {
        let body = |name: &str, length: u32, message: &str| {
            [
                name.as_bytes(),
                b"\0",
                &length.to_be_bytes(),
                message.as_bytes(),
            ]
            .concat()
        };
        assert_eq!(client_first(&body(MECHANISM, 3, "n,,")), Some(&b"n,,"[..]));
        for other in [
            body(MECHANISM, 4, "n,,"),
            body(MECHANISM, u32::MAX, ""),
            body("SCRAM-SHA-256-PLUS", 3, "n,,"),
            body("SCRAM-SHA-1", 3, "n,,"),
            b"SCRAM-SHA-256".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(client_first(&other), None, "{other:?}");
        }
    }
}
