//! Takes connections from a file that a team shares, for `pgcred add --from FILE`.
//!
//! The file may be anybody's: it is read for this command alone, within bounds, and
//! `config::shared` says what it may hold. The user sees the difference and agrees before anything
//! is written. Where a token would go to another host than the one for which it is signed, the user
//! is asked for that alone, whatever the options say.

use std::path::{Path, PathBuf};

use super::super::app::App;
use super::super::connection_advice;
use super::super::edits::{self, EditPolicy};
use super::super::preferences::Preferences;
use crate::config::{self, Config, Connection};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::provider;
use crate::setup::{Machine, SetupCommands};
use crate::sys::fs;
use crate::text::{backquoted, suggest};

pub(super) struct FileImport {
    pub(super) file: PathBuf,
    /// The connections to take; all, if it is empty.
    pub(super) names: Vec<String>,
    pub(super) replace: bool,
    pub(super) policy: EditPolicy,
}

impl FileImport {
    pub(super) fn run(self, app: &App) -> Result<()> {
        let preferences = &app.preferences;
        let output = preferences.output;
        let offered = self.choose_connections(read_shared_file(&self.file)?)?;
        let comparison = FileComparison::new(offered, &preferences.config, self.replace);
        comparison.note_kept(output);
        if comparison.connections.is_empty() {
            output.note("nothing to change");
            return Ok(());
        }
        for connection in &comparison.connections {
            if !self.may_send_elsewhere(connection, preferences)? {
                output.note("nothing was changed");
                return Ok(());
            }
        }
        let changed: Vec<&str> = comparison
            .changed_names
            .iter()
            .map(String::as_str)
            .collect();
        let machine = Machine::current(app.options.config.as_deref())?;
        let edit = edits::edit_configuration(preferences, &machine.planned_files, |text| {
            config::change_connections(text, &comparison.connections, &changed)
        })?;
        let commands = SetupCommands::default();
        if !self.policy.apply(&[edit], &commands, &[], &machine, app)? {
            return Ok(());
        }
        app.forget_due_file();
        comparison.note_written(output);
        let names: Vec<&str> = comparison
            .connections
            .iter()
            .map(|new| new.name.as_str())
            .collect();
        connection_advice::print_advice(&names, &changed, app);
        Ok(())
    }

    /// Returns the connections of the file that the user has named.
    fn choose_connections(&self, mut offered: Vec<Connection>) -> Result<Vec<Connection>> {
        for name in &self.names {
            if offered.iter().any(|connection| connection.name == *name) {
                continue;
            }
            let names = offered.iter().map(|connection| connection.name.as_str());
            let hint = match suggest::nearest_word(name, names.clone()) {
                Some(nearest_name) => format!("did you mean `{nearest_name}`?"),
                None => format!("choose from {}", suggest::list_names(names)),
            };
            let (file, name) = (self.file.display(), backquoted(name));
            return Err(Error::no_target(format!("{file} has no connection {name}")).hint(hint));
        }
        if !self.names.is_empty() {
            offered.retain(|connection| self.names.contains(&connection.name));
        }
        Ok(offered)
    }

    /// Asks whether tokens may go to a host for which they are not signed. `--yes` does not answer
    /// this: whoever writes the file would get tokens for the database of somebody else.
    fn may_send_elsewhere(
        &self,
        connection: &Connection,
        preferences: &Preferences,
    ) -> Result<bool> {
        let Some((risk, reason)) = risk_of_connection(connection, &preferences.config) else {
            return Ok(true);
        };
        if !self.policy.dry_run && !preferences.ask_policy.terminal {
            return Err(Error::usage(risk).hint(
                "if that is right, run the command at a terminal, where pgcred asks; to take \
                 others, name them after the file",
            ));
        }
        Output::show(&format!("{risk}\n{reason}"));
        if self.policy.dry_run {
            return Ok(true);
        }
        edits::has_user_agreed("send them there? [y/N] ", preferences)
    }
}

