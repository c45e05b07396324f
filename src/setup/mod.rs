//! What setting up a tool is made of: the machine, the connections, edits as values. Nothing is
//! written here but the crontab.

pub(crate) mod block;
mod commands;
pub(crate) mod crontab;
mod machine;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use commands::Commands;
pub(crate) use machine::{Machine, Os};

use crate::error::{Error, Result};
use crate::request::Request;
use crate::roots::TrustedRoots;
use crate::sys::fs;
use crate::text;

/// A desktop or terminal program, and what makes it connect without a password.
pub(crate) struct Tool {
    /// What is typed: `pgcred setup NAME`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Its programs, as PATH knows them.
    pub(crate) programs: &'static [&'static str],
    /// Application bundles and directories that show that it is there, below the user's and the
    /// system's places.
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
    /// Why this connection cannot be set up though others can: in its place is something of the
    /// person's own.
    fn clash(&self, _: &Machine, _: &Target) -> Option<Error> {
        None
    }

    /// The edits that make the tool know these connections.
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>>;

    /// The same as a text for who edits by hand.
    fn text(&self, machine: &Machine, targets: &[Target]) -> String;

    /// The edits that take back all that pgcred has ever put there.
    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>>;

    /// The edits that take back these entries, of those in [`Files::names`], and not all of them.
    fn without(&self, machine: &Machine, names: &[String]) -> Result<Vec<Edit>>;

    /// The names of the entries that can be taken back one by one.
    fn names(&self, machine: &Machine) -> Vec<String> {
        self.state(machine)
    }

    /// What no edit takes back, in lines.
    fn left(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    /// The commands that have to run before the edits, and those after them: a scheduler has to
    /// hear of its files.
    fn commands(&self, _: &Machine, _undo: bool) -> [Vec<Vec<String>>; 2] {
        Default::default()
    }

    /// A command that ends well only where whoever has to hear of the files is there.
    fn greeting(&self) -> Option<&'static [&'static str]> {
        None
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
    /// What verifies the server, if anything is to.
    pub(crate) roots: Option<TrustedRoots>,
}

impl Target {
    /// Returns libpq's keywords besides the address: TLS that verifies, unless TARGET says
    /// otherwise.
    pub(crate) fn options(&self) -> Vec<(&str, String)> {
        self.request
            .all_options(self.roots.as_ref().map(TrustedRoots::libpq).as_deref())
    }

    /// Returns pgjdbc's properties for the same: a file of root certificates, or Java's own trust
    /// store.
    pub(crate) fn java_tls(&self) -> Vec<(&'static str, String)> {
        const JAVAS_OWN: &str = "org.postgresql.ssl.DefaultJavaSSLFactory";
        let roots = self.roots.as_ref().map(TrustedRoots::java);
        let roots = roots.map(|file| {
            file.map_or(("sslfactory", JAVAS_OWN.to_owned()), |file| {
                ("sslrootcert", file)
            })
        });
        std::iter::once(("sslmode", self.request.sslmode().to_owned()))
            .chain(roots)
            .collect()
    }
}

/// Refuses what would be another line, or a broken one, in a tool's file or in a command: control
/// characters in a path or a name, and a path that is no text.
pub(crate) fn check_words(machine: &Machine, targets: &[Target]) -> Result<()> {
    let mut words = Vec::new();
    for path in [
        Some(&machine.pgcred),
        machine.named_config.as_ref(),
        Some(&machine.own),
    ]
    .into_iter()
    .flatten()
    {
        let unclear = || {
            Error::usage(format!("the path {} is not UTF-8", path.display()))
                .hint("rename the directory")
        };
        words.push(path.to_str().ok_or_else(unclear)?.to_owned());
    }
    for target in targets {
        let request = &target.request;
        words.extend(
            [
                &target.name,
                &request.host,
                &request.sign_host,
                &request.user,
                &request.dbname,
            ]
            .map(Clone::clone),
        );
        words.extend(request.profile.iter().chain(&request.region).cloned());
        words.extend(target.options().into_iter().map(|(_, value)| value));
    }
    match words.iter().find(|word| word.contains(char::is_control)) {
        Some(word) => Err(Error::usage(format!(
            "`{}` has a control character, which no tool's file can hold",
            text::shown(word)
        ))
        .hint("rename the file, directory or profile that is called so")),
        None => Ok(()),
    }
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

/// What tells pgcred's part of a file from the person's own.
pub(crate) enum Own {
    /// The whole file, if this is in it.
    Marked(&'static str),
    Part {
        /// The text without pgcred's part; `None` if that is nothing.
        without: fn(&str) -> Result<Option<String>>,
        /// Whether two texts without that part say the same.
        same: fn(&str, &str) -> bool,
    },
}

impl Own {
    /// A file that begins as those of the schedulers do.
    pub(crate) const WRITTEN: Self = Self::Marked("Written by `pgcred setup");

    fn without(&self, text: &str) -> Result<Option<String>> {
        match self {
            Self::Marked(mark) => Ok((!text.contains(mark)).then(|| text.to_owned())),
            Self::Part { without, .. } => without(text),
        }
    }

    /// Whether a kept copy is what was there before pgcred, byte for byte.
    fn is_origin(&self, copy: &str, left: Option<&str>) -> bool {
        match self {
            Self::Marked(mark) => left.is_none() && !copy.contains(mark),
            Self::Part { same, .. } => same(copy, left.unwrap_or_default()),
        }
    }
}

/// One text before and after; `None`: there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) place: Place,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// What a copy has to be kept of: the person's own part, unless there is one already.
    pub(crate) keep: Option<String>,
}

impl Edit {
    /// An edit of the file as it is; refuses one that is not text.
    pub(crate) fn of(
        path: PathBuf,
        own: &Own,
        change: impl FnOnce(&str) -> Result<String>,
    ) -> Result<Self> {
        let before = fs::read_plain(&path)?;
        let about = |error: Error| error.about(&path.display().to_string());
        let after = change(before.as_deref().unwrap_or_default()).map_err(about)?;
        let left = before
            .as_deref()
            .map_or(Ok(None), |before| own.without(before))
            .map_err(about)?;
        let keep =
            left.filter(|left| kept(&path).is_none_or(|copy| !own.is_origin(&copy, Some(left))));
        Ok(Self {
            place: Place::File(path),
            before,
            after: Some(after),
            keep,
        })
    }

    /// An edit that takes back what [`Edit::of`] has put in; the kept copy is given back, if that
    /// says the same.
    pub(crate) fn back(path: PathBuf, own: &Own) -> Result<Self> {
        let before = fs::read_plain(&path)?;
        let about = |error: Error| error.about(&path.display().to_string());
        let left = before
            .as_deref()
            .map_or(Ok(None), |before| own.without(before))
            .map_err(about)?;
        let copy = before
            .as_ref()
            .and_then(|_| kept(&path))
            .filter(|copy| own.is_origin(copy, left.as_deref()));
        Ok(Self {
            place: Place::File(path),
            before,
            after: copy.or(left),
            keep: None,
        })
    }

    pub(crate) fn changes_something(&self) -> bool {
        self.before != self.after
    }
}

fn kept(path: &Path) -> Option<String> {
    fs::backup(path).and_then(|text| String::from_utf8(text).ok())
}
