//! `pgcred remove`: take a connection out of the configuration.

use super::{Context, Run};
use crate::cache::Cache;
use crate::config;
use crate::error::Result;
use crate::fs;
use crate::terminal::Stdin;

#[derive(clap::Args)]
pub(super) struct Remove {
    /// Name of the connection
    name: String,
}

impl Run for Remove {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let path = context.world.config_path()?;
        fs::edit_text(path, |text| config::remove(text, &self.name))?;
        context.issuer.cache().map_or(Ok(()), Cache::forget_due)
    }
}
