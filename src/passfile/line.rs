//! Splits, matches and escapes the lines of a passfile exactly as libpq does (`passwordFromFile` in
//! fe-connect.c). `block` reads and writes pgcred's lines with it, and `survey` the user's.

use crate::error::{Error, Result};

/// The values that a client looks up, with libpq's defaults filled in.
#[derive(Clone, Copy)]
pub(crate) struct PassfileQuery<'a> {
    pub(crate) host: &'a [u8],
    pub(crate) port: &'a [u8],
    /// `None` stands for every database.
    pub(crate) dbname: Option<&'a [u8]>,
    pub(crate) user: &'a [u8],
}

/// Returns the password that libpq 13 and later take from a passfile's text; `None` also if the
/// line that matches has no password.
#[cfg(test)]
pub(crate) fn look_up(text: &[u8], query: PassfileQuery<'_>) -> Option<Vec<u8>> {
    let (_, password) = first_match(text, query)?;
    (!password.is_empty()).then_some(password)
}

/// Returns the first line that matches, by its number, and the password in it, which may be empty.
/// libpq looks no further.
pub(crate) fn first_match(text: &[u8], query: PassfileQuery<'_>) -> Option<(usize, Vec<u8>)> {
    for (number, line) in lines_of_libpq(text) {
        if let Some(rest) = password_of_match(&line, query) {
            return Some((number, read_password(rest)));
        }
    }
    None
}

/// Returns the lines as libpq sees them: a NUL hides the rest of its line and glues the next one
/// on. Each has the number of the line in which it begins.
fn lines_of_libpq(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut open_line: Option<(usize, Vec<u8>)> = None;
    for (index, raw_line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        let nul = raw_line.iter().position(|b| *b == 0);
        let (number, mut line) = open_line.take().unwrap_or((index + 1, Vec::new()));
        line.extend_from_slice(&raw_line[..nul.unwrap_or(raw_line.len())]);
        if nul.is_none() || !raw_line.ends_with(b"\n") {
            lines.push((number, line));
        } else {
            open_line = Some((number, line));
        }
    }
    lines
}

/// Returns a line without every CR and LF at its end.
pub(crate) fn line_content(line: &[u8]) -> &[u8] {
    let mut content = line;
    while let [rest @ .., b'\r' | b'\n'] = content {
        content = rest;
    }
    content
}

/// Tells whether a line matches a look-up.
pub(crate) fn line_matches(line: &[u8], query: PassfileQuery<'_>) -> bool {
    password_of_match(line, query).is_some()
}

/// Returns the escaped rest of a line whose first four fields match.
fn password_of_match<'a>(line: &'a [u8], query: PassfileQuery<'_>) -> Option<&'a [u8]> {
    if line.first() == Some(&b'#') {
        return None;
    }
    let rest = matched_field(line_content(line), query.host)?;
    let rest = matched_field(rest, query.port)?;
    let rest = match query.dbname {
        Some(dbname) => matched_field(rest, dbname)?,
        None => rest_after_field(rest)?,
    };
    matched_field(rest, query.user)
}

/// Returns what follows a field that matches `value`, or is a lone `*`.
fn matched_field<'a>(line: &'a [u8], value: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut value = value.iter();
    let mut bytes = line.iter().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        // A colon ends the field only when the wanted value is used up, so a bare one may stand for
        // itself.
        let next = value.next();
        match (byte, next) {
            (b':', None) => return Some(&line[offset + 1..]),
            (_, None) => return None,
            (b'\\', Some(expected))
                if bytes.next().map(|(_, escaped)| escaped) != Some(expected) =>
            {
                return None;
            }
            (b'\\', Some(_)) => {}
            (byte, Some(expected)) if byte != expected => return None,
            _ => {}
        }
    }
    None
}

fn rest_after_field(line: &[u8]) -> Option<&[u8]> {
    let mut bytes = line.iter().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b':' => return Some(&line[offset + 1..]),
            _ => {}
        }
    }
    None
}

/// Returns the raw fields of a line, split at unescaped colons.
pub(crate) fn fields(line: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut rest = line_content(line);
    while let Some(after) = rest_after_field(rest) {
        fields.push(&rest[..rest.len() - after.len() - 1]);
        rest = after;
    }
    fields.push(rest);
    fields
}

/// Undoes [`escape`]; a lone backslash at the end stands for itself.
pub(crate) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' {
            *bytes.next().unwrap_or(byte)
        } else {
            *byte
        });
    }
    plain
}

fn read_password(rest: &[u8]) -> Vec<u8> {
    let end = rest.len() - rest_after_field(rest).map_or(0, |after| after.len() + 1);
    unescape(&rest[..end])
}

/// Escapes `\` and `:` and nothing else, because clients differ on every other escape.
pub(crate) fn escape(field: &str) -> String {
    field.replace('\\', r"\\").replace(':', r"\:")
}

/// Checks that all clients read a value of a field in the same way.
pub(crate) fn check_field(field: &str, value: &str) -> Result<()> {
    let refuse = |reason: &str| {
        Err(
            Error::usage(format!("a passfile cannot hold this {field}: {reason}"))
                .hint("run `pgcred token TARGET`, which needs no passfile"),
        )
    };
    if value.is_empty() {
        return refuse("it is empty");
    }
    if value.contains('*') {
        return refuse("it contains `*`, which matches everything");
    }
    if value
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'))
    {
        return refuse("it contains a newline or a control character");
    }
    if value.trim() != value || value.starts_with('#') {
        return refuse("it begins or ends with a space, or begins with #");
    }
    Ok(())
}
