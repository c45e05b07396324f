//! What helps somebody who types: `pgcred help`, examples below every `--help`, and answers to
//! commands that do not exist.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::{Error, Exit};
use crate::text::host;
use crate::text::suggest;

const FIRST_STEPS: &str = "\
First steps:
  pgcred add prod HOST --profile PROFILE   keep a database as the connection `prod`
  pgcred exec prod -- psql                 open a session
  pgcred refresh                           write tokens to the passfile, for the tools that read it
  pgcred setup                             list the tools that pgcred can set up

";

/// Below the options of each command: one or two lines to type.
#[rustfmt::skip]
const EXAMPLES: &[(&str, &[&str])] = &[
    ("token", &["pgcred token prod", "PGPASSWORD=\"$(pgcred token prod)\" psql -h HOST -U admin postgres"]),
    ("refresh", &["pgcred refresh prod", "pgcred refresh HOST --profile dev --expires-in 1h", "pgcred refresh --watch"]),
    ("exec", &["pgcred exec prod -- psql", "pgcred exec prod -- pg_dump -s"]),
    ("erase", &["pgcred erase prod", "pgcred erase --all"]),
    ("list", &["pgcred list", "pgcred list --format json"]),
    ("add", &[
        "pgcred add prod CLUSTER-ID.dsql.us-east-1.on.aws --profile dev",
        "pgcred add books DB.abc123.eu-west-1.rds.amazonaws.com --user app --profile dev",
        "pgcred add books \"host=DB_HOST hostaddr=127.0.0.1 port=15432 user=app\" --sign-host DB_HOST:5432",
    ]),
    ("remove", &["pgcred remove prod"]),
    ("roots", &["pgcred roots prod", "pgcred roots prod --update"]),
    ("login", &["pgcred login dev"]),
    ("setup", &["pgcred setup", "pgcred setup psql", "pgcred setup dbeaver prod --dry-run", "pgcred setup psql --undo"]),
    ("aws", &["pgcred aws configure list-profiles", "pgcred aws rds generate-db-auth-token --help"]),
    ("prompt", &["pgcred prompt", "pgcred prompt prod --format '{name} {left}'"]),
    ("init", &["eval \"$(pgcred init bash)\"", "pgcred init fish | source"]),
    ("completions", &["pgcred completions bash > ~/.local/share/bash-completion/completions/pgcred"]),
    ("man", &["pgcred man | man -l -"]),
];

/// Words that people type for a command of another name.
#[rustfmt::skip]
const MEANT: &[(&str, &str)] = &[
    ("status", "pgcred list"), ("doctor", "pgcred list"), ("ls", "pgcred list"), ("show", "pgcred list"),
    ("info", "pgcred list"), ("connections", "pgcred list"),
    ("renew", "pgcred refresh"), ("update", "pgcred refresh"), ("watch", "pgcred refresh --watch"),
    ("get", "pgcred token"), ("password", "pgcred token"), ("print", "pgcred token"), ("generate", "pgcred token"),
    ("open", "pgcred exec NAME -- psql"), ("connect", "pgcred exec NAME -- psql"), ("psql", "pgcred exec NAME -- psql"),
    ("run", "pgcred exec NAME -- COMMAND"),
    ("delete", "pgcred remove"), ("rm", "pgcred remove"), ("del", "pgcred remove"),
    ("config", "pgcred add"), ("configure", "pgcred add"), ("new", "pgcred add"), ("create", "pgcred add"),
    ("edit", "pgcred add NAME HOST --replace"),
    ("logout", "pgcred erase"), ("forget", "pgcred erase"), ("clear", "pgcred erase"), ("clean", "pgcred erase"),
    ("install", "pgcred setup"), ("sso", "pgcred login"), ("version", "pgcred --version"),
];

/// `pgcred help COMMAND` is `pgcred COMMAND --help`.
pub(super) fn as_option(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

/// Returns what to type for a command.
pub(super) fn examples(command: &str) -> &'static [&'static str] {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == command)
        .map_or(&[], |(_, lines)| lines)
}

/// Adds what only the help shows, and what would cost time at every start.
pub(super) fn with_examples(mut command: clap::Command) -> clap::Command {
    command = command.after_help(format!("{FIRST_STEPS}{}", Exit::help()));
    for (name, lines) in EXAMPLES {
        let text = format!("Examples:\n  {}", lines.join("\n  "));
        command = command.mut_subcommand(name, |subcommand| subcommand.after_help(text));
    }
    command
}

/// Returns what to say in the place of clap: of a command that does not exist, and of a `-h` that
/// was meant for a host.
pub(super) fn refusal(
    error: &clap::Error,
    words: &[OsString],
    commands: impl Iterator<Item = &'static str> + Clone,
) -> Option<Error> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand)
            else {
                return None;
            };
            Some(
                Error::usage(format!("unrecognized command {}", host::quoted(typed)))
                    .hint(meant(typed, commands)),
            )
        }
        ErrorKind::UnknownArgument => {
            let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
                return None;
            };
            let command = words
                .iter()
                .position(|word| commands.clone().any(|name| *word == name))?;
            if words[command] != "exec" || typed.starts_with('-') {
                return None;
            }
            let target = words
                .get(command + 1)
                .and_then(|word| word.to_str())
                .filter(|word| is_plain(word));
            let program = Some(typed.as_str())
                .filter(|word| is_plain(word))
                .unwrap_or("COMMAND");
            let wrong = Error::usage(format!("unexpected argument {program}"));
            let right = format!("pgcred exec {} -- {program}", target.unwrap_or("TARGET"));
            Some(wrong.hint(format!("put `--` before the program: {right}")))
        }
        // Help on stdout with 0 would be taken for a password.
        ErrorKind::DisplayHelp
            if !words.iter().any(|word| word == "--help") && words.last()? != "-h" =>
        {
            let wrong = Error::usage("-h is the help here, and something stands behind it");
            Some(wrong.hint("for the help: --help; for a host: pgcred token -h HOST"))
        }
        _ => None,
    }
}

/// Whether a word is a name and not an option, or a URI or conninfo string, which may hold a
/// password.
fn is_plain(word: &str) -> bool {
    !word.starts_with('-')
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c))
}

fn meant(typed: &str, commands: impl Iterator<Item = &'static str>) -> String {
    let word = typed.to_lowercase();
    if let Some((_, command)) = MEANT.iter().find(|(known, _)| *known == word) {
        return format!("did you mean `{command}`?");
    }
    if typed.contains('.') {
        return "for a token: pgcred token HOST; pgcred --help lists the commands".to_owned();
    }
    suggest::nearest(&word, commands).map_or_else(
        || "pgcred --help lists the commands".to_owned(),
        |command| format!("did you mean `pgcred {command}`?"),
    )
}
