//! Writes a connection into the configuration, and says what may be wrong with it, for `pgcred
//! add`.
//!
//! TARGET and the options are kept as they were typed, and the database role, which may be the
//! default of the provider. Variables of this shell are not kept, because they may be others
//! tomorrow. The file is edited in place: comments and order stay. Warnings come after the edit and
//! never stop it.
//!
//! ```text
//! mod       options; one connection; `command/connection_advice` tells what may be wrong with it
//!  +--> carry_over   what a connection that is changed keeps
//!  +--> gateway_port on which port the gateway offers it
//!  +--> file_import the connections of a file that a team shares
//! ```

mod carry_over;
mod file_import;
mod gateway_port;

use std::path::{Path, PathBuf};

use file_import::FileImport;

use super::app::App;
use super::config_file::ConfigNeed;
use super::connection_advice;
use super::edits::EditPolicy;
use super::needs::CommandNeeds;
use super::preferences::Preferences;
use super::run::RunCommand;
use crate::config::{self, Config, Connection};
use crate::error::{Error, Result};
use crate::provider::{self, Provider};
use crate::request::target::RootsChoice;
use crate::resolve::{
    ConnectionOptions, allowed_lifetime, check_user_spelling, provider_of, tunnel_hint,
};
use crate::setup::SetupDirection;
use crate::sys::fs;
use crate::sys::terminal::InheritedStdin;
use crate::text::backquoted;
use crate::text::host::HostPort;

#[derive(clap::Args)]
#[command(override_usage = "pgcred add [OPTIONS] NAME [TARGET] | --from FILE [NAME]...")]
pub(crate) struct AddCommand {
    /// Name to use as TARGET; with --from, a connection to take from the file [default there: all]
    #[arg(required_unless_present = "from")]
    name: Option<String>,
    /// Host, DSQL cluster ID, postgres:// URI or libpq conninfo string
    target: Option<String>,
    #[arg(hide = true)]
    more: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Another host:port under which the passfile has the token too, such as a tunnel's; may be
    /// repeated
    #[arg(long, value_name = "HOST[:PORT]")]
    alias: Vec<String>,
    /// Value for a placeholder of the command that prints the tokens, such as cluster=NAME for
    /// Redshift; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    var: Vec<String>,
    /// Offer the connection by the gateway, `pgcred proxy`, on this port [default: the next that is
    /// free, from 15432]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "0")]
    proxy: Option<u16>,
    /// Change a connection that exists: what you do not name stays as it is
    #[arg(long)]
    replace: bool,
    /// Take connections from a file that a team shares, which has tables [connections.NAME] as the
    /// configuration does
    #[arg(long, value_name = "FILE", conflicts_with_all = OPTIONS_OF_ONE)]
    from: Option<PathBuf>,
    /// With --from: show what would change, and change nothing
    #[arg(long, requires = "from", conflicts_with = "yes")]
    dry_run: bool,
    /// With --from: do not ask before the configuration is changed
    #[arg(long, short, requires = "from")]
    yes: bool,
}

/// The options that describe one connection.
#[rustfmt::skip]
const OPTIONS_OF_ONE: [&str; 13] = [
    "host", "port", "user", "dbname", "profile", "region", "provider", "sign_host", "roots",
    "expires_in", "alias", "var", "proxy",
];

impl RunCommand for AddCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        configuration: ConfigNeed::WholeOrNew,
        asks_authority: false,
        ..CommandNeeds::USUAL
    };

    fn run(mut self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        if let Some(file) = self.from.take() {
            return self.into_file_import(file).run(app);
        }
        if !self.more.is_empty() {
            let error = Error::usage("add takes a name and one TARGET");
            return Err(error.hint(
                "write a conninfo string in quotes: `pgcred add NAME \"host=HOST user=USER\"`",
            ));
        }
        let (connection, dropped_keys) = self.connection(&app.preferences)?;
        let name = connection.name.as_str();
        let was_there = app.preferences.config.connection(name).is_some();
        let path = app
            .preferences
            .edit_config(|text| config::add_connection(text, &connection, self.replace))?;
        app.forget_due_file();
        let outcome = if was_there { "changed" } else { "added" };
        let output = app.preferences.output;
        output.note(&format!("{}: {outcome} {name}", path.display()));
        if !dropped_keys.is_empty() {
            let key_list = dropped_keys.join(", ");
            output.note(&format!(
                "{name}: no longer set, as the host is another one: {key_list}"
            ));
        }
        let changed: &[&str] = if was_there { &[name] } else { &[] };
        connection_advice::print_advice(&[name], changed, app);
        Ok(())
    }
}

impl AddCommand {
    fn into_file_import(self, file: PathBuf) -> FileImport {
        let mut names = self.more;
        names.extend(self.target);
        names.extend(self.name);
        FileImport {
            file,
            names,
            replace: self.replace,
            policy: EditPolicy {
                direction: SetupDirection::SetUp,
                dry_run: self.dry_run,
                yes: self.yes,
            },
        }
    }

