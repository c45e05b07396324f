//! Edits pgcred's block in a passfile: entries between two marks, at the beginning of the file.
//! Every byte outside the block is the user's and stays.
//!
//! A block that is damaged is an error that names the line, never a guess: no byte of the file
//! changes then. An entry is one line whose fields are escaped as libpq expects, with a comment
//! that says when its token expires.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};
use crate::passfile::line::{check_field, escape, fields, line_content, unescape};
use crate::text::marks::{self, BLOCK_BEGIN, BLOCK_END};
use crate::time::Time;
use crate::token::Token;

const BEGIN: &str = "# pgcred begin - lines up to the end mark are rewritten by pgcred";
/// The begin mark below a line of the user's that had no newline. The newline that pgcred added is
/// removed with the block.
const BEGIN_JOINED: &str =
    "# pgcred begin after an added newline - lines up to the end mark are rewritten by pgcred";
/// The begin mark in a file that pgcred has made. The file is removed with the block.
const BEGIN_CREATED: &str =
    "# pgcred begin in a file of its own - lines up to the end mark are rewritten by pgcred";
/// The beginning of the begin mark of every version.
pub(super) const BEGIN_PREFIX: &[u8] = BLOCK_BEGIN.as_bytes();
pub(super) const END: &str = BLOCK_END;
const EXPIRES: &str = "# expires ";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest line that all clients read. pgx ignores a file with a longer line, and lib/pq
/// ignores everything after it.
const MAX_LINE_LENGTH: usize = 65_535;

/// Host, port and user of one line of the passfile: what a client finds its password by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PassfileLine {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
}

/// `user@host:port`, for messages; `host:port` as long as nobody has named the user.
impl fmt::Display for PassfileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() {
            return write!(f, "{}:{}", self.host, self.port);
        }
        write!(f, "{}@{}:{}", self.user, self.host, self.port)
    }
}

impl PassfileLine {
    /// Returns the line with this user, if it has none yet.
    pub(crate) fn or_user(mut self, user: &str) -> Self {
        if self.user.is_empty() {
            user.clone_into(&mut self.user);
        }
        self
    }

    /// Checks that every reader finds this line.
    pub(crate) fn check(&self) -> Result<()> {
        check_field("host", &self.host)?;
        check_field("user", &self.user)
    }
}

struct BlockEntry {
    expires_at: Time,
    /// The line's last field, escaped.
    secret: String,
}

/// A passfile taken apart: the block's entries and the user's bytes.
#[derive(Default)]
pub(crate) struct Passfile {
    entries: BTreeMap<PassfileLine, BlockEntry>,
    user_text: Vec<u8>,
    /// Set if pgcred has made the file.
    was_file_created: bool,
}

impl Passfile {
    /// Takes apart a passfile that is there or not.
    pub(crate) fn parse_or_new(text: Option<&[u8]>) -> Result<Self> {
        let passfile = Self::parse(text.unwrap_or_default())?;
        Ok(Self {
            was_file_created: passfile.was_file_created || text.is_none(),
            ..passfile
        })
    }

