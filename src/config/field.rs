//! Reads the keys of a TOML table with their values, and remembers where each stands: an error gets
//! the line and the key.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};
use crate::text::backquoted;

/// A value and where it stands: of a table with a header that is the header.
pub(super) type ConfigItem<'t> = Spanned<DeValue<'t>>;

/// Turns places in a text into line numbers. It counts only when an error asks, so that the time
/// to read a file grows with its length and no faster.
#[derive(Clone, Copy)]
pub(super) struct LineNumbers<'a>(Option<&'a str>);

impl<'a> LineNumbers<'a> {
    pub(super) fn from_text(text: &'a str) -> Self {
        Self(Some(text))
    }

    /// For a text that no user has seen: errors name the key alone.
    pub(super) const OF_UNSEEN_TEXT: Self = Self(None);

    /// Puts line and key in front of an error.
    pub(super) fn locate(self, error: Error, span: Range<usize>, key: &str) -> Error {
        let error = if key.is_empty() {
            error
        } else {
            error.about(key)
        };
        match self.0.and_then(|text| text.as_bytes().get(..span.start)) {
            Some(preceding) => error.about(&format!(
                "line {}",
                preceding.split(|b| *b == b'\n').count()
            )),
            None => error,
        }
    }
}

/// What a table is called in errors.
#[derive(Clone, Copy)]
pub(super) enum TableName<'a> {
    /// The file itself.
    File,
    Command(&'a str),
    Connection(&'a str),
    Rule,
}

impl fmt::Display for TableName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Command(name) => write!(f, "command.{name}"),
            Self::Connection(name) => write!(f, "connections.{name}"),
            Self::Rule => f.write_str("match"),
        }
    }
}

/// One key of a table and its value.
pub(super) struct ConfigField<'a> {
    pub(super) lines: LineNumbers<'a>,
    table: TableName<'a>,
    pub(super) key: &'a str,
    pub(super) item: &'a ConfigItem<'a>,
}

/// Returns the keys of a table.
pub(super) fn fields<'a>(
    table: &'a DeTable<'a>,
    name: TableName<'a>,
    lines: LineNumbers<'a>,
) -> impl Iterator<Item = ConfigField<'a>> {
    table.iter().map(move |(key, item)| ConfigField {
        lines,
        table: name,
        key: key.get_ref(),
        item,
    })
}

impl<'a> ConfigField<'a> {
    /// Takes the value apart; an error gets the line and the key.
    pub(super) fn read<T>(&self, value: impl FnOnce(&'a DeValue<'a>) -> Result<T>) -> Result<T> {
        value(self.item.get_ref()).map_err(|error| self.located_error(error))
    }

    pub(super) fn located_error(&self, error: Error) -> Error {
        self.located_error_at(error, self.item.span())
    }

    pub(super) fn located_error_at(&self, error: Error, span: Range<usize>) -> Error {
        self.lines.locate(error, span, &self.path(self.key))
    }

    pub(super) fn unknown_key(&self, keys: &[&str]) -> Error {
        let hint = format!("use one of the keys {}", keys.join(", "));
        self.refusal(Error::usage("no such key").hint(hint))
    }

    pub(super) fn refusal(&self, error: Error) -> Error {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        // A key in quotes can hold anything.
        let key = if self.key.bytes().all(is_plain) {
            self.key.to_owned()
        } else {
            backquoted(self.key)
        };
        self.lines.locate(error, self.item.span(), &self.path(&key))
    }

    fn path(&self, key: &str) -> String {
        match self.table {
            TableName::File => key.to_owned(),
            table => format!("{table}.{key}"),
        }
    }
}
