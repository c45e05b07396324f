//! What the user set, for this run and in the configuration, and the connections that follow from it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::authority::AskPolicy;
use crate::cache::Index;
use crate::config::{Config, Connection, Life};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::{ConnectionOptions, Resolver};
use crate::sys::fs;
use crate::sys::paths;

/// What the user set, for this run and in the configuration.
pub(crate) struct Preferences {
    pub(super) output: Output,
    pub(super) ask: AskPolicy,
    pub(super) config: Config,
    pub(super) config_path: Option<PathBuf>,
    /// When it was changed last before it was read.
    pub(super) config_changed: Option<SystemTime>,
}

impl Preferences {
    /// Returns a request for every connection; one that cannot be resolved is none.
    pub(super) fn connections(&self) -> Vec<Request> {
        self.named_connections()
            .into_iter()
            .map(|(_, request)| request)
            .collect()
    }

    /// The same, one at a time: first the connections that tokens were issued for before.
    pub(super) fn connections_by_use<'a>(
        &'a self,
        index: &Index,
    ) -> impl Iterator<Item = Request> + use<'a> {
        // A connection may name its host by the cluster ID alone, with which the host's name
        // begins.
        let first_label = |host: &str| host.split('.').next().unwrap_or(host).to_owned();
        let used: BTreeSet<String> = index
            .records
            .values()
            .map(|record| first_label(&record.key.host))
            .collect();
        let is_used = |connection: &&Connection| {
            connection
                .target
                .host
                .as_deref()
                .is_some_and(|host| used.contains(&first_label(host)))
        };
        let (used, unused): (Vec<_>, Vec<_>) = self.config.connections.iter().partition(is_used);
        used.into_iter()
            .chain(unused)
            .filter_map(|connection| self.connection(&connection.name).ok())
    }

    /// The same with their names, in the configuration's order.
    pub(super) fn named_connections(&self) -> Vec<(String, Request)> {
        let resolved = |name: &String| Some((name.clone(), self.connection(name).ok()?));
        self.config
            .connections
            .iter()
            .filter_map(|connection| resolved(&connection.name))
            .collect()
    }

    /// Returns the resolver of targets, whose warnings the user sees.
    pub(super) fn resolver(&self) -> Resolver<'_> {
        Resolver {
            config: &self.config,
            ask: &self.ask,
            output: self.output,
        }
    }

    /// Returns the resolver of targets whose warnings another run has said or will say.
    pub(super) fn silent_resolver(&self) -> Resolver<'_> {
        Resolver {
            output: Output::SILENT,
            ..self.resolver()
        }
    }

    /// Resolves a connection as it is configured, without a word.
    pub(super) fn connection(&self, name: &str) -> Result<Request> {
        self.silent_resolver()
            .configured(&ConnectionOptions::default(), Some(name))
    }

    /// Resolves a connection also if no token can have the life that is configured: the address is
    /// known all the same.
    pub(super) fn connection_of_any_life(&self, name: &str) -> Result<Request> {
        let options = ConnectionOptions {
            expires_in: Some(Life::Max),
            ..ConnectionOptions::default()
        };
        self.silent_resolver().configured(&options, Some(name))
    }

    /// Edits the configuration; where nothing is left of the usual one, its directory goes with it.
    pub(super) fn edit_config(
        &self,
        change: impl FnMut(&str) -> Result<String>,
    ) -> Result<&PathBuf> {
        let path = self.config_path()?;
        let edited = fs::edit_text(path, change);
        if paths::config_file().as_ref() == Some(path) {
            fs::remove_empty_directories(path);
        }
        edited.map(|()| path)
    }

    pub(super) fn config_path(&self) -> Result<&PathBuf> {
        self.config_path.as_ref().ok_or_else(|| {
            Error::failure("no configuration directory is known").hint("--config FILE")
        })
    }
}
