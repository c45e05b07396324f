//! From the options, TARGET, PG* variables and the configuration to a request.

mod options;

use crate::authority::AskPolicy;
use crate::aws::{doubt_region, normal_region};
use crate::config::{Config, Connection, Life, Rule};
use crate::error::{Error, Result};
use crate::issue::default_region;
use crate::output::Output;
use crate::passfile::block::PassfileKey;
use crate::provider::{self, Provider};
use crate::request::target::{RootsChoice, TargetSpec};
use crate::request::{Request, check_name};
use crate::roots;
use crate::sys::env;
use crate::text::host::{self, HostPort};
use crate::text::suggest;
pub(crate) use options::{AddressOptions, ConnectionOptions};

/// The connection that is meant, if it is one, and where the client connects as far as anything but
/// defaults says it.
struct Meant<'a> {
    connection: Option<&'a Connection>,
    place: TargetSpec,
    /// PG* variables count.
    variables: bool,
    target_has_address: bool,
}

/// What is said besides the address.
struct Settings {
    profile: Option<String>,
    region: Option<String>,
    sign_host: Option<HostPort>,
    provider: Option<String>,
    /// By a match rule: the user whom nothing else names.
    user: Option<String>,
    roots: Option<RootsChoice>,
    life: Option<Life>,
}

/// The endpoint that is signed.
struct Signed {
    host: String,
    port: u16,
    /// The port was said, and not left to the default.
    names_port: bool,
}

/// What a resolution looks at besides the options and TARGET.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) config: &'a Config,
    pub(crate) ask: &'a AskPolicy,
    /// Where warnings go.
    pub(crate) output: Output,
}

impl Resolver<'_> {
    /// Resolves one target: flags, then TARGET or the connection that it is, PG* variables, match
    /// rules, defaults.
    ///
    /// Asks AWS's configuration only for the region of a bare cluster ID.
    pub(crate) fn request(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let meant = options.meant(target, true, self.config)?;
        options.resolve(target, meant, self)
    }

    /// The same without PG* variables. Whatever deals with every connection asks so, for a
    /// scheduler or another shell has to come to the same.
    pub(crate) fn configured(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let meant = options.meant(target, false, self.config)?;
        options.resolve(target, meant, self)
    }

    /// For what is written down and outlives the shell: a connection as it is configured; PG*
    /// variables fill only what another target leaves open.
    pub(crate) fn lasting(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let configured = options.meant(target, false, self.config)?;
        if configured.connection.is_some() {
            return options.resolve(target, configured, self);
        }
        self.request(options, target)
    }
}

