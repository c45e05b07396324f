//! The table of commands, and the grammar of the command line that is made from it.

use std::process::{ExitCode, Termination};

use clap::{ArgMatches, Args};

use super::completions::Completions;
use super::man::Man;
use crate::command::add::Add;
use crate::command::app::App;
use crate::command::aws::Aws;
use crate::command::configuration::ConfigurationNeed;
use crate::command::doctor::Doctor;
use crate::command::due_file::Refreshed;
use crate::command::erase::Erase;
use crate::command::exec::Exec;
use crate::command::init::Init;
use crate::command::list::List;
use crate::command::login::Login;
use crate::command::options::GlobalOptions;
use crate::command::prompt::Prompt;
use crate::command::refresh::Refresh;
use crate::command::remove::Remove;
use crate::command::roots::Roots;
use crate::command::run::{ForeignHomePolicy, PrintText, Run, arguments_of_text};
use crate::command::setup::Setup;
use crate::command::token::TokenCommand;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::sys::fs;
use crate::sys::terminal;

/// One command.
///
/// clap defines the arguments only of the command that was typed (`defer`): the arguments of all
/// commands would cost more time than everything else that a start does.
pub(super) struct Entry {
    pub(super) name: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    pub(super) run: fn(&ArgMatches, GlobalOptions) -> Result<ExitCode>,
}

/// Every command, in the order of `--help`.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<TokenCommand>("token", "Print a token for a database"),
    entry::<Refresh>("refresh", "Issue tokens and write them to the passfile"),
    entry::<Exec>(
        "exec",
        "Run a program with PG* variables and a private passfile for one connection",
    ),
    entry::<Erase>(
        "erase",
        "Forget tokens: remove them from the passfile and from the cache",
    ),
    entry::<List>(
        "list",
        "List the configured connections and how long their tokens last",
    ),
    entry::<Add>("add", "Add a connection to the configuration"),
    entry::<Remove>(
        "remove",
        "Remove a connection: from the configuration, its tokens, and its entries in tools",
    ),
    entry::<Login>(
        "login",
        "Log in to AWS now, for a profile of SSO or `aws login`",
    ),
    entry::<Setup>(
        "setup",
        "Make a tool connect without a password: DBeaver, pgAdmin, psql and many more",
    ),
    entry::<Doctor>("doctor", "Find out why a login fails, and what to type"),
    entry::<Roots>(
        "roots",
        "Print the file of root certificates that verifies a database's server",
    ),
    entry::<Aws>(
        "aws",
        "Act as the AWS CLI's token commands, for tools that call `aws`",
    ),
    entry::<Prompt>(
        "prompt",
        "Print a connection's state for a shell prompt; nothing if there is nothing to say",
    ),
    text::<Init>(
        "init",
        "Print a shell's hook, which refreshes connections that are due in the background",
    ),
    text::<Completions>(
        "completions",
        "Print the script with which a shell completes pgcred's command line",
    ),
    text::<Man>("man", "Print the manual page"),
];

const fn entry<C: Run>(name: &'static str, about: &'static str) -> Entry {
    Entry {
        name,
        about,
        arguments: C::arguments,
        run: run_command::<C>,
    }
}

const fn text<C: PrintText>(name: &'static str, about: &'static str) -> Entry {
    Entry {
        name,
        about,
        arguments: arguments_of_text::<C>,
        run: print_text::<C>,
    }
}

/// Returns the grammar of the command line.
pub(super) fn command_line() -> clap::Command {
    let mut command = clap::Command::new("pgcred");
    // These options are not global here: clap would copy them into every command at every start.
    // The command that was typed defines its own.
    command = GlobalOptions::augment_args(command).mut_args(|option| option.global(false));
    // After the options, because clap takes the doc comment of their struct for the program's text.
    command = command
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Passwords for PostgreSQL on AWS (Aurora DSQL, RDS and Aurora with IAM), for every \
             tool that wants one",
        )
        .max_term_width(100)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    for entry in COMMANDS {
        let subcommand = clap::Command::new(entry.name)
            .about(entry.about)
            .defer(entry.arguments);
        command = command.subcommand(subcommand);
    }
    command
}

