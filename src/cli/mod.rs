//! Runs the command line: from the typed words to the exit code.
//!
//! ```text
//! typed_words --> table (grammar) --> command (run) --> exit code
//!                    |
//!                    +--> help: answers for words that are not a command
//! ```
//!
//! `typed_words` rewrites what was typed, `table` is the list of commands. Two commands stand here,
//! because they print the grammar itself: `completions` and `man`.

mod completions;
mod help;
mod man;
mod table;
mod typed_words;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};

use crate::command::aws::TypedWords;
use crate::command::options::GlobalOptions;
use crate::command::run::{failure_code, parse_error};
use crate::error::{Error, Exit, Result};
use crate::output::Output;
use crate::sys::limits;
use crate::text::{backquoted, printable};
use table::{COMMANDS, CommandRow, command_line};

/// Parses the command line, runs the command and reports its error.
pub(crate) fn run() -> ExitCode {
    limits::forbid_core_dumps();
    if completions::is_asked_for() {
        return completions::answer_shell(command_line);
    }
    let arguments = match typed_words::words_to_parse() {
        TypedWords::CommandLine(arguments) => arguments,
        TypedWords::Answer(text) => {
            let _ = Output::answer(text); // if stdout is closed, nobody reads the answer
            return ExitCode::SUCCESS;
        }
    };
    // Neither is ever freed (`ManuallyDrop`): the process ends soon, and the system takes its
    // memory back in one go, which is faster.
    let mut command_line = ManuallyDrop::new(command_line());
    let matches = match command_line.try_get_matches_from_mut(&arguments) {
        Ok(matches) => ManuallyDrop::new(matches),
        Err(error) => return refuse_command_line(error, &arguments),
    };
    match run_command(&matches) {
        Ok(code) => code,
        Err(error) => report_error(&error, &matches),
    }
}

fn run_command(matches: &ArgMatches) -> Result<ExitCode> {
    let Some((name, arguments)) = matches.subcommand() else {
        return Err(Error::usage("no command is given").hint(help::COMMANDS_HINT));
    };
    let Some(entry) = table::row_of_command(name) else {
        let name = backquoted(name);
        return Err(Error::usage(format!("no such command: {name}")).hint(help::COMMANDS_HINT));
    };
    let options = GlobalOptions::from_arg_matches(matches).map_err(parse_error)?;
    (entry.run)(arguments, options)
}

/// Reports the error of a command, and returns the exit code for it.
fn report_error(error: &Error, matches: &ArgMatches) -> ExitCode {
    Output {
        quiet: false,
        debug: matches.get_flag("debug"),
    }
    .report(error);
    let code = match matches.subcommand_name().and_then(table::row_of_command) {
        Some(entry) => (entry.failure_code)(error),
        None => failure_code(error),
    };
    code.into()
}

/// Handles a command line that clap has not accepted: prints help, the version or an error.
fn refuse_command_line(error: clap::Error, arguments: &[OsString]) -> ExitCode {
    let output = Output {
        quiet: false,
        debug: false,
    };
    if error.use_stderr()
        && let Some(entry) = typed_command(arguments)
        && let Some((refusal, code)) = (entry.refusal)(&error)
    {
        output.report(&refusal);
        return code.into();
    }
    let names = COMMANDS.iter().map(|entry| entry.name);
    if let Some(refusal) = help::better_error(&error, arguments, names) {
        output.report(&refusal);
        return Exit::Usage.code().into();
    }
    let mut error = with_visible_words(error, arguments);
    if error.kind() == ErrorKind::DisplayHelp
        && let Some(help) = full_help(arguments)
    {
        error = help;
    }
    let _ = error.print(); // help and version go to stdout, complaints to stderr
    if error.use_stderr() {
        Exit::Usage.code().into()
    } else {
        ExitCode::SUCCESS
    }
}

/// Returns the command that the words begin with.
fn typed_command(arguments: &[OsString]) -> Option<&'static CommandRow> {
    table::row_of_command(arguments.get(1)?.to_str()?)
}

/// Returns what clap shows for words that ask for help, with what only the help shows.
fn full_help(arguments: &[OsString]) -> Option<clap::Error> {
    table::command_line_with_examples()
        .try_get_matches_from(arguments)
        .err()
}

/// Returns the error with its control characters made visible: clap repeats words as they were
/// typed, and a terminal would obey them.
fn with_visible_words(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let mut visible = Vec::new();
    for word in arguments {
        visible.push(match word.to_str() {
            Some(text) => OsString::from(printable(text)),
            None => word.clone(),
        });
    }
    if visible == arguments {
        return error;
    }
    match command_line().try_get_matches_from(visible) {
        Ok(_) => error,
        Err(visible_error) => visible_error,
    }
}