impl ConnectionOptions {
    /// Finds the connection that is meant, by its name or by its own address, and where it leads.
    fn meant<'a>(
        &self,
        target: Option<&str>,
        variables: bool,
        config: &'a Config,
    ) -> Result<Meant<'a>> {
        let named = target.and_then(|name| config.connection(name));
        let mut said = self.address.said(target.filter(|_| named.is_none()))?;
        if let Some(dbname) = &self.dbname {
            said.dbname = Some(check_name("dbname", dbname.clone())?);
        }
        // Those of `pgcred exec` lead its program to one target. They name that one where nothing
        // else is named, and say nothing of another one.
        let is_named = named.is_some() || said.host.is_some();
        let variables = variables && !(is_named && env::is_in_exec());
        let target_has_address = said.has_option("hostaddr");
        let connection = match named {
            Some(_) => named,
            None => self.at(said.clone(), variables, config)?,
        };
        let mut place = match connection {
            Some(connection) => {
                said.host = said.host.filter(|_| named.is_some()); // else the same host, as the configuration writes it
                said.or(connection.target.clone())
            }
            None => said,
        };
        if variables {
            fill_from_variables(&mut place)?;
        }
        Ok(Meant {
            connection,
            place,
            variables,
            target_has_address,
        })
    }

    /// Finds the connection whose own address this is.
    fn at<'a>(
        &self,
        mut asked: TargetSpec,
        variables: bool,
        config: &'a Config,
    ) -> Result<Option<&'a Connection>> {
        if variables {
            fill_from_variables(&mut asked)?;
        }
        let signed = self.sign_host.as_deref().map(HostPort::parse).transpose()?;
        Ok(config.at(&asked, self.region.as_deref(), |connection| {
            self.agrees_with(connection, signed.as_ref())
        }))
    }

    /// Tells whether the options leave open that this connection is meant: where many tunnels
    /// begin, an address says little, and the endpoint that is signed says more.
    fn agrees_with(&self, connection: &Connection, signed: Option<&HostPort>) -> bool {
        let same_endpoint = signed.is_none_or(|signed| {
            connection.signs(&signed.host, signed.port, self.region.as_deref())
        });
        same_endpoint
            && self
                .provider
                .as_deref()
                .is_none_or(|name| connection.may_be_of(name))
    }

    fn resolve(
        &self,
        target: Option<&str>,
        meant: Meant,
        resolver: Resolver<'_>,
    ) -> Result<Request> {
        let Meant {
            connection,
            mut place,
            variables,
            target_has_address,
        } = meant;
        if self.roots.is_some() {
            place.take_roots()?; // an option beats TARGET
        }
        let dialled = place.host.ok_or_else(|| {
            Error::usage("no host")
                .hint("name a connection, a host or a postgres:// URI, or set PGHOST")
        })?;
        let settings = self.settings(connection, resolver.config.rule(&dialled))?;
        let Settings {
            profile, region, ..
        } = &settings;
        let full_name =
            |name: String| full_name(name, region.as_deref(), profile.as_deref(), resolver.ask);

        let port = place.port.unwrap_or(provider::DEFAULT_PORT);
        let host = full_name(dialled)?;
        let signed = match &settings.sign_host {
            None => Signed {
                host: host.clone(),
                port,
                names_port: false,
            },
            // A tunnel's port is the client's own; the endpoint listens on the usual one unless
            // told.
            Some(signed) => Signed {
                host: full_name(signed.host.clone())?,
                port: signed.port.unwrap_or(provider::DEFAULT_PORT),
                names_port: signed.port.is_some(),
            },
        };
        let mut roots_by_variable = None;
        if variables {
            roots_by_variable = roots::said_by_variable()?;
            fill_address(&mut place.options, &host)?;
        }
        let typed = self.typed_host(target);
        let provider = provider_of(
            &signed.host,
            settings.provider.as_deref(),
            typed.as_deref(),
            resolver.config,
        )?;
        if provider.signs_port {
            self.warn_about_port(&signed, port, connection, resolver.output);
        }
        warn_about_region(&signed.host, region.as_deref(), provider, resolver.output);

        let anybody = || self.address.for_any_user.then(String::new);
        let user = place
            .user
            .or(settings.user)
            .or_else(|| provider.user.map(str::to_owned))
            .or_else(anybody);
        let user = user.ok_or_else(|| {
            Error::usage(format!("no user for {host}"))
                .hint("name the database role: --user USER or PGUSER")
        })?;
        let mut aliases = Vec::new();
        if let Some(connection) = connection {
            for alias in &connection.aliases {
                aliases.push(PassfileKey {
                    host: alias.host.clone(),
                    port: alias.port.unwrap_or(port),
                    user: user.clone(),
                });
            }
        }
        Ok(Request {
            connection: connection.map(|connection| connection.name.clone()),
            provider,
            port,
            user,
            dbname: place.dbname.unwrap_or_else(|| provider.dbname.to_owned()),
            options: place.options,
            target_has_address,
            roots: settings.roots.or(roots_by_variable),
            region: settings
                .region
                .or_else(|| (provider.region)(&signed.host).map(str::to_owned)),
            profile: settings.profile,
            aliases,
            taken: Vec::new(),
            life: seconds(settings.life, provider, resolver.config.max_life)?,
            host,
            sign_port: signed.port,
            sign_host: signed.host,
        })
    }

    /// Returns what is said besides the address: by options, else by the connection, else by a
    /// match rule.
    fn settings(&self, connection: Option<&Connection>, rule: Rule) -> Result<Settings> {
        let own = |flag: &Option<String>, field: fn(&Connection) -> &Option<String>| {
            flag.clone()
                .or_else(|| connection.and_then(|connection| field(connection).clone()))
        };
        let profile = own(&self.profile, |connection| &connection.profile).or(rule.profile);
        let region = own(&self.region, |connection| &connection.region).or(rule.region);
        let sign_host = match &self.sign_host {
            Some(said) => Some(HostPort::parse(said)?),
            None => connection.and_then(|connection| connection.sign_host.clone()),
        };
        let roots = self
            .roots
            .clone()
            .or_else(|| connection.and_then(|connection| connection.roots.clone()));
        let life = self
            .expires_in
            .or_else(|| connection.and_then(|connection| connection.life));
        Ok(Settings {
            profile: profile
                .map(|profile| check_name("profile", profile))
                .transpose()?,
            region: region.as_deref().map(normal_region).transpose()?,
            sign_host,
            provider: own(&self.provider, |connection| &connection.provider),
            user: rule.user,
            roots: roots.or(rule.roots),
            life: life.or(rule.life),
        })
    }

    /// Warns where the port that is signed is not the one that is dialled, and nobody has said that
    /// this is right.
    fn warn_about_port(
        &self,
        signed: &Signed,
        port: u16,
        connection: Option<&Connection>,
        output: Output,
    ) {
        let Signed {
            host: sign_host,
            port: sign_port,
            names_port,
        } = signed;
        if *sign_port == port || *names_port {
            return;
        }
        let name = connection
            .map(|connection| format!("{}: ", connection.name))
            .unwrap_or_default();
        let told = if self.sign_host.is_some() {
            "--sign-host "
        } else {
            "sign_host = "
        };
        output.warn(&format!(
            "{name}the token is signed for port {sign_port} of {sign_host}, though the client dials port {port}; \
             if that is right, write {told}\"{sign_host}:{sign_port}\""
        ));
    }
}

