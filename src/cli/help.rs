//! Helps the user who types a command: with the first steps below `pgcred --help`, and with answers
//! to words that are not a command, each with a hint at the command that was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::authority::LoginPolicy;
use crate::error::Error;
use crate::text::backquoted;
use crate::text::suggest;

/// The hint for a user who has typed no command, or one that does not exist.
pub(super) const COMMANDS_HINT: &str = "run `pgcred --help` to see the commands";

/// What stands below the help of pgcred itself.
pub(super) const FIRST_STEPS: &str = "\
First steps:
  pgcred setup                             ask for profile, databases and tools, and set them up
  pgcred add prod HOST --profile PROFILE   keep a database as the connection `prod`
  pgcred exec prod -- psql                 open a session
  pgcred refresh                           write tokens to the passfile, for the tools that read it

";

/// Words that users type for a command of another name.
#[rustfmt::skip]
const MEANT_COMMANDS: &[(&str, &str)] = &[
    ("status", "pgcred list"), ("ls", "pgcred list"),
    ("diagnose", "pgcred doctor"), ("check", "pgcred doctor"), ("debug", "pgcred doctor"),
    ("show", "pgcred list"), ("info", "pgcred list"), ("connections", "pgcred list"),
    ("renew", "pgcred refresh"), ("update", "pgcred refresh"), ("watch", "pgcred refresh --watch"),
    ("get", "pgcred token"), ("password", "pgcred token"), ("print", "pgcred token"),
    ("generate", "pgcred token"),
    ("open", "pgcred exec NAME -- psql"), ("connect", "pgcred exec NAME -- psql"),
    ("psql", "pgcred exec NAME -- psql"), ("run", "pgcred exec NAME -- COMMAND"),
    ("delete", "pgcred remove"), ("rm", "pgcred remove"), ("del", "pgcred remove"),
    ("config", "pgcred add"), ("configure", "pgcred add"), ("new", "pgcred add"),
    ("create", "pgcred add"), ("edit", "pgcred add NAME HOST --replace"),
    ("logout", "pgcred erase"), ("forget", "pgcred erase"), ("clear", "pgcred erase"),
    ("clean", "pgcred erase"), ("install", "pgcred setup"), ("sso", "pgcred login"),
    ("version", "pgcred --version"),
];

/// Returns the error to report instead of clap's: for a command that does not exist, for a program
/// without `--` before it, and for a `-h` that was meant for a host.
pub(super) fn better_error(
    error: &clap::Error,
    arguments: &[OsString],
    commands: impl Iterator<Item = &'static str> + Clone,
) -> Option<Error> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed_word = error_context(error, ContextKind::InvalidSubcommand)?;
            let refusal = Error::usage(format!("unrecognized command {}", backquoted(typed_word)));
            Some(refusal.hint(hint_at_command(typed_word, commands)))
        }
        ErrorKind::UnknownArgument => {
            let argument = error_context(error, ContextKind::InvalidArg)?;
            if let Ok(policy) = LoginPolicy::parse(argument) {
                let policy = policy.as_str();
                let refusal = Error::usage(format!("unexpected argument {policy}"));
                let hint = format!("write the login policy as --login={policy}");
                return Some(refusal.hint(hint));
            }
            let is_command = |word: &OsString| commands.clone().any(|name| *word == name);
            let command = arguments.iter().position(is_command)?;
            if arguments[command] != "exec" || argument.starts_with('-') {
                return None;
            }
            Some(program_without_mark(argument, arguments.get(command + 1)))
        }
        ErrorKind::MissingRequiredArgument if arguments.iter().any(|word| word == "exec") => {
            let refusal = Error::usage("exec needs a program to run");
            Some(refusal.hint("put the program behind `--`, as in `pgcred exec TARGET -- psql`"))
        }
        // Help on stdout with exit code 0 would be taken for a password.
        ErrorKind::DisplayHelp
            if !arguments.iter().any(|word| word == "--help") && arguments.last()? != "-h" =>
        {
            let refusal = Error::usage("-h asks for help here, but another word follows it");
            Some(refusal.hint("write --help for the help, or `pgcred token -h HOST` for a host"))
        }
        _ => None,
    }
}

/// Returns the error for `pgcred exec TARGET PROGRAM`.
fn program_without_mark(typed_program: &str, target: Option<&OsString>) -> Error {
    let target = match target {
        Some(word) => plain_or(word.to_str().unwrap_or(""), "TARGET"),
        None => "TARGET",
    };
    let program = plain_or(typed_program, "COMMAND");
    Error::usage(format!("unexpected argument {program}")).hint(format!(
        "put `--` before the program, as in `pgcred exec {target} -- {program}`"
    ))
}

fn error_context(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

/// Returns a word that is a name, and another text in the place of an option, or of a URI or a
/// conninfo string, which may hold a password.
fn plain_or<'a>(word: &'a str, replacement: &'a str) -> &'a str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        word
    } else {
        replacement
    }
}

/// Returns a hint at the command that the user may have meant.
fn hint_at_command(typed_command: &str, commands: impl Iterator<Item = &'static str>) -> String {
    let word = typed_command.to_lowercase();
    if let Some((_, command)) = MEANT_COMMANDS.iter().find(|(alias, _)| *alias == word) {
        return format!("did you mean `{command}`?");
    }
    if typed_command.contains('.') {
        return format!("run `pgcred token HOST` for a token; {COMMANDS_HINT}");
    }
    if let Some(command) = suggest::nearest_word(&word, commands) {
        return format!("did you mean `pgcred {command}`?");
    }
    let nearest = suggest::nearest_word(&word, MEANT_COMMANDS.iter().map(|(alias, _)| *alias));
    match MEANT_COMMANDS
        .iter()
        .find(|(alias, _)| Some(*alias) == nearest)
    {
        Some((_, command)) => format!("did you mean `{command}`?"),
        None => COMMANDS_HINT.to_owned(),
    }
}
