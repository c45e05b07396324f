//! Splits a command line into words by the rules of the AWS CLI: Python's `shlex` on Unix, the C
//! runtime's on Windows.

/// Returns the words of a command line, or `None` if a quote is not closed.
pub(crate) fn split_command_line(text: &str) -> Option<Vec<String>> {
    if cfg!(windows) {
        Some(split_as_windows(text))
    } else {
        split_as_posix(text)
    }
}

/// Splits as Python's `shlex` does. Quotes keep blanks together; a backslash keeps the next
/// character, within double quotes only before `"` and `\`.
pub(crate) fn split_as_posix(text: &str) -> Option<Vec<String>> {
    const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
    if !text.contains(['\'', '"', '\\']) {
        return Some(
            text.split(BLANKS)
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        );
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            c if BLANKS.contains(&c) => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => match rest.next()? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Splits as the C runtime of Windows does. Only blanks separate words and only double quotes keep
/// them together; backslashes are ordinary characters unless a double quote follows them.
fn split_as_windows(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut backslashes = 0;
    let mut quoted = false;
    for c in text.chars().chain([' ']) {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let plain = if c == '"' {
            backslashes / 2
        } else {
            backslashes
        };
        let escaped = c == '"' && backslashes % 2 == 1;
        if backslashes > 0 {
            word.get_or_insert_default()
                .extend(std::iter::repeat_n('\\', plain));
            backslashes = 0;
        }
        match c {
            '"' if escaped => word.get_or_insert_default().push('"'),
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.map(|word| word.strip_suffix(' ').map(str::to_owned).unwrap_or(word)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_words_are_those_of_python() {
        for (text, words) in [
            ("", Some(vec![])),
            ("a b\tc", Some(vec!["a", "b", "c"])),
            (r"a\ b 'c  d' '' e''f", Some(vec!["a b", "c  d", "", "ef"])),
            (r#""a\"b" "c\d" "\\""#, Some(vec![r#"a"b"#, r"c\d", r"\"])),
            ("a # b", Some(vec!["a", "#", "b"])),
            (
                "a $HOME `b` $(c);d|e",
                Some(vec!["a", "$HOME", "`b`", "$(c);d|e"]),
            ),
            ("'a", None),
            (r#""a\"#, None),
            (r"a\", None),
        ] {
            assert_eq!(
                split_as_posix(text),
                words.map(|words| words.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn windows_words_are_those_of_the_c_runtime() {
        for (text, words) in [
            (
                r"C:\tools\cred.exe --a b",
                vec![r"C:\tools\cred.exe", "--a", "b"],
            ),
            (
                r#""C:\Program Files\x.exe" "" 'c d'"#,
                vec![r"C:\Program Files\x.exe", "", "'c", "d'"],
            ),
            (
                r#"a\\b "c\"d" e\\\"f "g\\" h"#,
                vec![r"a\\b", "c\"d", "e\\\"f", r"g\", "h"],
            ),
            ("a \"b c", vec!["a", "b c"]),
            (r"a b\", vec!["a", r"b\"]),
        ] {
            assert_eq!(split_as_windows(text), words, "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn command_lines_that_are_nearly_right(text in crate::text::mutation::text(
            &[
                r#"/opt/a\ b/helper --name "x \"y\"" 'z w' end"#,
                r#""C:\a b\helper.exe" \\"x y\\" z"#,
            ],
            &["\\", "\"", "'", " ", "\\\""],
        )) {
            let _ = split_as_windows(&text);
            if let Some(words) = split_as_posix(&text) {
                let quoted = words.iter().map(|word| crate::text::quote::posix(word));
                let quoted: Vec<String> = quoted.collect();
                proptest::prop_assert_eq!(split_as_posix(&quoted.join(" ")), Some(words));
            }
        }
    }
}
