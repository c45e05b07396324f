//! Speaks the server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), by which a client proves that it
//! knows the local password without sending it, and the gateway proves that it knows it, too.
//!
//! There is no channel binding, because there is no TLS on the local side. The name of the user in
//! the exchange means nothing: PostgreSQL's clients leave it empty, and name the user before.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

/// The name of the mechanism, as PostgreSQL lists it.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// As PostgreSQL's own. More would not help: the password has 128 random bits.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");

const KEY: usize = digest::SHA256_OUTPUT_LEN;

/// What a server keeps of a password: enough to check a proof, and not enough to make one.
pub(super) struct ScramVerifier {
    salt: [u8; 16],
    stored_key: [u8; KEY],
    server_key: [u8; KEY],
}

/// An exchange after the client's first message.
pub(super) struct ScramExchange<'a> {
    verifier: &'a ScramVerifier,
    /// The client's first message without its head.
    client_first: String,
    server_first: String,
    /// The head of the client's first message (`gs2-header`), which the last one repeats.
    head: String,
    nonce: String,
}

/// What is wrong with a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScramFault {
    /// It is not one of SCRAM, or asks for what is not offered.
    Malformed,
    /// The proof was made with another password.
    WrongPassword,
}

impl ScramVerifier {
    pub(super) fn new(password: &str, salt: [u8; 16]) -> Self {
        let mut salted = [0; KEY];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ITERATIONS,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        Self {
            salt,
            stored_key: sha256(&hmac_of(&salted, b"Client Key")),
            server_key: hmac_of(&salted, b"Server Key"),
        }
    }

    /// Answers the client's first message.
    pub(super) fn begin(&self, message: &[u8]) -> Result<ScramExchange<'_>, ScramFault> {
        let mut random = [0; 18];
        let filled = SystemRandom::new().fill(&mut random);
        if filled.is_err() {
            return Err(ScramFault::Malformed); // the system has no random numbers
        }
        self.begin_with(message, &BASE64.encode(random))
    }

    fn begin_with(&self, message: &[u8], own_nonce: &str) -> Result<ScramExchange<'_>, ScramFault> {
        let message = str::from_utf8(message).map_err(|_| ScramFault::Malformed)?;
        let (head, rest) = split_head(message).ok_or(ScramFault::Malformed)?;
        let client_nonce = nonce_of_client(rest).ok_or(ScramFault::Malformed)?;
        let nonce = format!("{client_nonce}{own_nonce}");
        let salt = BASE64.encode(self.salt);
        Ok(ScramExchange {
            verifier: self,
            client_first: rest.to_owned(),
            server_first: format!("r={nonce},s={salt},i={ITERATIONS}"),
            head: head.to_owned(),
            nonce,
        })
    }
}

impl ScramExchange<'_> {
    /// Returns the message that answers the client's first one.
    pub(super) fn first_answer(&self) -> &str {
        &self.server_first
    }

    /// Checks the client's proof, and returns the message with the server's.
    pub(super) fn finish(&self, message: &[u8]) -> Result<String, ScramFault> {
        let message = str::from_utf8(message).map_err(|_| ScramFault::Malformed)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(ScramFault::Malformed)?;
        let expected = format!("c={},r={}", BASE64.encode(&self.head), self.nonce);
        if without_proof != expected {
            return Err(ScramFault::Malformed);
        }
        let proof = BASE64.decode(proof).map_err(|_| ScramFault::Malformed)?;
        let Ok(mut client_key) = <[u8; KEY]>::try_from(proof) else {
            return Err(ScramFault::Malformed);
        };
        let signed_text = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let signature = hmac_of(&self.verifier.stored_key, signed_text.as_bytes());
        for (byte, mask) in client_key.iter_mut().zip(signature) {
            *byte ^= mask;
        }
        // Only hashes are compared, of which the time tells nothing that helps.
        if sha256(&client_key) != self.verifier.stored_key {
            return Err(ScramFault::WrongPassword);
        }
        let server_signature = hmac_of(&self.verifier.server_key, signed_text.as_bytes());
        Ok(format!("v={}", BASE64.encode(server_signature)))
    }
}

/// Splits a client's first message into its head and the rest. A client that insists on channel
/// binding (`p=`) or acts for another user (`a=`) has no such head.
fn split_head(message: &str) -> Option<(&str, &str)> {
    for head in ["n,,", "y,,"] {
        if let Some(rest) = message.strip_prefix(head) {
            return Some((head, rest));
        }
    }
    None
}

fn nonce_of_client(message: &str) -> Option<&str> {
    let (_, nonce) = message.strip_prefix("n=")?.split_once(",r=")?;
    let nonce = nonce.split(',').next()?;
    let is_printable = nonce.bytes().all(|byte| byte.is_ascii_graphic());
    if nonce.is_empty() || !is_printable {
        return None;
    }
    Some(nonce)
}

fn sha256(bytes: &[u8]) -> [u8; KEY] {
    let mut hash = [0; KEY];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

fn hmac_of(key: &[u8], bytes: &[u8]) -> [u8; KEY] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; KEY];
    tag.copy_from_slice(hmac::sign(&key, bytes).as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 7677, section 3.
    fn example() -> ScramVerifier {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        ScramVerifier::new("pencil", salt.try_into().unwrap())
    }

    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const OWN_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const LAST: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_the_standard() {
        let verifier = example();
        let exchange = verifier.begin_with(FIRST, OWN_NONCE).unwrap();
        assert_eq!(
            exchange.first_answer(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,\
             i=4096"
        );
        assert_eq!(
            exchange.finish(LAST.as_bytes()).unwrap(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn another_password_is_wrong_and_other_messages_are_malformed() {
        let verifier = ScramVerifier::new("pencils", example().salt);
        let exchange = verifier.begin_with(FIRST, OWN_NONCE).unwrap();
        assert_eq!(
            exchange.finish(LAST.as_bytes()),
            Err(ScramFault::WrongPassword)
        );
        for last in [
            "",
            "c=biws",
            &LAST.replace("biws", "eSws"),
            &LAST.replace("$k0", "$k1"),
            &LAST.replace("dVQ=", "dVQ"),
            &LAST.replace("dHzb", "===="),
        ] {
            assert_eq!(
                exchange.finish(last.as_bytes()),
                Err(ScramFault::Malformed),
                "{last}"
            );
        }
        for first in [
            &b""[..],
            b"p=tls-server-end-point,,n=,r=abc",
            b"n,a=ann,n=,r=abc",
            b"n,,r=abc",
            b"n,,n=,r=",
            b"n,,m=x,n=,r=abc",
            b"n,,n=,r=a\x07",
            b"\xff\xfe",
        ] {
            let begun = verifier.begin(first);
            assert_eq!(begun.err(), Some(ScramFault::Malformed), "{first:?}");
        }
    }

    #[test]
    fn each_exchange_has_a_nonce_of_its_own() {
        let verifier = example();
        let first = verifier.begin(FIRST).unwrap();
        let second = verifier.begin(FIRST).unwrap();
        assert_ne!(first.first_answer(), second.first_answer());
        // What another exchange has proved proves nothing here.
        assert_eq!(first.finish(LAST.as_bytes()), Err(ScramFault::Malformed));
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_message_is_too_strange(
            first in prop::collection::vec(any::<u8>(), 0..60),
            last in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let verifier = ScramVerifier {
                salt: [1; 16],
                stored_key: [2; KEY],
                server_key: [3; KEY],
            };
            let _ = verifier.begin(&first);
            let exchange = verifier.begin_with(FIRST, OWN_NONCE).unwrap();
            prop_assert!(exchange.finish(&last).is_err());
        }
    }
}
