//! How a word is quoted for what will split it: sh, cmd.exe, DBeaver's own splitter. Pure.

use super::Os;

/// Quotes a word for the system's shell.
pub(super) fn for_shell(os: Os, word: &str) -> String {
    match os {
        Os::Windows => for_cmd(word),
        Os::Linux | Os::Mac => for_sh(word),
    }
}

/// A percent sign stands in quotes of its own: pgAdmin replaces `%PORT%` and the like before the
/// shell sees them.
fn for_sh(word: &str) -> String {
    if is_plain(word, "") {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''").replace('%', "''%''"))
}

/// For cmd.exe and then the splitter of the C runtime, which Rust's follows.
///
/// Between double quotes only `%` means something to cmd.exe; it stands outside of them, where a
/// caret can precede it.
fn for_cmd(word: &str) -> String {
    if is_plain(word, "\\") {
        return word.to_owned();
    }
    let mut quoted = String::from('"');
    let mut backslashes = 0;
    for c in word.chars() {
        if matches!(c, '"' | '%') {
            quoted.extend(std::iter::repeat_n('\\', backslashes));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        match c {
            '"' => quoted.push_str("\"\""),
            '%' => quoted.push_str("\"^%\""),
            _ => quoted.push(c),
        }
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

/// For the splitter of the C runtime alone, where no shell reads the line before.
pub(crate) fn for_c_runtime(word: &str) -> String {
    let mut quoted = String::from('"');
    let mut backslashes = 0;
    for c in word.chars() {
        if c == '"' {
            quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

/// For DBeaver, which runs no shell: both kinds of quotes group, and a backslash escapes except on
/// Windows.
///
/// DBeaver replaces `${name}` first, so the two characters that begin that never stand side by
/// side.
pub(crate) fn for_dbeaver(os: Os, word: &str) -> String {
    if is_plain(word, if os == Os::Windows { "\\" } else { "" }) {
        return word.to_owned();
    }
    let inner = match os {
        Os::Windows => word.replace('"', r#""'"'""#),
        Os::Linux | Os::Mac => word.replace('\\', r"\\").replace('"', "\\\""),
    };
    format!("\"{}\"", inner.replace("${", "$\"\"{"))
}

fn is_plain(word: &str, more: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:=,@+".contains(c) || more.contains(c))
}