    /// Takes a passfile apart. A damaged block is an error that names the line, because pgcred does
    /// not guess whether a line in it is the user's.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let mut parser = BlockParser::default();
        for (index, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
            if let Err(damage) = parser.parse_line(line) {
                let number = index + 1;
                let message = format!("line {number}: pgcred's block is damaged: {damage}");
                return Err(Error::usage(message).hint(repair_hint(text)));
            }
        }
        if parser.position == BlockPosition::Inside {
            let message = "pgcred's block is damaged: its end mark is missing";
            return Err(Error::usage(message).hint(repair_hint(text)));
        }
        Ok(parser.finished())
    }

    /// Puts a token into its line, in place of the one that is there.
    pub(crate) fn set(&mut self, line: PassfileLine, token: &Token) -> Result<()> {
        line.check()?;
        if token.expose().is_empty() || token.expose().contains(char::is_control) {
            return Err(Error::failure(format!(
                "cannot write the token for {}@{}: it is empty or has a control character",
                line.user, line.host
            ))
            .hint("try again with --fresh; if it fails again, use `pgcred token`"));
        }
        let entry = BlockEntry {
            expires_at: token.expires_at,
            secret: escape(token.expose()),
        };
        if text_of(&line, &entry).len() > MAX_LINE_LENGTH {
            return Err(Error::failure(format!(
                "the token for {}@{} is too long for a line of a passfile",
                line.user, line.host
            ))
            .hint("use `pgcred token` or `pgcred exec`, which need no line"));
        }
        self.entries.insert(line, entry);
        Ok(())
    }

    /// Returns the token in a line, if it expires at exactly this time.
    pub(crate) fn token(&self, line: &PassfileLine, expires_at: Time) -> Option<String> {
        let entry = self.entries.get(line)?;
        if entry.expires_at != expires_at {
            return None;
        }
        String::from_utf8(unescape(entry.secret.as_bytes())).ok()
    }

    /// Returns when the token in a line expires.
    pub(crate) fn expires_at(&self, line: &PassfileLine) -> Option<Time> {
        Some(self.entries.get(line)?.expires_at)
    }

    /// Removes the entries whose line `is_wanted`, and returns their number.
    pub(crate) fn remove(&mut self, is_wanted: impl Fn(&PassfileLine) -> bool) -> usize {
        let length_before = self.entries.len();
        self.entries.retain(|line, _| !is_wanted(line));
        length_before - self.entries.len()
    }

    /// Removes expired entries. A client that finds no entry asks for a password; with an expired
    /// one it fails.
    pub(crate) fn drop_expired(&mut self, now: Time) {
        self.entries.retain(|_, entry| entry.expires_at > now);
    }

    pub(crate) fn token_lines(&self) -> impl Iterator<Item = &PassfileLine> {
        self.entries.keys()
    }

    /// Returns the lines of the entries without the marks, for a file that only pgcred writes.
    pub(crate) fn render_lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (line, entry) in &self.entries {
            lines.extend_from_slice(text_of(line, entry).as_bytes());
            lines.push(b'\n');
        }
        lines
    }

    /// Tells whether pgcred has made the file and nothing is left in it.
    pub(crate) fn is_empty_and_own(&self) -> bool {
        self.was_file_created && self.entries.is_empty() && self.user_text.is_empty()
    }

    /// Puts the file together: the block, and then the user's bytes as they were. Without entries
    /// there is no block.
    pub(crate) fn render(&self) -> Vec<u8> {
        if self.entries.is_empty() {
            return self.user_text.clone();
        }
        // A byte order mark makes the first line unreadable. If the block stood before that line,
        // the mark would make a line in the middle unreadable too, so the block follows it.
        let (above, below) = if self.user_text.starts_with(BYTE_ORDER_MARK) {
            let first_line = match self.user_text.iter().position(|b| *b == b'\n') {
                Some(newline) => newline + 1,
                None => self.user_text.len(),
            };
            self.user_text.split_at(first_line)
        } else {
            (&[][..], &self.user_text[..])
        };
        let is_joined = !above.is_empty() && !above.ends_with(b"\n");
        let mut text = above.to_vec();
        if is_joined {
            text.push(b'\n');
        }
        let begin = match (is_joined, self.was_file_created) {
            (true, _) => BEGIN_JOINED,
            (_, true) => BEGIN_CREATED,
            _ => BEGIN,
        };
        let mut block = format!("{begin}\n");
        for (line, entry) in &self.entries {
            let (time, entry_line) = (entry.expires_at.compact(), text_of(line, entry));
            for part in [EXPIRES, &time, "\n", &entry_line, "\n"] {
                block += part;
            }
        }
        block += END;
        block += "\n";
        text.extend_from_slice(block.as_bytes());
        text.extend_from_slice(below);
        text
    }
}

/// Returns the hint how to repair a damaged block, which depends on the marks that are there.
fn repair_hint(text: &[u8]) -> &'static str {
    let mut lines = text.split(|b| *b == b'\n').map(line_content);
    let has_begin = lines.clone().any(|line| line.starts_with(BEGIN_PREFIX));
    let has_end = lines.any(|line| line == END.as_bytes());
    marks::repair_hint(has_begin, has_end)
}

