//! `pgcred add`: writes a connection into the configuration, and says what may be wrong with it.
//!
//! TARGET and the options are kept as they were typed, and the database role, which may be the
//! default of the provider. Variables of this shell are not kept, because they may be others
//! tomorrow. The file is edited in place: comments and order stay. Warnings come after the edit and
//! never stop it.

use std::path::Path;

use super::app::App;
use super::config_file::ConfigNeed;
use super::line_owners::mark_taken_lines;
use super::needs::Needs;
use super::preferences::Preferences;
use super::run::Run;
use super::setup::undo;
use super::warnings;
use crate::config::{self, Config, Connection};
use crate::error::{Error, Result};
use crate::provider::{self, Provider};
use crate::request::target::RootsChoice;
use crate::resolve::{ConnectionOptions, allowed_life, provider_of, tunnel_hint};
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
    /// Another host:port under which the passfile has the token too, such as a tunnel's; may be
    /// repeated
    #[arg(long, value_name = "HOST[:PORT]")]
    alias: Vec<String>,
    /// Change a connection that exists
    #[arg(long)]
    replace: bool,
}

impl Run for Add {
    type Outcome = ();
    const NEEDS: Needs = Needs {
        configuration: ConfigNeed::WholeOrNew,
        asks_authority: false,
        ..Needs::USUAL
    };

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let (connection, provider) = self.connection(&app.preferences)?;
        let was_there = app.preferences.config.connection(&self.name).is_some();
        let path = app
            .preferences
            .edit_config(|text| config::add(text, &connection, self.replace))?;
        app.forget_due();
        let what = if was_there { "changed" } else { "added" };
        let output = app.preferences.output;
        output.note(&format!("{}: {what} {}", path.display(), self.name));
        let after = match app.reload() {
            Ok(after) => after,
            Err(error) => {
                output.warn(&error.to_string()); // the connection is in the file all the same
                return Ok(());
            }
        };
        self.warn_about_connection(provider, &after.preferences);
        if was_there {
            self.name_tools(&after);
        }
        if self.has_line(&after.preferences) {
            output.note(&format!(
                "next: `pgcred refresh {}` writes a token to the passfile; `pgcred setup` lists \
                 the tools that can connect",
                self.name
            ));
        }
        Ok(())
    }
}

impl Add {
    /// Warns about what may be wrong with the connection that is now in the configuration.
    fn warn_about_connection(&self, provider: &Provider, preferences: &Preferences) {
        let output = preferences.output;
        if let Some(profile) = &self.connection.profile
            && let Some(warning) = provider.authority.profile_warning(profile)
        {
            output.warn(&warning);
        }
        let options = ConnectionOptions::default();
        let resolved = preferences
            .resolver()
            .resolve_without_variables(&options, Some(&self.name));
        match resolved {
            Ok(request) => {
                warnings::print(&[(&self.name, &request)], preferences);
                if let Some(warning) = warnings::of_alias(&self.name, &request) {
                    output.warn(&warning);
                }
            }
            Err(error) => output.warn(&error.to_string()),
        }
    }

    /// Tells whether the connection has a line of its own in the passfile, and warns if it shares
    /// one.
    fn has_line(&self, preferences: &Preferences) -> bool {
        let mut has_line = true;
        for conflict in mark_taken_lines(&mut preferences.named_connections()) {
            if conflict.later == self.name {
                has_line = false;
            }
            if conflict.later == self.name || conflict.owner == self.name {
                preferences.output.warn(&conflict.to_string());
            }
        }
        has_line
    }

    /// Names the tools whose files still have the connection as it was before.
    fn name_tools(&self, app: &App) {
        let Ok(machine) = Machine::current(app.options.config.as_deref()) else {
            return;
        };
        for tool in undo::tools_with(&self.name, &machine) {
            app.preferences.output.note(&format!(
                "{} still has the connection as it was: run `pgcred setup {} {}` again",
                tool.title, tool.name, self.name
            ));
        }
    }

    /// Returns the provider that serves the host for which tokens are signed.
    fn provider(&self, host: &str, config: &Config) -> Result<&'static Provider> {
        let options = &self.connection;
        let signed = match &options.sign_host {
            Some(text) => HostPort::parse(text)?.host,
            None => host.to_owned(),
        };
        if options.provider.is_none()
            && let Some((provider, _)) = provider::of_id(&signed, "")
        {
            return Ok(provider);
        }
        let typed = options.typed_host(self.target.as_deref());
        let name = options.provider.as_deref();
        match provider_of(&signed, name, typed.as_deref(), config) {
            Ok(provider) => Ok(provider),
            Err(error) => {
                let tunnel = tunnel_hint();
                Err(error.hint(format!("give the whole name of the host; {tunnel}")))
            }
        }
    }

    /// Returns the connection as it is to be written: with a host that a provider serves, and with
    /// a user. The provider is returned too.
    fn connection(&self, preferences: &Preferences) -> Result<(Connection, &'static Provider)> {
        let options = &self.connection;
        let mut target = self.target.as_deref();
        if target.unwrap_or_default().trim().is_empty() {
            target = None;
        }
        let mut address = options.address.to_target_spec(target)?;
        let roots_of_target = address.take_roots()?;
        let roots = options.roots.clone().or(roots_of_target);
        check_roots(roots.as_ref())?;
        if options.dbname.is_some() {
            address.dbname.clone_from(&options.dbname);
        }
        let Some(host) = address.host.clone() else {
            return Err(Error::usage(format!("{}: no host", self.name))
                .hint(format!("pgcred add {} HOST --profile PROFILE", self.name)));
        };
        let provider = self.provider(&host, &preferences.config)?;
        if options.expires_in.is_some() {
            allowed_life(options.expires_in, provider, preferences.config.max_life)?;
        }
        if address.user.is_none() {
            address.user = Some(self.default_user(&host, provider, &preferences.config)?);
        }
        let mut aliases = Vec::new();
        for alias in &self.alias {
            aliases.push(read_alias(alias)?);
        }
        let sign_host = match &options.sign_host {
            Some(text) => Some(HostPort::parse(text)?),
            None => None,
        };
        let connection = Connection {
            name: self.name.clone(),
            target: address,
            profile: options.profile.clone(),
            region: options.region()?,
            provider: options.provider.clone(),
            sign_host,
            life: options.expires_in,
            roots,
            aliases,
            discovered: false, // from now on it is the user's own
        };
        Ok((connection, provider))
    }

    /// Returns the user of a match rule or of the provider. PGUSER is not read, because it must not
    /// change what the connection means.
    fn default_user(&self, host: &str, provider: &Provider, config: &Config) -> Result<String> {
        if let Some(user) = config.rule(host).user {
            return Ok(user);
        }
        match provider.user {
            Some(user) => Ok(user.to_owned()),
            None => Err(Error::usage(format!("{}: no user for {host}", self.name))
                .hint("name the database user: --user USER")),
        }
    }
}

/// Refuses a file that does not exist: clients would fail later, and say little about the reason.
fn check_roots(roots: Option<&RootsChoice>) -> Result<()> {
    match roots {
        Some(RootsChoice::File(file)) if fs::changed(Path::new(file)).is_none() => {
            Err(Error::usage(format!("{file}: no such file")).hint(
                "name a PEM file of root certificates; --roots provider uses the certificates that \
                 pgcred has",
            ))
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