/// Returns the provider of that name, else the one that serves the host; `typed` is what the host
/// came from.
pub(crate) fn provider_of(
    host: &str,
    name: Option<&str>,
    typed: Option<&str>,
    config: &Config,
) -> Result<&'static Provider> {
    match name {
        Some(name) => provider::named(name),
        None => provider::of_host(host).ok_or_else(|| unknown(host, typed, config)),
    }
}

/// The error for a host that no provider serves; `typed` is what it came from.
fn unknown(host: &str, typed: Option<&str>, config: &Config) -> Error {
    const TUNNEL: &str =
        "for a tunnel or CNAME add --sign-host HOST, else --provider dsql|rds and --region REGION";
    // As it was typed, unless it is longer: a URI may hold a password.
    let typed = typed
        .map(str::trim)
        .filter(|typed| typed.eq_ignore_ascii_case(host))
        .unwrap_or(host);
    let names = || {
        config
            .connections
            .iter()
            .map(|connection| connection.name.as_str())
    };
    let is_name = !host.contains('.');
    let could_be_id =
        (24..=28).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_alphanumeric());
    let hint = if let Some(meant) = suggest::nearest(typed, names()) {
        format!("did you mean the connection `{meant}`?")
    } else if host == "help" {
        "for help on a command: pgcred COMMAND --help".to_owned()
    } else if could_be_id {
        format!(
            "a cluster ID of Aurora DSQL has 26 characters; this one has {}",
            host.len()
        )
    } else if is_name && names().next().is_some() {
        format!("the connections are {}; {TUNNEL}", suggest::listed(names()))
    } else if is_name {
        format!(
            "to make a connection of that name: pgcred add {host} HOST --profile PROFILE; {TUNNEL}"
        )
    } else {
        TUNNEL.to_owned()
    };
    let shown = host::quoted(typed);
    Error::no_target(format!(
        "{shown} is no connection, no cluster ID and no host of Aurora DSQL or RDS"
    ))
    .hint(hint)
}

