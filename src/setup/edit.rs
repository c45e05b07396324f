//! Holds edits as plain values: `ownership` makes them, `drafts` remembers what they will leave,
//! and `command::edits` shows and makes them.

use std::fmt;
use std::path::PathBuf;

/// The place of the text that an edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EditDestination {
    File(PathBuf),
    /// The user's crontab, which only the program of that name may write.
    Crontab,
}

impl fmt::Display for EditDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Crontab => f.write_str("crontab"),
        }
    }
}

/// One text before and after; `None` means that there is no such file or crontab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetupEdit {
    pub(crate) destination: EditDestination,
    pub(crate) old_text: Option<String>,
    pub(crate) new_text: Option<String>,
    /// The text that becomes the backup: the user's part, unless there is a backup of it already.
    pub(crate) backup_text: Option<String>,
}

impl SetupEdit {
    pub(crate) fn changes_something(&self) -> bool {
        self.old_text != self.new_text
    }
}
