//! Shortens what a program has said on stderr, so that an error may repeat it: to one line, without
//! any of the arguments that it was given.

use crate::text::safe_excerpt;

/// An argument that is shorter than this is no secret.
const MIN_SECRET_LENGTH: usize = 6;

/// Returns the last line that has text in it, as an error message may repeat it.
pub(crate) fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim);
    safe_excerpt(lines.rfind(|line| !line.is_empty()).unwrap_or_default())
}

/// Returns what a program says without the frames that it draws around errors, as `snow` does. The
/// lines of a frame are one, which was broken at any blank.
pub(crate) fn without_frames(stderr: &str) -> String {
    let mut shown = String::new();
    let mut is_inside = false;
    for line in stderr.lines() {
        let line = line.trim();
        if is_border(line) {
            is_inside = !is_inside;
            shown.push('\n');
            continue;
        }
        match line.strip_prefix(['│', '|']) {
            Some(text) if is_inside => {
                shown.push_str(text.trim_end_matches(['│', '|']).trim());
                shown.push(' ');
            }
            _ => {
                shown.push_str(line);
                shown.push('\n');
            }
        }
    }
    shown
}

/// Tells whether a line is the upper or the lower border of a frame, which may have a title.
fn is_border(line: &str) -> bool {
    let Some(line) = line.strip_prefix(['╭', '╰', '+']) else {
        return false;
    };
    match line.strip_suffix(['╮', '╯', '+']) {
        Some(border) => border.starts_with(['─', '-']) && border.ends_with(['─', '-']),
        None => false,
    }
}

/// Returns what a program says without the arguments that it was given, which may be secret.
pub(crate) fn without_arguments(stderr: &str, command_line: &[String]) -> String {
    let mut shown = stderr.to_owned();
    for word in command_line.iter().skip(1) {
        if is_option_name(word) {
            continue;
        }
        let value = match word.split_once('=') {
            Some((_, value)) => value,
            None => word,
        };
        shown = hide_value(shown, value);
        // `-pSECRET`, `user:SECRET`, `Authorization: Bearer SECRET`
        for part in value.split([':', ',', ' ']) {
            shown = hide_value(shown, part.trim_start_matches('-'));
            if part.starts_with('-') && !part.starts_with("--") {
                shown = hide_value(shown, part.get(2..).unwrap_or_default());
            }
        }
    }
    shown
}

/// Tells whether a word is the name of an option, such as `--user` or `-v`, and has no value.
fn is_option_name(word: &str) -> bool {
    if word.len() == 2 && word.starts_with('-') {
        return true;
    }
    word.strip_prefix("--")
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
}

/// Returns what a program says without what it has printed as its answer: each word of it, and each
/// text of a JSON document.
pub(crate) fn without_answer(stderr: String, stdout: &[u8]) -> String {
    let mut shown = stderr;
    for part in String::from_utf8_lossy(stdout).split(['"', '\n', '\r', ' ']) {
        shown = hide_value(shown, part);
    }
    shown
}

/// Returns a text without a value that may be secret.
pub(crate) fn hide_value(text: String, value: &str) -> String {
    if value.len() < MIN_SECRET_LENGTH {
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
    fn a_frame_is_no_part_of_the_reason() {
        let said =
            "╭─ Error ─────────╮\n│ no session: the │\n│ user is ann     │\n╰─────────────────╯\n";
        let plain = said.replace(['╭', '╮', '╰', '╯'], "+").replace('─', "-");
        for said in [said, &plain.replace('│', "|")] {
            let shown = without_frames(&format!("trace\r\n{said}"));
            assert_eq!(last_line(shown.as_bytes()), "no session: the user is ann");
            assert!(shown.starts_with("trace\n"), "{shown}");
        }
        for said in ["| a |", "+ b", "++", "trace +"] {
            assert_eq!(without_frames(said), format!("{said}\n"));
        }
    }

    #[test]
    fn a_program_does_not_repeat_its_arguments() {
        let words = ["helper", "--password=hunter2", "--user", "ann", "s3cret"].map(str::to_owned);
        assert_eq!(
            without_arguments("helper: ann with hunter2: --user s3cret", &words),
            "helper: ann with [...]: --user [...]"
        );
        let words = [
            "helper",
            "-phunter22",
            "--header=Authorization: Bearer ABCDEFGH",
            "me:s3cret99",
        ];
        assert_eq!(
            without_arguments(
                "hunter22 and -phunter22 and ABCDEFGH and s3cret99",
                &words.map(str::to_owned)
            ),
            "[...] and [...] and [...] and [...]"
        );
    }

    #[test]
    fn a_program_does_not_repeat_its_answer() {
        for answer in ["TOKEN-1234\n", "{\"token\": \"TOKEN-1234\"}"] {
            let said = without_answer("cannot save TOKEN-1234".to_owned(), answer.as_bytes());
            assert_eq!(said, "cannot save [...]");
        }
    }
}
