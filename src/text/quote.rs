//! Quotes texts: the one file that knows how a text is written for another program's parser.
//!
//! Each function is one dialect and returns a whole word, quotes included, unless its name ends in
//! `_inside`: then the caller's template already has the quotes. A parser of that dialect that
//! reads the result gets the text back, whatever characters are in it. `quote/tests.rs` has one
//! table that proves this for every dialect with the same hostile words.
//!
//! Nothing here removes or refuses characters, with one exception: [`cmd_assignment`] returns
//! nothing where cmd.exe has no way to write the value. Control characters are refused where a
//! request or a tool's words are checked. It is pure.

use std::fmt::{Display, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

// --- Shells -----------------------------------------------------------------------------------

/// Quotes a word for a POSIX shell: bash, zsh, sh.
pub(crate) fn posix(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes a word for the `sh` that a desktop tool starts; a plain word stays without quotes.
///
/// A percent sign stands in quotes of its own: pgAdmin replaces `%PORT%` and the like before the
/// shell sees them.
pub(crate) fn posix_in_tool(word: &str) -> String {
    if is_plain(word, "") {
        word.to_owned()
    } else {
        posix(word).replace('%', "''%''")
    }
}

/// Quotes a word of a command that the user is told to type, in the usual shell of this system.
pub(crate) fn typed(word: &str) -> String {
    if cfg!(windows) {
        if is_plain(word, "\\") {
            word.to_owned()
        } else {
            format!("\"{word}\"")
        }
    } else if is_plain(word, "") {
        word.to_owned()
    } else {
        posix(word)
    }
}

/// Quotes a word for cmd.exe and then the splitter of the C runtime, whose rules Rust follows too.
///
/// Between double quotes only `%` means something to cmd.exe; it stands outside of them, where a
/// caret can precede it.
pub(crate) fn cmd(word: &str) -> String {
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

/// Returns a `set` command of cmd.exe, for a line that a `for /f` runs: no percent sign is expanded
/// there. Returns nothing for a value with a double quote, which cmd.exe cannot hold.
pub(crate) fn cmd_assignment(name: &str, value: &str) -> Option<String> {
    if value.contains('"') {
        None
    } else {
        Some(format!("set \"{name}={value}\""))
    }
}

/// Quotes a word for the splitter of the C runtime alone, where no shell reads the line before.
pub(crate) fn c_runtime(word: &str) -> String {
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

/// Quotes a word for tcsh, which looks for history inside quotes too.
pub(crate) fn tcsh(word: &str) -> String {
    posix(word).replace('!', r"\!")
}

/// Quotes a word for fish.
pub(crate) fn fish(word: &str) -> String {
    single_with_backslashes(word)
}

/// Quotes a string of Python, which xonsh reads.
pub(crate) fn python(word: &str) -> String {
    single_with_backslashes(word)
}

/// Quotes a word for nushell.
pub(crate) fn nushell(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""))
}

/// Quotes a word for elvish: only the quote itself is special, and is doubled.
pub(crate) fn elvish(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

/// Quotes a string of PowerShell, which takes the typographic single quotes for plain ones; each
/// ends a string unless it is doubled.
pub(crate) fn powershell(word: &str) -> String {
    let mut quoted = String::from('\'');
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

/// Quotes a string of PowerShell in ASCII, because Windows PowerShell reads a program's output by
/// the console's old code page.
pub(crate) fn powershell_in_ascii(word: &str) -> String {
    if word.is_ascii() {
        return powershell(word);
    }
    let mut quoted = String::from("('");
    for unit in word.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'\'') => quoted.push_str("''"),
            Ok(byte) if byte.is_ascii() => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "' + [char]0x{unit:X} + '");
            }
        }
    }
    quoted.push_str("')");
    quoted
}

// --- Schedulers -------------------------------------------------------------------------------

/// Quotes a word of a line of a crontab: for sh, after cron itself has read `%` as the end of the
/// line.
pub(crate) fn cron(word: &str) -> String {
    posix(word).replace('%', r"\%")
}