    /// Returns the connection as it is to be written: with a host that a provider serves, and with
    /// a user. A connection that is changed keeps what is not named, but for the keys that are
    /// returned too.
    fn connection(&self, preferences: &Preferences) -> Result<(Connection, Vec<&'static str>)> {
        let mut connection = self.named_values()?;
        let name = connection.name.clone();
        let mut dropped_keys = Vec::new();
        if self.replace
            && let Some(old) = preferences.config.connection(&name)
        {
            dropped_keys = carry_over::carry_over(&mut connection, old);
        }
        if let Some(port) = self.proxy {
            connection.gateway = Some(gateway_port::gateway_settings(
                port,
                &name,
                &preferences.config,
            )?);
        }
        let Some(host) = connection.target.host.clone() else {
            if preferences.config.connection(&name).is_some() {
                let problem = format!("{name}: a connection of that name exists already");
                return Err(Error::usage(problem).hint("add --replace to change it"));
            }
            return Err(Error::usage(format!("{name}: no host is named"))
                .hint(format!("run `pgcred add {name} HOST --profile PROFILE`")));
        };
        let provider = self.provider(&host, &connection, &preferences.config)?;
        config::check_vars(
            provider.name,
            &connection.vars,
            &preferences.config.commands,
        )
        .map_err(|error| error.about(&name))?;
        let requested_lifetime = self.connection.expires_in;
        if requested_lifetime.is_some() {
            allowed_lifetime(
                requested_lifetime,
                provider,
                preferences.config.max_lifetime_seconds,
            )?;
        }
        match &connection.target.user {
            Some(user) => check_user_spelling(user, &host, provider)?,
            None if provider.names_user => {}
            None => {
                let user = default_user(&name, &host, provider, &preferences.config)?;
                connection.target.user = Some(user);
            }
        }
        Ok((connection, dropped_keys))
    }

    /// Returns what the user has named.
    fn named_values(&self) -> Result<Connection> {
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
        let mut aliases = Vec::new();
        for alias in &self.alias {
            aliases.push(parse_alias(alias)?);
        }
        let sign_host = match &options.sign_host {
            Some(text) => Some(HostPort::parse(text)?),
            None => None,
        };
        Ok(Connection {
            name: self.name.clone().unwrap_or_default(),
            target: address,
            profile: options.profile.clone(),
            region: options.region()?,
            provider: options.provider.clone(),
            sign_host,
            lifetime: options.expires_in,
            roots,
            aliases,
            vars: read_vars(&self.var)?,
            discovered: false, // from now on it is the user's own
            gateway: None,
        })
    }

    /// Returns the provider that serves the host for which tokens are signed.
    fn provider(
        &self,
        host: &str,
        connection: &Connection,
        config: &Config,
    ) -> Result<&'static Provider> {
        let sign_host = match &connection.sign_host {
            Some(sign_host) => &sign_host.host,
            None => host,
        };
        if connection.provider.is_none()
            && let Some((provider, _)) = provider::find_by_id(sign_host, "")
        {
            return Ok(provider);
        }
        let typed_host = self.connection.typed_host(self.target.as_deref());
        let rule_provider = config.rule(host).provider;
        let name = connection.provider.as_deref().or(rule_provider.as_deref());
        match provider_of(sign_host, name, typed_host.as_deref(), config) {
            Ok(provider) => Ok(provider),
            Err(error) => {
                let tunnel = tunnel_hint();
                Err(error.hint(format!("give the whole name of the host; {tunnel}")))
            }
        }
    }
}

/// Returns the user of a match rule or of the provider. PGUSER is not read, because it must not
/// change what the connection means.
fn default_user(name: &str, host: &str, provider: &Provider, config: &Config) -> Result<String> {
    if let Some(user) = config.rule(host).user {
        return Ok(user);
    }
    match provider.user {
        Some(user) => Ok(user.to_owned()),
        None => Err(Error::usage(format!("{name}: no user for {host}"))
            .hint(provider.hint_of_user("name the database user with --user USER"))),
    }
}

/// Refuses a file that does not exist: clients would fail later, and say little about the reason.
fn check_roots(roots: Option<&RootsChoice>) -> Result<()> {
    match roots {
        Some(RootsChoice::File(file)) if fs::time_of_change(Path::new(file)).is_none() => {
            Err(Error::usage(format!("{file}: no such file")).hint(
                "name a PEM file of root certificates, or use --roots provider for those that \
                 pgcred has",
            ))
        }
        _ => Ok(()),
    }
}

fn parse_alias(text: &str) -> Result<HostPort> {
    HostPort::parse(text).map_err(|error| {
        error
            .about(&format!("--alias {}", backquoted(text)))
            .hint("write it as HOST or HOST:PORT")
    })
}

/// Reads the values for placeholders, in the order of their names as the file has them.
fn read_vars(texts: &[String]) -> Result<Vec<(String, String)>> {
    let mut vars: Vec<(String, String)> = Vec::new();
    for text in texts {
        let about = |error: Error| error.about(&format!("--var {}", backquoted(text)));
        let (name, value) = config::parse_var(text).map_err(about)?;
        if vars.iter().any(|(earlier, _)| *earlier == name) {
            let name = backquoted(&name);
            let error = Error::usage(format!("{name} is given twice"));
            return Err(about(
                error.hint(format!("leave out one of the two values of {name}")),
            ));
        }
        vars.push((name, value));
    }
    vars.sort();
    Ok(vars)
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    #[test]
    fn a_file_excludes_every_option_of_one_connection() {
        let command = ConnectionOptions::augment_args(clap::Command::new("add"));
        let mut options: Vec<&str> = Vec::new();
        for option in command.get_arguments() {
            options.push(option.get_id().as_str());
        }
        options.extend(["alias", "var", "proxy"]);
        assert_eq!(options, OPTIONS_OF_ONE);
    }
}
