//! Reads and writes the packets of PostgreSQL's protocol 3.0 that a login needs. Everything that
//! comes in is checked before it is believed: lengths first.
//!
//! ```text
//! client                           server
//!   SSL_REQUEST              -->            by ask.rs; left out with sslnegotiation=direct
//!                            <--   S        yes (N: no; E: an error)
//!   TLS handshake            <->            by tls.rs; what follows is inside TLS, by login.rs
//!   start_up                 -->            user and database
//!                            <--   N, v     notices and versions, which may come at any time
//!                            <--   R 3      asks for a password in clear text
//!   password                 -->            the token
//!                            <--   R 0      the user is logged in
//!   TERMINATE                -->
//! ```
//!
//! In place of `R 0` or `R 3` an error (`E`) or another method of authentication may come: both end
//! the login. It is pure, but for `read_packet`, which waits for one packet; the stream ends it at
//! the deadline.

use std::io::Read;

use super::ProbeFailure;
use super::stream::failure_of_error;
use crate::text::shown;

/// The longest packet that is read. A login has none that is nearly as long.
const LONGEST_PACKET: usize = 64 << 10;
/// The longest first packet that servers read.
const LONGEST_START: usize = 10_000;
/// The longest field of a server's message that is kept, in bytes.
const LONGEST_FIELD: usize = 4 << 10;
/// How many mechanisms of SASL are kept. There are three.
const MOST_MECHANISMS: usize = 8;
/// The longest name of a mechanism (RFC 4422).
const LONGEST_MECHANISM: usize = 20;

const PROTOCOL_3_0: u32 = 3 << 16;
/// The request for TLS, which stands where a version would.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// The end of a session: `Terminate`.
pub(super) const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];

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

/// A packet of a server.
#[derive(Debug)]
pub(super) struct ServerPacket {
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

/// Reads one packet.
pub(super) fn read_packet(stream: &mut impl Read) -> Result<ServerPacket, ProbeFailure> {
    let mut head = [0; 5];
    if let Err(error) = stream.read_exact(&mut head) {
        return Err(failure_of_error(&error));
    }
    let length = body_length(head)?;
    let mut body = vec![0; length];
    match stream.read_exact(&mut body) {
        Ok(()) => Ok(ServerPacket {
            kind: head[0],
            body,
        }),
        Err(error) => Err(failure_of_error(&error)),
    }
}

fn body_length(head: [u8; 5]) -> Result<usize, ProbeFailure> {
    const OF_LENGTH: usize = 4; // the length counts itself
    const BELIEVABLE: usize = 1 << 24; // beyond that it is rather a text
    let [kind, length @ ..] = head;
    let message_length = u32::from_be_bytes(length) as usize;
    let is_packet = KINDS.contains(&kind) && message_length < BELIEVABLE;
    match message_length.checked_sub(OF_LENGTH) {
        Some(length) if is_packet && length <= LONGEST_PACKET => Ok(length),
        Some(_) if is_packet => Err(ProbeFailure::TooMuch),
        _ => Err(ProbeFailure::NotPostgres(foreign_protocol(&head))),
    }
}

/// Returns the first packet of a session; `None` if a name cannot be sent, because it has a zero
/// byte or is too long.
pub(super) fn start_up(user: &str, database: &str) -> Option<Vec<u8>> {
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for (key, value) in [
        ("user", user),
        ("database", database),
        ("application_name", "pgcred-doctor"),
        ("client_encoding", "UTF8"),
    ] {
        if value.contains('\0') {
            return None;
        }
        for text in [key, value] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
    }
    body.push(0);
    if body.len() + size_of::<u32>() > LONGEST_START {
        return None;
    }
    with_length(&[], &body)
}

/// Returns the packet that holds a password; `None` if it cannot be sent.
pub(super) fn password_packet(text: &str) -> Option<Vec<u8>> {
    if text.contains('\0') {
        return None;
    }
    let mut body = text.as_bytes().to_vec();
    body.push(0);
    with_length(b"p", &body)
}

fn with_length(kind: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len() + size_of::<u32>()).ok()?;
    Some([kind, &length.to_be_bytes(), body].concat())
}

