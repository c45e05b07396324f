//! Reads packets of PostgreSQL's protocol in tasks. Every length is checked before anything is read
//! for it.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::wire::{self, LengthFault, MAX_FIRST_PACKET_LENGTH, Packet};

/// Reads a packet whose body has so many bytes at most.
pub(super) async fn read_packet(
    stream: &mut (impl AsyncRead + Unpin),
    max_length: usize,
) -> Result<Packet> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    let body = read_body(stream, length, max_length).await?;
    Ok(Packet { kind, body })
}

/// Reads a client's first packet, which has a length and no kind. Something else than a client of
/// PostgreSQL, such as a browser, begins with bytes that are no such length.
pub(super) async fn read_first_packet(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    const MIN_LENGTH: usize = 4; // a version
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let body = read_body(stream, length, MAX_FIRST_PACKET_LENGTH).await?;
    if body.len() < MIN_LENGTH {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok(body)
}

/// Reads a body of at most so many bytes after its length.
async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    length_field: [u8; 4],
    max_length: usize,
) -> Result<Vec<u8>> {
    let invalid = |reason| Error::new(ErrorKind::InvalidData, reason);
    let length = match wire::body_length(length_field, max_length) {
        Ok(length) => length,
        Err(LengthFault::TooShort) => return Err(invalid("a packet has no length")),
        Err(LengthFault::TooLong) => return Err(invalid("a packet is too long")),
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs a future that never waits.
    fn now<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(work)
    }

    fn kind_of_failure<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn a_packet_comes_back() {
        let bytes = wire::packet(b'p', b"secret\0");
        assert_eq!(bytes, b"p\0\0\0\x0bsecret\0");
        let read = now(read_packet(&mut &bytes[..], 7)).unwrap();
        assert_eq!((read.kind, &read.body[..]), (b'p', &b"secret\0"[..]));
    }

    #[test]
    fn lengths_are_checked_before_anything_is_read() {
        for (bytes, expected) in [
            (&b""[..], ErrorKind::UnexpectedEof),
            (b"p\0\0", ErrorKind::UnexpectedEof),
            (b"p\0\0\0\x05", ErrorKind::UnexpectedEof),
            (b"p\0\0\0\x03", ErrorKind::InvalidData),
            (b"p\0\0\0\0", ErrorKind::InvalidData),
            (b"p\0\0\0\x0cmore", ErrorKind::InvalidData),
            (b"p\xff\xff\xff\xff", ErrorKind::InvalidData),
        ] {
            let read = now(read_packet(&mut &bytes[..], 7));
            assert_eq!(kind_of_failure(read), Some(expected), "{bytes:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_bytes_are_too_strange(
            length in prop_oneof![0_u32..64, any::<u32>()],
            body in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let bytes = [b"p", &length.to_be_bytes()[..], &body].concat();
            if let Ok(packet) = now(read_packet(&mut &bytes[..], 50)) {
                prop_assert!(packet.body.len() <= body.len().min(50));
            }
            if let Ok(first) = now(read_first_packet(&mut &bytes[1..])) {
                prop_assert!(first.len() >= 4 && first.len() <= body.len());
            }
        }
    }

    #[test]
    fn what_is_no_client_has_no_first_packet() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0\0\0\x04",
            b"\0\0\0\x07\0\x03\0",
            b"\0\0\x27\x15",
        ] {
            let read = now(read_first_packet(&mut &bytes[..]));
            assert_eq!(
                kind_of_failure(read),
                Some(ErrorKind::InvalidData),
                "{bytes:?}"
            );
        }
        let ssl = now(read_first_packet(&mut &b"\0\0\0\x08\x04\xd2\x16\x2f"[..]));
        assert_eq!(ssl.unwrap(), b"\x04\xd2\x16\x2f");
    }
}
