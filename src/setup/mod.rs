//! Defines what setting up a tool is made of, as values: the machine, the connections, and the
//! edits of files. Nothing is written here but the crontab, by `crontab.rs`.
//!
//! ```text
//! integrations::TOOLS           a `Tool` for each tool that pgcred knows
//!      | method
//!      +--> Dialog(template)    template.rs fills in the connection; the user types the rest
//!      |         |
//!      |         +--> commands.rs    the command lines that stand in the template
//!      |
//!      +--> Files(ToolFiles)    returns edits of the tool's own files: ownership.rs
//!                |              (scheduler.rs is that of systemd, launchd, cron, Windows
//!                |               and the gateway)
//!                v
//!      command::edits           shows the edits, asks the user, makes them, and takes all of them
//!                               back if one fails
//! ```
//!
//! `machine` is the computer and `target` the connection, as a tool needs them. `edit` is one
//! change of one text, as a value, and `drafts` has the texts that edits will leave, for the next
//! edit of the same file. `block` puts lines of pgcred's into a text file, and `entry` says what
//! stands in a tool's files now.
//!
//! `integrations/README.md` has the recipes for another tool.

pub(crate) mod block;
mod commands;
pub(crate) mod crontab;
mod drafts;
mod edit;
mod entry;
mod machine;
mod ownership;
mod scheduler;
mod target;
mod template;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use commands::CommandLines;
pub(crate) use drafts::FileDrafts;
pub(crate) use edit::{EditDestination, SetupEdit};
pub(crate) use entry::{StoredPassword, ToolEntry};
pub(crate) use machine::{Machine, Os};
pub(crate) use ownership::FileOwnership;
pub(crate) use scheduler::{Schedule, ScheduledText, ScheduledWork, Scheduler};
pub(crate) use target::{TokenUser, ToolTarget, check_texts};
pub(crate) use template::fill_template;

use crate::error::{Error, Result};

/// A desktop or terminal program that pgcred makes connect without a password, or what runs pgcred
/// in the background.
pub(crate) struct Tool {
    /// What the user types: `pgcred setup NAME`.
    pub(crate) name: &'static str,
    /// What the user knows it by.
    pub(crate) title: &'static str,
    /// The names of its programs, which are looked for in PATH.
    pub(crate) programs: &'static [&'static str],
    /// Application bundles and directories that show that the tool is installed. They are looked
    /// for below the home directory, the configuration directory, `/Applications` and `/`.
    pub(crate) traces: &'static [&'static str],
    /// How it gets its password.
    pub(crate) kind: ToolKind,
    /// How it is set up.
    pub(crate) method: SetupMethod,
    /// The one system that it runs on; `None` if it runs on several.
    pub(crate) only_on: Option<Os>,
    /// Tells whether it is given libpq's `hostaddr`: the address that is dialled, while the
    /// host's name is what is verified.
    pub(crate) takes_hostaddr: bool,
    /// Tells whether its files follow the user of a connection, see [`ToolFiles::follow_users`].
    /// Other tools cannot have a connection whose user comes with each token.
    pub(crate) follows_users: bool,
}

impl Tool {
    /// The usual values, for a tool to change those that are its own.
    pub(crate) const DEFAULT: Self = Self {
        name: "",
        title: "",
        programs: &[],
        traces: &[],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(""),
        only_on: None,
        takes_hostaddr: false,
        follows_users: false,
    };

    /// Returns the files of a tool that is set up by files.
    pub(crate) fn files(&self) -> Option<&'static dyn ToolFiles> {
        match self.method {
            SetupMethod::Files(files) => Some(files),
            SetupMethod::Dialog(_) => None,
        }
    }

    /// Tells whether the tool can run on this system.
    pub(crate) fn runs_on(&self, machine: &Machine) -> bool {
        match self.only_on {
            Some(os) => os == machine.os,
            None => true,
        }
    }

    /// Returns what shows that the tool is installed on this machine; `None` on a system on which
    /// it cannot run.
    pub(crate) fn find(&self, machine: &Machine) -> Option<PathBuf> {
        if !self.runs_on(machine) {
            return None;
        }
        machine.find(self.programs, self.traces)
    }

    /// Tells whether the tool is a scheduler that runs pgcred on this machine.
    pub(crate) fn is_scheduler_at_work(&self, machine: &Machine) -> bool {
        self.kind == ToolKind::Scheduler && self.is_set_up(machine)
    }

    /// Tells whether pgcred has put anything into the tool's files.
    pub(crate) fn is_set_up(&self, machine: &Machine) -> bool {
        self.files()
            .is_some_and(|files| !files.configured_names(machine).is_empty())
    }
}

