//! Prints completions for a shell (`pgcred completions`), and answers the shells that ask for them.
//!
//! Options come from the grammar of the command line, connections and profiles from the
//! configuration files, tools and regions from their tables, and programs from PATH.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::process::ExitCode;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{CompleteEnv, Shells};

use crate::command::run::PrintText;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::provider::{self, authorities};
use crate::sys::child;
use crate::sys::env;
use crate::sys::fs;
use crate::sys::paths;
use crate::text;
use crate::text::backquoted;

/// The variable that a shell sets when it wants an answer.
const VARIABLE: &str = "PGCRED_COMPLETE";

/// zsh runs a script on its function path at the first completion, so that the script has to answer
/// that one too.
const ZSH_PRELUDE: &str =
    "if [[ ${funcstack[1]} == _pgcred ]]; then _clap_dynamic_completer_pgcred \"$@\"; fi\n";

#[derive(clap::Args)]
pub(super) struct CompletionsCommand {
    /// The shell that reads the script
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl PrintText for CompletionsCommand {
    fn text(self, _: fn() -> clap::Command) -> Result<String> {
        let shells = Shells::builtins();
        let Some(shell) = shells.completer(&self.shell) else {
            let shell = backquoted(&self.shell);
            let names: Vec<_> = shells.names().collect();
            return Err(Error::no_such_shell(&shell, &names));
        };
        let mut text = Vec::new();
        // The script calls pgcred by its name: a user who completes `pgcred` has it on PATH, and
        // not every script of clap's quotes a path well.
        shell
            .write_registration(VARIABLE, "pgcred", "pgcred", "pgcred", &mut text)
            .map_err(|error| {
                // No hint: the text is written to memory, so this cannot fail for the user.
                Error::failure("cannot write the completions").caused_by(&error)
            })?;
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if self.shell == "zsh" {
            text += ZSH_PRELUDE;
        }
        Ok(text)
    }
}

/// Tells whether a shell asks for the words that may follow.
pub(super) fn is_asked_for() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// Answers a shell. If anything is wrong, the shell gets no candidates, and the user no message.
pub(super) fn answer_shell(grammar: fn() -> clap::Command) -> ExitCode {
    let directory = env::current_directory();
    let _ = CompleteEnv::with_factory(|| add_candidates(grammar()))
        .var(VARIABLE)
        .try_complete(env::arguments(), Some(&directory));
    ExitCode::SUCCESS
}

/// Adds the candidates that only the running program knows.
fn add_candidates(mut command: clap::Command) -> clap::Command {
    command.build();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    for name in names.iter().filter(|name| *name != "aws") {
        command = command.mut_subcommand(name, |subcommand| {
            subcommand.mut_args(|argument| {
                let is_login = name == "login";
                // Options are shown when the user types a dash: otherwise they would hide the few
                // values.
                let is_option = argument.get_long().is_some();
                let argument = if is_option {
                    argument.hide(true)
                } else {
                    argument
                };
                match argument.get_id().as_str() {
                    "target" | "targets" => argument.add(ArgValueCandidates::new(connections)),
                    "name" if name == "remove" => {
                        argument.add(ArgValueCandidates::new(connections))
                    }
                    "name" if is_login => argument.add(ArgValueCandidates::new(profiles)),
                    "profile" => argument.add(ArgValueCandidates::new(profiles)),
                    "region" => argument.add(ArgValueCandidates::new(regions)),
                    "provider" => argument.add(ArgValueCandidates::new(providers)),
                    "tool" => argument.add(ArgValueCompleter::new(tools)),
                    "command" => argument.add(ArgValueCompleter::new(ProgramCandidates)),
                    "passfile" | "config" => argument.value_hint(ValueHint::FilePath),
                    _ => argument,
                }
            })
        });
    }
    command
}

fn connections() -> Vec<CompletionCandidate> {
    let Some(path) = paths::config_file() else {
        return Vec::new();
    };
    let Ok(Some(text)) = fs::read_plain(&path) else {
        return Vec::new();
    };
    let Ok(config) = Config::parse(&text) else {
        return Vec::new();
    };
    let mut candidates = Vec::new();
    for connection in config.connections {
        let host = connection.target.host.map(Into::into);
        candidates.push(CompletionCandidate::new(connection.name).help(host));
    }
    candidates
}

fn profiles() -> Vec<CompletionCandidate> {
    let mut names = Vec::new();
    for authority in authorities() {
        names.extend(authority.profile_names().unwrap_or_default());
    }
    names.retain(|name| can_be_shown(name));
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Tells whether a shell can show a name: shells print candidates as they are, and some split them
/// at line breaks.
fn can_be_shown(name: &str) -> bool {
    text::printable(name) == name
}

fn regions() -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    for authority in authorities() {
        if let Some(regions) = authority.regions() {
            candidates.extend(regions.known_regions().iter().map(CompletionCandidate::new));
        }
    }
    candidates
}

fn providers() -> Vec<CompletionCandidate> {
    let names = provider::names(" ");
    names.split(' ').map(CompletionCandidate::new).collect()
}

/// Returns the tools that begin as typed, in upper or lower case.
fn tools(prefix: &OsStr) -> Vec<CompletionCandidate> {
    let lower_prefix = prefix.to_string_lossy().to_lowercase();
    let mut candidates = Vec::new();
    for tool in TOOLS {
        if tool.name.starts_with(&lower_prefix) {
            candidates.push(CompletionCandidate::new(tool.name).help(Some(tool.title.into())));
        }
    }
    candidates
}

/// The words after `exec NAME --`: a program, then its arguments.
struct ProgramCandidates;

impl ValueCompleter for ProgramCandidates {
    fn complete(&self, prefix: &OsStr) -> Vec<CompletionCandidate> {
        self.complete_at(0, prefix)
    }

    fn complete_at(&self, argument_index: usize, prefix: &OsStr) -> Vec<CompletionCandidate> {
        let text = prefix.to_string_lossy();
        let is_path = text.contains(['/', '\\']);
        if argument_index > 0 || is_path {
            PathCompleter::any().complete(prefix)
        } else {
            programs(&text)
        }
    }
}

/// Returns the programs on PATH that begin as typed; if nothing is typed, those of PostgreSQL.
fn programs(prefix: &str) -> Vec<CompletionCandidate> {
    const OF_POSTGRES: [&str; 8] = [
        "psql",
        "pgcli",
        "pg_dump",
        "pg_restore",
        "pgbench",
        "pg_isready",
        "vacuumdb",
        "usql",
    ];
    let mut names = BTreeSet::new();
    if prefix.is_empty() {
        names = OF_POSTGRES.map(str::to_owned).into();
    } else {
        let path = env::var_os("PATH").unwrap_or_default();
        for directory in std::env::split_paths(&path) {
            for file in fs::list(&directory) {
                let name = file.file_name().unwrap_or_default().to_str().unwrap_or("");
                if name.starts_with(prefix) && can_be_shown(name) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    names.retain(|name| child::find(name.as_ref()).is_some());
    names.into_iter().map(CompletionCandidate::new).collect()
}
