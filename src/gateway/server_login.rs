//! Logs in to the server with a token, up to the server's verdict, by PostgreSQL's protocol 3.0
//! ("Message Flow" in its manual).
//!
//! 1. The start-up packet is sent with the client's parameters, the user and the database.
//! 2. The server asks for a password in clear text (`AuthenticationCleartextPassword`), and gets
//!    the token. TLS protects it.
//! 3. The server answers `AuthenticationOk`, or with an error, which is passed on as it came. If it
//!    has no hint, what the table of causes knows is added.
//!
//! The verdict has to come within 30 s and after at most 100 packets of at most 64 KiB; the first 8
//! notices are kept for the client. The token is sent once: a server that asks for it again, for
//! another proof, or that repeats it in an error, is refused.

use std::io::Error;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::packet::read_packet;
use super::refusal::Refusal;
use super::server::ServerStream;
use super::settings::GatewayTarget;
use super::startup::StartUp;
use crate::causes::{self, Cause, CausePlaceholders};
use crate::wire::{
    self, MAX_PACKET_LENGTH, ServerLogin, ServerLoginStep, ServerLoginVerdict, ServerMessage,
    hide_token, packet,
};

/// How long the server may take from the start-up packet to its verdict.
const MAX_SERVER_LOGIN_TIME: Duration = Duration::from_secs(30);

/// Why a login failed.
pub(super) struct ServerLoginFailure {
    pub(super) refusal: Refusal,
    /// The server has looked at the token and refused this user: another token may help.
    pub(super) may_be_caused_by_token: bool,
}

/// Logs in, and returns the notices that the server has sent meanwhile, as packets. The token is
/// sent once, when the server asks for a password in clear text, which TLS protects.
pub(super) async fn log_in_to_server(
    stream: &mut ServerStream,
    target: &GatewayTarget,
    start_up: &StartUp,
    user: &str,
    token: &str,
) -> Result<Vec<u8>, ServerLoginFailure> {
    let parameters = start_up.server_parameters(user, &target.request.dbname);
    let packets = (
        wire::start_up_packet(parameters),
        wire::password_packet(token),
    );
    let (Some(start_up), Some(password)) = packets else {
        return Err(protocol_failure(
            target,
            "the names or the token are too long",
        ));
    };
    let (verdict, notices) = match timeout(
        MAX_SERVER_LOGIN_TIME,
        exchange(stream, &start_up, &password),
    )
    .await
    {
        Ok(Ok(login)) => login,
        Ok(Err(error)) => return Err(broken_login(target, &error.to_string())),
        Err(_) => return Err(broken_login(target, "no verdict in time")),
    };
    let fault = match verdict {
        ServerLoginVerdict::LoggedIn => return Ok(notices),
        ServerLoginVerdict::Refused(body) => return Err(read_refusal(target, body, token)),
        ServerLoginVerdict::Endless => return Err(broken_login(target, "it has no end")),
        ServerLoginVerdict::OtherMethod(method) => {
            format!("the server asks for another proof than a password in clear text: {method}")
        }
        ServerLoginVerdict::AskedAgain => "the server asks for the token twice".to_owned(),
        ServerLoginVerdict::OutOfPlace(kind) => {
            format!("the server sends a packet {kind:#04x} in the login")
        }
    };
    Err(protocol_failure(target, &fault))
}

/// Sends and reads packets up to the verdict. Returns the notices that have come, as packets.
async fn exchange(
    stream: &mut ServerStream,
    start_up: &[u8],
    password: &[u8],
) -> Result<(ServerLoginVerdict, Vec<u8>), Error> {
    stream.write_all(start_up).await?;
    stream.flush().await?;
    let mut login = ServerLogin::default();
    let verdict = loop {
        match login.handle_packet(read_packet(stream, MAX_PACKET_LENGTH).await?) {
            ServerLoginStep::ReadPacket => {}
            ServerLoginStep::SendPassword => {
                stream.write_all(password).await?;
                stream.flush().await?;
            }
            ServerLoginStep::End(verdict) => break verdict,
        }
    };
    let mut notices = Vec::new();
    for notice in &login.notices {
        notices.extend(packet(b'N', notice));
    }
    Ok((verdict, notices))
}

/// Passes the server's error on. Where the server gives no hint, what is known of the cause is
/// added.
fn read_refusal(target: &GatewayTarget, body: Vec<u8>, token: &str) -> ServerLoginFailure {
    let error = wire::parse_message(&body);
    let mut body = body;
    let text = String::from_utf8_lossy(&body);
    if hide_token(token, &text) != text {
        // No server repeats what it was sent; one that does is not passed on.
        return protocol_failure(target, "the server repeats the token in an error");
    }
    let mut hint = Some(error.hint.clone());
    if error.hint.is_empty() {
        hint = hint_for(target, &error.message);
        if let Some(hint) = &hint {
            body = wire::with_hint(&body, hint);
        }
    }
    ServerLoginFailure {
        may_be_caused_by_token: may_be_caused_by_token(target, &error),
        refusal: Refusal::Server {
            packet: packet(b'E', &body),
            message: format!("the server says: {}", error.message),
            hint,
        },
    }
}

/// Tells whether another token may help: what is known of the server's words is about the token, or
/// nothing is known of them but that the proof was refused.
fn may_be_caused_by_token(target: &GatewayTarget, error: &ServerMessage) -> bool {
    const INVALID_AUTHORIZATION: &str = "28"; // a class of SQLSTATEs
    const INVALID_PASSWORD: &str = "28P01";
    let text = format!("{} {}", error.message, error.hint);
    let provider_cause = target.request.provider.cause_of_server_message(&text);
    if provider_cause
        .and_then(causes::find_by_id)
        .is_some_and(Cause::is_about_token)
    {
        return true;
    }
    let known_causes = causes::causes_of_message(&text);
    if known_causes.is_empty() {
        return error.code.starts_with(INVALID_AUTHORIZATION);
    }
    error.code == INVALID_PASSWORD || known_causes.iter().any(|cause| cause.is_about_token())
}

/// Returns what the table of causes says of a server's message.
fn hint_for(target: &GatewayTarget, message: &str) -> Option<String> {
    let provider = target.request.provider;
    let cause = causes::find_by_id(provider.cause_of_server_message(message)?)?;
    let placeholders = CausePlaceholders {
        target: Some(target.name.clone()),
        user: Some(target.request.user.clone()),
        authority: Some(provider.authority.name()),
        ..CausePlaceholders::default()
    };
    Some(cause.advice(&placeholders))
}

fn protocol_failure(target: &GatewayTarget, reason: &str) -> ServerLoginFailure {
    let doctor = format!("run `pgcred doctor {}`", target.name);
    ServerLoginFailure {
        refusal: Refusal::server_protocol(reason, &doctor),
        may_be_caused_by_token: false,
    }
}

fn broken_login(target: &GatewayTarget, reason: &str) -> ServerLoginFailure {
    let request = &target.request;
    let message = format!(
        "the login to {}:{} failed: {reason}",
        request.host, request.port
    );
    let doctor = format!("run `pgcred doctor {}`", target.name);
    ServerLoginFailure {
        refusal: Refusal::unreachable(message, doctor),
        may_be_caused_by_token: false,
    }
}
