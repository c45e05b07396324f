//! Holds the user's preferences, for this run and in the configuration, and the connections that
//! follow from them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::authority::AskPolicy;
use crate::cache::CacheIndex;
use crate::config::{Config, Connection, RequestedLifetime};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::{ConnectionOptions, TargetResolver};
use crate::sys::fs;
use crate::sys::paths;

/// What the user set, for this run and in the configuration.
pub(crate) struct Preferences {
    pub(super) output: Output,
    pub(super) ask_policy: AskPolicy,
    pub(super) config: Config,
    pub(super) config_path: Option<PathBuf>,
    /// When the file was last changed before it was read.
    pub(super) config_changed: Option<SystemTime>,
}

impl Preferences {
    /// Returns the same preferences with another configuration: one that is to be written, so that
    /// what follows from it can be shown before.
    pub(super) fn with_config(&self, config: Config) -> Self {
        Self {
            output: self.output,
            ask_policy: self.ask_policy.clone(),
            config,
            config_path: self.config_path.clone(),
            config_changed: self.config_changed,
        }
    }

    /// Returns a request for every connection. Connections that cannot be resolved are left out.
    pub(super) fn connections(&self) -> Vec<Request> {
        let requests = self.named_connections().into_iter();
        requests.map(|(_, request)| request).collect()
    }

    /// Returns the same, one at a time: first the connections for which tokens were issued before.
    pub(super) fn connections_by_use<'a>(
        &'a self,
        index: &CacheIndex,
    ) -> impl Iterator<Item = Request> + use<'a> {
        let mut used_labels = BTreeSet::new();
        for record in index.records.values() {
            used_labels.insert(first_label(&record.line.host));
        }
        let is_used = |connection: &&Connection| {
            connection
                .target
                .host
                .as_ref()
                .is_some_and(|host| used_labels.contains(first_label(host)))
        };
        let (mut sorted, unused): (Vec<_>, Vec<_>) =
            self.config.connections.iter().partition(is_used);
        sorted.extend(unused);
        let requests = sorted
            .into_iter()
            .map(|connection| self.connection(&connection.name));
        requests.flatten()
    }

    /// Returns a request for every connection with its name, in the order of the configuration.
    pub(super) fn named_connections(&self) -> Vec<(String, Request)> {
        let mut requests = Vec::new();
        for connection in &self.config.connections {
            if let Ok(request) = self.connection(&connection.name) {
                requests.push((connection.name.clone(), request));
            }
        }
        requests
    }

    /// Returns the resolver of targets, whose warnings the user sees.
    pub(super) fn resolver(&self) -> TargetResolver<'_> {
        TargetResolver {
            config: &self.config,
            ask_policy: &self.ask_policy,
            output: self.output,
        }
    }

    /// Returns the resolver of targets whose warnings another run has said or will say.
    pub(super) fn silent_resolver(&self) -> TargetResolver<'_> {
        TargetResolver {
            output: Output::SILENT,
            ..self.resolver()
        }
    }

    /// Resolves a connection as it is configured, without warnings.
    pub(super) fn connection(&self, name: &str) -> Result<Request> {
        self.silent_resolver()
            .resolve_without_variables(&ConnectionOptions::default(), Some(name))
    }

    /// Resolves a connection even if no token can have the configured lifetime, for commands that
    /// only need its address.
    pub(super) fn connection_of_any_lifetime(&self, name: &str) -> Result<Request> {
        let options = ConnectionOptions {
            expires_in: Some(RequestedLifetime::Max),
            ..ConnectionOptions::default()
        };
        self.silent_resolver()
            .resolve_without_variables(&options, Some(name))
    }

    /// Edits the configuration file. If nothing is left of the usual file, its directory is removed
    /// too.
    pub(super) fn edit_config(
        &self,
        change: impl FnMut(&str) -> Result<String>,
    ) -> Result<&PathBuf> {
        let path = self.config_path()?;
        let result = fs::edit_text(path, change);
        if paths::config_file().as_ref() == Some(path) {
            fs::remove_empty_directories(path);
        }
        result?;
        Ok(path)
    }

    pub(super) fn config_path(&self) -> Result<&PathBuf> {
        match &self.config_path {
            Some(path) => Ok(path),
            None => Err(Error::no_directory("configuration")
                .hint("name the file with --config FILE, or set HOME")),
        }
    }
}

/// Returns the first part of a host's name. A connection may name its host by the cluster ID alone,
/// which is this part.
fn first_label(host: &str) -> &str {
    match host.split_once('.') {
        Some((label, _)) => label,
        None => host,
    }
}
