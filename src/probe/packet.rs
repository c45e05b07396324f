//! Reads a server's packets for the probe, and says what speaks at the other end if it is
//! no PostgreSQL. Lengths are checked before anything is read; the stream ends a wait at the
//! deadline.

use std::io::Read;

use super::ProbeFailure;
use super::stream::failure_of_error;
use crate::wire::{self, LengthFault, MAX_PACKET_LENGTH, Packet};

/// The kinds of packets that a server sends in a login.
const KINDS: &[u8] = b"RENvSKZ";

/// What speaks at the other end, if it is no PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForeignProtocol {
    Http,
    Ssh,
    /// TLS, without having been asked for it.
    Tls,
    /// Such as another database, or a mail server.
    SomethingElse,
}

/// Says what speaks, by the first bytes.
pub(super) fn foreign_protocol(first: &[u8]) -> ForeignProtocol {
    const TLS_ALERT: u8 = 0x15;
    const TLS_HANDSHAKE: u8 = 0x16;
    match first {
        [TLS_ALERT | TLS_HANDSHAKE, 3, ..] => ForeignProtocol::Tls,
        _ if first.starts_with(b"HTTP") || first.starts_with(b"<") => ForeignProtocol::Http,
        _ if first.starts_with(b"SSH-") => ForeignProtocol::Ssh,
        _ => ForeignProtocol::SomethingElse,
    }
}

/// Reads one packet.
pub(super) fn read_packet(stream: &mut impl Read) -> Result<Packet, ProbeFailure> {
    let mut head = [0; 5];
    if let Err(error) = stream.read_exact(&mut head) {
        return Err(failure_of_error(&error));
    }
    let length = body_length(head)?;
    let mut body = vec![0; length];
    match stream.read_exact(&mut body) {
        Ok(()) => Ok(Packet {
            kind: head[0],
            body,
        }),
        Err(error) => Err(failure_of_error(&error)),
    }
}

fn body_length(head: [u8; 5]) -> Result<usize, ProbeFailure> {
    const BELIEVABLE: u32 = 1 << 24; // beyond that it is rather a text
    let [kind, length @ ..] = head;
    let is_packet = KINDS.contains(&kind) && u32::from_be_bytes(length) < BELIEVABLE;
    match wire::body_length(length, MAX_PACKET_LENGTH) {
        Ok(length) if is_packet => Ok(length),
        Err(LengthFault::TooLong) if is_packet => Err(ProbeFailure::TooMuch),
        _ => Err(ProbeFailure::NotPostgres(foreign_protocol(&head))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(bytes: &[u8]) -> Result<Packet, ProbeFailure> {
        read_packet(&mut &*bytes)
    }

    #[test]
    fn lengths_are_checked_before_anything_is_read() {
        let read = packet(b"R\0\0\0\x08\0\0\0\x03more").unwrap();
        assert_eq!((read.kind, &read.body[..]), (b'R', &[0, 0, 0, 3][..]));
        for (bytes, expected) in [
            (&b""[..], ProbeFailure::Closed),
            (b"R\0\0", ProbeFailure::Closed),
            (b"R\0\0\0\x08\0", ProbeFailure::Closed),
            (
                b"R\0\0\0\x03abc",
                ProbeFailure::NotPostgres(ForeignProtocol::SomethingElse),
            ),
            (b"E\0\x01\0\x05...", ProbeFailure::TooMuch),
            (
                b"R\xff\xff\xff\xff",
                ProbeFailure::NotPostgres(ForeignProtocol::SomethingElse),
            ),
            (
                b"q\0\0\0\x04",
                ProbeFailure::NotPostgres(ForeignProtocol::SomethingElse),
            ),
            (
                b"HTTP/1.1 400",
                ProbeFailure::NotPostgres(ForeignProtocol::Http),
            ),
            (
                b"SSH-2.0-x",
                ProbeFailure::NotPostgres(ForeignProtocol::Ssh),
            ),
            (
                b"\x15\x03\x03\0\x02\x02\x28",
                ProbeFailure::NotPostgres(ForeignProtocol::Tls),
            ),
        ] {
            assert_eq!(packet(bytes).unwrap_err(), expected, "{bytes:?}");
        }
        let mut longest = b"E\0\x01\0\x04".to_vec();
        longest.resize(5 + MAX_PACKET_LENGTH, b'M');
        assert_eq!(packet(&longest).unwrap().body.len(), MAX_PACKET_LENGTH);
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_bytes_are_too_strange(
            kind in prop::sample::select(b"RENvSKZHq\x15\0".to_vec()),
            length in prop_oneof![0_u32..64, any::<u32>()],
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [&[kind], &length.to_be_bytes()[..], &body].concat();
            if let Ok(packet) = packet(&bytes) {
                prop_assert!(packet.body.len() + 5 <= bytes.len());
            }
            let _ = foreign_protocol(&body);
        }
    }
}
