//! Builds and measures packets: a kind, a length that counts itself, and a body. A client's first
//! packet has no kind. Every length is checked before anything is read for it.

/// The longest body of a packet of a login, in bytes. A correct login has none that is nearly as
/// long.
pub(crate) const MAX_PACKET_LENGTH: usize = 64 << 10;
/// The longest first packet that PostgreSQL reads, in bytes with its length.
pub(crate) const MAX_FIRST_PACKET_LENGTH: usize = 10_000;

pub(crate) const PROTOCOL_3_0: u32 = 3 << 16;
/// The request for TLS, which has a number where the version would be.
pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// The end of a session: `Terminate`.
pub(crate) const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];

const LENGTH_FIELD: usize = size_of::<u32>();

/// A packet that has a kind, which all but a client's first packets have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

/// What is wrong with the length of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LengthFault {
    /// It does not even count itself.
    TooShort,
    TooLong,
}

/// Returns how many bytes the body of a packet has, at most `max_length`.
pub(crate) fn body_length(
    length_field: [u8; LENGTH_FIELD],
    max_length: usize,
) -> Result<usize, LengthFault> {
    let counted = u32::from_be_bytes(length_field) as usize;
    match counted.checked_sub(LENGTH_FIELD) {
        None => Err(LengthFault::TooShort),
        Some(length) if length > max_length => Err(LengthFault::TooLong),
        Some(length) => Ok(length),
    }
}

/// Returns a packet of a kind.
pub(crate) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(with_length(body));
    bytes
}

/// Returns a body after its length. The bodies of a login are far shorter than 4 GiB.
pub(crate) fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + LENGTH_FIELD).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body].concat()
}

/// Returns a client's first packet with these parameters; `None` if it cannot be sent, because a
/// value has a zero byte or all of them are too long.
pub(crate) fn start_up_packet<'a>(
    parameters: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Option<Vec<u8>> {
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for (name, value) in parameters {
        for text in [name, value] {
            if text.contains(&0) {
                return None;
            }
            body.extend_from_slice(text);
            body.push(0);
        }
    }
    body.push(0);
    let packet = with_length(&body);
    (packet.len() <= MAX_FIRST_PACKET_LENGTH).then_some(packet)
}

/// Returns the packet that holds a password; `None` if it cannot be sent, because it has a zero
/// byte.
pub(crate) fn password_packet(password: &str) -> Option<Vec<u8>> {
    if password.contains('\0') {
        return None;
    }
    Some(packet(b'p', &[password.as_bytes(), b"\0"].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packets_of_a_client() {
        let parameters = [("user", "jane"), ("database", "books")];
        let pack = |parameters: [(&'static str, &str); 2]| {
            let bytes = parameters.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            start_up_packet(bytes)
        };
        let expected = b"\0\0\0\x22\0\x03\0\0user\0jane\0database\0books\0\0";
        assert_eq!(pack(parameters).unwrap(), expected);
        for bad in ["a\0b", &"a".repeat(MAX_FIRST_PACKET_LENGTH)] {
            assert_eq!(pack([("user", bad), ("database", "books")]), None);
            assert_eq!(pack([("user", "jane"), ("database", bad)]), None);
        }
        assert_eq!(password_packet("ab").unwrap(), b"p\0\0\0\x07ab\0");
        assert_eq!(password_packet("a\0b"), None);
        assert_eq!(SSL_REQUEST[..], with_length(b"\x04\xd2\x16\x2f"));
        assert_eq!(TERMINATE[..], packet(b'X', b""));
    }

    #[test]
    fn lengths_are_bounded() {
        let length = |field: u32| body_length(field.to_be_bytes(), 100);
        assert_eq!(length(4), Ok(0));
        assert_eq!(length(104), Ok(100));
        assert_eq!(length(3), Err(LengthFault::TooShort));
        for field in [105, u32::MAX] {
            assert_eq!(length(field), Err(LengthFault::TooLong));
        }
    }
}