impl BlockEntry {
    fn parse(line: &[u8], expires_at: Time) -> Option<(PassfileLine, Self)> {
        let [host, port, dbname, user, secret] = fields(line).try_into().ok()?;
        if dbname != b"*" || secret.is_empty() {
            return None;
        }
        let text = |field: &[u8]| String::from_utf8(unescape(field)).ok();
        let line = PassfileLine {
            host: text(host)?,
            port: std::str::from_utf8(port).ok()?.parse().ok()?,
            user: text(user)?,
        };
        if line.host.starts_with('#') {
            return None; // written back without its backslash, it would be a comment or a mark
        }
        let secret = std::str::from_utf8(secret).ok()?.to_owned();
        Some((line, Self { expires_at, secret }))
    }
}

/// Returns the line of an entry. It is for any database: some clients look up no database, and some
/// look up the user's name.
fn text_of(line: &PassfileLine, entry: &BlockEntry) -> String {
    format!(
        "{}:{}:*:{}:{}",
        escape(&line.host),
        line.port,
        escape(&line.user),
        entry.secret
    )
}

/// The position of the parser in the file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum BlockPosition {
    #[default]
    Before,
    Inside,
    After,
}

/// Takes a passfile apart line by line.
#[derive(Default)]
struct BlockParser {
    passfile: Passfile,
    position: BlockPosition,
    /// The expiry of the next entry, if its line has been read.
    expires_at: Option<Time>,
    /// The length of the user's bytes up to the newline that pgcred has added.
    added_newline: Option<usize>,
}

impl BlockParser {
    /// Reads one line. An error says how the block is damaged.
    fn parse_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let body = line_content(line);
        let is_begin = body.starts_with(BEGIN_PREFIX);
        let is_end = body == END.as_bytes();
        match self.position {
            BlockPosition::Inside if is_end && self.expires_at.is_none() => {
                self.position = BlockPosition::After;
                Ok(())
            }
            BlockPosition::Inside | BlockPosition::After if is_begin => Err("a second begin mark"),
            BlockPosition::Inside => self.line_of_entry(body),
            BlockPosition::Before | BlockPosition::After if is_end => {
                Err("an end mark without a begin mark")
            }
            BlockPosition::Before if is_begin => {
                if body == BEGIN_JOINED.as_bytes() {
                    self.added_newline = Some(self.passfile.user_text.len());
                }
                self.passfile.was_file_created = body == BEGIN_CREATED.as_bytes();
                self.position = BlockPosition::Inside;
                Ok(())
            }
            BlockPosition::Before | BlockPosition::After => {
                self.passfile.user_text.extend_from_slice(line);
                Ok(())
            }
        }
    }

    /// Reads a line of the block: an expiry, or the entry that follows its expiry.
    fn line_of_entry(&mut self, body: &[u8]) -> Result<(), &'static str> {
        const NOT_OURS: &str = "a line is not pgcred's";
        let Some(expires_at) = self.expires_at.take() else {
            let Some(time) = body.strip_prefix(EXPIRES.as_bytes()) else {
                return Err(NOT_OURS);
            };
            let Some(time) = Time::from_compact(&String::from_utf8_lossy(time)) else {
                return Err("a time is not readable");
            };
            self.expires_at = Some(time);
            return Ok(());
        };
        if body.starts_with(EXPIRES.as_bytes()) {
            return Err(NOT_OURS);
        }
        let Some((line, entry)) = BlockEntry::parse(body, expires_at) else {
            return Err(NOT_OURS);
        };
        self.passfile.entries.insert(line, entry);
        Ok(())
    }

    fn finished(mut self) -> Passfile {
        let user_text = &mut self.passfile.user_text;
        // The added newline is removed with the block. If lines were appended since, it stays,
        // because it separates them from the line before.
        if self.added_newline == Some(user_text.len()) && user_text.ends_with(b"\n") {
            user_text.pop();
        }
        self.passfile
    }
}
