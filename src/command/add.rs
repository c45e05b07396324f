//! `pgcred add`: put a connection into the configuration.

use std::path::Path;

use super::app::App;
use super::line_owners::settle;
use super::preferences::Preferences;
use super::run::Run;
use super::{undo, warnings};
use crate::config::{self, Config, Connection};
use crate::error::{Error, Result};
use crate::provider::{self, Provider};
use crate::request::target::RootsChoice;
use crate::resolve::{ConnectionOptions, provider_of, seconds};
use crate::setup::Machine;
use crate::sys::fs;
use crate::sys::terminal::Stdin;
use crate::text::host::{self, HostPort};

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Name to use as TARGET
    name: String,
    /// Host, DSQL cluster ID, postgres:// URI or libpq conninfo string
    target: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Other host:port under which the passfile files the token too, such as a tunnel's; may be
    /// repeated
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

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let connection = self.connection(&app.preferences)?;
        let changed = app.preferences.config.connection(&self.name).is_some();
        let path = app
            .preferences
            .edit_config(|text| config::add(text, &connection, self.replace))?;
        app.forget_due();
        let what = if changed { "changed" } else { "added" };
        app.preferences
            .output
            .note(&format!("{}: {what} {}", path.display(), self.name));
        let after = match app.again() {
            Ok(after) => after,
            Err(error) => {
                app.preferences.output.warn(&error.to_string()); // the connection stands in the file all the same
                return Ok(());
            }
        };
        self.say_doubts(&after.preferences);
        if changed {
            self.name_tools(&after);
        }
        let mut has_line = true;
        for clash in settle(&mut after.preferences.named_connections()) {
            if [&clash.later, &clash.owner].contains(&&self.name) {
                app.preferences.output.warn(&clash.to_string());
            }
            has_line &= clash.later != self.name;
        }
        if !has_line {
            return Ok(());
        }
        app.preferences.output.note(&format!(
            "next: `pgcred refresh {}` writes a token to the passfile; `pgcred setup` lists the tools that can connect",
            self.name
        ));
        Ok(())
    }
}

impl Add {
    /// Says what may be wrong with what is kept now.
    fn say_doubts(&self, preferences: &Preferences) {
        if let Some(doubt) = self
            .connection
            .profile
            .as_deref()
            .and_then(warnings::of_profile)
        {
            preferences.output.warn(&doubt);
        }
        match preferences
            .resolver()
            .configured(&ConnectionOptions::default(), Some(&self.name))
        {
            Ok(request) => {
                warnings::say(&[(&self.name, &request)], preferences);
                if let Some(doubt) = warnings::of_alias(&self.name, &request) {
                    preferences.output.warn(&doubt);
                }
            }
            Err(error) => preferences.output.warn(&error.to_string()),
        }
    }

    /// Names the tools whose files hold the connection as it was.
    fn name_tools(&self, app: &App) {
        let Ok(machine) = Machine::this(app.options.config.as_deref()) else {
            return;
        };
        for tool in undo::tools_with(&self.name, &machine) {
            let again = format!("pgcred setup {} {}", tool.name, self.name);
            app.preferences.output.note(&format!(
                "{} has the connection as it was: run `{again}` again",
                tool.title
            ));
        }
    }

    /// Returns who serves the host that will be signed.
    fn provider(&self, host: &str, config: &Config) -> Result<&'static Provider> {
        let signed = match &self.connection.sign_host {
            Some(text) => HostPort::parse(text)?.host,
            None => host.to_owned(),
        };
        if let (None, Some((provider, _))) =
            (&self.connection.provider, provider::of_id(&signed, ""))
        {
            return Ok(provider);
        }
        let typed = self.connection.typed_host(self.target.as_deref());
        provider_of(
            &signed,
            self.connection.provider.as_deref(),
            typed.as_deref(),
            config,
        )
        .map_err(|error| {
            error.hint(
                "give the whole name of the host; for a tunnel or CNAME add --sign-host HOST, \
                 else --provider dsql|rds and --region REGION",
            )
        })
    }

    /// Returns the connection as it is to be written: one that a provider serves, with its user.
    fn connection(&self, preferences: &Preferences) -> Result<Connection> {
        let target = self
            .target
            .as_deref()
            .filter(|target| !target.trim().is_empty());
        let mut place = self.connection.address.said(target)?;
        let said = place.take_roots()?;
        let roots = self.connection.roots.clone().or(said);
        check_roots(roots.as_ref())?;
        if self.connection.dbname.is_some() {
            place.dbname.clone_from(&self.connection.dbname);
        }
        let Some(host) = place.host.clone() else {
            return Err(Error::usage(format!("{}: no host", self.name))
                .hint(format!("pgcred add {} HOST --profile PROFILE", self.name)));
        };
        let provider = self.provider(&host, &preferences.config)?;
        if self.connection.expires_in.is_some() {
            seconds(
                self.connection.expires_in,
                provider,
                preferences.config.max_life,
            )?;
        }
        // What a name means must not change with PGUSER.
        let user = place
            .user
            .take()
            .or_else(|| preferences.config.rule(&host).user);
        let user = user
            .or_else(|| provider.user.map(str::to_owned))
            .ok_or_else(|| {
                Error::usage(format!("{}: no user for {host}", self.name))
                    .hint("name the database user: --user USER")
            })?;
        place.user = Some(user);
        Ok(Connection {
            name: self.name.clone(),
            target: place,
            profile: self.connection.profile.clone(),
            region: self.connection.region.clone(),
            provider: self.connection.provider.clone(),
            sign_host: self
                .connection
                .sign_host
                .as_deref()
                .map(HostPort::parse)
                .transpose()?,
            life: self.connection.expires_in,
            roots,
            aliases: self
                .alias
                .iter()
                .map(|alias| read_alias(alias))
                .collect::<Result<_>>()?,
        })
    }
}

/// A file has to be there: clients would fail on a slip in its name, and say little.
fn check_roots(roots: Option<&RootsChoice>) -> Result<()> {
    match roots {
        Some(RootsChoice::File(file)) if fs::changed(Path::new(file)).is_none() => {
            Err(Error::usage(format!("{file}: no such file"))
                .hint("name a PEM file of root certificates; --roots provider takes those that pgcred has"))
        }
        _ => Ok(()),
    }
}

fn read_alias(text: &str) -> Result<HostPort> {
    HostPort::parse(text).map_err(|error| {
        error
            .about(&format!("--alias {}", host::quoted(text)))
            .hint("write it as HOST or HOST:PORT")
    })
}
