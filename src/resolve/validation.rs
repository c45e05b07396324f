//! Validates the merged values, that is the provider, the endpoint that is signed and the lifetime
//! of the token, and builds the request from them.

use super::options::ConnectionOptions;
use super::precedence::MergedTarget;
use super::sources::{SourcedValue, SourcedValues, ValueSource};
use super::unknown_host::{unknown_host, unknown_host_of};
use crate::authority::{AskPolicy, Region};
use crate::config::{Config, Connection, RequestedLifetime};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::PassfileLine;
use crate::provider::{self, Provider};
use crate::request::target::RootsChoice;
use crate::request::{Request, check_name};
use crate::text::host::HostPort;

/// The endpoint that is signed.
struct SignedEndpoint {
    host: String,
    port: u16,
    /// Whether the user named the port; otherwise it is the default.
    is_port_named: bool,
}

/// Completes a host's name: a bare cluster ID needs a region, which the configuration of the
/// authority may know.
struct HostCompletion<'a> {
    region: Option<&'a Region>,
    profile: Option<&'a str>,
    ask_policy: &'a AskPolicy,
}

impl HostCompletion<'_> {
    /// Returns the endpoint of a bare cluster ID, and any other host as it is.
    fn complete(&self, host: String) -> Result<String> {
        let Some((provider, _)) = provider::find_by_id(&host, "") else {
            return Ok(host);
        };
        let region = match self.region {
            Some(region) => Some(region.clone()),
            None => provider.default_region(&host, self.profile, self.ask_policy)?,
        };
        if let Some(region) = region
            && let Some((_, endpoint)) = provider::find_by_id(&host, region.as_str())
        {
            return Ok(endpoint);
        }
        Ok(host)
    }
}

/// Where the client connects to, the endpoint that is signed, and the profile and region to sign
/// with.
struct ResolvedEndpoints {
    host: String,
    port: u16,
    /// Whether anything names the port that is dialled.
    is_port_named: bool,
    signed: SignedEndpoint,
    profile: Option<String>,
    region: Option<Region>,
}

impl ResolvedEndpoints {
    /// Checks the profile that the sources name, and completes the hosts.
    fn check(values: &SourcedValues, ask_policy: &AskPolicy) -> Result<Self> {
        let profile = valid_profile(values.profile.value.clone())?;
        let region = values.region.value.clone();
        let completion = HostCompletion {
            region: region.as_ref(),
            profile: profile.as_deref(),
            ask_policy,
        };
        let host = completion.complete(values.host.value.clone().unwrap_or_default())?;
        let port = values.port.value.unwrap_or(provider::DEFAULT_PORT);
        let signed = signed_endpoint(values.sign_host.value.as_ref(), &host, port, &completion)?;
        Ok(Self {
            host,
            port,
            is_port_named: values.port.value.is_some(),
            signed,
            profile,
            region,
        })
    }

    /// Takes the port on which the provider's servers listen, where nothing names one.
    fn take_usual_port(&mut self, provider: &Provider, signs_another_host: bool) {
        if !self.is_port_named {
            self.port = provider.default_port;
        }
        if !signs_another_host {
            self.signed.port = self.port;
        } else if !self.signed.is_port_named {
            self.signed.port = provider.default_port;
        }
    }

    /// Drops the region of a request whose authority has none, and says so: nobody could take it
    /// into account.
    fn drop_region_of_others(&mut self, provider: &Provider, output: Output) {
        if provider.authority.regions().is_some() {
            return;
        }
        if let Some(region) = self.region.take() {
            let title = provider.authority.title();
            output.warn(&format!(
                "the region {region} has no effect: tokens of {title} have none"
            ));
        }
    }
}

