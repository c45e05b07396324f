//! Reads the packets of authentication (`R`), by which a server says how a user has to prove who
//! they are. What a server sends is bounded before it is kept.

use std::fmt;

use super::message::safe_field;
use super::packet::packet;

/// How many mechanisms of SASL are kept. There are three.
const MAX_MECHANISMS: usize = 8;
/// The longest name of a mechanism (RFC 4422), in bytes.
const MAX_MECHANISM_LENGTH: usize = 20;

/// The numbers with which a packet of authentication says what it asks for.
pub(crate) mod authentication_code {
    pub(crate) const OK: u32 = 0;
    pub(super) const KERBEROS: u32 = 2;
    pub(super) const CLEARTEXT_PASSWORD: u32 = 3;
    pub(super) const MD5: u32 = 5;
    pub(super) const GSS: u32 = 7;
    pub(super) const SSPI: u32 = 9;
    pub(crate) const SASL: u32 = 10;
    pub(crate) const SASL_CONTINUE: u32 = 11;
    pub(crate) const SASL_FINAL: u32 = 12;
}

/// A method of authentication that takes no token.
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

impl fmt::Display for AuthenticationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kerberos => f.write_str("Kerberos"),
            Self::Md5 => f.write_str("an MD5 password"),
            Self::Gss => f.write_str("GSSAPI"),
            Self::Sspi => f.write_str("SSPI"),
            Self::Sasl(mechanisms) => f.write_str(&mechanisms.join(", ")),
            Self::Unknown(number) => write!(f, "method {number}"),
        }
    }
}

/// What a packet of authentication asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuthenticationRequest {
    /// Nothing: the user is logged in.
    Nothing,
    Password,
    Other(AuthenticationMethod),
}

/// Returns a packet of authentication, as a server sends it.
pub(crate) fn authentication_packet(code: u32, body: &[u8]) -> Vec<u8> {
    packet(b'R', &[&code.to_be_bytes(), body].concat())
}

/// Reads the body of a packet `R`; `None` if it is too short.
pub(super) fn parse_authentication(body: &[u8]) -> Option<AuthenticationRequest> {
    let (code, rest) = body.split_first_chunk()?;
    let method = match u32::from_be_bytes(*code) {
        authentication_code::OK => return Some(AuthenticationRequest::Nothing),
        authentication_code::CLEARTEXT_PASSWORD => return Some(AuthenticationRequest::Password),
        authentication_code::KERBEROS => AuthenticationMethod::Kerberos,
        authentication_code::MD5 => AuthenticationMethod::Md5,
        authentication_code::GSS => AuthenticationMethod::Gss,
        authentication_code::SSPI => AuthenticationMethod::Sspi,
        authentication_code::SASL => AuthenticationMethod::Sasl(parse_mechanisms(rest)),
        code => AuthenticationMethod::Unknown(code),
    };
    Some(AuthenticationRequest::Other(method))
}

fn parse_mechanisms(body: &[u8]) -> Vec<String> {
    let mut mechanisms = Vec::new();
    for name in body.split(|byte| *byte == 0) {
        if name.is_empty() || mechanisms.len() == MAX_MECHANISMS {
            break;
        }
        mechanisms.push(safe_field(&name[..name.len().min(MAX_MECHANISM_LENGTH)]));
    }
    mechanisms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            assert_eq!(parse_authentication(body), Some(expected));
        }
        let sasl = parse_authentication(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        let names = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"].map(str::to_owned);
        assert_eq!(
            sasl,
            Some(AuthenticationRequest::Other(AuthenticationMethod::Sasl(
                names.to_vec()
            )))
        );
        assert_eq!(parse_authentication(b"\0\0\0"), None);
        let made = authentication_packet(authentication_code::SASL, b"X\0\0");
        assert_eq!(made, b"R\0\0\0\x0b\0\0\0\x0aX\0\0");
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let sasl = [&authentication_code::SASL.to_be_bytes()[..], &body].concat();
            let _ = parse_authentication(&body);
            match parse_authentication(&sasl) {
                Some(AuthenticationRequest::Other(AuthenticationMethod::Sasl(names))) => {
                    prop_assert!(names.len() <= MAX_MECHANISMS);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
