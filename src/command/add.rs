//! `pgcred add`: put a connection into the configuration.

use super::place::Place;
use super::{Context, Run};
use crate::cache::Cache;
use crate::config::{self, Connection, parse_alias};
use crate::error::Result;
use crate::fs;
use crate::terminal::Stdin;

#[derive(clap::Args)]
pub(super) struct Add {
    /// Name to use as TARGET
    name: String,
    /// Host, DSQL cluster ID, postgres:// URI or libpq conninfo string
    target: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Other host:port under which the passfile files the token too, such as a tunnel's; may be repeated
    #[arg(long, value_name = "HOST[:PORT]")]
    alias: Vec<String>,
    /// Change a connection that exists
    #[arg(long)]
    replace: bool,
}

impl Run for Add {
    type End = ();

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let mut place = self.place.dial.said(self.target.as_deref())?;
        if self.place.dbname.is_some() {
            place.dbname.clone_from(&self.place.dbname);
        }
        let connection = Connection {
            name: self.name,
            place,
            profile: self.place.profile,
            region: self.place.region,
            provider: self.place.provider,
            sign_host: self.place.sign_host,
            life: self.place.expires_in,
            aliases: self.alias.iter().map(|alias| parse_alias(alias)).collect::<Result<_>>()?,
        };
        let path = context.world.config_path()?;
        fs::edit_text(path, |text| config::add(text, &connection, self.replace))?;
        context.issuer.cache().map_or(Ok(()), Cache::forget_due)?;
        context.world.output.note(&format!("{}: added {}", path.display(), connection.name));
        Ok(())
    }
}