/// Returns clap's error as pgcred's. It cannot happen, because clap itself has parsed the matches.
pub(super) fn parse_error(error: impl std::fmt::Display) -> Error {
    Error::usage(error.to_string())
}

fn run_command<C: Run>(matches: &ArgMatches, options: GlobalOptions) -> Result<ExitCode> {
    let command = C::from_arg_matches(matches).map_err(parse_error)?;
    let need = match (C::MAKES_CONFIG, command.needs_configuration()) {
        (true, _) => ConfigurationNeed::WholeOrNew,
        (false, true) => ConfigurationNeed::Whole,
        (false, false) => ConfigurationNeed::Optional,
    };
    let is_silent = C::IS_SILENT && !options.debug;
    let foreign_home = fs::trust::roots_foreign_home();
    if let Some(why) = &foreign_home {
        match command.foreign_home_policy() {
            ForeignHomePolicy::DoNothing => return Ok(ExitCode::SUCCESS),
            ForeignHomePolicy::Refuse if is_silent => return Ok(why.exit().code().into()),
            ForeignHomePolicy::Refuse => return Err(why.clone()),
            ForeignHomePolicy::GoOn => {}
        }
    }
    let mut app = match App::open(options, need) {
        Ok(app) => app,
        Err(error) if is_silent => return Ok(error.exit().code().into()),
        Err(error) => return Err(error),
    };
    if let Some(why) = foreign_home {
        app.forbid_writes(&why);
    }
    let stdin = terminal::detach_stdin()?;
    let end = command.run(&mut app, stdin).map(Termination::report);
    app.update_due_file(Refreshed::No);
    end
}

fn print_text<C: PrintText>(matches: &ArgMatches, options: GlobalOptions) -> Result<ExitCode> {
    let GlobalOptions { config, .. } = options;
    if config.is_some() {
        return Err(
            Error::usage("--config has no effect on what this command prints")
                .hint("leave out --config; PGCRED_HOME=DIRECTORY names another configuration"),
        );
    }
    let command = C::from_arg_matches(matches).map_err(parse_error)?;
    Output::answer(&command.text(command_line)?)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    /// The doc comment of a struct of options would otherwise be taken for the text.
    #[test]
    fn the_help_begins_with_what_pgcred_is() {
        let help = command_line().render_help().to_string();
        assert!(
            help.starts_with("Passwords for PostgreSQL on AWS"),
            "{help}"
        );
    }

    #[test]
    fn global_options_stand_before_the_command_or_after_it() {
        let read = |typed: &str| {
            let matches = command_line()
                .try_get_matches_from(["pgcred"].into_iter().chain(typed.split(' ')))
                .unwrap();
            let global = GlobalOptions::from_arg_matches(&matches).unwrap();
            let (login, mfa_code, config) =
                (global.login.is_some(), global.mfa_code, global.config);
            (
                global.quiet,
                global.timeout.0,
                login,
                mfa_code,
                global.debug,
                config,
            )
        };
        let text = |text: &str| Some(text.to_owned());
        let all = "-q --timeout 5 --login=never --mfa-code 1 --debug --config a";
        let found = (true, 5, true, text("1"), true, Some("a".into()));
        for command in ["list", "aws configure list-profiles"] {
            assert_eq!(read(command), (false, 25, false, None, false, None));
            assert_eq!(read(&format!("{all} {command}")), found);
            assert_eq!(read(&format!("{command} {all}")), found);
            let later = (true, 25, true, text("2"), true, Some("b".into()));
            assert_eq!(
                read(&format!(
                    "{all} {command} --timeout 25 --mfa-code 2 --config b"
                )),
                later
            );
        }
    }
}
