//! Lists the commands, and makes the grammar of the command line from that list.
//!
//! A row has everything that the command line knows of a command: its name, what it does, examples,
//! its arguments, how it runs and how it ends if it fails. The help, the manual page and the hints
//! for unknown commands come from the same rows.

use std::process::ExitCode;

use clap::{ArgMatches, Args};

use super::completions::CompletionsCommand;
use super::help::FIRST_STEPS;
use super::man::ManCommand;
use crate::command::add::AddCommand;
use crate::command::aws::AwsCommand;
use crate::command::discover::DiscoverCommand;
use crate::command::doctor::DoctorCommand;
use crate::command::erase::EraseCommand;
use crate::command::exec::ExecCommand;
use crate::command::init::InitCommand;
use crate::command::list::ListCommand;
use crate::command::login::LoginCommand;
use crate::command::options::GlobalOptions;
use crate::command::policy::PolicyCommand;
use crate::command::prompt::PromptCommand;
use crate::command::proxy::ProxyCommand;
use crate::command::refresh::RefreshCommand;
use crate::command::remove::RemoveCommand;
use crate::command::roots::RootsCommand;
use crate::command::run::{
    PrintText, RunCommand, arguments_of_text, failure_code, parse_error, run_command,
};
use crate::command::setup::SetupCommand;
use crate::command::token::TokenCommand;
use crate::error::{Error, Exit, Result};
use crate::output::Output;
use crate::provider;
use crate::shell::LINES;

/// One command.
///
/// clap defines the arguments only of the command that was typed (`defer`): the arguments of all
/// commands would cost more time than everything else that a start does.
pub(super) struct CommandRow {
    pub(super) name: &'static str,
    /// With [`LOGINS`] where it is said to whom one logs in.
    about: &'static str,
    /// Command lines that stand below the command's help and in the manual page.
    examples: &'static [&'static str],
    arguments: fn(clap::Command) -> clap::Command,
    pub(super) run: fn(&ArgMatches, GlobalOptions) -> Result<ExitCode>,
    /// Returns the exit code for an error of the command.
    pub(super) failure_code: fn(&Error) -> u8,
    /// Returns the error and the exit code for words that clap does not accept, if the command has
    /// its own.
    pub(super) refusal: fn(&clap::Error) -> Option<(Error, u8)>,
}

/// Stands in the text about a command for the authorities, and for what one logs in to them.
const LOGINS: &str = "@LOGINS@";

/// The line above the examples of a command.
const EXAMPLES: &str = "Examples:";

