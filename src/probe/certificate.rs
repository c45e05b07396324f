//! Reads what a certificate says, from its bytes (RFC 5280). Whether it is believed is decided in
//! `trust.rs`.
//!
//! It is pure. The bytes come from a server that nobody trusts yet, so that the number and the
//! length of what is kept have limits, and texts are made safe to show. What cannot be read is no
//! certificate.

use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Reader, SliceReader, Tag, TagNumber, Tagged};
use ring::digest::{SHA256, digest};

use crate::text::encode::hex;
use crate::text::{printable, shortened};
use crate::time::Time;

/// The most names of a certificate that are kept.
const MAX_NAMES: usize = 100;
/// The longest name that is kept, in characters.
const MAX_NAME_LENGTH: usize = 300;

/// A certificate, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// As `C=US, O=Amazon, CN=Amazon Root CA 1`.
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// The common name of the issuer; empty if it has none.
    pub(crate) issuer_name: String,
    /// The common name of the subject, which is no longer looked at if there are other names.
    pub(crate) common_name: String,
    /// The names and addresses that it is for.
    pub(crate) names: Vec<String>,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    /// SHA-256 over the whole certificate, in hex digits.
    pub(crate) fingerprint: String,
    /// It names itself as its issuer, as root certificates do.
    pub(crate) is_self_issued: bool,
}

/// Whether a certificate is valid by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateValidity {
    Valid,
    Expired,
    NotYet,
}

impl Certificate {
    pub(crate) fn validity(&self, now: Time) -> CertificateValidity {
        if now < self.not_before {
            CertificateValidity::NotYet
        } else if self.not_after < now {
            CertificateValidity::Expired
        } else {
            CertificateValidity::Valid
        }
    }

    /// Reads a certificate; `None` if the bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let certificate = der_items(bytes)?;
        let signed_part = der_items(inside_of_sequence(certificate.first())?)?;
        let mut fields = der_items(inside_of_sequence(signed_part.first())?)?
            .into_iter()
            .peekable();
        if is_numbered(fields.peek()?, TagNumber::N0) {
            fields.next(); // the version
        }
        let _serial_number = fields.next()?;
        let _algorithm = fields.next()?;
        let issuer = fields.next()?;
        let validity = der_items(inside_of_sequence(fields.next().as_ref())?)?;
        let subject = fields.next()?;
        let _public_key = fields.next()?;
        let mut names = Vec::new();
        for field in fields {
            if is_numbered(&field, TagNumber::N3) {
                names = alternative_names(field.value()).unwrap_or_default();
            }
        }
        let (of_issuer, of_subject) = (name_attributes(issuer)?, name_attributes(subject)?);
        Some(Self {
            subject: whole_name(&of_subject),
            issuer: whole_name(&of_issuer),
            issuer_name: common_name(&of_issuer),
            common_name: common_name(&of_subject),
            names,
            not_before: parse_time(*validity.first()?)?,
            not_after: parse_time(*validity.get(1)?)?,
            fingerprint: hex(digest(&SHA256, bytes).as_ref()),
            is_self_issued: issuer.value() == subject.value(),
        })
    }
}

/// Returns the values that stand one behind the other.
fn der_items(bytes: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut items = Vec::new();
    if bytes.is_empty() {
        return Some(items);
    }
    let mut reader = SliceReader::new(bytes).ok()?;
    while !reader.is_finished() {
        items.push(reader.decode().ok()?);
    }
    Some(items)
}

/// Returns what is inside of a sequence.
fn inside_of_sequence<'a>(item: Option<&AnyRef<'a>>) -> Option<&'a [u8]> {
    match item {
        Some(item) if item.tag() == Tag::Sequence => Some(item.value()),
        _ => None,
    }
}

fn is_numbered(item: &AnyRef<'_>, wanted_number: TagNumber) -> bool {
    matches!(item.tag(), Tag::ContextSpecific { number, .. } if number == wanted_number)
}

fn parse_time(item: AnyRef<'_>) -> Option<Time> {
    let since_1970 = match item.tag() {
        Tag::UtcTime => item.decode_as::<UtcTime>().ok()?.to_unix_duration(),
        Tag::GeneralizedTime => item.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
        _ => return None,
    };
    Some(Time::from_unix(i64::try_from(since_1970.as_secs()).ok()?))
}

/// A part of a distinguished name: what it is, and its text.
type NameAttribute = (ObjectIdentifier, String);

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Short names of parts, as OpenSSL shows them.
const SHORT: [(ObjectIdentifier, &str); 6] = [
    (COMMON_NAME, "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
];

fn name_attributes(name: AnyRef<'_>) -> Option<Vec<NameAttribute>> {
    let mut attributes = Vec::new();
    for set in der_items(inside_of_sequence(Some(&name))?)? {
        for pair in der_items(set.value())? {
            let pair = der_items(inside_of_sequence(Some(&pair))?)?;
            let kind = pair.first()?.decode_as().ok()?;
            attributes.push((kind, attribute_text(*pair.get(1)?)));
        }
    }
    Some(attributes)
}

/// Returns the text of a value, safe to show and bounded.
fn attribute_text(value: AnyRef<'_>) -> String {
    let bytes = value.value();
    let text = if value.tag() == Tag::BmpString {
        let (pairs, _) = bytes.as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    };
    printable(&shortened(&text, MAX_NAME_LENGTH))
}

fn whole_name(parts: &[NameAttribute]) -> String {
    let mut name = String::new();
    for (kind, text) in parts {
        if !name.is_empty() {
            name.push_str(", ");
        }
        match SHORT.iter().find(|(short_kind, _)| short_kind == kind) {
            Some((_, short)) => name.push_str(short),
            None => name.push_str(&kind.to_string()),
        }
        name.push('=');
        name.push_str(text);
    }
    shortened(&name, MAX_NAME_LENGTH)
}

fn common_name(parts: &[NameAttribute]) -> String {
    for (kind, text) in parts {
        if *kind == COMMON_NAME {
            return text.clone();
        }
    }
    String::new()
}

/// Returns the names in the extension "subject alternative name", out of all extensions.
fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
    for extension in der_items(inside_of_sequence(der_items(extensions)?.first())?)? {
        let fields = der_items(inside_of_sequence(Some(&extension))?)?;
        let kind: ObjectIdentifier = fields.first()?.decode_as().ok()?;
        if kind == ALTERNATIVE_NAME {
            return names_in_extension(fields.last()?.value());
        }
    }
    None
}

fn names_in_extension(extension: &[u8]) -> Option<Vec<String>> {
    const DNS: TagNumber = TagNumber::N2;
    const ADDRESS: TagNumber = TagNumber::N7;
    let mut names = Vec::new();
    for name in der_items(inside_of_sequence(der_items(extension)?.first())?)? {
        if names.len() == MAX_NAMES {
            break;
        }
        if is_numbered(&name, DNS) {
            names.push(attribute_text(name));
        } else if is_numbered(&name, ADDRESS) {
            names.extend(ip_address(name.value()));
        }
    }
    Some(names)
}

fn ip_address(bytes: &[u8]) -> Option<String> {
    use std::net::IpAddr;
    let address = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(address.to_string())
}

#[cfg(test)]
mod tests;
