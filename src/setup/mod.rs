//! What setting up a tool is made of: the machine, the connections, edits of files as values. Nothing is written here.

pub(crate) mod block;
mod commands;
mod machine;
pub(crate) mod quote;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

pub(crate) use commands::Commands;
pub(crate) use machine::{Machine, Os, libpq_roots};

use crate::error::{Error, Result};
use crate::fs;
use crate::request::Request;

/// A desktop or terminal program, and what makes it connect without a password.
pub(crate) struct Tool {
    /// What is typed: `pgcred setup NAME`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Its programs, as PATH knows them.
    pub(crate) programs: &'static [&'static str],
    /// Application bundles and folders that show that it is there, below the user's and the system's places.
    pub(crate) traces: &'static [&'static str],
    pub(crate) way: Way,
    pub(crate) work: Work,
}

/// How a tool gets its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It runs pgcred when it connects.
    Command,
    /// It reads the passfile, so a token has to stand there before it connects.
    Passfile,
    /// It gets none: it runs pgcred by the clock, for the passfile of the others.
    Scheduler,
}

impl Way {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Passfile => "passfile",
            Self::Scheduler => "scheduler",
        }
    }
}

/// How a tool is set up.
pub(crate) enum Work {
    /// By files that pgcred edits, and steps for the person.
    Files(&'static dyn Files),
    /// By a dialog that a person fills: a template, see [`Commands::fill`].
    Dialog(&'static str),
}

/// A tool whose configuration pgcred edits by its structure.
pub(crate) trait Files: Sync {
    /// The edits that make the tool know these connections.
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>>;

    /// The same as a text for who edits by hand.
    fn text(&self, machine: &Machine, targets: &[Target]) -> String;

    /// The edits that take back all that pgcred has ever put there.
    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>>;

    /// The commands that have to run before the edits, and those after them: a scheduler has to hear of its files.
    fn commands(&self, _: &Machine, _undo: bool) -> [Vec<Vec<String>>; 2] {
        Default::default()
    }

    /// What is left to do for the person, in lines.
    fn steps(&self, machine: &Machine, targets: &[Target]) -> Vec<String>;

    /// The names of the connections that are set up.
    fn state(&self, machine: &Machine) -> Vec<String>;
}

/// A connection under the name that tools show.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) request: Request,
}

/// What an edit changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    /// The user's crontab, which only the program of that name may write.
    Crontab,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Crontab => f.write_str("crontab"),
        }
    }
}

/// One text before and after; `None`: there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) place: Place,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Edit {
    /// An edit of the file as it is; refuses one that is not text.
    pub(crate) fn of(path: PathBuf, change: impl FnOnce(&str) -> Result<Option<String>>) -> Result<Self> {
        let before = fs::read(&path).map(String::from_utf8).transpose();
        let before = before.map_err(|_| Error::usage(format!("{} is not UTF-8", path.display())))?;
        let about = |error: Error| error.about(&path.display().to_string());
        let after = change(before.as_deref().unwrap_or_default()).map_err(about)?;
        Ok(Self { place: Place::File(path), before, after })
    }

    /// An edit that takes back what [`Edit::of`] has put in: `left` is the text without it, `None` if that is nothing.
    ///
    /// The kept copy is given back instead, byte for byte, where it is `the_same` as what is left.
    pub(crate) fn back(
        path: PathBuf,
        left: impl FnOnce(&str) -> Result<Option<String>>,
        the_same: impl FnOnce(&str, &str) -> bool,
    ) -> Result<Self> {
        let was = fs::backup(&path).and_then(|text| String::from_utf8(text).ok());
        let mut edit = Self::of(path, left)?;
        if edit.before.is_none() {
            edit.after = None;
        } else if let Some(was) = was.filter(|was| the_same(was, edit.after.as_deref().unwrap_or_default())) {
            edit.after = Some(was);
        }
        Ok(edit)
    }

    pub(crate) fn changes_something(&self) -> bool {
        self.before != self.after
    }
}
