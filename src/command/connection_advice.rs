//! Tells the user of connections that are now in the configuration: what may be wrong with them,
//! which tools still have them as they were, and what to type next.

use std::collections::HashSet;

use super::app::App;
use super::line_owners::assign_line_owners;
use super::preferences::Preferences;
use super::tool_undo;
use super::warnings;
use crate::config::Connection;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::setup::Machine;

/// How many connections are looked at. The warnings about more than these nobody would read.
const MAX_CONNECTIONS: usize = 50;

/// Reads the configuration again and tells all of it. `changed` are those that were there before.
pub(in crate::command) fn print_advice(names: &[&str], changed: &[&str], app: &App) {
    let output = app.preferences.output;
    let reloaded_app = match app.reload() {
        Ok(reloaded_app) => reloaded_app,
        Err(error) => {
            output.warn(&error.to_string()); // the connections are in the file all the same
            return;
        }
    };
    warn_about_connections(
        &names[..names.len().min(MAX_CONNECTIONS)],
        &reloaded_app.preferences,
    );
    if names.len() > MAX_CONNECTIONS {
        output.note(&format!(
            "only the first {MAX_CONNECTIONS} of them were checked; `pgcred doctor` checks all"
        ));
    }
    note_outdated_tools(
        &changed[..changed.len().min(MAX_CONNECTIONS)],
        &reloaded_app,
    );
    if !warn_about_shared_lines(names, &reloaded_app.preferences) {
        return;
    }
    let (refresh, token_phrase) = match names {
        [name] => (format!("pgcred refresh {name}"), "a token"),
        _ => ("pgcred refresh".to_owned(), "their tokens"),
    };
    output.note(&format!(
        "next: `{refresh}` writes {token_phrase} to the passfile; `pgcred setup` sets up the tools \
         that connect"
    ));
}

/// Warns about what may be wrong with the connections, of each thing once.
fn warn_about_connections(names: &[&str], preferences: &Preferences) {
    let output = preferences.output;
    let mut printed_warnings = Vec::new();
    let mut requests = Vec::new();
    for name in names {
        let Some(connection) = preferences.config.connection(name) else {
            continue;
        };
        let options = ConnectionOptions::default();
        let resolution = preferences
            .resolver()
            .resolve_without_variables(&options, Some(name));
        if let Some(warning) = warning_about_profile(connection, resolution.as_ref().ok())
            && !printed_warnings.contains(&warning)
        {
            output.warn(&warning);
            printed_warnings.push(warning);
        }
        match resolution {
            Ok(request) => requests.push((*name, request)),
            Err(error) => output.warn(&error.to_string()),
        }
    }
    let named_requests: Vec<_> = requests
        .iter()
        .map(|(name, request)| (*name, request))
        .collect();
    warnings::print_warnings(&named_requests, preferences);
    for (name, request) in named_requests {
        if let Some(warning) = warnings::warning_about_alias(name, request) {
            output.warn(&warning);
        }
    }
}

/// Warns about a profile that this machine does not have.
fn warning_about_profile(connection: &Connection, request: Option<&Request>) -> Option<String> {
    let profile = connection.profile.as_ref()?;
    request?.provider.authority.profile_warning(profile)
}

/// Tells whether one of the connections has a line of its own in the passfile, and warns of those
/// that share one.
fn warn_about_shared_lines(names: &[&str], preferences: &Preferences) -> bool {
    let names: HashSet<&str> = names.iter().copied().collect();
    let mut lineless_count = 0;
    let mut warnings = Vec::new();
    for conflict in assign_line_owners(&mut preferences.named_connections()) {
        let (later, owner) = (conflict.later.as_str(), conflict.owner.as_str());
        if names.contains(later) {
            lineless_count += 1;
        }
        if names.contains(later) || names.contains(owner) {
            warnings.push(conflict.to_string());
        }
    }
    for warning in warnings.iter().take(MAX_CONNECTIONS) {
        preferences.output.warn(warning);
    }
    lineless_count < names.len()
}

/// Names the tools whose files still have a connection as it was before.
fn note_outdated_tools(changed: &[&str], app: &App) {
    if changed.is_empty() {
        return;
    }
    let Ok(machine) = Machine::current(app.options.config.as_deref()) else {
        return;
    };
    for name in changed {
        for tool in tool_undo::tools_with(name, &machine) {
            app.preferences.output.note(&format!(
                "{} still has the connection as it was: run `pgcred setup {} {name}` again",
                tool.title, tool.name
            ));
        }
    }
}