/// Builds the request from the merged values. It is an error if no provider serves the host, or if
/// no source names the user.
pub(super) fn validate(
    options: &ConnectionOptions,
    target: Option<&str>,
    merged_target: MergedTarget<'_>,
    config: &Config,
    ask_policy: &AskPolicy,
    output: Output,
) -> Result<Request> {
    let (connection, mut values) = (merged_target.connection, merged_target.values);
    let mut endpoints = ResolvedEndpoints::check(&values, ask_policy)?;
    if merged_target.takes_variables {
        values.fill_hostaddr(&endpoints.host)?;
    }
    let typed_host = options.typed_host(target);
    let provider_name = values.provider.value.as_deref();
    let sign_host = &endpoints.signed.host;
    check_host_of(connection, sign_host, provider_name)?;
    let provider = provider_of(sign_host, provider_name, typed_host.as_deref(), config)?;
    let region_of_host = (provider.region_of)(sign_host);
    endpoints.take_usual_port(provider, values.sign_host.value.is_some());
    let source = values.sign_host.source;
    warn_about_port(&endpoints, source, connection, provider, output);
    check_region(&mut endpoints, region_of_host.as_ref(), provider, output);
    let user = user_of(values.user, provider, options, &endpoints.host)?;
    let roots = roots_of(values.roots.value, provider)?;
    let dbname = values.dbname.value;
    Ok(Request {
        aliases: aliases_of(connection, endpoints.port, &user),
        connection: connection.map(|connection| connection.name.clone()),
        provider,
        port: endpoints.port,
        user,
        dbname: dbname.unwrap_or_else(|| provider.dbname.to_owned()),
        keywords: values.keywords,
        target_has_address: merged_target.target_has_address,
        roots,
        region: endpoints.region.or(region_of_host),
        lines_of_others: Vec::new(),
        vars: values.vars,
        lifetime_seconds: allowed_lifetime(
            values.lifetime.value,
            provider,
            config.max_lifetime_seconds,
        )?,
        profile: endpoints.profile,
        host: endpoints.host,
        sign_port: endpoints.signed.port,
        sign_host: endpoints.signed.host,
    })
}

/// Refuses the host of a connection if no provider serves it. What is wrong stands in the
/// configuration then, and not in TARGET.
fn check_host_of(
    connection: Option<&Connection>,
    sign_host: &str,
    provider: Option<&str>,
) -> Result<()> {
    match connection {
        Some(connection) if provider.is_none() && provider::find_by_host(sign_host).is_none() => {
            Err(unknown_host_of(&connection.name, sign_host))
        }
        _ => Ok(()),
    }
}

fn valid_profile(profile: Option<String>) -> Result<Option<String>> {
    match profile {
        Some(profile) => Ok(Some(check_name("profile", profile)?)),
        None => Ok(None),
    }
}

/// Returns the endpoint for which the token is signed: `sign_host`, or without it the host that is
/// dialled.
fn signed_endpoint(
    sign_host: Option<&HostPort>,
    host: &str,
    port: u16,
    completion: &HostCompletion<'_>,
) -> Result<SignedEndpoint> {
    match sign_host {
        None => Ok(SignedEndpoint {
            host: host.to_owned(),
            port,
            is_port_named: false,
        }),
        // The dialled port is that of a tunnel. The endpoint listens on the usual port, unless
        // `sign_host` names another one.
        Some(sign_host) => Ok(SignedEndpoint {
            host: completion.complete(sign_host.host.clone())?,
            port: sign_host.port.unwrap_or(provider::DEFAULT_PORT),
            is_port_named: sign_host.port.is_some(),
        }),
    }
}

/// Returns the user that an option, TARGET, the connection or PGUSER names, or else the provider's.
fn user_of(
    mut user: SourcedValue<String>,
    provider: &Provider,
    options: &ConnectionOptions,
    host: &str,
) -> Result<String> {
    if provider.names_user && matches!(user.source, ValueSource::Variable(_)) {
        user = SourcedValue::default(); // PGUSER is of the databases whose user is known
    }
    match (user.value, provider.user) {
        (Some(user), _) => {
            check_user_spelling(&user, host, provider)?;
            Ok(user)
        }
        (None, Some(user)) => Ok(user.to_owned()),
        (None, None) if options.address.needs_no_user || provider.names_user => Ok(String::new()),
        (None, None) => Err(Error::usage(format!("no user for {host}"))
            .hint(provider.hint_of_user("name the database user with --user USER or PGUSER"))),
    }
}

/// Refuses a user whom the databases of the provider call otherwise.
pub(crate) fn check_user_spelling(user: &str, host: &str, provider: &Provider) -> Result<()> {
    match (provider.right_user)(user) {
        Some(right_name) => Err(Error::usage(format!("there is no user `{user}` at {host}"))
            .hint(format!("use `{right_name}`, as the database calls it"))),
        None => Ok(()),
    }
}

