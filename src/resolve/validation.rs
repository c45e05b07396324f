//! Third step: the provider, the endpoint that is signed and the life of the token, checked, become
//! the request.

use super::options::ConnectionOptions;
use super::precedence::Meant;
use super::sources::{Said, ValueSource};
use super::unknown_host::unknown_host;
use crate::authority::{AskPolicy, Region};
use crate::config::{Config, Connection, Life};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::PassfileKey;
use crate::provider::{self, Provider};
use crate::request::{Request, check_name};
use crate::text::host::HostPort;

/// The endpoint that is signed.
struct Signed {
    host: String,
    port: u16,
    /// Whether the user named the port; otherwise it is the default.
    is_port_named: bool,
}

/// Completes a host's name: a bare cluster ID needs a region, which AWS's configuration may know.
struct FullName<'a> {
    region: Option<&'a Region>,
    profile: Option<&'a str>,
    ask: &'a AskPolicy,
}

impl FullName<'_> {
    /// Returns the endpoint of a bare cluster ID, and any other host as it is.
    fn of(&self, host: String) -> Result<String> {
        let Some((provider, _)) = provider::of_id(&host, "") else {
            return Ok(host);
        };
        let region = match self.region {
            Some(region) => Some(region.clone()),
            None => provider.default_region(&host, self.profile, self.ask)?,
        };
        if let Some(region) = region
            && let Some((_, endpoint)) = provider::of_id(&host, region.as_str())
        {
            return Ok(endpoint);
        }
        Ok(host)
    }
}

/// Where the client connects to, the endpoint that is signed, and the profile and region to sign
/// with.
struct Route {
    host: String,
    port: u16,
    signed: Signed,
    profile: Option<String>,
    region: Option<Region>,
}

impl Route {
    /// Checks the profile that the sources name, and completes the hosts.
    fn of(said: &Said, ask: &AskPolicy) -> Result<Self> {
        let profile = checked_profile(said.profile.value.clone())?;
        let region = said.region.value.clone();
        let full_name = FullName {
            region: region.as_ref(),
            profile: profile.as_deref(),
            ask,
        };
        let host = full_name.of(said.host.value.clone().unwrap_or_default())?;
        let port = said.port.value.unwrap_or(provider::DEFAULT_PORT);
        let signed = signed_endpoint(said.sign_host.value.as_ref(), &host, port, &full_name)?;
        Ok(Self {
            host,
            port,
            signed,
            profile,
            region,
        })
    }
}

/// Builds the request from the merged values. It is an error if no provider serves the host, or if
/// no source names the user.
pub(super) fn check(
    options: &ConnectionOptions,
    target: Option<&str>,
    meant: Meant<'_>,
    config: &Config,
    ask: &AskPolicy,
    output: Output,
) -> Result<Request> {
    let (connection, mut said) = (meant.connection, meant.said);
    let route = Route::of(&said, ask)?;
    if meant.takes_variables {
        said.fill_hostaddr(&route.host)?;
    }
    let typed = options.typed_host(target);
    let named = said.provider.value.as_deref();
    let provider = provider_of(&route.signed.host, named, typed.as_deref(), config)?;
    let region_of_host = (provider.region)(&route.signed.host);
    warn_about_port(&route, said.sign_host.source, connection, provider, output);
    warn_about_region(&route, region_of_host.as_ref(), provider, output);
    let user = user_of(said.user.value, provider, options, &route.host)?;
    let dbname = said.dbname.value;
    Ok(Request {
        aliases: aliases_of(connection, route.port, &user),
        connection: connection.map(|connection| connection.name.clone()),
        provider,
        port: route.port,
        user,
        dbname: dbname.unwrap_or_else(|| provider.dbname.to_owned()),
        keywords: said.keywords,
        target_has_address: meant.target_has_address,
        roots: said.roots.value,
        region: route.region.or(region_of_host),
        taken: Vec::new(),
        life: seconds(said.life.value, provider, config.max_life)?,
        profile: route.profile,
        host: route.host,
        sign_port: route.signed.port,
        sign_host: route.signed.host,
    })
}

fn checked_profile(profile: Option<String>) -> Result<Option<String>> {
    match profile {
        Some(profile) => Ok(Some(check_name("profile", profile)?)),
        None => Ok(None),
    }
}