/// How a server wants the user to prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthenticationMethod {
    Kerberos,
    Md5,
    Gss,
    Sspi,
    /// With these mechanisms, such as `SCRAM-SHA-256`.
    Sasl(Vec<String>),
    Unknown(u32),
}

/// What a packet of authentication asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuthenticationRequest {
    /// Nothing: the user is logged in.
    Nothing,
    Password,
    Other(AuthenticationMethod),
}

/// Reads the body of a packet `R`; `None` if it is too short.
pub(super) fn read_authentication(body: &[u8]) -> Option<AuthenticationRequest> {
    let (code, rest) = body.split_first_chunk()?;
    Some(match u32::from_be_bytes(*code) {
        0 => AuthenticationRequest::Nothing,
        2 => AuthenticationRequest::Other(AuthenticationMethod::Kerberos),
        3 => AuthenticationRequest::Password,
        5 => AuthenticationRequest::Other(AuthenticationMethod::Md5),
        7 => AuthenticationRequest::Other(AuthenticationMethod::Gss),
        9 => AuthenticationRequest::Other(AuthenticationMethod::Sspi),
        10 => AuthenticationRequest::Other(AuthenticationMethod::Sasl(read_mechanisms(rest))),
        code => AuthenticationRequest::Other(AuthenticationMethod::Unknown(code)),
    })
}

fn read_mechanisms(body: &[u8]) -> Vec<String> {
    let mut mechanisms = Vec::new();
    for name in body.split(|byte| *byte == 0) {
        if name.is_empty() || mechanisms.len() == MOST_MECHANISMS {
            break;
        }
        mechanisms.push(safe_field(&name[..name.len().min(LONGEST_MECHANISM)]));
    }
    mechanisms
}

/// Reads the minor version that a server offers in a packet `v`.
pub(super) fn minor_version(body: &[u8]) -> Option<u32> {
    let (version, _) = body.split_first_chunk()?;
    Some(u32::from_be_bytes(*version) & 0xffff)
}

/// An error or a notice of a server. What the server does not say is empty. Control characters are
/// escaped, and each field has at most 4 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerMessage {
    /// In English, as the protocol has it since PostgreSQL 9.6.
    pub(crate) severity: String,
    /// In the server's language.
    pub(crate) shown_severity: String,
    /// The SQLSTATE.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

impl ServerMessage {
    #[cfg(test)]
    fn texts(&mut self) -> [&mut String; 6] {
        [
            &mut self.severity,
            &mut self.shown_severity,
            &mut self.code,
            &mut self.message,
            &mut self.detail,
            &mut self.hint,
        ]
    }
}

/// Reads the body of a packet `E` or `N`. What cannot be read is left out.
pub(super) fn read_message(body: &[u8]) -> ServerMessage {
    let mut message = ServerMessage::default();
    for part in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = part.split_first() else {
            break; // an empty field is the end
        };
        let place = match kind {
            b'V' => &mut message.severity,
            b'S' => &mut message.shown_severity,
            b'C' => &mut message.code,
            b'M' => &mut message.message,
            b'D' => &mut message.detail,
            b'H' => &mut message.hint,
            _ => continue,
        };
        *place = safe_field(text);
    }
    message
}

/// Returns an error of protocol 2, which old servers send before they know the client's: a text and
/// a zero byte.
pub(super) fn old_message(body: &[u8]) -> ServerMessage {
    let text = body.split(|byte| *byte == 0).next();
    ServerMessage {
        message: safe_field(text.unwrap_or_default()),
        ..ServerMessage::default()
    }
}

