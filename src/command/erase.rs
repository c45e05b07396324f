//! `pgcred erase`: remove lines from the passfile's block.

use super::Context;
use super::passfile::PassfileArg;
use super::place::Dial;
use crate::error::{Error, Result};
use crate::passfile::block::Key;
use crate::provider;
use crate::target::Where;

/// Remove tokens from the passfile
#[derive(clap::Args)]
pub(super) struct Erase {
    /// What to remove, as given to `refresh`; without user or port, all of them
    targets: Vec<String>,
    /// Remove every token
    #[arg(long, conflicts_with_all = ["targets", "host", "port", "user"])]
    all: bool,
    #[command(flatten)]
    dial: Dial,
    #[command(flatten)]
    passfile: PassfileArg,
}

impl Erase {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        self.dial.check_targets(self.targets.len())?;
        let targets = if self.targets.is_empty() { vec![None] } else { self.targets.iter().map(Some).collect() };
        let places: Vec<Where> = if self.all {
            Vec::new()
        } else {
            targets.iter().map(|target| self.dial.said(target.map(String::as_str))).collect::<Result<_>>()?
        };
        if !self.all && places.iter().any(|place| place.host.is_none()) {
            return Err(Error::usage("no target").hint("name what to remove, or --all"));
        }
        let (path, missing) = self.passfile.edit(context.output, |passfile| {
            let found = |place: &&Where| passfile.keys().any(|key| matches(key, place));
            let missing: Vec<_> = places.iter().filter(|place| !found(place)).collect();
            passfile.remove(|key| self.all || places.iter().any(|place| matches(key, place)));
            Ok(missing)
        })?;
        if missing.is_empty() {
            return Ok(());
        }
        let hosts: Vec<_> = missing.iter().filter_map(|place| place.host.as_deref()).collect();
        Err(Error::no_target(format!("{} has no token for {}", path.display(), hosts.join(", "))))
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
