//! Defines the traits of commands: how a command defines its arguments, what it needs before it can
//! run, how it runs, and how it ends if it fails.

use std::fmt;
use std::ops::ControlFlow;
use std::process::{ExitCode, Termination};

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use super::app::App;
use super::due_file::RefreshState;
use super::needs::CommandNeeds;
use super::options::GlobalOptions;
use crate::error::{Error, Result};
use crate::sys::terminal::{self, InheritedStdin};

/// A command that works with the configuration, the cache or an authority.
pub(crate) trait RunCommand: FromArgMatches + Args {
    /// Nothing, or the exit code.
    type Outcome: Termination;
    /// What the command needs before it can run.
    const NEEDS: CommandNeeds = CommandNeeds::USUAL;

    /// Returns what the command needs with the options that were typed.
    fn needs(&self) -> CommandNeeds {
        Self::NEEDS
    }

    /// Adds the command's arguments to its definition.
    fn arguments(command: clap::Command) -> clap::Command {
        arguments_of::<Self>(command)
    }

    fn run(self, app: &mut App, stdin: Option<InheritedStdin>) -> Result<Self::Outcome>;

    /// Returns the exit code for an error that `run` returns, or that comes before it.
    fn failure_code(error: &Error) -> u8 {
        failure_code(error)
    }

    /// Returns the error and the exit code for words that clap does not accept, if the command has
    /// its own.
    fn refusal(_: &clap::Error) -> Option<(Error, u8)> {
        None
    }
}

/// A command that only prints a text. It needs neither configuration nor cache, and works however
/// broken they are.
pub(crate) trait PrintText: FromArgMatches + Args {
    /// Returns the text. `grammar` defines the whole command line, for the commands that print what
    /// can be typed.
    fn text(self, grammar: fn() -> clap::Command) -> Result<String>;
}

/// Runs a command with the arguments that were typed, and returns its exit code.
pub(crate) fn run_command<C: RunCommand>(
    matches: &ArgMatches,
    options: GlobalOptions,
) -> Result<ExitCode> {
    let command = C::from_arg_matches(matches).map_err(parse_error)?;
    let mut app = match command.needs().open(options)? {
        ControlFlow::Continue(app) => app,
        ControlFlow::Break(code) => return Ok(code),
    };
    let stdin = terminal::detach_stdin()?;
    let outcome = command.run(&mut app, stdin).map(Termination::report);
    app.update_due_file(RefreshState::NotRefreshed);
    outcome
}

/// Returns the exit code for an error, for a command without exit codes of its own.
pub(crate) fn failure_code(error: &Error) -> u8 {
    error.exit().code()
}

/// Returns clap's error as pgcred's. It cannot happen, because clap itself has parsed the matches.
pub(crate) fn parse_error(error: impl fmt::Display) -> Error {
    // No hint: clap's own text says what to type.
    Error::usage(error.to_string())
}

/// Options that have no meaning if no authority is asked.
const OPTIONS_OF_ASKING: [&str; 3] = ["timeout", "login", "mfa_code"];

/// Returns the definition of a command that runs, with its arguments and the global options.
pub(crate) fn arguments_of<C: RunCommand>(command: clap::Command) -> clap::Command {
    let command = with_arguments::<C>(command);
    if C::NEEDS.asks_authority {
        command
    } else {
        hide_options(command, &OPTIONS_OF_ASKING)
    }
}

/// Returns the definition of a command that only prints a text.
pub(crate) fn arguments_of_text<C: PrintText>(command: clap::Command) -> clap::Command {
    hide_options(
        hide_options(with_arguments::<C>(command), &OPTIONS_OF_ASKING),
        &["config"],
    )
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
pub(super) fn hide_options(command: clap::Command, options: &[&str]) -> clap::Command {
    options.iter().fold(command, |command, option| {
        command.mut_arg(option, |argument| argument.hide(true))
    })
}
