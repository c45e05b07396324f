//! Reads what a client says first, by PostgreSQL's protocol ("Message Formats" in its manual): it
//! asks for encryption (`SSLRequest`, `GSSENCRequest`), cancels a statement (`CancelRequest`), or
//! logs in (`StartupMessage`).
//!
//! A client that speaks a newer minor version of protocol 3 is told that 3.0 is spoken here
//! (`NegotiateProtocolVersion`), and another major version is refused, as is replication. The
//! parameters go on to the server in the client's order and encoding; user and database are
//! replaced, and protocol options are left out. Any other packet is refused, whatever bytes it has.
//! It is pure.

use super::refusal::Refusal;
use crate::wire::{PROTOCOL_3_0, packet};

const TLS_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// The client's first packet, or the one after a request for encryption.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstPacket {
    /// TLS is asked for (`SSLRequest`).
    Tls,
    /// Kerberos is asked for (`GSSENCRequest`).
    Gss,
    /// A statement of another session is to be cancelled. It is passed on as it came.
    Cancel,
    StartUp(StartUp),
}

/// Who logs in, and with which settings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StartUp {
    /// The user; empty if none is named.
    pub(super) user: String,
    /// What is sent on to the server, in the client's order and its own encoding.
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    /// The answer to a client that speaks a newer protocol, if it does.
    pub(super) negotiation: Option<Vec<u8>>,
}

/// The longest cancel request, whose key may have 256 bytes since protocol 3.2.
const MAX_CANCEL_LENGTH: usize = 264;

/// Reads a client's first packet. `body` is what follows the length.
pub(super) fn read_first(body: &[u8]) -> Result<FirstPacket, Refusal> {
    let Some((code, rest)) = body.split_first_chunk() else {
        return Err(Refusal::Silent);
    };
    match u32::from_be_bytes(*code) {
        TLS_REQUEST if rest.is_empty() => Ok(FirstPacket::Tls),
        GSS_REQUEST if rest.is_empty() => Ok(FirstPacket::Gss),
        CANCEL_REQUEST if (8..=MAX_CANCEL_LENGTH).contains(&rest.len()) => Ok(FirstPacket::Cancel),
        version if version >> 16 == 3 => read_start_up(version & 0xffff, rest),
        version if version >> 16 < 100 => Err(Refusal::protocol(version >> 16)),
        _ => Err(Refusal::Silent),
    }
}

fn read_start_up(minor_version: u32, body: &[u8]) -> Result<FirstPacket, Refusal> {
    let mut start_up = StartUp {
        user: String::new(),
        parameters: Vec::new(),
        negotiation: None,
    };
    let mut unknown_options: Vec<&[u8]> = Vec::new();
    for (name, value) in parse_parameters(body).ok_or_else(Refusal::malformed)? {
        match name {
            b"user" => start_up.user = String::from_utf8_lossy(value).into_owned(),
            b"replication" => return Err(Refusal::replication()),
            name if name.starts_with(b"_pq_.") => {
                unknown_options.push(name);
                continue;
            }
            _ => {}
        }
        let parameter = (name.to_vec(), value.to_vec());
        start_up.parameters.push(parameter);
    }
    if minor_version > 0 || !unknown_options.is_empty() {
        start_up.negotiation = Some(negotiation(&unknown_options));
    }
    Ok(FirstPacket::StartUp(start_up))
}

