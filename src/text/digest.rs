//! Makes SHA-256 digests, shortened. They are names for texts that must not be shown, such as
//! credentials and tokens. It is pure.

use std::hash::Hasher;

use ring::digest::{Context, SHA256};

use super::encode::hex;

/// How many bytes of a digest are kept. With 16 bytes, no two texts with the same digest can be
/// found in practice.
const BYTES_KEPT: usize = 16;
/// The length of a digest in hex digits.
pub(crate) const LENGTH: usize = 2 * BYTES_KEPT;

/// Returns 32 hex digits of SHA-256 over the parts. The length of each part goes into it, so that
/// no two lists of parts have the same digest.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    short_hex(context)
}

fn short_hex(context: Context) -> String {
    hex(&context.finish().as_ref()[..BYTES_KEPT])
}

/// Computes the digest of every value that implements `Hash`: a derived `Hash` leaves no field out.
pub(crate) struct Digester(Context);

impl Digester {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Returns the digest in the form that [`digest`] has.
    pub(crate) fn finished(self) -> String {
        short_hex(self.0)
    }
}

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns 0: nothing asks for these 64 bits, because [`Digester::finished`] returns more.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_have_the_same_digest() {
        let lists: [&[&str]; 5] = [&["ab", "c"], &["a", "bc"], &["abc"], &["abc", ""], &[]];
        for list in lists {
            let of_list = digest(list.iter().copied());
            assert_eq!(of_list.len(), LENGTH);
            let same = lists
                .iter()
                .filter(|other| digest(other.iter().copied()) == of_list);
            assert_eq!(same.count(), 1, "{list:?}");
        }
    }
}
