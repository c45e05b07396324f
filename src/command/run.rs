//! The traits of commands: how a command defines its arguments, what it needs before it can run,
//! and how it runs.

use std::process::Termination;

use clap::{Arg, ArgAction, Args, FromArgMatches};

use super::app::App;
use super::options::GlobalOptions;
use crate::error::Result;
use crate::sys::terminal::Stdin;

/// A command that works with the configuration, the cache or AWS.
pub(crate) trait Run: FromArgMatches + Args {
    /// Nothing, or the exit code.
    type Outcome: Termination;
    /// Whether the command may ask AWS. If not, the help leaves the options for that out.
    const ASKS_AWS: bool = true;
    /// Whether the configuration file that `--config` names may be missing.
    const MAKES_CONFIG: bool = false;
    /// Whether the command says nothing about a configuration that cannot be used, because it runs
    /// at every prompt of a shell.
    const IS_SILENT: bool = false;

    /// Tells whether the command fails if the configuration cannot be read.
    fn needs_configuration(&self) -> bool {
        true
    }

    /// Returns what the command does if root runs it in the home directory of another user.
    fn foreign_home_policy(&self) -> ForeignHomePolicy {
        ForeignHomePolicy::Refuse
    }

    /// Adds the command's arguments to its definition.
    fn arguments(command: clap::Command) -> clap::Command {
        arguments_of::<Self>(command)
    }

    fn run(self, app: &mut App, stdin: Option<Stdin>) -> Result<Self::Outcome>;
}

/// A command that only prints a text. It needs neither configuration nor cache, and works however
/// broken they are.
pub(crate) trait PrintText: FromArgMatches + Args {
    /// Returns the text. `grammar` defines the whole command line, for the commands that print what
    /// can be typed.
    fn text(self, grammar: fn() -> clap::Command) -> Result<String>;
}

/// What a command does if root runs it in the home directory of another user: see
/// [`crate::sys::fs::trust::roots_foreign_home`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignHomePolicy {
    /// The command would write there.
    Refuse,
    /// The command needs no file there: it only gives a token out.
    GoOn,
    /// A shell's hook or a scheduler runs the command, and no user sees its output.
    DoNothing,
}

/// Options that have no meaning if AWS is not asked.
const OF_AWS: [&str; 3] = ["timeout", "login", "mfa_code"];

/// Returns the definition of a command that runs, with its arguments and the global options.
pub(crate) fn arguments_of<C: Run>(command: clap::Command) -> clap::Command {
    let command = with_arguments::<C>(command);
    if C::ASKS_AWS {
        command
    } else {
        hide(command, &OF_AWS)
    }
}

/// Returns the definition of a command that only prints a text.
pub(crate) fn arguments_of_text<C: PrintText>(command: clap::Command) -> clap::Command {
    hide(hide(with_arguments::<C>(command), &OF_AWS), &["config"])
}

fn with_arguments<C: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let command = C::augment_args(GlobalOptions::augment_args(command).next_help_heading(None));
    let command = command.about(about).long_about(None); // a group of options has put its own there
    if !command
        .get_arguments()
        .any(|argument| argument.get_short() == Some('h'))
    {
        return command;
    }
    // Where a host is asked for, `-h` is psql's.
    let help = Arg::new("help")
        .long("help")
        .action(ArgAction::Help)
        .help("Print help");
    command.disable_help_flag(true).arg(help)
}

/// Leaves options out of the help; they are accepted all the same.
pub(super) fn hide(command: clap::Command, options: &[&str]) -> clap::Command {
    options.iter().fold(command, |command, option| {
        command.mut_arg(option, |argument| argument.hide(true))
    })
}
