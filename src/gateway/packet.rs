//! Reads and writes frames of PostgreSQL's protocol 3.0: a kind, a length, a body. Every length is
//! checked before anything is read for it.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest packet of a login. No packet of a correct one is nearly as long.
pub(super) const LONGEST_PACKET: usize = 64 << 10;

/// A packet that has a kind, which all but a client's first packets have.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

/// Reads a packet whose body has so many bytes at most.
pub(super) async fn read_packet(
    stream: &mut (impl AsyncRead + Unpin),
    longest: usize,
) -> Result<Packet> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    let body = read_body(stream, u32::from_be_bytes(length), longest).await?;
    Ok(Packet { kind, body })
}

/// Reads a client's first packet, which has a length and no kind. Something else than a client of
/// PostgreSQL, such as a browser, begins with bytes that are no such length.
pub(super) async fn read_first_packet(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    const SHORTEST: usize = 4; // a version
    const LONGEST: usize = 10_000; // as PostgreSQL's
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let body = read_body(stream, u32::from_be_bytes(length), LONGEST).await?;
    if body.len() < SHORTEST {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok(body)
}

/// Reads a body. `length` counts its own four bytes, too.
async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    length: u32,
    longest: usize,
) -> Result<Vec<u8>> {
    const OF_LENGTH: u32 = 4;
    let length = length.checked_sub(OF_LENGTH).map(usize::try_from);
    let Some(Ok(length)) = length else {
        return Err(Error::new(ErrorKind::InvalidData, "a packet has no length"));
    };
    if length > longest {
        return Err(Error::new(ErrorKind::InvalidData, "a packet is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

/// Returns a packet of a kind.
pub(super) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(with_length(body));
    bytes
}

/// Returns a body after its length.
pub(super) fn with_length(body: &[u8]) -> Vec<u8> {
    // Bodies are bounded by LONGEST_PACKET, or made here from bounded parts.
    let length = u32::try_from(body.len() + size_of::<u32>()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

/// The number in a packet of authentication (`R`) that says what it asks for.
pub(super) mod authentication {
    pub(crate) const OK: u32 = 0;
    pub(crate) const CLEARTEXT_PASSWORD: u32 = 3;
    pub(crate) const SASL: u32 = 10;
    pub(crate) const SASL_CONTINUE: u32 = 11;
    pub(crate) const SASL_FINAL: u32 = 12;
}

/// Returns a packet of authentication.
pub(super) fn authentication_packet(code: u32, body: &[u8]) -> Vec<u8> {
    packet(b'R', &[&code.to_be_bytes(), body].concat())
}

#[cfg(test)]
mod tests {
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
        let bytes = packet(b'p', b"secret\0");
        assert_eq!(bytes, b"p\0\0\0\x0bsecret\0");
        let read = now(read_packet(&mut &bytes[..], 7)).unwrap();
        assert_eq!((read.kind, &read.body[..]), (b'p', &b"secret\0"[..]));
        let ok = authentication_packet(authentication::OK, b"");
        assert_eq!(ok, b"R\0\0\0\x08\0\0\0\0");
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