/// How a tool gets its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToolKind {
    /// It runs pgcred when it connects.
    Command,
    /// It reads the passfile, so a token has to stand there before it connects.
    Passfile,
    /// It needs none: it runs `pgcred refresh` by the clock, for the tools that read the passfile.
    Scheduler,
    /// It needs none: it runs the gateway, `pgcred proxy`, for the tools that know only a fixed
    /// password.
    Service,
}

impl ToolKind {
    /// Returns what it does in the background; `None` if it connects itself.
    pub(crate) fn background_work(self) -> Option<&'static str> {
        match self {
            Self::Command | Self::Passfile => None,
            Self::Scheduler => Some("refreshes every connection"),
            Self::Service => Some("serves every connection that has `proxy`"),
        }
    }

    pub(crate) fn is_background(self) -> bool {
        self.background_work().is_some()
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Passfile => "passfile",
            Self::Scheduler => "scheduler",
            Self::Service => "service",
        }
    }
}

/// How a tool is set up.
pub(crate) enum SetupMethod {
    /// By files that pgcred edits, and steps that are left to the user.
    Files(&'static dyn ToolFiles),
    /// By a dialog that the user fills in from a printed template, see [`fill_template`].
    Dialog(&'static str),
}

/// What puts new users into the files of a tool.
#[derive(Default)]
pub(crate) struct FollowedUsers {
    pub(crate) edits: Vec<SetupEdit>,
    /// The users that the tool cannot have, with what to do instead.
    pub(crate) refused: Vec<Error>,
}

/// A tool whose configuration files pgcred edits by their structure.
pub(crate) trait ToolFiles: Sync {
    /// Returns why this connection cannot be set up though others can: the user already has
    /// something of the same name there.
    fn conflict(&self, _: &Machine, _: &ToolTarget) -> Option<Error> {
        None
    }

    /// Returns the edits that make the tool know these connections.
    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>>;

    /// Returns the same as a text, for users who edit by hand.
    fn preview(&self, machine: &Machine, targets: &[ToolTarget]) -> String;

    /// Returns the edits that put these users into the entries of their connections, and change
    /// nothing else. A connection without an entry of pgcred's is left out, and so is a user that
    /// the tool cannot have.
    fn follow_users(&self, _: &Machine, _: &[TokenUser]) -> Result<FollowedUsers> {
        Ok(FollowedUsers::default())
    }

    /// Returns the edits that take back everything that pgcred has ever put there.
    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>>;

    /// Returns the edits that take back some of the entries, but not all.
    fn remove(&self, machine: &Machine, entries: &[String]) -> Result<Vec<SetupEdit>>;

    /// Returns the names of the entries that can be taken back one by one.
    fn entries(&self, machine: &Machine) -> Vec<String> {
        self.configured_names(machine)
    }

    /// Returns what is set up, for the overview of `pgcred setup`.
    fn configured_names(&self, machine: &Machine) -> Vec<String>;

    /// Returns what stands in the tool's files now, whoever has written it. A file that cannot be
    /// read has nothing.
    fn inspect(&self, machine: &Machine) -> Vec<ToolEntry>;

    /// Returns what the tool cannot do with these connections, which the user should know before
    /// saying yes.
    fn warnings(&self, _: &[ToolTarget]) -> Vec<String> {
        Vec::new()
    }

    /// Returns lines that tell the user what is left to do.
    fn steps(&self, machine: &Machine, targets: &[ToolTarget]) -> Vec<String>;

    /// Returns lines that tell the user what no edit takes back.
    fn leftovers(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    /// Returns the commands to run around the edits: a scheduler, or what runs a service, has to be
    /// told of its files.
    fn commands(&self, _: &Machine, _: SetupDirection) -> SetupCommands {
        SetupCommands::default()
    }

    /// Returns a command that succeeds only where the program that has to be told is running.
    fn probe(&self, _: &Machine) -> Option<&'static [&'static str]> {
        None
    }
}

/// Whether edits set something up or take it back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetupDirection {
    SetUp,
    Undo,
}

/// Command lines to run before the edits are made and after them, each as words.
#[derive(Default)]
pub(crate) struct SetupCommands {
    pub(crate) before: Vec<Vec<String>>,
    pub(crate) after: Vec<Vec<String>>,
    /// Where no edit changes a file, these are run first. If all succeed, what was set up before
    /// runs, and the others are left out, because they would end it.
    pub(crate) unchanged: Vec<Vec<String>>,
}
