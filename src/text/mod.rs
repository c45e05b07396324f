//! Handles text. This file makes text of services and programs safe to show. It is pure: nothing is
//! read or written here.
//!
//! ```text
//! text of others --> host       a host name, with or without a port
//!                    arn        the fields of a name of AWS
//!                    glob       whether a text fits a pattern
//!                    suggest    the word that a user meant
//!
//! text for others --> quote     a word for a shell, a conninfo string, XML and others
//!                     encode    bytes as digits
//!                     digest    a secret as a name that does not tell it
//!                     marks     the lines around pgcred's block in a file of the user's
//!
//! mutation                      samples for the tests of parsers
//! ```

pub(crate) mod arn;
pub(crate) mod digest;
pub(crate) mod encode;
pub(crate) mod glob;
pub(crate) mod host;
pub(crate) mod marks;
#[cfg(test)]
pub(crate) mod mutation;
pub(crate) mod quote;
pub(crate) mod suggest;

use std::fmt::Write;

use arn::{Arn, is_account};

/// The longest text of a service or a program that a message repeats.
const MAX_FOREIGN_LENGTH: usize = 300;

/// Returns a text as one line that is safe for a terminal: control characters, newlines, and marks
/// that change the direction of writing are escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi_or_line_control(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Tells whether a character is invisible and changes how a terminal shows those around it.
fn is_bidi_or_line_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Returns a JSON text without the characters that a terminal would obey: they are written as
/// `\\uXXXX`. In JSON such a character stands only in a string, where that means the same.
pub(crate) fn printable_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() || is_bidi_or_line_control(c)) && c != '\n' {
            let _ = write!(shown, "\\u{:04x}", u32::from(c)); // a String takes all
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Hides the account numbers in ARNs. AWS's own messages contain them, and users copy these
/// messages into bug reports.
pub(crate) fn mask_accounts(text: &str) -> String {
    let mut parts: Vec<&str> = text.split(':').collect();
    let last = parts.len().saturating_sub(1);
    for part in parts.iter_mut().take(last).skip(1) {
        if is_account(part) {
            *part = "************";
        }
    }
    parts.join(":")
}

/// Returns a text of a service or a program for a message: shortened, and without words that look
/// like a token.
///
/// A service may repeat pgcred's request, which contains tokens of sessions and of web identities.
pub(crate) fn safe_excerpt(text: &str) -> String {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || "+/=_.%~-".contains(c);
    let mut kept = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| is_token_char(c) || c == ':';
        let end = rest
            .find(|c| is_word(c) != is_word(first))
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let words: Vec<&str> = run.split(':').collect();
        // The name at the end of an ARN may be as long and as mixed as a token.
        let visible_word_count = if Arn::parse(run).is_some() {
            Arn::FIELDS
        } else {
            0
        };
        let shown = words.iter().enumerate().map(|(i, &word)| {
            if i >= visible_word_count && is_token(word) {
                "[...]"
            } else {
                word
            }
        });
        kept.push_str(&shown.collect::<Vec<_>>().join(":"));
        rest = after;
    }
    shortened(&kept, MAX_FOREIGN_LENGTH)
}

/// Tells whether a word is as long and as mixed as tokens are. Names of hosts, paths and roles
/// consist of shorter parts.
fn is_token(word: &str) -> bool {
    const MIN_TOKEN_LENGTH: usize = 40;
    const MIN_MIXED_TOKEN_LENGTH: usize = 20;
    const MAX_PART_LENGTH: usize = 36;
    let has = |part: &str, is: fn(&u8) -> bool| part.bytes().any(|b| is(&b));
    let is_mixed = |part: &str| {
        has(part, u8::is_ascii_uppercase)
            && has(part, u8::is_ascii_lowercase)
            && has(part, u8::is_ascii_digit)
    };
    let is_random = |part: &str| {
        part.len() > MAX_PART_LENGTH || (part.len() >= MIN_MIXED_TOKEN_LENGTH && is_mixed(part))
    };
    // A secret access key has slashes, as a path has, but no path begins so.
    let is_of_alphabet = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let is_base64 = |part: &str| {
        part.len() >= MIN_TOKEN_LENGTH
            && part.chars().all(is_of_alphabet)
            && !part.starts_with('/')
            && is_mixed(part)
    };
    word.len() >= MIN_TOKEN_LENGTH
        && (word.split(['.', '/', '=', '-', '_']).any(is_random)
            || word.split('=').any(is_base64)
            || word
                .split(|c| !is_of_alphabet(c))
                .any(|part| ends_with_key(part, MIN_TOKEN_LENGTH, is_mixed)))
}

