//! Our block in a passfile: entries between two marks, first in the file; every other byte is the
//! user's and stays.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};
use crate::passfile::line::{check_field, content, escape, fields, unescape};
use crate::text::marks::{self, BLOCK_BEGIN, BLOCK_END};
use crate::time::Time;
use crate::token::Token;

const BEGIN: &str = "# pgcred begin - lines up to the end mark are rewritten by pgcred";
/// The same, where the user's line above had no newline and ours has to go when the block goes.
const BEGIN_JOINED: &str =
    "# pgcred begin after an added newline - lines up to the end mark are rewritten by pgcred";
/// The same, where there was no file: without the block there is to be none again.
const BEGIN_CREATED: &str =
    "# pgcred begin in a file of its own - lines up to the end mark are rewritten by pgcred";
/// What any version's begin mark starts with.
pub(super) const BEGIN_PREFIX: &[u8] = BLOCK_BEGIN.as_bytes();
pub(super) const END: &str = BLOCK_END;
const EXPIRES: &str = "# expires ";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// pgx drops a file with a longer line, lib/pq all that follows it.
const LONGEST_LINE: usize = 65_535;

/// Host, port and user of one line of the block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PassfileKey {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
}

/// `user@host:port`, for messages.
impl fmt::Display for PassfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.user, self.host, self.port)
    }
}

impl PassfileKey {
    /// Checks that every reader finds a line with this key.
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
    entries: BTreeMap<PassfileKey, BlockEntry>,
    user: Vec<u8>,
    /// pgcred has made the file.
    created: bool,
}

impl Passfile {
    /// Takes apart a passfile that is there or not.
    pub(crate) fn of(text: Option<&[u8]>) -> Result<Self> {
        let passfile = Self::parse(text.unwrap_or_default())?;
        Ok(Self {
            created: passfile.created || text.is_none(),
            ..passfile
        })
    }

