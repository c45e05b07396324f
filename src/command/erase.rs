//! `pgcred erase`: forget tokens, in the passfile and in the cache.

use super::passfile::PassfileArg;
use super::place::Dial;
use super::{Context, Run};
use crate::config::Connection;
use crate::error::{Error, Result};
use crate::passfile::block::Key;
use crate::provider;
use crate::target::Where;
use crate::terminal::Stdin;

#[derive(clap::Args)]
pub(super) struct Erase {
    /// What to forget, as given to `refresh`; without user or port, all of them
    targets: Vec<String>,
    /// Forget every token, and everything that pgcred keeps besides its configuration
    #[arg(long, conflicts_with_all = ["targets", "host", "port", "user"])]
    all: bool,
    #[command(flatten)]
    dial: Dial,
    #[command(flatten)]
    passfile: PassfileArg,
}

impl Run for Erase {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        self.dial.check_targets(self.targets.len())?;
        let places = if self.all { Vec::new() } else { self.places(context)? };
        let aliases = self.aliases(context);
        let wanted = |key: &Key| self.all || places.iter().chain(&aliases).any(|place| matches(key, place));
        let (path, in_passfile) = self.passfile.edit(context.world.output, |passfile| {
            let found: Vec<Key> = passfile.keys().filter(|key| wanted(key)).cloned().collect();
            passfile.remove(wanted);
            Ok(found)
        })?;
        let mut in_cache = Vec::new();
        if let Some(cache) = context.issuer.cache() {
            if self.all {
                cache.erase()?;
            } else {
                let index = cache.index();
                let keys = index.records.iter().filter_map(|(id, record)| Some((id, Key::from_name(&record.name)?)));
                in_cache = keys.filter(|(_, key)| wanted(key)).map(|(id, key)| (id.clone(), key)).collect();
                cache.forget(&in_cache.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>())?;
            }
        }
        let known = |place: &Where| {
            in_passfile.iter().chain(in_cache.iter().map(|(_, key)| key)).any(|key| matches(key, place))
        };
        let missing: Vec<_> =
            places.iter().filter(|place| !known(place)).filter_map(|place| place.host.as_deref()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        Err(Error::no_target(format!("{} has no token for {missing}, and the cache has none", path.display())))
    }
}

impl Erase {
    /// Where else the passfile files the tokens of connections.
    fn aliases(&self, context: &Context) -> Vec<Where> {
        let connections = self.targets.iter().filter_map(|name| context.world.config.connection(name));
        let of_connection = |connection: &Connection| -> Vec<Where> {
            let user = self.dial.user.clone().or_else(|| connection.place.user.clone());
            let place = |(host, port): &(String, Option<u16>)| Where {
                host: Some(host.clone()),
                port: port.or(connection.place.port),
                user: user.clone(),
                ..Where::default()
            };
            connection.aliases.iter().map(place).collect()
        };
        connections.flat_map(of_connection).collect()
    }

    fn places(&self, context: &Context) -> Result<Vec<Where>> {
        let place = |target: Option<&str>| match target.and_then(|name| context.world.config.connection(name)) {
            Some(connection) => Ok(self.dial.said(None)?.or(connection.place.clone())),
            None => self.dial.said(target),
        };
        let places: Vec<Where> = match self.targets.len() {
            0 => vec![place(None)?],
            _ => self.targets.iter().map(|target| place(Some(target))).collect::<Result<_>>()?,
        };
        if places.iter().any(|place| place.host.is_none()) {
            return Err(Error::usage("no target").hint("name what to forget, or --all"));
        }
        Ok(places)
    }
}

/// Every field that was said has to agree; a cluster ID stands for its endpoint in any region.
fn matches(key: &Key, place: &Where) -> bool {
    let host_agrees = place.host.as_deref().is_some_and(|host| {
        let is_id_of_key = || provider::of_id(host, "").is_some() && key.host.split('.').next() == Some(host);
        key.host == host || is_id_of_key()
    });
    host_agrees
        && place.port.is_none_or(|port| port == key.port)
        && place.user.as_ref().is_none_or(|user| *user == key.user)
}