/// Every command, in the order of `--help`.
pub(super) static COMMANDS: &[CommandRow] = &[
    command_row::<TokenCommand>(
        "token",
        "Print a token for a database",
        &[
            "pgcred token prod",
            "PGPASSWORD=\"$(pgcred token prod)\" psql -h HOST -U admin postgres",
        ],
    ),
    command_row::<RefreshCommand>(
        "refresh",
        "Issue tokens and write them to the passfile",
        &[
            "pgcred refresh prod",
            "pgcred refresh HOST --profile dev --expires-in 1h",
            "pgcred refresh --watch",
        ],
    ),
    command_row::<ExecCommand>(
        "exec",
        "Run a program with PG* variables and a private passfile for one connection",
        &["pgcred exec prod -- psql", "pgcred exec prod -- pg_dump -s"],
    ),
    command_row::<ProxyCommand>(
        "proxy",
        "Let tools that know only a fixed password log in, through a gateway on this machine",
        &[
            "pgcred proxy",
            "pgcred proxy prod --listen 15432",
            "pgcred proxy --password prod",
        ],
    ),
    command_row::<EraseCommand>(
        "erase",
        "Forget tokens: remove them from the passfile and from the cache",
        &["pgcred erase prod", "pgcred erase --all"],
    ),
    command_row::<ListCommand>(
        "list",
        "List the configured connections and how long their tokens last",
        &["pgcred list", "pgcred list --format json"],
    ),
    command_row::<DiscoverCommand>(
        "discover",
        "List the databases that your profiles may see, and make connections of them",
        &[
            "pgcred discover",
            "pgcred discover --add 'orders*' --user app",
            "pgcred discover --profile 'team-*' --all-regions --format json",
        ],
    ),
    command_row::<AddCommand>(
        "add",
        "Add a connection to the configuration",
        &[
            "pgcred add prod CLUSTER-ID.dsql.us-east-1.on.aws --profile dev",
            "pgcred add books DB.abc123.eu-west-1.rds.amazonaws.com --user app --profile dev",
            "pgcred add books \"host=DB_HOST hostaddr=127.0.0.1 port=15432 user=app\" \
             --sign-host DB_HOST:5432",
            "pgcred add lake LAKEBASE_HOST --user ann@example.com --profile dev \
             --var endpoint=PATH",
            "pgcred add prod --profile ops --replace",
            "pgcred add --from team.toml --dry-run",
        ],
    ),
    command_row::<RemoveCommand>(
        "remove",
        "Remove a connection: from the configuration, its tokens, and its entries in tools",
        &["pgcred remove prod"],
    ),
    command_row::<LoginCommand>("login", "Log in now to @LOGINS@", &["pgcred login dev"]),
    command_row::<SetupCommand>(
        "setup",
        "Make a tool connect without a password: DBeaver, pgAdmin, psql and many more",
        &[
            "pgcred setup",
            "pgcred setup psql",
            "pgcred setup dbeaver prod --dry-run",
            "pgcred setup psql --undo",
            "pgcred setup --all",
        ],
    ),
    command_row::<DoctorCommand>(
        "doctor",
        "Find out why a login fails, and what to type",
        &[
            "pgcred doctor prod",
            "pgcred doctor prod --aws",
            "pgcred doctor --check passfile,tls",
        ],
    ),
    command_row::<PolicyCommand>(
        "policy",
        "Print the policy and the SQL that let a user log in with tokens",
        &[
            "pgcred policy prod",
            "pgcred policy prod --user app --format sql",
            "pgcred policy --for discover --format json",
        ],
    ),
    command_row::<RootsCommand>(
        "roots",
        "Print the file of root certificates that verifies a database's server",
        &["pgcred roots prod", "pgcred roots prod --update"],
    ),
    command_row::<AwsCommand>(
        "aws",
        "Act as the AWS CLI's token commands, for tools that call `aws`",
        &[
            "pgcred aws configure list-profiles",
            "pgcred aws rds generate-db-auth-token --help",
        ],
    ),
    command_row::<PromptCommand>(
        "prompt",
        "Print a connection's state for a shell prompt; nothing if there is nothing to say",
        &[
            "pgcred prompt",
            "pgcred prompt prod --format '{name} {left}'",
        ],
    ),
    text_row::<InitCommand>(
        "init",
        "Print a shell's hook, which refreshes connections that are due in the background",
        &LINES,
    ),
    text_row::<CompletionsCommand>(
        "completions",
        "Print the script with which a shell completes pgcred's command line",
        &["pgcred completions bash > ~/.local/share/bash-completion/completions/pgcred"],
    ),
    text_row::<ManCommand>("man", "Print the manual page", &["pgcred man | man -l -"]),
];

const fn command_row<C: RunCommand>(
    name: &'static str,
    about: &'static str,
    examples: &'static [&'static str],
) -> CommandRow {
    CommandRow {
        name,
        about,
        examples,
        arguments: C::arguments,
        run: run_command::<C>,
        failure_code: C::failure_code,
        refusal: C::refusal,
    }
}

const fn text_row<C: PrintText>(
    name: &'static str,
    about: &'static str,
    examples: &'static [&'static str],
) -> CommandRow {
    CommandRow {
        name,
        about,
        examples,
        arguments: arguments_of_text::<C>,
        run: print_text::<C>,
        failure_code,
        refusal: |_| None,
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
            "Passwords for PostgreSQL that nobody types: AWS's IAM tokens for Aurora DSQL, RDS and \
             Aurora, and the tokens of other clouds by a command, for every tool that wants one",
        )
        .max_term_width(100)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let logins = provider::logins();
    for entry in COMMANDS {
        let subcommand = clap::Command::new(entry.name)
            .about(entry.about.replace(LOGINS, &logins))
            .defer(entry.arguments);
        command = command.subcommand(subcommand);
    }
    command
}

/// Returns the grammar with the texts that only the help and the manual page show, because they
/// would cost time at every start.
pub(super) fn command_line_with_examples() -> clap::Command {
    let mut command = command_line();
    command = command.after_help(format!("{FIRST_STEPS}{}", Exit::help()));
    for entry in COMMANDS {
        let text = format!("{EXAMPLES}\n  {}", entry.examples.join("\n  "));
        command = command.mut_subcommand(entry.name, |subcommand| subcommand.after_help(text));
    }
    command
}

pub(super) fn row_of_command(name: &str) -> Option<&'static CommandRow> {
    COMMANDS.iter().find(|entry| entry.name == name)
}

fn print_text<C: PrintText>(matches: &ArgMatches, options: GlobalOptions) -> Result<ExitCode> {
    let GlobalOptions { config, .. } = options;
    if config.is_some() {
        return Err(
            Error::usage("--config has no effect on what this command prints").hint(
                "leave out --config, or name another configuration with PGCRED_HOME=DIRECTORY",
            ),
        );
    }
    let command = C::from_arg_matches(matches).map_err(parse_error)?;
    Output::answer(&command.text(command_line_with_examples)?)?;
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
            help.starts_with("Passwords for PostgreSQL that nobody types"),
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
