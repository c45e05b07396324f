//! What in the user's own lines hides ours or breaks a reader: line numbers and readers, never
//! content.

use std::fmt::Write as _;

use crate::passfile::block::{BEGIN_PREFIX, END, PassfileKey};
use crate::passfile::line::{LookUp, answers, content, fields};

/// One kind of trouble and the lines that have it.
struct Finding {
    lines: Vec<usize>,
    text: Text,
}

/// What is wrong: the verb for one line, the verb for several, and the rest.
type Text = (&'static str, &'static str, &'static str);

type Check = fn(raw: &[u8]) -> bool;

/// Troubles that a line has by itself.
const CHECKS: &[(Check, Text)] = &[
    (
        |raw| raw.starts_with(b"\xef\xbb\xbf"),
        (
            "begins",
            "begin",
            "with a byte order mark: libpq does not see the entry in it",
        ),
    ),
    (
        |raw| raw.contains(&0),
        (
            "has",
            "have",
            "a NUL byte: libpq joins it with the next line",
        ),
    ),
    (
        |raw| raw.len() > 65_535,
        (
            "is",
            "are",
            "longer than 64 KiB: pgx ignores the whole file, lib/pq what follows",
        ),
    ),
    (
        |raw| std::str::from_utf8(raw).is_err(),
        (
            "is",
            "are",
            "not UTF-8: asyncpg, DBeaver, pgjdbc and sqlx may fail on it",
        ),
    ),
    (
        |raw| is_entry(raw) && fields(raw).len() < 5,
        (
            "has",
            "have",
            "fewer than five fields: asyncpg, Npgsql, pgjdbc and pgloader fail on it",
        ),
    ),
    (
        |raw| is_entry(raw) && fields(raw).len() > 5,
        (
            "has",
            "have",
            "a bare `:` in the password (write `\\:`): libpq cuts the password there, pgx, lib/pq \
             and Npgsql refuse the line",
        ),
    ),
    (
        |raw| is_entry(raw) && fields(raw).len() >= 5 && !is_port(fields(raw)[1]),
        (
            "has",
            "have",
            "a port that is not a number: Npgsql fails on it",
        ),
    ),
    (
        |raw| is_entry(raw) && has_needless_escape(raw),
        (
            "escapes",
            "escape",
            r"more than `:` and `\`: node-postgres, pgx, pgjdbc and others keep the backslash",
        ),
    ),
    (
        |raw| !content(raw).is_empty() && is_blank_or_indented(raw),
        (
            "is",
            "are",
            "indented or blank: pgloader ignores the whole file",
        ),
    ),
    (
        |raw| raw.ends_with(b"\r\n"),
        (
            "ends",
            "end",
            "in CR LF: pgloader takes the CR for a part of the password",
        ),
    ),
];

/// Returns warnings about a passfile as it now stands; `keys` are those of our block.
pub(crate) fn survey<'a>(text: &[u8], keys: impl Iterator<Item = &'a PassfileKey>) -> Vec<String> {
    let lines: Vec<(usize, &[u8])> = user_lines(text);
    let mut findings: Vec<Finding> = CHECKS
        .iter()
        .map(|(check, text)| Finding {
            lines: numbers(&lines, |_, line| check(line)),
            text: *text,
        })
        .collect();

    let keys: Vec<(&PassfileKey, String)> = keys.map(|key| (key, key.port.to_string())).collect();
    let shadows = |line: &[u8]| keys.iter().any(|(key, port)| answers_for(line, key, port));
    let block = block_start(text);
    findings.push(Finding {
        lines: numbers(&lines, |number, line| number < block && shadows(line)),
        text: (
            "stands",
            "stand",
            "above pgcred's block, matching one of its entries: clients take that, not the token",
        ),
    });
    findings.push(Finding {
        lines: numbers(&lines, |number, line| number > block && shadows(line)),
        text: (
            "also matches",
            "also match",
            "one of pgcred's entries: node-postgres, which takes the last match, uses that",
        ),
    });
    findings
        .iter()
        .filter(|finding| !finding.lines.is_empty())
        .map(Finding::sentence)
        .collect()
}

/// Returns the line above our block that clients take instead of the token under this key.
pub(crate) fn hidden_by(text: &[u8], key: &PassfileKey) -> Option<usize> {
    let (block, port) = (block_start(text), key.port.to_string());
    let hides = |(number, line): &(usize, &[u8])| *number < block && answers_for(line, key, &port);
    user_lines(text)
        .into_iter()
        .find(hides)
        .map(|(number, _)| number)
}

/// Whatever the database: the token is good for any.
fn answers_for(line: &[u8], key: &PassfileKey, port: &str) -> bool {
    answers(
        line,
        LookUp {
            host: key.host.as_bytes(),
            port: port.as_bytes(),
            dbname: None,
            user: key.user.as_bytes(),
        },
    )
}

impl Finding {
    fn sentence(&self) -> String {
        const SHOWN: usize = 5;
        let shown: Vec<_> = self
            .lines
            .iter()
            .take(SHOWN)
            .map(usize::to_string)
            .collect();
        let (one, several, rest) = self.text;
        let (noun, verb) = if self.lines.len() == 1 {
            ("line", one)
        } else {
            ("lines", several)
        };
        let mut text = format!("{noun} {}", shown.join(", "));
        if self.lines.len() > SHOWN {
            let _ = write!(text, " and {} more", self.lines.len() - SHOWN);
        }
        format!("{text} {verb} {rest}")
    }
}

fn numbers(lines: &[(usize, &[u8])], has: impl Fn(usize, &[u8]) -> bool) -> Vec<usize> {
    lines
        .iter()
        .filter(|(number, line)| has(*number, line))
        .map(|(number, _)| *number)
        .collect()
}

/// Returns the lines outside our block with their numbers in the file.
fn user_lines(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut inside = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive(|b| *b == b'\n')) {
        inside |= line.starts_with(BEGIN_PREFIX);
        if !inside {
            lines.push((number, line));
        }
        inside &= content(line) != END.as_bytes();
    }
    lines
}

fn block_start(text: &[u8]) -> usize {
    let mut lines = (1..).zip(text.split(|b| *b == b'\n'));
    lines
        .find(|(_, line)| line.starts_with(BEGIN_PREFIX))
        .map_or(0, |(number, _)| number)
}

fn is_entry(raw: &[u8]) -> bool {
    let line = content(raw);
    !line.is_empty() && line[0] != b'#' && !is_blank_or_indented(raw)
}

fn is_blank_or_indented(raw: &[u8]) -> bool {
    let line = content(raw);
    line.first().is_some_and(u8::is_ascii_whitespace)
        && line
            .iter()
            .find(|b| !b.is_ascii_whitespace())
            .is_none_or(|first| *first == b'#')
}

fn is_port(field: &[u8]) -> bool {
    field == b"*" || (!field.is_empty() && field.iter().all(u8::is_ascii_digit))
}

fn has_needless_escape(line: &[u8]) -> bool {
    let mut bytes = content(line).iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && !matches!(bytes.next(), Some(b':' | b'\\')) {
            return true;
        }
    }
    false
}
