//! Makes the password that the gateway asks of local programs.
//!
//! It follows from the name of the connection and from a random key in a private file, so that it
//! stays the same: a user pastes it into a tool once. It never expires. A new key changes all of
//! them.

use std::path::{Path, PathBuf};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};
use crate::sys::fs::{self, FilePresence};
use crate::sys::paths;

const KEY_LENGTH: usize = 32;

/// The key from which the local passwords are made.
pub(crate) struct PasswordKey(hmac::Key);

impl PasswordKey {
    /// Reads the key, and makes one if there is none.
    pub(crate) fn open() -> Result<Self> {
        let path = key_path()?;
        match fs::read_private(&path)? {
            Some(bytes) => read_key(&path, &bytes),
            // A new key would make every password wrong that was pasted into a tool: that is the
            // user's to decide.
            None if fs::presence(&path) == FilePresence::Present => {
                Err(unusable(&path, "other users can read it"))
            }
            None => make_key(&path, OldKey::Kept),
        }
    }

    /// Makes a new key. Every password that was made before is wrong from then on.
    pub(crate) fn renew() -> Result<Self> {
        make_key(&key_path()?, OldKey::Replaced)
    }

    /// Returns the password of a connection: 26 letters and digits, 128 bits.
    pub(crate) fn password_of(&self, connection: &str) -> String {
        const PURPOSE: &[u8] = b"pgcred proxy password:";
        const BYTES: usize = 16;
        let tag = hmac::sign(&self.0, &[PURPOSE, connection.as_bytes()].concat());
        base32(&tag.as_ref()[..BYTES])
    }

    /// Returns the salt of the verifier of a connection's password. It need not be secret.
    pub(super) fn salt_of(&self, connection: &str) -> [u8; 16] {
        const PURPOSE: &[u8] = b"pgcred proxy salt:";
        let tag = hmac::sign(&self.0, &[PURPOSE, connection.as_bytes()].concat());
        let mut salt = [0; 16];
        salt.copy_from_slice(&tag.as_ref()[..16]);
        salt
    }
}

fn key_path() -> Result<PathBuf> {
    paths::gateway_key().ok_or_else(|| Error::no_directory("configuration"))
}

/// Takes a key out of a file's bytes.
fn read_key(path: &Path, bytes: &[u8]) -> Result<PasswordKey> {
    if bytes.len() != KEY_LENGTH {
        return Err(unusable(path, "it does not hold a key"));
    }
    Ok(PasswordKey(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
}

fn unusable(path: &Path, reason: &str) -> Error {
    let path_text = path.display();
    Error::failure(format!(
        "cannot use the key of the local passwords in {path_text}: {reason}"
    ))
    .hint(
        "make a new one with `pgcred proxy --new-password`, then give the tools their new \
         passwords",
    )
}

/// What becomes of a key that is in the file already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OldKey {
    /// Another process may have made it a moment ago.
    Kept,
    Replaced,
}

/// Writes a new key into the file.
fn make_key(path: &Path, old_key: OldKey) -> Result<PasswordKey> {
    let mut new_key = vec![0; KEY_LENGTH];
    if SystemRandom::new().fill(&mut new_key).is_err() {
        return Err(Error::no_random_bytes());
    }
    if let Some(directory) = path.parent() {
        fs::create_private_directory(directory)?;
    }
    let edited = fs::edit(path, |old_bytes| {
        let is_kept = |bytes: &&[u8]| old_key == OldKey::Kept && bytes.len() == KEY_LENGTH;
        let kept_key = old_bytes.filter(is_kept);
        Ok((Some(kept_key.unwrap_or(&new_key).to_vec()), ()))
    })?;
    read_key(path, &edited.text)
}

/// Writes bytes in the alphabet of RFC 4648, section 6, in lower case and without padding: it has
/// no characters that a tool, a URL or a passfile would take apart.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    const BITS: u32 = 5;
    let mut text = String::new();
    let (mut held, mut count) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        count += 8;
        while count >= BITS {
            count -= BITS;
            text.push(char::from(ALPHABET[(held >> count) as usize & 31]));
        }
    }
    if count > 0 {
        text.push(char::from(ALPHABET[(held << (BITS - count)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_standard() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"f", "my"),
            (b"fo", "mzxq"),
            (b"foo", "mzxw6"),
            (b"foob", "mzxw6yq"),
            (b"fooba", "mzxw6ytb"),
            (b"foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32(bytes), expected);
        }
    }

    #[test]
    fn a_password_is_that_of_one_connection_and_one_key() {
        let path = Path::new("proxy-key");
        let key = |byte| read_key(path, &[byte; KEY_LENGTH]).expect("a key");
        let password = key(1).password_of("prod");
        assert_eq!(password.len(), 26);
        assert_eq!(password, key(1).password_of("prod"));
        assert_ne!(password, key(1).password_of("dev"));
        assert_ne!(password, key(2).password_of("prod"));
        assert_ne!(key(1).salt_of("prod"), key(1).salt_of("dev"));
        for length in [0, 31, 33] {
            let error = read_key(path, &vec![1; length]).err().expect("not a key");
            assert!(
                error
                    .hint_text()
                    .is_some_and(|hint| hint.contains("--new-password"))
            );
        }
    }
}
