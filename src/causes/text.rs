//! Recognises messages: a text is a list of fragments that all have to occur, however the message
//! is wrapped and whichever letters are capitals.

/// How surely a text tells its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TextWeight {
    /// One of several causes that have this text.
    Possible,
    /// The usual cause, if nothing else in the message says more.
    Likely,
    /// The text says itself what is wrong.
    Certain,
}

/// A message, as far as it tells a cause.
pub(super) struct CauseText {
    weight: TextWeight,
    /// Fragments in small letters that all occur, in any order.
    all: &'static [&'static str],
    /// Fragments that do not occur: with one of them, another cause explains the message.
    none: &'static [&'static str],
}

/// How well a message fits: first by weight, then by the length of what was recognised, because
/// more text is more specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TextMatch {
    weight: TextWeight,
    length: usize,
}

impl TextMatch {
    pub(super) fn is_certain(self) -> bool {
        self.weight == TextWeight::Certain
    }
}

pub(super) const fn certain(all: &'static [&'static str]) -> CauseText {
    CauseText::new(TextWeight::Certain, all)
}

pub(super) const fn likely(all: &'static [&'static str]) -> CauseText {
    CauseText::new(TextWeight::Likely, all)
}

pub(super) const fn possible(all: &'static [&'static str]) -> CauseText {
    CauseText::new(TextWeight::Possible, all)
}

impl CauseText {
    const fn new(weight: TextWeight, all: &'static [&'static str]) -> Self {
        Self {
            weight,
            all,
            none: &[],
        }
    }

    /// Names what must not occur.
    pub(super) const fn unless(mut self, none: &'static [&'static str]) -> Self {
        self.none = none;
        self
    }

    /// Returns how well a message fits, which has been normalised.
    pub(super) fn likeness(&self, message: &str) -> Option<TextMatch> {
        let mut length = 0;
        for fragment in self.all {
            if !message.contains(fragment) {
                return None;
            }
            length += fragment.len();
        }
        for fragment in self.none {
            if message.contains(fragment) {
                return None;
            }
        }
        Some(TextMatch {
            weight: self.weight,
            length,
        })
    }

    /// Returns the fragments that occur.
    #[cfg(test)]
    pub(super) fn needed(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().copied()
    }

    /// Returns every fragment.
    #[cfg(test)]
    pub(super) fn fragments(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().chain(self.none).copied()
    }
}

/// Returns the beginning of a text: at most this many bytes, and whole characters.
pub(super) fn beginning_of(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns a message in the form of the fragments: small letters, one blank for each run of blanks
/// and newlines, plain quotation marks, and no backslash before one (logs and JSON have them).
pub(super) fn normalise_message(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if matches!(characters.peek(), Some('"' | '\'')) => {}
            '“' | '”' | '„' => plain.push('"'),
            '‘' | '’' => plain.push('\''),
            c if c.is_whitespace() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            c => plain.extend(c.to_lowercase()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_compared_without_their_layout() {
        let wrapped = "FATAL:  no pg_hba.conf\r\n\t entry for host \\\"a\\\",\u{a0}SSL off";
        assert_eq!(
            normalise_message(wrapped),
            "fatal: no pg_hba.conf entry for host \"a\", ssl off"
        );
        assert_eq!(
            normalise_message("doesn’t “x” C:\\new"),
            "doesn't \"x\" c:\\new"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(beginning_of("aé", 2), "a");
        assert_eq!(beginning_of("aé", 3), "aé");
        assert_eq!(beginning_of("", 3), "");
    }

    #[test]
    fn what_says_more_wins() {
        let text = "pam said no, and the token has expired";
        let fits = |pattern: CauseText| pattern.likeness(text).expect("it occurs");
        let long = certain(&["token has expired"]);
        assert!(fits(long) > fits(certain(&["expired"])));
        assert!(fits(certain(&["pam"])) > fits(likely(&["token has expired"])));
        assert!(fits(likely(&["pam"])) > fits(possible(&["token has expired"])));
        assert_eq!(certain(&["pam", "clock"]).likeness(text), None);
        assert_eq!(certain(&["pam"]).unless(&["token"]).likeness(text), None);
    }
}
