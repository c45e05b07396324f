//! What a program has said on stderr, as an error may repeat it: one line, and none of the
//! arguments that it was given.

use crate::text::foreign;

/// An argument that is shorter than this is no secret.
const SHORTEST_SECRET: usize = 6;

/// Returns the last line that has text in it, as an error message may repeat it.
pub(crate) fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim);
    foreign(lines.rfind(|line| !line.is_empty()).unwrap_or_default())
}

/// Returns what a program says without the arguments that it was given, which may be secret.
pub(crate) fn without_arguments(said: &str, words: &[String]) -> String {
    let mut said = said.to_owned();
    for word in words.iter().skip(1) {
        let argument = match word.split_once('=') {
            Some((_, value)) => value,
            None if word.starts_with('-') => continue,
            None => word,
        };
        said = hide_value(said, argument);
    }
    said
}

/// Returns a text without a value that may be secret.
pub(crate) fn hide_value(text: String, value: &str) -> String {
    if value.len() < SHORTEST_SECRET {
        return text;
    }
    text.replace(value, "[...]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_with_text_is_the_reason() {
        assert_eq!(last_line(b"trace\n  no session  \n\n"), "no session");
        assert_eq!(last_line(b""), "");
    }

    #[test]
    fn a_program_does_not_repeat_its_arguments() {
        let words = ["helper", "--password=hunter2", "--user", "ann", "s3cret"].map(str::to_owned);
        assert_eq!(
            without_arguments("helper: ann with hunter2: --user s3cret", &words),
            "helper: ann with [...]: --user [...]"
        );
    }
}
