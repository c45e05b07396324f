//! `pgcred remove`: removes a connection from the configuration, with its tokens and its entries in
//! tools.

use super::app::App;
use super::erase::{erase_filed, forget_ids};
use super::errors::all_errors;
use super::line_owners::mark_taken_lines_of;
use super::needs::Needs;
use super::passfile_tokens::known_passfiles;
use super::preferences::Preferences;
use super::run::Run;
use super::setup::undo;
use crate::cache::{Cache, Index};
use crate::config;
use crate::error::{Error, Result};
use crate::passfile::block::PassfileLine;
use crate::request::Request;
use crate::setup::Machine;
use crate::sys::terminal::Stdin;

#[derive(clap::Args)]
pub(crate) struct Remove {
    /// Name of the connection
    name: String,
}

impl Run for Remove {
    type Outcome = ();
    const NEEDS: Needs = Needs {
        asks_authority: false,
        ..Needs::USUAL
    };

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let output = app.preferences.output;
        app.open_cache_to_forget();
        let mut errors = Vec::new();
        // The tokens go first: if pgcred ends in between, the connection is still there and the
        // same command completes the work. A connection that does not exist is reported below.
        if app.preferences.config.connection(&self.name).is_some() {
            errors = self.forget_tokens(app);
        }
        let edited = app
            .preferences
            .edit_config(|text| config::remove(text, &self.name));
        let path = match edited {
            Ok(path) => path,
            Err(error) => {
                for earlier in &errors {
                    output.report(earlier);
                }
                return Err(error);
            }
        };
        output.note(&format!("{}: removed {}", path.display(), self.name));
        app.forget_due();
        match Machine::current(app.options.config.as_deref()) {
            Ok(machine) => self.forget_in_tools(&machine, app),
            Err(error) => output.warn(&format!(
                "the entries of {} in tools were not removed: {error}",
                self.name
            )),
        }
        all_errors(errors, output, |failed| {
            format!("{failed} places still have tokens of {}", self.name)
        })
    }
}

impl Remove {
    fn forget_in_tools(&self, machine: &Machine, app: &App) {
        let output = app.preferences.output;
        undo::forget(&self.name, machine, output);
        if app.preferences.config.connections.len() > 1 {
            return;
        }
        for scheduler in undo::schedulers(machine) {
            output.note(&format!(
                "{scheduler} still runs `pgcred refresh`, which has no connection left: \
                 pgcred setup {scheduler} --undo"
            ));
        }
    }

    /// Erases the tokens of this connection, in the passfiles and in the cache. A line or a cached
    /// token that another connection uses stays.
    fn forget_tokens(&self, app: &App) -> Vec<Error> {
        let (preferences, output) = (&app.preferences, app.preferences.output);
        // Without PG* variables, as `refresh` has resolved it.
        let request = match preferences.connection_of_any_life(&self.name) {
            Ok(request) => request,
            Err(error) => {
                let error = error.about(&format!("{}: its tokens were not erased", self.name));
                return vec![error.hint("pgcred erase HOST erases them, if there are any")];
            }
        };
        let (request, conflicts) = mark_taken_lines_of(&self.name, request, preferences);
        let lines: Vec<PassfileLine> = request.passfile_lines().collect();
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let mut errors = Vec::new();
        for path in known_passfiles(&index) {
            if let Err(error) = erase_filed(&path, &index, output, |line| lines.contains(line)) {
                let hint = format!("correct that, then: pgcred erase {}", request.host);
                errors.push(error.about(&self.name).or_hint(&hint));
            }
        }
        if conflicts.is_empty()
            && !self.is_shared(&request, preferences)
            && let Some(cache) = app.issuer.cache()
            && let Err(error) = forget_ids(&ids_of(&request, &index), cache, output)
        {
            errors.push(error);
        }
        errors
    }

    /// Tells whether another connection has the same address and user, and so the same tokens.
    fn is_shared(&self, request: &Request, preferences: &Preferences) -> bool {
        let mut connections = preferences.named_connections().into_iter();
        connections.any(|(name, other)| {
            name != self.name && other.passfile_line() == request.passfile_line()
        })
    }
}

/// Returns the cached tokens of a request.
fn ids_of(request: &Request, index: &Index) -> Vec<String> {
    let mut ids = Vec::new();
    for (id, record) in &index.records {
        if record.line == request.passfile_line() {
            ids.push(id.clone());
        }
    }
    ids
}
