//! `pgcred completions`, and the answers that shells ask for: options from the command line, connections from the
//! configuration, tools from their table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::init::own_path;
use super::{COMMANDS, Context, Run, command_line};
use crate::config::Config;
use crate::env;
use crate::error::{Error, Result};
use crate::fs::{self, Stdin};
use crate::integrations::TOOLS;
use crate::output::Output;

/// Set by a shell that wants an answer.
pub(super) const VARIABLE: &str = "PGCRED_COMPLETE";

#[derive(clap::Args)]
pub(super) struct Completions {
    /// The shell that reads it
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl Run for Completions {
    type End = ();

    fn run(self, _: &mut Context, _: Option<Stdin>) -> Result<()> {
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell).ok_or_else(|| Error::usage("no such shell"))?;
        let mut text = Vec::new();
        shell
            .write_registration(VARIABLE, "pgcred", "pgcred", &own_path()?, &mut text)
            .map_err(|error| Error::failure("cannot write the completions").caused_by(&error))?;
        Output::answer(&String::from_utf8_lossy(&text))
    }
}

/// Answers a shell; whatever is wrong, it gets no candidates and the person at it no complaint.
pub(super) fn answer() -> ExitCode {
    let folder = env::current_folder();
    let _ = CompleteEnv::with_factory(completed).var(VARIABLE).try_complete(env::arguments(), Some(&folder));
    ExitCode::SUCCESS
}

/// The command line with what can be known only now.
fn completed() -> clap::Command {
    let mut command = command_line();
    command.build();
    for entry in &COMMANDS {
        let names: &'static [(&'static str, fn() -> Vec<CompletionCandidate>)] = match entry.name {
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