    /// Takes a passfile apart. A damaged block is an error that names the line: pgcred does not
    /// guess whose a line is.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let mut passfile = Self::default();
        let mut block = Block::Before;
        let mut expires_at = None;
        let mut added_newline = None;
        for (number, line) in (1..).zip(text.split_inclusive(|b| *b == b'\n')) {
            let damaged = |what: &str| {
                let error =
                    Error::failure(format!("line {number}: pgcred's block is damaged: {what}"));
                Err(error.hint(way_out(text)))
            };
            let body = content(line);
            match block {
                Block::Inside if body == END.as_bytes() && expires_at.is_none() => {
                    block = Block::After;
                }
                Block::Inside if body.starts_with(BEGIN_PREFIX) => {
                    return damaged("a second begin mark");
                }
                Block::Inside => match (expires_at.take(), body.strip_prefix(EXPIRES.as_bytes())) {
                    (None, Some(time)) => {
                        match std::str::from_utf8(time).ok().and_then(Time::from_compact) {
                            Some(time) => expires_at = Some(time),
                            None => return damaged("a time is not readable"),
                        }
                    }
                    (Some(time), None) => match BlockEntry::parse(body, time) {
                        Some((key, entry)) => drop(passfile.entries.insert(key, entry)),
                        None => return damaged("a line is not pgcred's"),
                    },
                    _ => return damaged("a line is not pgcred's"),
                },
                _ if body == END.as_bytes() => return damaged("an end mark without a begin mark"),
                Block::Before if body.starts_with(BEGIN_PREFIX) => {
                    added_newline =
                        (body == BEGIN_JOINED.as_bytes()).then_some(passfile.user.len());
                    passfile.created = body == BEGIN_CREATED.as_bytes();
                    block = Block::Inside;
                }
                Block::After if body.starts_with(BEGIN_PREFIX) => {
                    return damaged("a second begin mark");
                }
                Block::Before | Block::After => passfile.user.extend_from_slice(line),
            }
        }
        if matches!(block, Block::Inside) {
            return Err(
                Error::failure("pgcred's block is damaged: its end mark is missing")
                    .hint(way_out(text)),
            );
        }
        // The newline came with the block and goes with it, unless lines were appended since: then
        // it separates them.
        if added_newline == Some(passfile.user.len()) && passfile.user.ends_with(b"\n") {
            passfile.user.pop();
        }
        Ok(passfile)
    }

    /// Puts a token under its key, in place of the one that is there.
    pub(crate) fn set(&mut self, key: PassfileKey, token: &Token) -> Result<()> {
        key.check()?;
        if token.expose().is_empty() || token.expose().contains(char::is_control) {
            return Err(Error::failure(format!(
                "no usable token for {}@{}",
                key.user, key.host
            )));
        }
        let entry = BlockEntry {
            expires_at: token.expires_at,
            secret: escape(token.expose()),
        };
        if line(&key, &entry).len() > LONGEST_LINE {
            return Err(Error::failure(format!(
                "the token for {}@{} is too long",
                key.user, key.host
            )));
        }
        self.entries.insert(key, entry);
        Ok(())
    }

    /// Returns the token that is filed under a key until exactly this time.
    pub(crate) fn token(&self, key: &PassfileKey, expires_at: Time) -> Option<String> {
        let entry = self.entries.get(key)?;
        if entry.expires_at != expires_at {
            return None;
        }
        String::from_utf8(unescape(entry.secret.as_bytes())).ok()
    }

    /// Returns when the token under a key was signed, as far as its text says, and until when it is
    /// good.
    pub(crate) fn times(&self, key: &PassfileKey) -> Option<(Option<Time>, Time)> {
        const SIGNED: &str = "X-Amz-Date=";
        let entry = self.entries.get(key)?;
        let mut signed_at = None;
        if let Some((_, rest)) = entry.secret.split_once(SIGNED) {
            let date = rest.split('&').next().unwrap_or(rest);
            signed_at = Time::from_compact(date);
        }
        Some((signed_at, entry.expires_at))
    }

    /// Drops the entries that `whose` picks and returns their number.
    pub(crate) fn remove(&mut self, whose: impl Fn(&PassfileKey) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|key, _| !whose(key));
        before - self.entries.len()
    }

    /// Drops entries whose time has passed: a client that finds none asks, one that finds a dead
    /// one just fails.
    pub(crate) fn drop_expired(&mut self, now: Time) {
        self.entries.retain(|_, entry| entry.expires_at > now);
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &PassfileKey> {
        self.entries.keys()
    }

    /// Returns the entries' lines alone, for a file that no one else writes.
    pub(crate) fn render_lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (key, entry) in &self.entries {
            lines.extend_from_slice(line(key, entry).as_bytes());
            lines.push(b'\n');
        }
        lines
    }

    /// Tells whether nothing is left of a file that pgcred has made.
    pub(crate) fn is_over(&self) -> bool {
        self.created && self.entries.is_empty() && self.user.is_empty()
    }

    /// Puts the file together: the block first, the user's bytes as they were; without entries no
    /// block.
    pub(crate) fn render(&self) -> Vec<u8> {
        if self.entries.is_empty() {
            return self.user.clone();
        }
        // A byte order mark only breaks the line that it is in; moved into the middle it would
        // break another one.
        let (above, below) = if self.user.starts_with(BYTE_ORDER_MARK) {
            let first_line = match self.user.iter().position(|b| *b == b'\n') {
                Some(newline) => newline + 1,
                None => self.user.len(),
            };
            self.user.split_at(first_line)
        } else {
            (&[][..], &self.user[..])
        };
        let joined = !above.is_empty() && !above.ends_with(b"\n");
        let mut text = above.to_vec();
        if joined {
            text.push(b'\n');
        }
        let begin = match (joined, self.created) {
            (true, _) => BEGIN_JOINED,
            (_, true) => BEGIN_CREATED,
            _ => BEGIN,
        };
        let mut block = format!("{begin}\n");
        for (key, entry) in &self.entries {
            let (time, line) = (entry.expires_at.compact(), line(key, entry));
            for part in [EXPIRES, &time, "\n", &line, "\n"] {
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

/// What to do about a damaged block, by the marks that are there.
fn way_out(text: &[u8]) -> &'static str {
    let mut lines = text.split(|b| *b == b'\n').map(content);
    let has_begin = lines.clone().any(|line| line.starts_with(BEGIN_PREFIX));
    let has_end = lines.any(|line| line == END.as_bytes());
    marks::way_out(has_begin, has_end)
}

impl BlockEntry {
    fn parse(line: &[u8], expires_at: Time) -> Option<(PassfileKey, Self)> {
        let [host, port, dbname, user, secret] = fields(line).try_into().ok()?;
        if dbname != b"*" || secret.is_empty() {
            return None;
        }
        let text = |field: &[u8]| String::from_utf8(unescape(field)).ok();
        let key = PassfileKey {
            host: text(host)?,
            port: std::str::from_utf8(port).ok()?.parse().ok()?,
            user: text(user)?,
        };
        let secret = std::str::from_utf8(secret).ok()?.to_owned();
        Some((key, Self { expires_at, secret }))
    }
}

/// Any database: some clients look up none, some the user's name.
fn line(key: &PassfileKey, entry: &BlockEntry) -> String {
    format!(
        "{}:{}:*:{}:{}",
        escape(&key.host),
        key.port,
        escape(&key.user),
        entry.secret
    )
}

enum Block {
    Before,
    Inside,
    After,
}