/// Returns the endpoint for which the token is signed: the host that is dialled, unless somebody
/// names another one.
fn signed_endpoint(
    sign_host: Option<&HostPort>,
    host: &str,
    port: u16,
    full_name: &FullName<'_>,
) -> Result<Signed> {
    match sign_host {
        None => Ok(Signed {
            host: host.to_owned(),
            port,
            is_port_named: false,
        }),
        // The port of a tunnel is the client's own; the endpoint listens on the usual one unless
        // somebody names another.
        Some(signed) => Ok(Signed {
            host: full_name.of(signed.host.clone())?,
            port: signed.port.unwrap_or(provider::DEFAULT_PORT),
            is_port_named: signed.port.is_some(),
        }),
    }
}

/// Returns the user that somebody names, or else the provider's.
fn user_of(
    said: Option<String>,
    provider: &Provider,
    options: &ConnectionOptions,
    host: &str,
) -> Result<String> {
    match (said, provider.user) {
        (Some(user), _) => Ok(user),
        (None, Some(user)) => Ok(user.to_owned()),
        (None, None) if options.address.for_any_user => Ok(String::new()),
        (None, None) => Err(Error::usage(format!("no user for {host}"))
            .hint("name the database role: --user USER or PGUSER")),
    }
}

/// Returns the other addresses under which the passfile has the connection's token.
fn aliases_of(connection: Option<&Connection>, port: u16, user: &str) -> Vec<PassfileKey> {
    let mut aliases = Vec::new();
    let Some(connection) = connection else {
        return aliases;
    };
    for alias in &connection.aliases {
        aliases.push(PassfileKey {
            host: alias.host.clone(),
            port: alias.port.unwrap_or(port),
            user: user.to_owned(),
        });
    }
    aliases
}

/// Returns the provider of that name, or else the one that serves the host. `typed` is the text
/// that the host came from.
pub(crate) fn provider_of(
    host: &str,
    name: Option<&str>,
    typed: Option<&str>,
    config: &Config,
) -> Result<&'static Provider> {
    if let Some(name) = name {
        return provider::named(name);
    }
    match provider::of_host(host) {
        Some(provider) => Ok(provider),
        None => Err(unknown_host(host, typed, config)),
    }
}

/// Returns the life to sign for, within the limits of the provider and of the configuration. `max`
/// is cut to the life of the credentials when the token is signed.
pub(crate) fn seconds(life: Option<Life>, provider: &Provider, cap: Option<u32>) -> Result<u32> {
    let most = cap.unwrap_or(u32::MAX);
    match life {
        None => Ok(provider.default_life.min(most)),
        Some(Life::Max) => Ok(provider.max_life.min(most)),
        Some(Life::Seconds(seconds)) if seconds > most => Err(Error::usage(format!(
            "a life of {seconds} s is too long: max_expires_in is {most} s in the configuration"
        ))
        .hint(format!(
            "ask for {most} s or less, or change max_expires_in"
        ))),
        Some(Life::Seconds(seconds)) => provider.check_life(seconds),
    }
}

/// Warns if the port that is signed is not the port that is dialled, and nobody has said that this
/// is right.
fn warn_about_port(
    route: &Route,
    source: ValueSource,
    connection: Option<&Connection>,
    provider: &Provider,
    output: Output,
) {
    let (signed, port) = (&route.signed, route.port);
    if !provider.signs_port || signed.port == port || signed.is_port_named {
        return;
    }
    let name = match connection {
        Some(connection) => format!("{}: ", connection.name),
        None => String::new(),
    };
    let setting = match source {
        ValueSource::Option(option) => format!("{option} "),
        _ => "sign_host = ".to_owned(),
    };
    let (sign_host, sign_port) = (&signed.host, signed.port);
    output.warn(&format!(
        "{name}signing for {sign_host}:{sign_port}, not for the dialled port {port}; \
         name the port to sign: {setting}\"{sign_host}:{sign_port}\""
    ));
}

/// Warns about a region that is not the region in the host's name, or that AWS may not have.
fn warn_about_region(
    route: &Route,
    named_by_host: Option<&Region>,
    provider: &Provider,
    output: Output,
) {
    let (sign_host, region) = (&route.signed.host, route.region.as_ref());
    if let (Some(asked), Some(named)) = (region, named_by_host)
        && asked != named
    {
        output.warn(&format!(
            "the token is signed for region {asked}, but {sign_host} is in {named}"
        ));
    }
    if let Some(region) = region.or(named_by_host)
        && let Some(warning) = provider.authority.region_warning(region)
    {
        output.warn(&warning);
    }
    if let Some(warning) = provider::host_warning(sign_host) {
        output.warn(&warning);
    }
}
