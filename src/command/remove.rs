//! Removes a connection from the configuration, with its tokens and its entries in tools, for
//! `pgcred remove`.
//!
//! The tokens go first: if pgcred ends in between, the connection is still there, and the same
//! command completes the work. A line of the passfile or a cached token that another connection
//! uses stays, and so does every byte of a tool's file that is not pgcred's. What could not be
//! erased is an error, with the command that erases it later.

use std::collections::{BTreeSet, HashSet};

use super::app::App;
use super::erase::{erase_in_known_passfile, forget_ids};
use super::errors::all_errors;
use super::line_owners::assign_line_owners;
use super::needs::CommandNeeds;
use super::passfile_tokens::known_passfiles;
use super::preferences::Preferences;
use super::run::RunCommand;
use super::tool_undo;
use crate::cache::{Cache, CacheIndex, EntryId};
use crate::config;
use crate::error::{Error, Result};
use crate::passfile::block::PassfileLine;
use crate::request::Request;
use crate::setup::{Machine, ToolKind};
use crate::sys::terminal::InheritedStdin;
use crate::text::suggest;

#[derive(clap::Args)]
pub(crate) struct RemoveCommand {
    /// Name of the connection
    name: String,
}

impl RunCommand for RemoveCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        asks_authority: false,
        ..CommandNeeds::USUAL
    };

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        let output = app.preferences.output;
        app.open_cache_to_forget();
        let mut errors = Vec::new();
        // The tokens go first: if pgcred ends in between, the connection is still there and the
        // same command completes the work. A connection that does not exist is reported below.
        if app.preferences.config.connection(&self.name).is_some() {
            errors = forget_tokens(&[&self.name], app);
        }
        let result = app
            .preferences
            .edit_config(|text| config::remove_connection(text, &self.name));
        let path = match result {
            Ok(path) => path,
            Err(error) => {
                for earlier in &errors {
                    output.report(earlier);
                }
                return Err(error);
            }
        };
        output.note(&format!("{}: removed {}", path.display(), self.name));
        app.forget_due_file();
        match Machine::current(app.options.config.as_deref()) {
            Ok(machine) => forget_in_tools(&[&self.name], &machine, app),
            Err(error) => output.warn(&format!(
                "the entries of {} in tools were not removed: {error}",
                self.name
            )),
        }
        all_errors(errors, output, |count| {
            format!("{count} places still have tokens of {}", self.name)
        })
    }
}

/// Takes connections that no longer exist out of every tool. Names the schedulers that have nothing
/// left to do.
pub(super) fn forget_in_tools(names: &[&str], machine: &Machine, app: &App) {
    let output = app.preferences.output;
    for name in names {
        tool_undo::forget_connection(name, machine, output);
    }
    note_gateway(names, machine, app);
    if app.preferences.config.connections.len() > names.len() {
        return;
    }
    for scheduler in tool_undo::names_of_set_up_tools(ToolKind::Scheduler, machine) {
        output.note(&format!(
            "{scheduler} still runs `pgcred refresh`, which has no connection left: \
             pgcred setup {scheduler} --undo"
        ));
    }
}

/// Says how the service of the gateway ends to listen for connections that no longer exist.
fn note_gateway(names: &[&str], machine: &Machine, app: &App) {
    let (mut removed_names, mut other_count) = (Vec::new(), 0);
    for connection in &app.preferences.config.connections {
        if connection.gateway.is_none() {
            continue;
        }
        match names.iter().find(|name| **name == connection.name) {
            Some(name) => removed_names.push(*name),
            None => other_count += 1,
        }
    }
    if removed_names.is_empty() {
        return;
    }
    for service in tool_undo::names_of_set_up_tools(ToolKind::Service, machine) {
        let undo = if other_count == 0 { " --undo" } else { "" };
        app.preferences.output.note(&format!(
            "the gateway still listens for {}: pgcred setup {service}{undo}",
            suggest::list_names(&removed_names)
        ));
    }
}

