//! `pgcred completions`, and the answers that shells ask for: options from the command line,
//! connections and profiles from the configurations, tools and regions from their tables, programs
//! from PATH.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{CompleteEnv, Shells};

use crate::aws::{self, REGIONS};
use crate::command::run::Text;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::provider::PROVIDERS;
use crate::sys::child;
use crate::sys::env;
use crate::sys::fs;
use crate::sys::paths;
use crate::text;

/// Set by a shell that wants an answer.
const VARIABLE: &str = "PGCRED_COMPLETE";

/// As a file of zsh's function path, the script is run at the first completion, and has to answer
/// it.
const OF_ZSH: &str =
    "if [[ ${funcstack[1]} == _pgcred ]]; then _clap_dynamic_completer_pgcred \"$@\"; fi\n";

#[derive(clap::Args)]
pub(super) struct Completions {
    /// The shell that reads it
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl Text for Completions {
    fn text(self, _: fn() -> clap::Command) -> Result<String> {
        let shells = Shells::builtins();
        let shell = shells
            .completer(&self.shell)
            .ok_or_else(|| Error::usage("no such shell"))?;
        let mut text = Vec::new();
        // By its name: who completes `pgcred` has it on PATH, and not every script of clap's quotes
        // a path well.
        shell
            .write_registration(VARIABLE, "pgcred", "pgcred", "pgcred", &mut text)
            .map_err(|error| Error::failure("cannot write the completions").caused_by(&error))?;
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if self.shell == "zsh" {
            text += OF_ZSH;
        }
        Ok(text)
    }
}

/// Tells whether a shell asks for the words that may follow.
pub(super) fn is_asked_for() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// Answers a shell; whatever is wrong, it gets no candidates and the person at it no complaint.
pub(super) fn answer(grammar: fn() -> clap::Command) -> ExitCode {
    let directory = env::current_directory();
    let _ = CompleteEnv::with_factory(|| completed(grammar()))
        .var(VARIABLE)
        .try_complete(env::arguments(), Some(&directory));
    ExitCode::SUCCESS
}

/// The command line with what can be known only now.
fn completed(mut command: clap::Command) -> clap::Command {
    command.build();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    for name in names.iter().filter(|name| *name != "aws") {
        command = command.mut_subcommand(name, |subcommand| {
            subcommand.mut_args(|argument| {
                let of_login = name == "login";
                // Options come when a dash is typed: else the few values would drown in them.
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
                    "name" if of_login => argument.add(ArgValueCandidates::new(profiles)),
                    "profile" => argument.add(ArgValueCandidates::new(profiles)),
                    "region" => argument.add(ArgValueCandidates::new(regions)),
                    "provider" => argument.add(ArgValueCandidates::new(providers)),
                    "tool" => argument.add(ArgValueCompleter::new(tools)),
                    "command" => argument.add(ArgValueCompleter::new(Program)),
                    "passfile" | "config" => argument.value_hint(ValueHint::FilePath),
                    _ => argument,
                }
            })
        });
    }
    command
}

fn connections() -> Vec<CompletionCandidate> {
    let text = paths::config_file()
        .and_then(|path| fs::read_plain(&path).ok().flatten())
        .unwrap_or_default();
    let config = Config::parse(&text).unwrap_or_default();
    let candidate = |name: &str, host: Option<String>| {
        CompletionCandidate::new(name).help(host.map(Into::into))
    };
    config
        .connections
        .iter()
        .map(|connection| candidate(&connection.name, connection.target.host.clone()))
        .collect()
}

fn profiles() -> Vec<CompletionCandidate> {
    let names = aws::profile_names().unwrap_or_default().into_iter();
    names
        .filter(|name| can_be_shown(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// Shells show candidates as they are, and some of them split them at line ends.
fn can_be_shown(name: &str) -> bool {
    text::shown(name) == name
}

fn regions() -> Vec<CompletionCandidate> {
    REGIONS.iter().map(CompletionCandidate::new).collect()
}

fn providers() -> Vec<CompletionCandidate> {
    PROVIDERS
        .iter()
        .map(|provider| CompletionCandidate::new(provider.name))
        .collect()
}

/// In any case, as they are taken.
fn tools(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_lowercase();
    let tools = TOOLS.iter().filter(|tool| tool.name.starts_with(&typed));
    tools
        .map(|tool| CompletionCandidate::new(tool.name).help(Some(tool.title.into())))
        .collect()
}

/// The words behind `exec NAME --`: a program, then what it is given.
struct Program;

impl ValueCompleter for Program {
    fn complete(&self, typed: &OsStr) -> Vec<CompletionCandidate> {
        self.complete_at(0, typed)
    }

    fn complete_at(&self, at: usize, typed: &OsStr) -> Vec<CompletionCandidate> {
        let files = || PathCompleter::any().complete(typed);
        let is_path = typed.to_string_lossy().contains(['/', '\\']);
        if at > 0 || is_path {
            files()
        } else {
            programs(&typed.to_string_lossy())
        }
    }
}

/// Programs on PATH that begin as typed; of all of them, those of PostgreSQL.
fn programs(typed: &str) -> Vec<CompletionCandidate> {
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
    let path = env::var_os("PATH").unwrap_or_default();
    let names: BTreeSet<String> = if typed.is_empty() {
        OF_POSTGRES.map(str::to_owned).into()
    } else {
        let files = std::env::split_paths(&path).flat_map(|directory| fs::list(&directory));
        let name = |file: PathBuf| Some(file.file_name()?.to_str()?.to_owned());
        files
            .filter_map(name)
            .filter(|name| name.starts_with(typed) && can_be_shown(name))
            .collect()
    };
    let runs = |name: &String| child::find(name.as_ref()).is_some();
    names
        .into_iter()
        .filter(runs)
        .map(CompletionCandidate::new)
        .collect()
}
