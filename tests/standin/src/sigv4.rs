//! AWS Signature Version 4 of a presigned `GET /` in which only `host` is signed. It follows the
//! published rules alone.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What `X-Amz-Algorithm` must say.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What a credential scope must end in.
pub const TERMINATOR: &str = "aws4_request";

/// The scope of a credential: `date/region/service/aws4_request`.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

/// The MAC over everything that is signed. `parameters` are decoded, in any order, without the
/// signature.
fn mac(
    secret: &str,
    scope: Scope<'_>,
    amz_date: &str,
    host: &str,
    parameters: &[(String, String)],
) -> Hmac<Sha256> {
    let mut encoded: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    encoded.sort();
    let query: Vec<_> = encoded
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let canonical = format!(
        "GET\n/\n{}\nhost:{host}\n\nhost\n{}",
        query.join("&"),
        hex(&Sha256::digest(b""))
    );
    let Scope {
        date,
        region,
        service,
    } = scope;
    let text = format!(
        "{ALGORITHM}\n{amz_date}\n{date}/{region}/{service}/{TERMINATOR}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let start = format!("AWS4{secret}").into_bytes();
    let key = [date, region, service, TERMINATOR]
        .iter()
        .fold(start, |key, part| {
            let mut mac = keyed(&key);
            mac.update(part.as_bytes());
            mac.finalize().into_bytes().to_vec()
        });
    let mut mac = keyed(&key);
    mac.update(text.as_bytes());
    mac
}

/// The signature, in the lower-case hex a token carries. Tests use it to sign tokens that break one
/// rule only.
#[must_use]
pub fn sign(
    secret: &str,
    scope: Scope<'_>,
    amz_date: &str,
    host: &str,
    parameters: &[(String, String)],
) -> String {
    hex(&mac(secret, scope, amz_date, host, parameters)
        .finalize()
        .into_bytes())
}

/// Whether `signature` is the right one, decided in constant time.
pub(crate) fn is_signed(
    signature: &str,
    secret: &str,
    scope: Scope<'_>,
    amz_date: &str,
    host: &str,
    parameters: &[(String, String)],
) -> bool {
    unhex(signature).is_some_and(|bytes| {
        mac(secret, scope, amz_date, host, parameters)
            .verify_slice(&bytes)
            .is_ok()
    })
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// Percent-encoding as SigV4 wants it: everything but `A-Za-z0-9-_.~`, in upper-case hex.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15]
                    .map(|nibble| char::from(b"0123456789ABCDEF"[usize::from(nibble)])),
            );
        }
    }
    out
}

/// The reverse of `encode`, and strict: `None` for a raw reserved character, lower-case hex or
/// broken UTF-8. An unreserved character may come encoded, as some SDKs print `~`.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => nibble(bytes.next()?, b'A')? << 4 | nibble(bytes.next()?, b'A')?,
            _ if is_unreserved(byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(out).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

/// One hex digit whose letters start at `a`, which fixes their case.
fn nibble(digit: u8, a: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        _ => digit
            .checked_sub(a)
            .filter(|letter| *letter < 6)
            .map(|letter| letter + 10),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high, b'a')? << 4 | nibble(*low, b'a')?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_goes_both_ways() {
        let text = "aZ09-_.~ /+=%&ü\u{0}";
        assert_eq!(encode(text), "aZ09-_.~%20%2F%2B%3D%25%26%C3%BC%00");
        assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        assert_eq!(decode("%7E").as_deref(), Some("~"));
    }

    #[test]
    fn decoding_is_strict() {
        for text in [
            "a/b", "a+b", "a b", "%2f", "%", "%2", "%2G", "%+1", "%FF", "ü", "a=b",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn hex_is_lower_case_and_even() {
        assert_eq!(unhex("00ff1a"), Some(vec![0, 255, 26]));
        assert_eq!(hex(&[0, 255, 26]), "00ff1a");
        for text in ["0", "FF", "0g", "zz"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