/// Tells whether a part of a word is, or ends with, a secret access key. A key is always of the
/// same length, so it is also found beside a full stop or a dash, and behind a slash.
fn ends_with_key(part: &str, length: usize, is_mixed: impl Fn(&str) -> bool) -> bool {
    let mut part = part;
    if let Some(without_slash) = part.strip_suffix('/')
        && without_slash.len() == length
    {
        part = without_slash;
    }
    let Some(begin) = part.len().checked_sub(length) else {
        return false;
    };
    (begin == 0 || part[..begin].ends_with(['/', '+'])) && is_mixed(&part[begin..])
}

/// Returns a text that is not pgcred's for an error message: escaped, and cut to a length that fits
/// a line.
pub(crate) fn backquoted(text: &str) -> String {
    const MAX_QUOTE_LENGTH: usize = 80;
    let mut shown = String::from("`");
    for c in text.chars().take(MAX_QUOTE_LENGTH) {
        shown.extend(c.escape_default());
    }
    if text.chars().nth(MAX_QUOTE_LENGTH).is_some() {
        shown.push_str("...");
    }
    shown.push('`');
    shown
}

/// Returns a text, cut to at most this many characters.
pub(crate) fn shortened(text: &str, max_chars: usize) -> String {
    const MARK: &str = "...";
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let kept: String = text
        .chars()
        .take(max_chars.saturating_sub(MARK.len()))
        .collect();
    kept + MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        let text = "a\x1b]0;x\x07\u{9b}31m\r\n\u{202e}é ’";
        assert_eq!(printable(text), r"a\u{1b}]0;x\u{7}\u{9b}31m\r\n\u{202e}é ’");
    }

    #[test]
    fn json_means_the_same_without_what_a_terminal_would_obey() {
        let json = serde_json::json!(["a\u{9b}31m\u{7f}", "\u{202e}é\x1b\n"]);
        let shown = printable_json(&format!("{json}\n"));
        assert!(
            shown.contains(r"\u009b31m\u007f") && shown.contains(r"\u202eé"),
            "{shown}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            json
        );
    }

    #[test]
    fn tokens_are_cut_out_and_names_stay() {
        for kept in [
            "User: arn:aws:sts::123456789012:assumed-role/\
             AWSReservedSSO_AdministratorAccess_0123456789abcdef/jane.doe@example.com \
             is not authorized",
            "cannot reach foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws:5432",
            "https://sts.us-east-1.amazonaws.com/",
            "RequestId: 01234567-89ab-cdef-0123-456789abcdef",
            "/Users/Jane/Library/Python/3.9/lib/python/site-packages/botocore/session.py",
            "my-very-long-database-identifier-for-production.c1a2b3c4d5e6.eu-west-1.rds\
             .amazonaws.com",
            "arn:aws:iam::123456789012:role/\
             DatabaseStack-ClusterAdministratorRole2B3C4D5E-1A2B3C4D5E6F",
            "see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/\
             ConfiguringInstanceMetadataOptions.html",
        ] {
            assert_eq!(safe_excerpt(kept), kept);
        }
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YXBwIn0.\
                   c2lnbmF0dXJlMDEyMzQ1Njc4OQ";
        let session = "IQoJb3JpZ2luX2VjEA0aCXVzLWVhc3QtMSJHMEUCIQC/abc+def0123456789//hXyZ\
                       0987654321abcdefghijk==";
        let hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for token in [jwt, session, hex, secret] {
            assert_eq!(
                safe_excerpt(&format!("you sent: {token}, why")),
                "you sent: [...], why"
            );
            assert_eq!(
                safe_excerpt(&format!("a=b&WebIdentityToken={token}&c=d")),
                "a=b&[...]&c=d"
            );
            assert_eq!(
                safe_excerpt(&format!("{{\"token\":\"{token}\"}}")),
                "{\"token\":\"[...]\"}"
            );
            assert_eq!(safe_excerpt(&format!("token:{token}")), "token:[...]");
            assert_eq!(safe_excerpt(&format!("arn:{token}")), "arn:[...]");
        }
    }

    #[test]
    fn a_secret_access_key_is_found_among_other_marks() {
        for secret in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            for marks in [
                ("", "."),
                ("key-", ""),
                ("_", ""),
                ("~", ""),
                ("", "-"),
                ("/", "."),
                ("", "/"),
                ("x/", "."),
                ("+", "."),
            ] {
                let shown = safe_excerpt(&format!("{}{secret}{}", marks.0, marks.1));
                assert!(
                    shown.contains("[...]") && !shown.contains("MDENG"),
                    "{shown}"
                );
            }
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(
            safe_excerpt(&"a b ".repeat(1000)).chars().count(),
            MAX_FOREIGN_LENGTH
        );
        assert_eq!(
            (shortened("abcdef", 6), shortened("abcdefg", 6)),
            ("abcdef".into(), "abc...".into())
        );
    }
}
