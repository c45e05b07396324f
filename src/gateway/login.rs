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

use std::io::{Error, ErrorKind};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::answer::{self, Refusal, ServerError};
use super::packet::{LONGEST_PACKET, Packet, authentication, packet, read_packet, with_length};
use super::server::ServerStream;
use super::settings::GatewayTarget;
use super::startup::StartUp;
use crate::causes::{self, CausePlaceholders};
use crate::probe::login::hide_token;

/// How long the server may take from the start-up packet to its verdict.
const LONGEST_LOGIN: Duration = Duration::from_secs(30);
/// The most packets before the verdict.
const MOST_PACKETS: usize = 100;
/// The most notices that are kept for the client.
const MOST_NOTICES: usize = 8;

/// Why a login failed.
pub(super) struct LoginFailure {
    pub(super) refusal: Refusal,
    /// The server has looked at the token and refused this user: another token may help.
    pub(super) may_be_token: bool,
}

/// Logs in, and returns the notices that the server has sent meanwhile, as packets. The token is
/// sent once, when the server asks for a password in clear text, which TLS protects.
pub(super) async fn log_in(
    stream: &mut ServerStream,
    target: &GatewayTarget,
    start_up: &StartUp,
    user: &str,
    token: &str,
) -> Result<Vec<u8>, LoginFailure> {
    let request = &target.request;
    let first = with_length(&start_up.for_server(user, &request.dbname));
    match timeout(LONGEST_LOGIN, exchange(stream, &first, token)).await {
        Ok(Ok(Verdict::Accepted { notices })) => Ok(notices),
        Ok(Ok(Verdict::Refused(body))) => Err(read_refusal(target, body, token)),
        Ok(Ok(Verdict::OtherMethod(code))) => Err(protocol_failure(
            target,
            &format!("the server asks for another proof than a password (method {code})"),
        )),
        Ok(Ok(Verdict::AskedAgain)) => Err(protocol_failure(
            target,
            "the server asks for the token twice",
        )),
        Ok(Ok(Verdict::OutOfPlace(kind))) => Err(protocol_failure(
            target,
            &format!("the server sends a packet {kind:#04x} in the login"),
        )),
        Ok(Err(error)) => Err(broken_login(target, &error.to_string())),
        Err(_) => Err(broken_login(target, "no verdict in time")),
    }
}

/// What came of the exchange of packets.
enum Verdict {
    Accepted {
        notices: Vec<u8>,
    },
    /// The body of the server's error.
    Refused(Vec<u8>),
    OtherMethod(u32),
    AskedAgain,
    OutOfPlace(u8),
}

async fn exchange(
    stream: &mut ServerStream,
    start_up: &[u8],
    token: &str,
) -> Result<Verdict, Error> {
    stream.write_all(start_up).await?;
    stream.flush().await?;
    let (mut notices, mut notice_count, mut has_sent_token) = (Vec::new(), 0, false);
    for _ in 0..MOST_PACKETS {
        let Packet { kind, body } = read_packet(stream, LONGEST_PACKET).await?;
        match (
            kind,
            body.first_chunk().map(|code| u32::from_be_bytes(*code)),
        ) {
            (b'R', Some(authentication::OK)) => return Ok(Verdict::Accepted { notices }),
            (b'R', Some(authentication::CLEARTEXT_PASSWORD)) if has_sent_token => {
                return Ok(Verdict::AskedAgain);
            }
            (b'R', Some(authentication::CLEARTEXT_PASSWORD)) => {
                let password = [token.as_bytes(), b"\0"].concat();
                stream.write_all(&packet(b'p', &password)).await?;
                stream.flush().await?;
                has_sent_token = true;
            }
            (b'R', Some(code)) => return Ok(Verdict::OtherMethod(code)),
            (b'E', _) => return Ok(Verdict::Refused(body)),
            (b'N', _) => {
                notice_count += 1;
                if notice_count <= MOST_NOTICES {
                    notices.extend(packet(kind, &body));
                }
            }
            (b'v', _) => {} // protocol 3.0 is asked for, so that there is nothing to learn
            _ => return Ok(Verdict::OutOfPlace(kind)),
        }
    }
    Err(Error::new(ErrorKind::InvalidData, "the login has no end"))
}

/// Passes the server's error on. Where the server gives no hint, what is known of the cause is
/// added.
fn read_refusal(target: &GatewayTarget, body: Vec<u8>, token: &str) -> LoginFailure {
    let error = answer::read_error(&body);
    let mut body = body;
    let words = String::from_utf8_lossy(&body);
    if hide_token(token, &words) != words {
        // No server repeats what it was sent; one that does is not passed on.
        return protocol_failure(target, "the server repeats the token in an error");
    }
    let mut hint = Some(error.hint.clone());
    if error.hint.is_empty() {
        hint = hint_for(target, &error.message);
        if let Some(hint) = &hint {
            body = answer::with_hint(&body, hint);
        }
    }
    LoginFailure {
        may_be_token: may_be_token(target, &error),
        refusal: Refusal::Server {
            packet: packet(b'E', &body),
            message: format!("the server says: {}", error.message),
            hint,
        },
    }
}

/// Tells whether another token may help: the server says that this one has ended or is false, or
/// that the proof has failed. A user that does not exist or may not log in is another matter.
fn may_be_token(target: &GatewayTarget, error: &ServerError) -> bool {
    const SUBJECT: &str = "token."; // of rows of `causes`
    const INVALID_AUTHORIZATION: &str = "28"; // a class of SQLSTATEs
    let texts = format!("{} {}", error.message, error.hint);
    if let Some(cause) = target.request.provider.explain(&texts)
        && cause.starts_with(SUBJECT)
    {
        return true;
    }
    let is_proof = error.message.contains("authentication failed");
    is_proof && error.code.starts_with(INVALID_AUTHORIZATION)
}

/// Returns what the table of causes says of a server's message.
fn hint_for(target: &GatewayTarget, message: &str) -> Option<String> {
    let provider = target.request.provider;
    let cause = causes::find_by_id(provider.explain(message)?)?;
    let known = CausePlaceholders {
        target: Some(target.name.clone()),
        user: Some(target.request.user.clone()),
        authority: Some(provider.authority.name()),
        ..CausePlaceholders::default()
    };
    Some(cause.advice(&known))
}

fn protocol_failure(target: &GatewayTarget, why: &str) -> LoginFailure {
    let doctor = format!("run `pgcred doctor {}`", target.name);
    LoginFailure {
        refusal: Refusal::server_protocol(why, &doctor),
        may_be_token: false,
    }
}

fn broken_login(target: &GatewayTarget, why: &str) -> LoginFailure {
    let request = &target.request;
    let message = format!(
        "the login to {}:{} failed: {why}",
        request.host, request.port
    );
    let doctor = format!("run `pgcred doctor {}`", target.name);
    LoginFailure {
        refusal: Refusal::unreachable(message, doctor),
        may_be_token: false,
    }
}
