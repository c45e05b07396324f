//! Makes one database of an answer, and bounds the texts in it. It is pure.
//!
//! AWS's names are short and have no control characters. A thing with another name is refused, and
//! so is another value; the tag of a user is cut.

use crate::authority::{EndpointRole, FoundDatabase, Region};
use crate::text;
use crate::text::host::HostPort;

/// The longest name that is taken, in bytes.
const MAX_NAME_LENGTH: usize = 255;
/// The longest tag that is kept, in characters: AWS allows no longer one.
const MAX_LABEL_LENGTH: usize = 256;

/// Returns a database of which only the name is known. `None` if the name is none.
pub(super) fn named_database(
    kind: &'static str,
    identifier: String,
    region: &Region,
) -> Option<FoundDatabase> {
    Some(FoundDatabase {
        kind,
        role: EndpointRole::Main,
        identifier: checked_name(Some(identifier))?,
        label: None,
        region: region.clone(),
        host: None,
        port: None,
        dbname: None,
        user: None,
        engine: None,
        status: String::new(),
        is_ready: None,
        takes_tokens: None,
        resource_id: None,
        is_public: None,
    })
}

/// Returns a name, if it can be one of AWS's.
pub(super) fn checked_name(text: Option<String>) -> Option<String> {
    let text = text?;
    let is_short = (1..=MAX_NAME_LENGTH).contains(&text.len());
    if is_short && !text.chars().any(char::is_control) {
        return Some(text);
    }
    None
}

/// Returns the state of a thing; an empty text for one that is none of AWS's.
pub(super) fn checked_status(text: String) -> String {
    checked_name(Some(text)).unwrap_or_default()
}

/// Returns a name that people have given. It may have any characters.
pub(super) fn checked_label(text: Option<String>) -> Option<String> {
    Some(text::shortened(&text?, MAX_LABEL_LENGTH))
}

/// Returns a host, if the text is one.
pub(super) fn checked_host(text: Option<String>) -> Option<String> {
    let address = HostPort::parse(&text?).ok()?;
    if address.port.is_some() {
        return None;
    }
    Some(address.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded() {
        let long = "x".repeat(300);
        for (text, is_name) in [
            ("db-1", true),
            ("\u{e4}", true),
            ("", false),
            ("a\u{1b}[2Jb", false),
            ("a\nb", false),
            (&long, false),
        ] {
            let text = text.to_owned();
            assert_eq!(
                checked_name(Some(text.clone())).is_some(),
                is_name,
                "{text:?}"
            );
            let database = named_database("x", text, &Region::from_trusted_name("eu-west-1"));
            assert_eq!(database.is_some(), is_name);
        }
        let cut = checked_label(Some("\u{e4}".repeat(1_000_000))).unwrap();
        assert_eq!(cut.chars().count(), MAX_LABEL_LENGTH);
        assert_eq!(
            checked_label(Some("a\u{1b}b".to_owned())).as_deref(),
            Some("a\u{1b}b")
        );
        assert_eq!(checked_status(long), "");
    }

    #[test]
    fn hosts_have_a_form() {
        for (text, is_host) in [
            ("a.dsql.eu-west-1.on.aws", true),
            ("a b", false),
            ("a:5432", false),
            ("postgres://a", false),
            ("", false),
        ] {
            assert_eq!(
                checked_host(Some(text.to_owned())).is_some(),
                is_host,
                "{text}"
            );
        }
    }
}