/// Returns the life to sign for, within what provider and policy allow. `max` is cut when it is
/// signed.
pub(crate) fn seconds(life: Option<Life>, provider: &Provider, cap: Option<u32>) -> Result<u32> {
    let most = cap.unwrap_or(u32::MAX);
    match life {
        None => Ok(provider::DEFAULT_LIFE.min(most)),
        Some(Life::Max) => Ok(provider.max_life.min(most)),
        Some(Life::Seconds(seconds)) if seconds > most => Err(Error::usage(format!(
            "expiry of {seconds} s: the configuration's max_expires_in is {most} s"
        ))),
        Some(Life::Seconds(seconds)) => provider.check_life(seconds),
    }
}

/// Warns of a region that is not the host's own, or that AWS may not have.
fn warn_about_region(sign_host: &str, region: Option<&str>, provider: &Provider, output: Output) {
    let named_by_host = (provider.region)(sign_host);
    if let (Some(asked), Some(named)) = (region, named_by_host)
        && asked != named
    {
        output.warn(&format!(
            "region {asked} is signed, but {sign_host} is in {named}"
        ));
    }
    let doubts = [
        region.or(named_by_host).and_then(doubt_region),
        provider::doubt_host(sign_host),
    ];
    doubts.iter().flatten().for_each(|doubt| output.warn(doubt));
}

/// A bare cluster ID becomes its endpoint; anything else stays.
fn full_name(
    name: String,
    region: Option<&str>,
    profile: Option<&str>,
    ask: &AskPolicy,
) -> Result<String> {
    if provider::of_id(&name, "").is_none() {
        return Ok(name);
    }
    let region = region.map_or_else(
        || default_region(&name, profile, ask),
        |region| Ok(region.to_owned()),
    )?;
    Ok(provider::of_id(&name, &region).map_or(name, |(_, host)| host))
}

/// Fills what is still open from PG* variables, as libpq would; `PGPASSWORD` is never read.
fn fill_from_variables(place: &mut TargetSpec) -> Result<()> {
    let about = |name: &'static str| move |error: Error| error.about(name);
    if place.port.is_none() {
        place.port = env::text("PGPORT")?
            .map(|text| host::parse_port(&text))
            .transpose()
            .map_err(about("PGPORT"))?;
    }
    if let (None, Some(host)) = (&place.host, env::text("PGHOST")?) {
        place.set_host(&host).map_err(about("PGHOST"))?;
    }
    if place.user.is_none() {
        place.user = env::text("PGUSER")?
            .map(|user| check_name("user", user))
            .transpose()
            .map_err(about("PGUSER"))?;
    }
    if place.dbname.is_none() {
        let name = env::text("PGDATABASE")?.map(|name| check_name("dbname", name));
        place.dbname = name.transpose().map_err(about("PGDATABASE"))?;
    }
    if let (false, Some(mode)) = (place.has_option("sslmode"), env::text("PGSSLMODE")?) {
        place.options.push((
            "sslmode".to_owned(),
            check_name("sslmode", mode).map_err(about("PGSSLMODE"))?,
        ));
    }
    Ok(())
}

/// Fills the address that is dialled, if PGHOSTADDR was set for this very host.
fn fill_address(options: &mut Vec<(String, String)>, host: &str) -> Result<()> {
    let is_said = options.iter().any(|(key, _)| key == "hostaddr");
    let is_of_host = || env::var("PGHOST").is_some_and(|of| of.eq_ignore_ascii_case(host));
    if is_said || !is_of_host() {
        return Ok(());
    }
    if let Some(address) = env::text("PGHOSTADDR")? {
        let address = check_name("hostaddr", address).map_err(|error| error.about("PGHOSTADDR"))?;
        options.push(("hostaddr".to_owned(), address));
    }
    Ok(())
}
