//! Finds lines of the user's that hide a token, or that some client cannot read. Commands that
//! write the passfile, and `list`, show what it finds. It reports the numbers of lines and the
//! names of clients, and never what a line contains.

use std::fmt::Write as _;

use crate::passfile::block::{BEGIN_PREFIX, END, PassfileLine};
use crate::passfile::line::{PassfileQuery, fields, line_content, line_matches};

/// A problem, and the lines that have it.
struct LinesWithProblem {
    lines: Vec<usize>,
    words: ProblemWords,
}

/// How a problem is told: "line 3 has ...", "lines 3, 5 have ...".
#[derive(Clone, Copy)]
struct ProblemWords {
    /// The verb for one line.
    verb: &'static str,
    /// The verb for several lines.
    plural: &'static str,
    rest: &'static str,
}

/// A problem of a single line.
struct LineProblem {
    has: fn(raw: &[u8]) -> bool,
    words: ProblemWords,
}

/// The problems of single lines.
const LINE_PROBLEMS: &[LineProblem] = &[
    LineProblem {
        has: |raw| raw.starts_with(b"\xef\xbb\xbf"),
        words: ProblemWords {
            verb: "begins",
            plural: "begin",
            rest: "with a byte order mark: libpq does not see the entry in it",
        },
    },
    LineProblem {
        has: |raw| raw.contains(&0),
        words: ProblemWords {
            verb: "has",
            plural: "have",
            rest: "a NUL byte: libpq joins it with the next line",
        },
    },
    LineProblem {
        has: |raw| raw.len() > 65_535,
        words: ProblemWords {
            verb: "is",
            plural: "are",
            rest: "longer than 64 KiB: pgx ignores the whole file, lib/pq what follows",
        },
    },
    LineProblem {
        has: |raw| std::str::from_utf8(raw).is_err(),
        words: ProblemWords {
            verb: "is",
            plural: "are",
            rest: "not UTF-8: asyncpg, DBeaver, pgjdbc and sqlx may fail on it",
        },
    },
    LineProblem {
        has: |raw| is_entry(raw) && fields(raw).len() < 5,
        words: ProblemWords {
            verb: "has",
            plural: "have",
            rest: "fewer than five fields: asyncpg, Npgsql, pgjdbc and pgloader fail on it",
        },
    },
    LineProblem {
        has: |raw| is_entry(raw) && fields(raw).len() > 5,
        words: ProblemWords {
            verb: "has",
            plural: "have",
            rest: "a bare `:` in the password (write `\\:`): libpq cuts the password there, pgx, \
                   lib/pq and Npgsql refuse the line",
        },
    },
    LineProblem {
        has: |raw| is_entry(raw) && fields(raw).len() >= 5 && !is_port(fields(raw)[1]),
        words: ProblemWords {
            verb: "has",
            plural: "have",
            rest: "a port that is not a number: Npgsql fails on it",
        },
    },
    LineProblem {
        has: |raw| is_entry(raw) && has_needless_escape(raw),
        words: ProblemWords {
            verb: "escapes",
            plural: "escape",
            rest: "more than `:` and `\\`: node-postgres, pgx, pgjdbc and others keep the \
                   backslash",
        },
    },
    LineProblem {
        has: |raw| !line_content(raw).is_empty() && is_blank_or_indented(raw),
        words: ProblemWords {
            verb: "is",
            plural: "are",
            rest: "indented or empty: pgloader ignores the whole file",
        },
    },
    LineProblem {
        has: |raw| raw.ends_with(b"\r\n"),
        words: ProblemWords {
            verb: "ends",
            plural: "end",
            rest: "in CR LF: pgloader takes the CR for a part of the password",
        },
    },
];

/// Returns the warnings about a passfile. `wanted_lines` are those of the entries in pgcred's
/// block.
pub(crate) fn survey_passfile<'a>(
    text: &[u8],
    wanted_lines: impl Iterator<Item = &'a PassfileLine>,
) -> Vec<String> {
    let lines = user_lines(text);
    let mut remarks = survey_of_lines(text);
    for finding in rival_lines(&lines, block_start(text), wanted_lines) {
        if !finding.lines.is_empty() {
            remarks.push(finding.sentence());
        }
    }
    remarks
}

