//! Asks for TLS inside PostgreSQL's protocol, and reads the one byte that answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::packet::{ForeignProtocol, foreign_protocol, read_packet};
use super::stream::{TimedStream, failure_of_error};
use super::{Deadline, ProbeFailure};
use crate::wire::{self, SSL_REQUEST, ServerMessage};

/// How long the rest of a foreign greeting has to come.
const TIME_FOR_GREETING: Duration = Duration::from_millis(500);

/// What a server answers to the request for TLS.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TlsAnswer {
    Yes,
    No,
    /// An error, from a server that is full, still starting, or very old.
    Error(ServerMessage),
    /// Yes, and more bytes in clear text. A client must refuse them (CVE-2021-23222): someone on
    /// the way could have put them there, to be taken for the server's words inside TLS.
    Injected,
}

/// Asks for TLS.
pub(super) fn ask_for_tls(
    socket: &TcpStream,
    deadline: Deadline,
) -> Result<TlsAnswer, ProbeFailure> {
    let mut stream = TimedStream::new(socket, deadline);
    if let Err(error) = stream.write_all(&SSL_REQUEST) {
        return Err(failure_of_error(&error));
    }
    // More than the one byte, to see what should not be there.
    let mut first = [0; 64];
    let count = match stream.read(&mut first) {
        Ok(0) => return Err(ProbeFailure::Closed),
        Ok(count) => count,
        Err(error) => return Err(failure_of_error(&error)),
    };
    match first[..count] {
        [b'S'] => Ok(TlsAnswer::Yes),
        [b'N'] => Ok(TlsAnswer::No),
        [b'E', ..] => read_error(&first[..count], stream),
        // `SSH-` begins with the byte that means yes.
        [b'S', ..] if !first.starts_with(b"SSH-") => Ok(TlsAnswer::Injected),
        _ => Err(ProbeFailure::NotPostgres(read_greeting(
            &first[..count],
            socket,
            deadline,
        ))),
    }
}

/// Reads an error that has begun with these bytes.
fn read_error(first: &[u8], stream: TimedStream<'_>) -> Result<TlsAnswer, ProbeFailure> {
    let is_protocol_3 = matches!(first, [b'E', 0, ..] | [b'E']);
    if !is_protocol_3 {
        return Ok(TlsAnswer::Error(wire::parse_protocol_2_error(&first[1..])));
    }
    let packet = read_packet(&mut first.chain(stream))?;
    Ok(TlsAnswer::Error(wire::parse_message(&packet.body)))
}

/// Says what greets, with a little time for the rest of its first words.
fn read_greeting(first: &[u8], socket: &TcpStream, deadline: Deadline) -> ForeignProtocol {
    const NEEDED: usize = 8;
    let rest = match deadline.remaining() {
        Some(time_left) => Deadline::after(time_left.min(TIME_FOR_GREETING)),
        None => deadline,
    };
    let mut greeting = first.to_vec();
    let mut stream = TimedStream::new(socket, rest);
    while greeting.len() < NEEDED {
        let mut bytes = [0; NEEDED];
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(count) => greeting.extend_from_slice(&bytes[..count]),
        }
    }
    foreign_protocol(&greeting)
}