/// Returns what could send a token to somebody who may use it elsewhere, and what that means.
fn risk_of_connection(connection: &Connection, config: &Config) -> Option<(String, String)> {
    let (signed_host, others) = connection.signed_and_other_hosts();
    let name = &connection.name;
    if !others.is_empty() {
        let others = others.join(", "); // none may be hidden
        return Some((
            format!("{name}: tokens for {signed_host} would be sent to {others}"),
            format!("Whoever runs a server there can log in to {signed_host} with them."),
        ));
    }
    let rule_provider = config.rule(&signed_host).provider;
    let provider = match connection.provider.as_deref().or(rule_provider.as_deref()) {
        Some(provider) => provider::from_name(provider).ok(),
        None => provider::find_by_host(&signed_host),
    };
    let provider = provider?;
    provider.authority.command()?; // what clouds issue is good for one server
    let title = provider.title;
    Some((
        format!("{name}: tokens of {title} would be sent to {signed_host}"),
        "They may be good for other servers too: whoever runs this one could log in there with \
         them."
            .to_owned(),
    ))
}

fn read_shared_file(file: &Path) -> Result<Vec<Connection>> {
    let shown_path = file.display();
    if file == Path::new("-") {
        let error = Error::usage("--from -: standard input is not read");
        return Err(error.hint("name a file with --from FILE"));
    }
    let Some(bytes) = fs::read_foreign_settings(file)? else {
        let problem = match fs::file_state(file) {
            Some(_) => "not a regular file",
            None => "no such file",
        };
        return Err(Error::usage(format!("--from {shown_path}: {problem}"))
            .hint("name a file that has tables [connections.NAME]"));
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(Error::not_utf8(shown_path));
    };
    let connections =
        config::read_shared_file(&text).map_err(|error| error.about(&shown_path.to_string()))?;
    if connections.is_empty() {
        return Err(Error::usage(format!("{shown_path} has no connection"))
            .hint("name a file that has tables [connections.NAME]"));
    }
    Ok(connections)
}

/// What becomes of the connections of the file.
struct FileComparison {
    connections: Vec<Connection>,
    /// Those that the file changes.
    changed_names: Vec<String>,
    same_names: Vec<String>,
    /// They differ, and the user's own stay.
    kept_names: Vec<String>,
}

impl FileComparison {
    fn new(offered: Vec<Connection>, config: &Config, replace: bool) -> Self {
        let mut comparison = Self {
            connections: Vec::new(),
            changed_names: Vec::new(),
            same_names: Vec::new(),
            kept_names: Vec::new(),
        };
        for mut connection in offered {
            let name = connection.name.clone();
            let Some(existing) = config.connection(&name) else {
                comparison.connections.push(connection);
                continue;
            };
            // Who has found the user's own makes no difference.
            connection.discovered = existing.discovered;
            if *existing == connection {
                comparison.same_names.push(name);
            } else if replace {
                connection.discovered = false;
                comparison.connections.push(connection);
                comparison.changed_names.push(name);
            } else {
                comparison.kept_names.push(name);
            }
        }
        comparison
    }

    fn note_kept(&self, output: Output) {
        if !self.same_names.is_empty() {
            output.note(&format!(
                "there already, and the same: {}",
                suggest::list_names(&self.same_names)
            ));
        }
        if !self.kept_names.is_empty() {
            output.note(&format!(
                "your own stay, although the file has others: {}; --replace takes those of the \
                 file",
                suggest::list_names(&self.kept_names)
            ));
        }
    }

    fn note_written(&self, output: Output) {
        let is_new = |connection: &&Connection| !self.changed_names.contains(&connection.name);
        let added_names: Vec<String> = self
            .connections
            .iter()
            .filter(is_new)
            .map(|new| new.name.clone())
            .collect();
        if !added_names.is_empty() {
            output.note(&format!("added {}", suggest::list_names(&added_names)));
        }
        if !self.changed_names.is_empty() {
            output.note(&format!(
                "changed {}",
                suggest::list_names(&self.changed_names)
            ));
        }
    }
}