/// Returns the names and values; `None` if they do not end as they have to.
fn parse_parameters(body: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut parameters = Vec::new();
    let mut texts = body.strip_suffix(b"\0")?;
    while !texts.is_empty() {
        let (name, value);
        (name, texts) = split_at_zero(texts)?;
        (value, texts) = split_at_zero(texts)?;
        if name.is_empty() {
            return None;
        }
        parameters.push((name, value));
    }
    Some(parameters)
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Says that protocol 3.0 is spoken, and that these options are not known
/// (`NegotiateProtocolVersion`).
fn negotiation(unknown_options: &[&[u8]]) -> Vec<u8> {
    let count = u32::try_from(unknown_options.len()).unwrap_or(u32::MAX);
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    body.extend(count.to_be_bytes());
    for name in unknown_options {
        body.extend_from_slice(name);
        body.push(0);
    }
    packet(b'v', &body)
}

impl StartUp {
    /// Returns the parameters with which this user logs in to the server. A client that names no
    /// database, or the one with the name of its user as libpq does by itself, gets `dbname`.
    pub(super) fn server_parameters<'a>(
        &'a self,
        user: &'a str,
        dbname: &'a str,
    ) -> Vec<(&'a [u8], &'a [u8])> {
        let mut parameters = Vec::new();
        let mut has_database = false;
        for (name, value) in &self.parameters {
            let mut value = value.as_slice();
            if name == b"user" {
                value = user.as_bytes();
            } else if name == b"database" {
                has_database = true;
                if value.is_empty() || value == self.user.as_bytes() {
                    value = dbname.as_bytes();
                }
            }
            parameters.push((name.as_slice(), value));
        }
        if !has_database {
            parameters.push((b"database", dbname.as_bytes()));
        }
        parameters
    }

    /// Returns the start-up of a login that the gateway makes by itself, to try it.
    pub(super) fn for_trial() -> Self {
        Self {
            user: String::new(),
            parameters: vec![
                (b"user".to_vec(), Vec::new()),
                (b"application_name".to_vec(), b"pgcred-proxy".to_vec()),
            ],
            negotiation: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire;

    fn start_up(version: u32, texts: &[&str]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        for text in texts {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        body
    }

    /// Returns what is sent to the server, without its length.
    fn sent(start_up: &StartUp, user: &str, dbname: &str) -> Vec<u8> {
        let packet = wire::start_up_packet(start_up.server_parameters(user, dbname));
        packet.expect("it can be sent")[4..].to_vec()
    }

    fn parse_login(body: &[u8]) -> StartUp {
        match read_first(body) {
            Ok(FirstPacket::StartUp(start_up)) => start_up,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_kinds_of_first_packets() {
        let code = |code: u32| code.to_be_bytes().to_vec();
        assert_eq!(read_first(&code(TLS_REQUEST)), Ok(FirstPacket::Tls));
        assert_eq!(read_first(&code(GSS_REQUEST)), Ok(FirstPacket::Gss));
        let cancel = |key: usize| [code(CANCEL_REQUEST), vec![7; key]].concat();
        assert_eq!(read_first(&cancel(8)), Ok(FirstPacket::Cancel));
        assert_eq!(read_first(&cancel(260)), Ok(FirstPacket::Cancel));
        for foreign in [
            &b""[..],
            b"\0\x03",
            &cancel(7),
            &cancel(265),
            b"HTTP",
            &[0xff; 40],
        ] {
            assert_eq!(read_first(foreign), Err(Refusal::Silent), "{foreign:?}");
        }
        assert_eq!(read_first(&code(2 << 16)), Err(Refusal::protocol(2)));
        assert_eq!(read_first(&code(4 << 16)), Err(Refusal::protocol(4)));
    }

    #[test]
    fn settings_go_on_in_their_order_and_the_database_is_filled_in() {
        let texts = ["options", "-c x=1", "user", "ann", "DateStyle", "ISO"];
        let read = parse_login(&start_up(PROTOCOL_3_0, &texts));
        assert_eq!((read.user.as_str(), &read.negotiation), ("ann", &None));
        let expected = [
            "options",
            "-c x=1",
            "user",
            "bob",
            "DateStyle",
            "ISO",
            "database",
            "books",
        ];
        assert_eq!(
            sent(&read, "bob", "books"),
            start_up(PROTOCOL_3_0, &expected)
        );
        for (named, passed_on) in [("", "books"), ("ann", "books"), ("plays", "plays")] {
            let read = parse_login(&start_up(PROTOCOL_3_0, &["user", "ann", "database", named]));
            let expected = start_up(PROTOCOL_3_0, &["user", "ann", "database", passed_on]);
            assert_eq!(sent(&read, "ann", "books"), expected);
        }
    }

    #[test]
    fn newer_protocols_are_told_what_is_spoken() {
        let texts = ["user", "ann", "_pq_.test", "1", "_pq_.more", ""];
        let read = parse_login(&start_up(PROTOCOL_3_0 + 9999, &texts));
        let expected = b"v\0\0\0\x20\0\x03\0\0\0\0\0\x02_pq_.test\0_pq_.more\0";
        assert_eq!(read.negotiation.as_deref(), Some(&expected[..]));
        let expected = start_up(PROTOCOL_3_0, &["user", "ann", "database", "d"]);
        assert_eq!(sent(&read, "ann", "d"), expected);
        let read = parse_login(&start_up(PROTOCOL_3_0 + 2, &["user", "ann"]));
        assert_eq!(
            read.negotiation.as_deref(),
            Some(&b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0"[..])
        );
    }

    #[test]
    fn what_cannot_be_passed_on_is_refused() {
        let replication = start_up(PROTOCOL_3_0, &["user", "ann", "replication", "1"]);
        assert_eq!(read_first(&replication), Err(Refusal::replication()));
        for body in [
            &b"\0\x03\0\0"[..],
            b"\0\x03\0\0user\0ann\0",
            b"\0\x03\0\0user\0\0",
            b"\0\x03\0\0\0x\0\0",
        ] {
            assert_eq!(read_first(body), Err(Refusal::malformed()), "{body:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_bytes_are_too_strange(
            code in prop::sample::select(vec![PROTOCOL_3_0, PROTOCOL_3_0 + 2, CANCEL_REQUEST, 0]),
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = [&code.to_be_bytes()[..], &body].concat();
            if let Ok(FirstPacket::StartUp(read)) = read_first(&bytes) {
                // What is sent on is a start-up again, and says the same.
                let again = read_first(&sent(&read, &read.user, "d"));
                prop_assert!(matches!(again, Ok(FirstPacket::StartUp(_))), "{again:?}");
            }
        }

        #[test]
        fn parameters_come_back(
            texts in prop::collection::vec(("[^\0]{1,20}", "[^\0]{0,20}"), 0..6),
        ) {
            let mut flat = vec!["user", "ann", "database", "d"];
            for (name, value) in &texts {
                prop_assume!(!["user", "database", "replication"].contains(&name.as_str()));
                prop_assume!(!name.starts_with("_pq_."));
                flat.extend([name.as_str(), value.as_str()]);
            }
            let body = start_up(PROTOCOL_3_0, &flat);
            prop_assert_eq!(sent(&parse_login(&body), "ann", "x"), body);
        }
    }
}
