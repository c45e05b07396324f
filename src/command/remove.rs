//! `pgcred remove`: take a connection out of the configuration, and with it its tokens and its
//! entries in tools.

use super::app::App;
use super::erase::{erase_filed, forget_ids};
use super::errors::all_errors;
use super::filed_tokens::known_passfiles;
use super::line_owners::settle_one;
use super::run::Run;
use super::setup::undo;
use crate::cache::Cache;
use crate::config;
use crate::error::{Error, Result};
use crate::passfile::block::PassfileKey;
use crate::request::Request;
use crate::setup::Machine;
use crate::sys::terminal::Stdin;

#[derive(clap::Args)]
pub(crate) struct Remove {
    /// Name of the connection
    name: String,
}

impl Run for Remove {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let output = app.preferences.output;
        app.open_cache_of_before();
        // Resolved while it is there, and as it is configured: so `refresh` has filed its tokens.
        let request = app.preferences.connection_of_any_life(&self.name);
        let mut errors = Vec::new();
        // Its tokens go first: if pgcred ends in between, the connection is there still and the
        // same command goes on.
        match request {
            _ if app.preferences.config.connection(&self.name).is_none() => {} // which is said below
            Ok(request) => errors.extend(self.forget_tokens(request, app)),
            Err(error) => {
                let hint = "pgcred erase HOST erases what there may be";
                errors.push(
                    error
                        .about(&format!("{}: its tokens were not looked for", self.name))
                        .hint(hint),
                );
            }
        }
        let edited = app
            .preferences
            .edit_config(|text| config::remove(text, &self.name));
        let path = edited.inspect_err(|_| errors.iter().for_each(|error| output.report(error)))?;
        output.note(&format!("{}: removed {}", path.display(), self.name));
        app.forget_due();
        match Machine::this(app.options.config.as_deref()) {
            Ok(machine) => self.forget_in_tools(&machine, app),
            Err(error) => output.warn(&format!(
                "the tools that may have {} were not looked at: {error}",
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
        let was_last = app.preferences.config.connections.len() == 1;
        for scheduler in undo::schedulers(machine).into_iter().filter(|_| was_last) {
            output.note(&format!(
                "{scheduler} still runs `pgcred refresh`, for nothing: pgcred setup {scheduler} --undo"
            ));
        }
    }

    /// Erases what only this connection has: neither a line that is another one's nor what the
    /// cache has for both.
    fn forget_tokens(&self, request: Request, app: &App) -> Vec<Error> {
        let (preferences, output) = (&app.preferences, app.preferences.output);
        let (request, clashes) = settle_one(&self.name, request, preferences);
        let keys: Vec<PassfileKey> = request.keys().collect();
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let mut errors = Vec::new();
        for path in known_passfiles(&index) {
            let erased = erase_filed(&path, &index, output, |key| keys.contains(key));
            let hint = format!("correct that, then: pgcred erase {}", request.host);
            errors.extend(
                erased
                    .err()
                    .map(|error| error.about(&self.name).or_hint(&hint)),
            );
        }
        let is_others =
            |(name, other): &(String, Request)| *name != self.name && other.key() == request.key();
        if clashes.is_empty() && !preferences.named_connections().iter().any(is_others) {
            let of_this = index
                .records
                .iter()
                .filter(|(_, record)| record.key == request.key());
            let ids: Vec<String> = of_this.map(|(id, _)| id.clone()).collect();
            errors.extend(
                app.issuer
                    .cache()
                    .and_then(|cache| forget_ids(&ids, cache, output).err()),
            );
        }
        errors
    }
}