/// Erases the tokens of these connections, in the passfiles and in the cache. A line or a cached
/// token that another connection uses stays.
pub(super) fn forget_tokens(names: &[&str], app: &App) -> Vec<Error> {
    let output = app.preferences.output;
    let mut errors = Vec::new();
    let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
    let forgotten = ForgottenLines::find(names, &index, &app.preferences, &mut errors);
    let subject = suggest::list_names(names);
    let hosts: Vec<&str> = forgotten.hosts.iter().map(String::as_str).collect();
    for path in known_passfiles(&index) {
        let result = erase_in_known_passfile(&path, &index, output, |line| {
            forgotten.in_passfiles.contains(line)
        });
        if let Err(error) = result {
            let hint = format!("correct that, then run `pgcred erase {}`", hosts.join(" "));
            errors.push(error.about(&subject).or_hint(&hint));
        }
    }
    let mut ids = Vec::new();
    for (id, record) in &index.records {
        if forgotten.in_cache.contains(&record.line) {
            ids.push(id.clone());
        }
    }
    if let Some(cache) = app.issuer.cache()
        && let Err(error) = forget_ids(&ids, cache, output)
    {
        errors.push(error);
    }
    errors
}

/// What the tokens of some connections are for, without what others need.
#[derive(Default)]
struct ForgottenLines {
    in_passfiles: BTreeSet<PassfileLine>,
    in_cache: BTreeSet<PassfileLine>,
    hosts: Vec<String>,
}

impl ForgottenLines {
    fn find(
        names: &[&str],
        index: &CacheIndex,
        preferences: &Preferences,
        errors: &mut Vec<Error>,
    ) -> Self {
        let meant_names: HashSet<&str> = names.iter().copied().collect();
        // Without PG* variables, as `refresh` has resolved them, and in the order of the
        // configuration, which decides whose a line is.
        let mut requests = Vec::new();
        for connection in &preferences.config.connections {
            let name = connection.name.as_str();
            if !meant_names.contains(name) {
                if let Ok(request) = preferences.connection(name) {
                    requests.push((name.to_owned(), request));
                }
                continue;
            }
            match preferences.connection_of_any_lifetime(name) {
                Ok(request) => requests.push((name.to_owned(), request)),
                Err(error) => {
                    let error = error.about(&format!("{name}: its tokens were not erased"));
                    errors.push(error.hint("run `pgcred erase HOST` in case there are any"));
                }
            }
        }
        assign_line_owners(&mut requests);
        let mut lines = Self::default();
        for (name, request) in &requests {
            if meant_names.contains(name.as_str()) {
                lines.add_named_user(name, request, index, preferences);
                lines.in_passfiles.extend(request.passfile_lines());
                if request.lines_of_others.is_empty() {
                    lines.in_cache.insert(request.passfile_line());
                }
                lines.hosts.push(request.host.clone());
            }
        }
        for (name, request) in &requests {
            if !meant_names.contains(name.as_str()) {
                lines.in_cache.remove(&request.passfile_line());
            }
        }
        lines
    }

    /// Adds the lines of a token that names its user itself.
    fn add_named_user(
        &mut self,
        name: &str,
        request: &Request,
        index: &CacheIndex,
        preferences: &Preferences,
    ) {
        if let Some(line) = line_of_named_user(name, index, preferences) {
            let own_lines = request.passfile_lines();
            self.in_passfiles
                .extend(own_lines.map(|own_line| own_line.or_user(&line.user)));
            self.in_cache.insert(line);
        }
    }
}

/// Returns the line of a token that names its user itself, which only the index knows.
fn line_of_named_user(
    name: &str,
    index: &CacheIndex,
    preferences: &Preferences,
) -> Option<PassfileLine> {
    let request = preferences.connection(name).ok()?;
    if !request.user.is_empty() {
        return None;
    }
    let identities = request.provider.authority.identities();
    let identity = identities.identity(request.profile.as_deref(), Some(&request.scope()));
    let id = EntryId::new(&request, &*identity);
    Some(index.records.get(id.as_str())?.line.clone())
}