/// Returns a server's text, safe to show and bounded.
fn safe_field(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(LONGEST_FIELD)];
    let mut text = shown(&String::from_utf8_lossy(bytes));
    text.truncate(text.floor_char_boundary(LONGEST_FIELD));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(bytes: &[u8]) -> Result<ServerPacket, ProbeFailure> {
        read_packet(&mut &*bytes)
    }

    #[test]
    fn the_packets_of_a_client() {
        let packet = start_up("jane", "books").unwrap();
        let expected = b"\0\x03\0\0user\0jane\0database\0books\0application_name\0pgcred-doctor\0\
                         client_encoding\0UTF8\0\0";
        assert_eq!(packet[4..], expected[..]);
        assert_eq!(
            packet[..4],
            u32::try_from(packet.len()).unwrap().to_be_bytes()
        );
        assert_eq!(password_packet("ab").unwrap(), b"p\0\0\0\x07ab\0");
        for bad in ["a\0b", &"a".repeat(LONGEST_START)] {
            assert_eq!(start_up(bad, "books"), None);
            assert_eq!(start_up("jane", bad), None);
        }
        assert_eq!(password_packet("a\0b"), None);
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
        longest.resize(5 + LONGEST_PACKET, b'M');
        assert_eq!(packet(&longest).unwrap().body.len(), LONGEST_PACKET);
    }

    #[test]
    fn methods_have_names() {
        for (body, expected) in [
            (&b"\0\0\0\0"[..], AuthenticationRequest::Nothing),
            (b"\0\0\0\x03", AuthenticationRequest::Password),
            (
                b"\0\0\0\x05salt",
                AuthenticationRequest::Other(AuthenticationMethod::Md5),
            ),
            (
                b"\0\0\0\x0c",
                AuthenticationRequest::Other(AuthenticationMethod::Unknown(12)),
            ),
        ] {
            assert_eq!(read_authentication(body), Some(expected));
        }
        let sasl = read_authentication(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        let names = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"].map(str::to_owned);
        assert_eq!(
            sasl,
            Some(AuthenticationRequest::Other(AuthenticationMethod::Sasl(
                names.to_vec()
            )))
        );
        assert_eq!(read_authentication(b"\0\0\0"), None);
        assert_eq!(minor_version(b"\0\x03\0\x02\0\0\0\0"), Some(2));
        assert_eq!(minor_version(b"\0\x03"), None);
    }

    #[test]
    fn messages_keep_six_fields_that_are_safe_to_show() {
        let body =
            b"SFATAL\0VFATAL\0C28000\0Munable to accept\x1b[2J\0Dd\0Hh\xff\0Fauth.c\0L1\0\0Mx\0";
        let found = read_message(body);
        assert_eq!(found.severity, "FATAL");
        assert_eq!(found.code, "28000");
        assert_eq!(found.message, r"unable to accept\u{1b}[2J");
        assert_eq!(found.detail, "d");
        assert_eq!(found.hint, "h\u{fffd}");
        assert_eq!(
            read_message(&[&b"M"[..], &[7; 9_000]].concat())
                .message
                .len(),
            LONGEST_FIELD
        );
        assert_eq!(old_message(b"FATAL: no\n\0rest").message, r"FATAL: no\n");
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
            let _ = (read_authentication(&body), minor_version(&body), foreign_protocol(&body));
            for mut found in [read_message(&body), old_message(&body)] {
                for text in found.texts() {
                    prop_assert!(text.len() <= LONGEST_FIELD);
                    prop_assert!(!text.contains(char::is_control));
                }
            }
            let request = read_authentication(&body);
            if let Some(AuthenticationRequest::Other(AuthenticationMethod::Sasl(names))) = request {
                prop_assert!(names.len() <= MOST_MECHANISMS);
            }
        }

        #[test]
        fn fields_come_back(texts in prop::collection::vec("[^\0\\p{C}]{0,40}", 6)) {
            let mut body = Vec::new();
            for (kind, text) in b"VSCMDH".iter().zip(&texts) {
                body.push(*kind);
                body.extend_from_slice(text.as_bytes());
                body.push(0);
            }
            body.push(0);
            let mut found = read_message(&body);
            for (found, text) in found.texts().into_iter().zip(&texts) {
                prop_assert_eq!(&*found, &shown(text));
            }
        }
    }
}
