//! Reads a server's errors and notices (packets `E` and `N`). What is read is safe to show: control
//! characters are escaped, and each field is bounded.

use crate::text::printable;

/// The longest field of a server's message that is kept, in bytes.
const MAX_FIELD_LENGTH: usize = 4 << 10;

/// An error or a notice of a server. What the server does not say is empty. Control characters are
/// escaped, and each field has at most 4 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerMessage {
    /// In English, as the protocol has it since PostgreSQL 9.6.
    pub(crate) severity: String,
    /// In the server's language.
    pub(crate) shown_severity: String,
    /// The SQLSTATE.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

impl ServerMessage {
    #[cfg(test)]
    fn texts(&mut self) -> [&mut String; 6] {
        [
            &mut self.severity,
            &mut self.shown_severity,
            &mut self.code,
            &mut self.message,
            &mut self.detail,
            &mut self.hint,
        ]
    }
}

/// Reads the body of a packet `E` or `N`. What cannot be read is left out.
pub(crate) fn parse_message(body: &[u8]) -> ServerMessage {
    let mut message = ServerMessage::default();
    for part in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = part.split_first() else {
            break; // an empty field is the end
        };
        let field = match kind {
            b'V' => &mut message.severity,
            b'S' => &mut message.shown_severity,
            b'C' => &mut message.code,
            b'M' => &mut message.message,
            b'D' => &mut message.detail,
            b'H' => &mut message.hint,
            _ => continue,
        };
        *field = safe_field(text);
    }
    message
}

/// Returns an error of protocol 2, which old servers send before they know the client's: a text and
/// a zero byte.
pub(crate) fn parse_protocol_2_error(body: &[u8]) -> ServerMessage {
    let text = body.split(|byte| *byte == 0).next();
    ServerMessage {
        message: safe_field(text.unwrap_or_default()),
        ..ServerMessage::default()
    }
}

/// Returns a server's text, safe to show and bounded.
pub(super) fn safe_field(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_FIELD_LENGTH)];
    let mut text = printable(&String::from_utf8_lossy(bytes));
    text.truncate(text.floor_char_boundary(MAX_FIELD_LENGTH));
    text
}

/// Returns the body of an error with a hint added at its end.
pub(crate) fn with_hint(body: &[u8], hint: &str) -> Vec<u8> {
    let mut longer = body.strip_suffix(b"\0").unwrap_or(body).to_vec();
    longer.push(b'H');
    longer.extend(hint.bytes().filter(|byte| *byte != 0));
    longer.extend([0, 0]);
    longer
}

/// Returns a text without the token, whole or in the parts of its query that are secret or long.
pub(crate) fn hide_token(token: &str, text: &str) -> String {
    const LONG: usize = 24;
    const HIDDEN: &str = "[...]";
    let mut text = text.to_owned();
    if !token.is_empty() {
        text = text.replace(token, HIDDEN);
    }
    for part in token.split(['&', '?', '=']) {
        if part.len() >= LONG {
            text = text.replace(part, HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_keep_six_fields_that_are_safe_to_show() {
        let body =
            b"SFATAL\0VFATAL\0C28000\0Munable to accept\x1b[2J\0Dd\0Hh\xff\0Fauth.c\0L1\0\0Mx\0";
        let found = parse_message(body);
        assert_eq!(found.severity, "FATAL");
        assert_eq!(found.code, "28000");
        assert_eq!(found.message, r"unable to accept\u{1b}[2J");
        assert_eq!(found.detail, "d");
        assert_eq!(found.hint, "h\u{fffd}");
        assert_eq!(
            parse_message(&[&b"M"[..], &[7; 9_000]].concat())
                .message
                .len(),
            MAX_FIELD_LENGTH
        );
        assert_eq!(
            parse_protocol_2_error(b"FATAL: no\n\0rest").message,
            r"FATAL: no\n"
        );
    }

    #[test]
    fn a_servers_error_gets_a_hint() {
        let body = b"SFATAL\0VFATAL\0C28000\0Maccess denied\0\0";
        let longer = with_hint(body, "type this");
        assert_eq!(
            longer,
            b"SFATAL\0VFATAL\0C28000\0Maccess denied\0Htype this\0\0"
        );
        assert_eq!(parse_message(&longer).hint, "type this");
    }

    proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for mut message in [parse_message(&body), parse_protocol_2_error(&body)] {
                for text in message.texts() {
                    prop_assert!(text.len() <= MAX_FIELD_LENGTH);
                    prop_assert!(!text.contains(char::is_control));
                }
            }
            let mut hinted = parse_message(&with_hint(&body, "type this"));
            prop_assert!(hinted.texts().len() == 6);
        }

        #[test]
        fn fields_come_back(texts in prop::collection::vec("[^\0\\p{C}]{0,40}", 6)) {
            let mut body = Vec::new();
            for (kind, text) in b"VSCMDH".iter().zip(&texts) {
                body.push(*kind);
                body.extend_from_slice(text.as_bytes());
                body.push(0);
            }
            body.push(0);
            let mut found = parse_message(&body);
            for (found, text) in found.texts().into_iter().zip(&texts) {
                prop_assert_eq!(&*found, &printable(text));
            }
        }
    }
}
