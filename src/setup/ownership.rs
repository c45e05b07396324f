//! Tells which part of an edited file is pgcred's and which is the user's, and makes the edits that
//! change only the one and restore the other.
//!
//! A file that `pgcred setup` changes has up to two parts:
//!
//! - *pgcred's part*: the whole file if pgcred made it, or the lines and entries that it put in;
//! - *the user's part*: everything else. `setup` and `--undo` never change it.
//!
//! The first time that pgcred changes a file with a user's part, it keeps a copy of that part
//! beside the file: the *backup*. `--undo` takes pgcred's part out. If the user's part still says
//! the same as the backup, the backup is put back byte for byte, with its blanks and its order;
//! otherwise the user has edited the file since, and the user's part stays as it is now.
//!
//! ```text
//!                 SetupEdit::changing         SetupEdit::restoring
//! user's part  ------------------------>  both  ------------------------>  user's part
//!      |                                                                       ^
//!      +--> backup, unless there is one ----- if it says the same -------------+
//! ```
//!
//! An edit changes the text that the edits before it leave, see `drafts`.

use std::path::{Path, PathBuf};

use super::edit::{EditDestination, SetupEdit};
use super::machine::Machine;
use crate::error::Result;
use crate::sys::fs;

/// How pgcred's part of a file is told from the user's.
pub(crate) enum FileOwnership {
    /// The whole file is pgcred's if this text is in it, and the user's if not.
    WholeFile(&'static str),
    /// Parts of the file are pgcred's.
    Part {
        /// Returns the user's part; `None` if nothing is left without pgcred's part.
        users_part: fn(&str) -> Result<Option<String>>,
        /// Tells whether two user's parts say the same.
        is_equivalent: fn(&str, &str) -> bool,
    },
}

impl FileOwnership {
    /// A file that begins as those of the schedulers do.
    pub(crate) const WRITTEN_BY_SETUP: Self = Self::WholeFile("Written by `pgcred setup");

    pub(super) fn users_part(&self, text: &str) -> Result<Option<String>> {
        match self {
            Self::WholeFile(mark) if text.contains(mark) => Ok(None),
            Self::WholeFile(_) => Ok(Some(text.to_owned())),
            Self::Part { users_part, .. } => users_part(text),
        }
    }

    /// Tells whether a backup is what this user's part was before pgcred, byte for byte.
    pub(super) fn is_backup_of(&self, backup: &str, users_part: Option<&str>) -> bool {
        match self {
            Self::WholeFile(mark) => users_part.is_none() && !backup.contains(mark),
            Self::Part { is_equivalent, .. } => {
                is_equivalent(backup, users_part.unwrap_or_default())
            }
        }
    }
}

impl SetupEdit {
    /// Returns the edit that changes a file by `change`. A file that is not text is an error.
    pub(crate) fn changing(
        machine: &Machine,
        path: PathBuf,
        ownership: &FileOwnership,
        change: impl FnOnce(&str) -> Result<String>,
    ) -> Result<Self> {
        let (old_text, users_part) = read_users_part(machine, &path, ownership)?;
        let new_text = change(old_text.as_deref().unwrap_or_default())
            .map_err(|error| error.about(&path.display().to_string()))?;
        let mut backup_text = users_part;
        if let (Some(part), Some(backup)) = (&backup_text, backup_of(&path))
            && ownership.is_backup_of(&backup, Some(part))
        {
            backup_text = None;
        }
        if machine.planned_files.has(&path) {
            backup_text = None; // the first edit of a file keeps the copy
        }
        Ok(Self {
            destination: EditDestination::File(path),
            old_text,
            new_text: Some(new_text),
            backup_text,
        })
    }

    /// Returns the edit that takes pgcred's part out of a file, or removes the file if it is all
    /// pgcred's.
    pub(crate) fn restoring(
        machine: &Machine,
        path: PathBuf,
        ownership: &FileOwnership,
    ) -> Result<Self> {
        let (old_text, users_part) = read_users_part(machine, &path, ownership)?;
        let mut new_text = users_part;
        if old_text.is_some()
            && let Some(backup) = backup_of(&path)
            && ownership.is_backup_of(&backup, new_text.as_deref())
        {
            new_text = Some(backup);
        }
        Ok(Self {
            destination: EditDestination::File(path),
            old_text,
            new_text,
            backup_text: None,
        })
    }
}

/// Returns the text of a file and the user's part of it, as far as there are any.
fn read_users_part(
    machine: &Machine,
    path: &Path,
    ownership: &FileOwnership,
) -> Result<(Option<String>, Option<String>)> {
    let text = machine.planned_files.read(path).map_err(|error| {
        error.or_hint("move the file away, or let your user read it and save it as UTF-8")
    })?;
    let Some(text) = text else {
        return Ok((None, None));
    };
    let users_part = ownership
        .users_part(&text)
        .map_err(|error| error.about(&path.display().to_string()))?;
    Ok((Some(text), users_part))
}

fn backup_of(path: &Path) -> Option<String> {
    String::from_utf8(fs::backup(path)?).ok()
}
