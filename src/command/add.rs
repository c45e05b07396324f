//! `pgcred add`: put a connection into the configuration.

use super::owners::settle;
use super::place::{Place, provider_of};
use super::{Context, Run, World};
use crate::cache::Cache;
use crate::config::{self, Config, Connection, parse_alias};
use crate::error::{Error, Result};
use crate::host;
use crate::provider::{self, Provider};
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
    const ASKS_AWS: bool = false;
    const MAKES_CONFIG: bool = true;

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let connection = self.connection(&context.world)?;
        let changed = context.world.config.connection(&self.name).is_some();
        let path = context.world.edit_config(|text| config::add(text, &connection, self.replace))?;
        context.issuer.cache().map_or(Ok(()), Cache::forget_due)?;
        let what = if changed { "changed" } else { "added" };
        context.world.output.note(&format!("{}: {what} {}", path.display(), self.name));
        let mut has_line = true;
        for clash in settle(&mut context.again()?.world.named_connections()) {
            if [&clash.later, &clash.owner].contains(&&self.name) {
                context.world.output.warn(&clash.to_string());
            }
            has_line &= clash.later != self.name;
        }
        if !has_line {
            return Ok(());
        }
        context.world.output.note(&format!(
            "next: `pgcred refresh {}` writes a token to the passfile; `pgcred setup` lists the tools that can connect",
            self.name
        ));
        Ok(())
    }
}

impl Add {
    /// Returns who serves the host that will be signed.
    fn provider(&self, host: &str, config: &Config) -> Result<&'static Provider> {
        let signed = match &self.place.sign_host {
            Some(text) => host::parse(text)?.0,
            None => host.to_owned(),
        };
        if let (None, Some((provider, _))) = (&self.place.provider, provider::of_id(&signed, "")) {
            return Ok(provider);
        }
        let typed = self.place.typed_host(self.target.as_deref());
        provider_of(&signed, self.place.provider.as_deref(), typed.as_deref(), config).map_err(|error| {
            error.hint(
                "give the whole name of the host; for a tunnel or CNAME add --sign-host HOST, \
                 else --provider dsql|rds and --region REGION",
            )
        })
    }

    /// Returns the connection as it is to be written: one that a provider serves, with its user.
    fn connection(&self, world: &World) -> Result<Connection> {
        let mut place = self.place.dial.said(self.target.as_deref())?;
        let said = place.take_roots()?;
        let roots = self.place.roots.clone().or(said);
        if self.place.dbname.is_some() {
            place.dbname.clone_from(&self.place.dbname);
        }
        let Some(host) = place.host.clone() else {
            return Err(Error::usage(format!("{}: no host", self.name))
                .hint(format!("pgcred add {} HOST --profile PROFILE", self.name)));
        };
        let provider = self.provider(&host, &world.config)?;
        // What a name means must not change with PGUSER.
        let user = place.user.take().or_else(|| world.config.rule(&host).user);
        let user = user.or_else(|| provider.user.map(str::to_owned)).ok_or_else(|| {
            Error::usage(format!("{}: no user for {host}", self.name)).hint("name the database user: --user USER")
        })?;
        place.user = Some(user);
        Ok(Connection {
            name: self.name.clone(),
            place,
            profile: self.place.profile.clone(),
            region: self.place.region.clone(),
            provider: self.place.provider.clone(),
            sign_host: self.place.sign_host.clone(),
            life: self.place.expires_in,
            roots,
            aliases: self.alias.iter().map(|alias| parse_alias(alias)).collect::<Result<_>>()?,
        })
    }
}