/// Returns the warnings about lines that some client cannot read.
pub(crate) fn survey_of_lines(text: &[u8]) -> Vec<String> {
    let lines = user_lines(text);
    let mut findings = Vec::new();
    for problem in LINE_PROBLEMS {
        let mut numbers = Vec::new();
        for (number, line) in &lines {
            if (problem.has)(line) {
                numbers.push(*number);
            }
        }
        findings.push(LinesWithProblem {
            lines: numbers,
            words: problem.words,
        });
    }
    findings.retain(|finding| !finding.lines.is_empty());
    findings.iter().map(LinesWithProblem::sentence).collect()
}

/// Returns the lines above and below pgcred's block that match one of its entries.
fn rival_lines<'a>(
    lines: &[(usize, &[u8])],
    block: usize,
    wanted_lines: impl Iterator<Item = &'a PassfileLine>,
) -> [LinesWithProblem; 2] {
    let wanted_lines: Vec<(&PassfileLine, String)> = wanted_lines
        .map(|wanted_line| (wanted_line, wanted_line.port.to_string()))
        .collect();
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        if wanted_lines
            .iter()
            .any(|(wanted_line, port)| matches_passfile_line(line, wanted_line, port))
        {
            if *number < block {
                above.push(*number);
            } else {
                below.push(*number);
            }
        }
    }
    [
        LinesWithProblem {
            lines: above,
            words: ProblemWords {
                verb: "stands",
                plural: "stand",
                rest: "above pgcred's block, matching one of its entries: clients take that, \
                       not the token",
            },
        },
        LinesWithProblem {
            lines: below,
            words: ProblemWords {
                verb: "also matches",
                plural: "also match",
                rest: "one of pgcred's entries: node-postgres, which takes the last match, \
                       uses that",
            },
        },
    ]
}

/// Returns the line above pgcred's block that clients take instead of the token of this passfile
/// line.
pub(crate) fn hidden_by(text: &[u8], wanted_line: &PassfileLine) -> Option<usize> {
    let (block, port) = (block_start(text), wanted_line.port.to_string());
    for (number, line) in user_lines(text) {
        if number < block && matches_passfile_line(line, wanted_line, &port) {
            return Some(number);
        }
    }
    None
}

/// Tells whether a line matches a passfile line. Every database matches, because a token is valid
/// for each.
fn matches_passfile_line(line: &[u8], wanted_line: &PassfileLine, port: &str) -> bool {
    line_matches(
        line,
        PassfileQuery {
            host: wanted_line.host.as_bytes(),
            port: port.as_bytes(),
            dbname: None,
            user: wanted_line.user.as_bytes(),
        },
    )
}

impl LinesWithProblem {
    fn sentence(&self) -> String {
        const SHOWN: usize = 5;
        let shown: Vec<_> = self
            .lines
            .iter()
            .take(SHOWN)
            .map(usize::to_string)
            .collect();
        let ProblemWords { verb, plural, rest } = self.words;
        let (noun, verb) = if self.lines.len() == 1 {
            ("line", verb)
        } else {
            ("lines", plural)
        };
        let mut text = format!("{noun} {}", shown.join(", "));
        if self.lines.len() > SHOWN {
            let _ = write!(text, " and {} more", self.lines.len() - SHOWN);
        }
        format!("{text} {verb} {rest}")
    }
}

/// Returns the lines outside pgcred's block with their numbers in the file.
pub(super) fn user_lines(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut inside = false;
    let mut lines = Vec::new();
    for (index, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        inside |= line.starts_with(BEGIN_PREFIX);
        if !inside {
            lines.push((index + 1, line));
        }
        inside &= line_content(line) != END.as_bytes();
    }
    lines
}

/// Returns the number of the line with the begin mark; 0 if there is none.
fn block_start(text: &[u8]) -> usize {
    let mut lines = text.split(|b| *b == b'\n');
    match lines.position(|line| line.starts_with(BEGIN_PREFIX)) {
        Some(index) => index + 1,
        None => 0,
    }
}

pub(super) fn is_entry(raw: &[u8]) -> bool {
    let line = line_content(raw);
    !line.is_empty() && line[0] != b'#' && !is_blank_or_indented(raw)
}

fn is_blank_or_indented(raw: &[u8]) -> bool {
    let line = line_content(raw);
    let rest = line.trim_ascii_start();
    rest.len() < line.len() && (rest.is_empty() || rest[0] == b'#')
}

fn is_port(field: &[u8]) -> bool {
    field == b"*" || (!field.is_empty() && field.iter().all(u8::is_ascii_digit))
}

fn has_needless_escape(line: &[u8]) -> bool {
    let mut bytes = line_content(line).iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && !matches!(bytes.next(), Some(b':' | b'\\')) {
            return true;
        }
    }
    false
}