/// Returns the root certificates that the user chose, or else those of the provider's definition.
fn roots_of(choice: Option<RootsChoice>, provider: &Provider) -> Result<Option<RootsChoice>> {
    match (choice, provider.default_roots) {
        (None, Some(roots)) => Ok(Some(RootsChoice::parse(roots)?)),
        (choice, _) => Ok(choice),
    }
}

/// Returns the other addresses under which the passfile has the connection's token.
fn aliases_of(connection: Option<&Connection>, port: u16, user: &str) -> Vec<PassfileLine> {
    let mut aliases = Vec::new();
    let Some(connection) = connection else {
        return aliases;
    };
    for alias in &connection.aliases {
        aliases.push(PassfileLine {
            host: alias.host.clone(),
            port: alias.port.unwrap_or(port),
            user: user.to_owned(),
        });
    }
    aliases
}

/// Returns the provider of that name, or else the one that serves the host. `typed_target` is
/// the text that the host came from.
pub(crate) fn provider_of(
    host: &str,
    name: Option<&str>,
    typed_target: Option<&str>,
    config: &Config,
) -> Result<&'static Provider> {
    if let Some(name) = name {
        return provider::from_name(name);
    }
    match provider::find_by_host(host) {
        Some(provider) => Ok(provider),
        None => Err(unknown_host(host, typed_target, config)),
    }
}

/// Returns the lifetime to sign for, within the limits of the provider and of the configuration.
/// `max` is cut to the lifetime of the credentials when the token is signed.
pub(crate) fn allowed_lifetime(
    requested_lifetime: Option<RequestedLifetime>,
    provider: &Provider,
    cap: Option<u32>,
) -> Result<u32> {
    let limit = cap.unwrap_or(u32::MAX);
    match requested_lifetime {
        None => Ok(provider.default_lifetime_seconds.min(limit)),
        Some(RequestedLifetime::Max) => Ok(provider.max_lifetime_seconds.min(limit)),
        Some(RequestedLifetime::Seconds(seconds)) if seconds > limit => Err(Error::usage(format!(
            "a lifetime of {seconds} s is too long: max_expires_in is {limit} s in the \
             configuration"
        ))
        .hint(format!(
            "ask for {limit} s or less, or change max_expires_in"
        ))),
        Some(RequestedLifetime::Seconds(seconds)) => provider.check_lifetime(seconds),
    }
}

/// Warns if the port that is signed is not the port that is dialled, unless `sign_host` names the
/// port.
fn warn_about_port(
    endpoints: &ResolvedEndpoints,
    source: ValueSource,
    connection: Option<&Connection>,
    provider: &Provider,
    output: Output,
) {
    let (signed, port) = (&endpoints.signed, endpoints.port);
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

/// Drops a region that the authority does not have. Warns about one that is not the region in the
/// host's name, or that AWS may not have.
fn check_region(
    endpoints: &mut ResolvedEndpoints,
    region_of_host: Option<&Region>,
    provider: &Provider,
    output: Output,
) {
    endpoints.drop_region_of_others(provider, output);
    let (sign_host, region) = (&endpoints.signed.host, endpoints.region.as_ref());
    if let (Some(region), Some(region_of_host)) = (region, region_of_host)
        && region != region_of_host
    {
        output.warn(&format!(
            "the token is signed for region {region}, but {sign_host} is in {region_of_host}"
        ));
    }
    if let Some(region) = region.or(region_of_host)
        && let Some(regions) = provider.authority.regions()
        && let Some(warning) = regions.warning(region)
    {
        output.warn(&warning);
    }
    if let Some(warning) = provider::host_warning(sign_host) {
        output.warn(&warning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fake::control;
    use crate::resolve::{AddressOptions, TargetResolver};

    #[test]
    fn an_authority_without_regions_is_given_none() {
        let (config, ask_policy) = (Config::default(), control::policy());
        let resolver = TargetResolver {
            config: &config,
            ask_policy: &ask_policy,
            output: Output {
                quiet: true,
                debug: false,
            },
        };
        for (host, region) in [
            ("books.fake.invalid", None),
            (
                "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
                Some("eu-west-1"),
            ),
        ] {
            let options = ConnectionOptions {
                address: AddressOptions::for_user("ann".to_owned()),
                region: Some("eu-west-1".to_owned()),
                ..ConnectionOptions::default()
            };
            let request = resolver
                .resolve_without_variables(&options, Some(host))
                .unwrap();
            assert_eq!(
                request.region.as_ref().map(Region::as_str),
                region,
                "{host}"
            );
        }
    }
}