/// Quotes the path of the program in a unit file of systemd: C's escapes in double quotes, and `%`
/// doubled.
pub(crate) fn systemd_program(path: &str) -> String {
    let escaped = path
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('%', "%%");
    format!("\"{escaped}\"")
}

/// Quotes an argument in a unit file of systemd: as the program's path, and `$` doubled.
pub(crate) fn systemd_argument(word: &str) -> String {
    systemd_program(word).replace('$', "$$")
}

// --- Tools ------------------------------------------------------------------------------------

/// Quotes a word for DBeaver on Linux and macOS. DBeaver runs no shell: both kinds of quotes group,
/// and a backslash escapes.
///
/// DBeaver replaces `${name}` first, so the two characters that begin that never stand side by
/// side.
pub(crate) fn dbeaver_on_unix(word: &str) -> String {
    if is_plain(word, "") {
        return word.to_owned();
    }
    let inner = word.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", inner.replace("${", "$\"\"{"))
}

/// Quotes a word for DBeaver on Windows, where a backslash escapes nothing.
pub(crate) fn dbeaver_on_windows(word: &str) -> String {
    if is_plain(word, "\\") {
        return word.to_owned();
    }
    let inner = word.replace('"', r#""'"'""#);
    format!("\"{}\"", inner.replace("${", "$\"\"{"))
}

/// Quotes a string of Go's templates.
pub(crate) fn go(text: &str) -> String {
    if text.contains('`') {
        serde_json::Value::from(text).to_string()
    } else {
        format!("`{text}`")
    }
}

// --- Connection strings and documents ---------------------------------------------------------

/// Quotes a value of a libpq connection string.
pub(crate) fn conninfo(value: &str) -> String {
    single_with_backslashes(value)
}

/// Quotes a name of SQL, such as that of a role: every letter of it counts as it is.
pub(crate) fn sql_name(name: &str) -> String {
    format!("\"{}\"", doubled_inside(name))
}

/// Quotes a text of SQL, in which a backslash is a letter, as the standard has it.
pub(crate) fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Quotes a value of an ODBC connection string; in braces only where it has to be.
pub(crate) fn odbc(value: &str) -> String {
    if value.contains([';', '{', '}', '=']) {
        format!("{{{}}}", value.replace('}', "}}"))
    } else {
        value.to_owned()
    }
}

/// Encodes a part of a URL: every byte but RFC 3986's unreserved characters becomes upper-case hex,
/// which SigV4 needs too.
pub(crate) fn percent(text: &str) -> impl Display {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

/// Escapes the inside of a string of JSON or TOML.
pub(crate) fn json_inside(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Escapes the inside of double quotes where a quote is doubled: options on Windows, CSV.
pub(crate) fn doubled_inside(text: &str) -> String {
    text.replace('"', "\"\"")
}

/// Escapes text, or a value in double quotes, of XML, HTML, or the markup of a notification.
pub(crate) fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Escapes XML in ASCII: `schtasks` takes nothing else for sure without a byte order mark.
pub(crate) fn xml_in_ascii(text: &str) -> String {
    let mut escaped = String::new();
    for c in xml(text).chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "&#{};", u32::from(c));
        }
    }
    escaped
}

/// Escapes a line of text of a manual page.
pub(crate) fn roff(line: &str) -> String {
    let escaped = line
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    if escaped.starts_with('.') {
        format!("\\&{escaped}")
    } else {
        escaped
    }
}

// --- What the dialects share ------------------------------------------------------------------

/// Writes single quotes, in which a backslash escapes the quote and itself.
fn single_with_backslashes(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Tells whether a word means the same to every shell without quotes: it has only letters, digits,
/// harmless punctuation and the characters of `also`.
fn is_plain(word: &str, also: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:=,@+".contains(c) || also.contains(c))
}

#[cfg(test)]
mod tests;
