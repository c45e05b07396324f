//! `pgcred completions`, and the answers that shells ask for: options from the command line, connections from the
//! configuration, tools from their table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::{COMMANDS, Text, command_line};
use crate::config::Config;
use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::integrations::TOOLS;

/// Set by a shell that wants an answer.
pub(super) const VARIABLE: &str = "PGCRED_COMPLETE";

/// As a file of zsh's function path, the script is run at the first completion, and has to answer it.
const OF_ZSH: &str = "if [[ ${funcstack[1]} == _pgcred ]]; then _clap_dynamic_completer_pgcred \"$@\"; fi\n";

#[derive(clap::Args)]
pub(super) struct Completions {
    /// The shell that reads it
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl Text for Completions {
    fn text(self) -> Result<String> {
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell).ok_or_else(|| Error::usage("no such shell"))?;
        let mut text = Vec::new();
        // By its name: who completes `pgcred` has it on PATH, and not every script of clap's quotes a path well.
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

/// Answers a shell; whatever is wrong, it gets no candidates and the person at it no complaint.
pub(super) fn answer() -> ExitCode {
    let folder = env::current_folder();
    let _ = CompleteEnv::with_factory(completed).var(VARIABLE).try_complete(env::arguments(), Some(&folder));
    ExitCode::SUCCESS
}

type Candidates = fn() -> Vec<CompletionCandidate>;

/// The command line with what can be known only now.
fn completed() -> clap::Command {
    let mut command = command_line();
    command.build();
    for entry in &COMMANDS {
        let names: &[(&str, Candidates)] = match entry.name {
            "setup" => &[("tool", tools), ("targets", connections)],
            "remove" => &[("name", connections)],
            "add" => &[],
            _ => &[("target", connections), ("targets", connections)],
        };
        command = command.mut_subcommand(entry.name, |mut subcommand| {
            for (name, candidates) in names {
                if subcommand.get_arguments().any(|argument| argument.get_id() == name) {
                    subcommand =
                        subcommand.mut_arg(name, |argument| argument.add(ArgValueCandidates::new(*candidates)));
                }
            }
            subcommand
        });
    }
    command
}

fn connections() -> Vec<CompletionCandidate> {
    let path: Option<PathBuf> = env::config_file();
    let text = path.and_then(|path| fs::read(&path)).unwrap_or_default();
    let config = Config::parse(&String::from_utf8_lossy(&text)).unwrap_or_default();
    let candidate = |name: &str, host: Option<String>| CompletionCandidate::new(name).help(host.map(Into::into));
    config.connections.iter().map(|connection| candidate(&connection.name, connection.place.host.clone())).collect()
}

fn tools() -> Vec<CompletionCandidate> {
    TOOLS.iter().map(|tool| CompletionCandidate::new(tool.name).help(Some(tool.title.into()))).collect()
}
