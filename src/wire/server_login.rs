//! Decides what the client does in a login, after its start-up packet: it takes the server's
//! packets one by one and says what comes next. It neither reads nor writes, so that the probe and
//! the gateway log in by the same rules.
//!
//! A password is sent once, and in clear text only because TLS protects it: the caller has verified
//! the server before.

use super::authentication::{AuthenticationMethod, AuthenticationRequest, parse_authentication};
use super::packet::Packet;

/// The most packets of one login.
const MAX_PACKETS: usize = 100;
/// The most notices that are kept.
const MAX_NOTICES: usize = 8;

/// A login that is going on.
#[derive(Debug, Default)]
pub(crate) struct ServerLogin {
    packet_count: usize,
    /// The server has asked for the password and got it.
    pub(crate) has_sent_password: bool,
    /// The bodies of the first notices that the server has sent.
    pub(crate) notices: Vec<Vec<u8>>,
    /// The newest minor version of protocol 3 that the server speaks, if it has said so.
    pub(crate) minor_version: Option<u32>,
}

/// What the client does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ServerLoginStep {
    ReadPacket,
    /// It sends the password, and reads the next packet.
    SendPassword,
    /// The login has ended.
    End(ServerLoginVerdict),
}

/// How a login ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ServerLoginVerdict {
    LoggedIn,
    /// The server refuses, with the body of its error.
    Refused(Vec<u8>),
    /// The server asks for another proof than a password in clear text.
    OtherMethod(AuthenticationMethod),
    /// The server has taken the password and asks for it again.
    AskedAgain,
    /// The server sends a packet of a kind that has no place in a login.
    OutOfPlace(u8),
    /// The server sends packets without end.
    Endless,
}

impl ServerLogin {
    /// Takes the server's next packet.
    pub(crate) fn handle_packet(&mut self, packet: Packet) -> ServerLoginStep {
        let Packet { kind, body } = packet;
        self.packet_count += 1;
        if self.packet_count > MAX_PACKETS {
            return ServerLoginStep::End(ServerLoginVerdict::Endless);
        }
        match kind {
            b'N' if self.notices.len() < MAX_NOTICES => self.notices.push(body),
            b'N' => {}
            b'v' => self.minor_version = parse_minor_version(&body),
            b'R' => return self.take_authentication(&body),
            b'E' => return ServerLoginStep::End(ServerLoginVerdict::Refused(body)),
            _ => return ServerLoginStep::End(ServerLoginVerdict::OutOfPlace(kind)),
        }
        ServerLoginStep::ReadPacket
    }

    fn take_authentication(&mut self, body: &[u8]) -> ServerLoginStep {
        let verdict = match parse_authentication(body) {
            Some(AuthenticationRequest::Nothing) => ServerLoginVerdict::LoggedIn,
            Some(AuthenticationRequest::Password) if self.has_sent_password => {
                ServerLoginVerdict::AskedAgain
            }
            Some(AuthenticationRequest::Password) => {
                self.has_sent_password = true;
                return ServerLoginStep::SendPassword;
            }
            Some(AuthenticationRequest::Other(method)) => ServerLoginVerdict::OtherMethod(method),
            None => ServerLoginVerdict::OutOfPlace(b'R'),
        };
        ServerLoginStep::End(verdict)
    }
}

/// Reads the minor version that a server offers in a packet `v`.
fn parse_minor_version(body: &[u8]) -> Option<u32> {
    let (version, _) = body.split_first_chunk()?;
    Some(u32::from_be_bytes(*version) & 0xffff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASKS: (u8, &[u8]) = (b'R', b"\0\0\0\x03");
    const ACCEPTS: (u8, &[u8]) = (b'R', b"\0\0\0\0");

    /// Gives a server's packets to a login, and returns what it said to the last.
    fn take_all(packets: &[(u8, &[u8])]) -> (ServerLogin, ServerLoginStep) {
        let mut login = ServerLogin::default();
        let mut step = ServerLoginStep::ReadPacket;
        for (kind, body) in packets {
            let body = body.to_vec();
            step = login.handle_packet(Packet { kind: *kind, body });
        }
        (login, step)
    }

    #[test]
    fn each_packet_has_its_answer() {
        let end = ServerLoginStep::End;
        for (packets, expected) in [
            (&[ASKS][..], ServerLoginStep::SendPassword),
            (&[ACCEPTS], end(ServerLoginVerdict::LoggedIn)),
            (&[ASKS, ACCEPTS], end(ServerLoginVerdict::LoggedIn)),
            (&[ASKS, ASKS], end(ServerLoginVerdict::AskedAgain)),
            (
                &[ASKS, (b'E', b"Mno\0\0")],
                end(ServerLoginVerdict::Refused(b"Mno\0\0".to_vec())),
            ),
            (
                &[(b'R', b"\0\0\0\x05salt")],
                end(ServerLoginVerdict::OtherMethod(AuthenticationMethod::Md5)),
            ),
            (&[(b'R', b"\0")], end(ServerLoginVerdict::OutOfPlace(b'R'))),
            (&[(b'Z', b"I")], end(ServerLoginVerdict::OutOfPlace(b'Z'))),
            (&[(b'N', b"Mhello\0\0")], ServerLoginStep::ReadPacket),
            (
                &[(b'v', b"\0\x03\0\x02\0\0\0\0")],
                ServerLoginStep::ReadPacket,
            ),
        ] {
            assert_eq!(take_all(packets).1, expected, "{packets:?}");
        }
    }

    #[test]
    fn what_a_server_says_besides_is_kept_within_bounds() {
        let notice: (u8, &[u8]) = (b'N', b"Mhello\0\0");
        let (login, _) = take_all(&[(b'v', b"\0\x03\0\x02\0\0\0\0"), notice, ASKS]);
        assert_eq!(login.minor_version, Some(2));
        assert_eq!(login.notices, [b"Mhello\0\0"]);
        assert!(login.has_sent_password);
        let (login, step) = take_all(&[notice; MAX_PACKETS]);
        assert_eq!(login.notices.len(), MAX_NOTICES);
        assert_eq!(step, ServerLoginStep::ReadPacket);
        let (_, step) = take_all(&[notice; MAX_PACKETS + 1]);
        assert_eq!(step, ServerLoginStep::End(ServerLoginVerdict::Endless));
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        /// Whatever a server sends, the password is sent once at most.
        #[test]
        fn a_password_is_sent_once(
            packets in prop::collection::vec(
                (prop::sample::select(b"RNvES\0".to_vec()), prop::collection::vec(0_u8..4, 0..6)),
                0..40,
            )
        ) {
            let mut login = ServerLogin::default();
            let mut sent_count = 0;
            for (kind, body) in packets {
                match login.handle_packet(Packet { kind, body }) {
                    ServerLoginStep::ReadPacket => {}
                    ServerLoginStep::SendPassword => sent_count += 1,
                    ServerLoginStep::End(_) => break,
                }
            }
            prop_assert!(sent_count <= 1);
        }
    }
}
