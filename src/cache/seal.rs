//! Seals and opens cached secrets with an authenticated cipher, AES-256-GCM. `mod` seals each token
//! with the cache's key and with the ID of its entry as the context. A sealed text that was
//! changed, cut or moved to another file does not open, and counts as no token.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};

/// The beginning of every sealed text. Its last byte is the version of the format.
const MAGIC: [u8; 7] = *b"pgcred\x01";
const KEY_LEN: usize = 32;
const CANNOT_SEAL: &str = "cannot encrypt for the cache";

/// The key that seals. It has no `Display`, and its `Debug` hides the bytes.
pub(crate) struct SealingKey([u8; KEY_LEN]);

impl SealingKey {
    pub(crate) fn generate() -> Result<Self> {
        Ok(Self(random_bytes()?))
    }

    /// Returns the key with these bytes; `None` if they are not a key of pgcred.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.try_into() {
            Ok(bytes) => Some(Self(bytes)),
            Err(_) => None,
        }
    }

    /// Returns the secret. Callers give it only to the store that keeps it.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Seals a secret. It opens only with the same `context`, which names the use of the secret.
    /// The context is not contained in the sealed text.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random_bytes()?;
        let mut text = plain.to_vec();
        let Some(cipher) = self.cipher() else {
            return Err(cannot_seal());
        };
        let unique = Nonce::assume_unique_for_key(nonce);
        match cipher.seal_in_place_append_tag(unique, Aad::from(bound_context(context)), &mut text)
        {
            Ok(()) => Ok([&MAGIC[..], &nonce, &text].concat()),
            Err(_) => Err(cannot_seal()),
        }
    }

    /// Opens a text that [`Self::seal`] made with the same key and context. Returns `None` for
    /// every other text.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.strip_prefix(&MAGIC)?.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let length = self
            .cipher()?
            .open_in_place(nonce, Aad::from(bound_context(context)), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }

    /// Returns the cipher. ring calls it "less safe" because the caller chooses the nonces. Here a
    /// nonce is 96 random bits, and a key seals at most some thousand texts.
    fn cipher(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).ok()?;
        Some(LessSafeKey::new(key))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

/// Returns the bytes that are authenticated with the text: the format and the context. The format
/// has a fixed length, so no two pairs give the same bytes.
fn bound_context(context: &[u8]) -> Vec<u8> {
    [&MAGIC[..], context].concat()
}

/// No hint: it does not happen with a key and a text of the right length, and these are.
fn cannot_seal() -> Error {
    Error::failure(CANNOT_SEAL)
}

fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Error::no_random_bytes().noting("the key of the cache needs them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: &[u8] = b"host:5432:db:user";
    const PLAIN: &[u8] = b"a token of a few hundred bytes";

    fn key() -> SealingKey {
        SealingKey::generate().unwrap()
    }

    #[test]
    fn opens_what_it_sealed() {
        let key = key();
        for plain in [&b""[..], b"x", PLAIN, &[0xa5; 5_000]] {
            for context in [&b""[..], CONTEXT] {
                let sealed = key.seal(context, plain).unwrap();
                assert_eq!(sealed.len(), MAGIC.len() + NONCE_LEN + plain.len() + 16);
                assert_eq!(key.open(context, &sealed).as_deref(), Some(plain));
            }
        }
    }

    #[test]
    fn the_text_is_not_in_what_it_sealed_and_differs_each_time() {
        let key = key();
        let [one, two] = [
            key.seal(CONTEXT, PLAIN).unwrap(),
            key.seal(CONTEXT, PLAIN).unwrap(),
        ];
        assert_ne!(one, two);
        assert!(
            !one.windows(8)
                .any(|window| PLAIN.windows(8).any(|plain| plain == window))
        );
    }

    #[test]
    fn every_flipped_bit_opens_to_nothing() {
        let key = key();
        let sealed = key.seal(CONTEXT, PLAIN).unwrap();
        for position in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[position] ^= 1 << bit;
                assert!(
                    key.open(CONTEXT, &damaged).is_none(),
                    "byte {position}, bit {bit}"
                );
            }
        }
    }

    #[test]
    fn every_shorter_and_longer_text_opens_to_nothing() {
        let key = key();
        let sealed = key.seal(CONTEXT, PLAIN).unwrap();
        for length in 0..sealed.len() {
            assert!(
                key.open(CONTEXT, &sealed[..length]).is_none(),
                "the first {length} bytes"
            );
            assert!(
                key.open(CONTEXT, &sealed[sealed.len() - length..])
                    .is_none(),
                "the last {length} bytes"
            );
        }
        assert!(key.open(CONTEXT, &[&sealed[..], b"\0"].concat()).is_none());
    }

    #[test]
    fn another_context_key_or_version_opens_to_nothing() {
        let key = key();
        let sealed = key.seal(CONTEXT, PLAIN).unwrap();
        for context in [
            &b""[..],
            b"host:5432:db:use",
            b"host:5432:db:user2",
            b"\x01host:5432:db:user",
        ] {
            assert!(key.open(context, &sealed).is_none());
        }
        assert!(self::key().open(CONTEXT, &sealed).is_none());
        // A later version that is sealed rightly: only the first bytes differ from ours.
        let mut later = sealed;
        later[MAGIC.len() - 1] = 2;
        assert!(key.open(CONTEXT, &later).is_none());
    }

    #[test]
    fn only_32_bytes_are_a_key_and_debug_hides_them() {
        for length in [0, 16, 31, 33, 64] {
            assert!(SealingKey::from_bytes(&vec![7; length]).is_none());
        }
        let key = SealingKey::from_bytes(&[7; KEY_LEN]).unwrap();
        assert_eq!(key.expose(), [7; KEY_LEN]);
        assert_eq!(format!("{key:?}"), "SealingKey(..)");
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        /// After any change, cut or addition the text does not open.
        #[test]
        fn what_was_changed_opens_to_nothing(
            at in proptest::prelude::any::<proptest::sample::Index>(), byte in 1_u8.., how in 0..3
        ) {
            let key = key();
            let mut sealed = key.seal(CONTEXT, PLAIN).unwrap();
            let at = at.index(sealed.len());
            match how {
                0 => sealed[at] ^= byte,
                1 => sealed.truncate(at),
                _ => sealed.insert(at, byte),
            }
            proptest::prop_assert!(key.open(CONTEXT, &sealed).is_none());
        }
    }
}
