//! Finds the connection of the configuration that TARGET or the options name, by its name or by its
//! own address, and merges the sources in their order of precedence.

use super::options::ConnectionOptions;
use super::sources::{SourcedValue, SourcedValues, ValueSource};
use crate::authority::Region;
use crate::config::{Config, Connection};
use crate::error::{Error, Result};
use crate::request::target::TargetSpec;
use crate::sys::env;
use crate::text::host::HostPort;

/// What becomes of PG* variables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableUse {
    Take,
    Ignore,
}

/// The merged values of all sources, and the connection of the configuration, if it is one.
pub(super) struct MergedTarget<'a> {
    pub(super) connection: Option<&'a Connection>,
    pub(super) values: SourcedValues,
    /// Whether PG* variables count.
    pub(super) takes_variables: bool,
    /// Whether TARGET itself, and not a connection, names the address to connect to.
    pub(super) target_has_address: bool,
}

impl<'a> MergedTarget<'a> {
    /// Finds the connection and merges the sources. The order of the calls is the order of
    /// precedence.
    pub(super) fn merge(
        options: &ConnectionOptions,
        target: Option<&str>,
        variable_use: VariableUse,
        config: &'a Config,
    ) -> Result<Self> {
        let mut values = SourcedValues::from_options(options)?;
        let mut connection = match target {
            Some(target) => named_connection(&mut values, target, config)?,
            None => None,
        };
        // `pgcred exec` sets PG* variables that lead its program to one target. They name that
        // target if nothing else is named, and say nothing about another one.
        let is_named = connection.is_some() || values.host.value.is_some();
        let is_in_exec_of_another = is_named && env::is_in_exec();
        let takes_variables = variable_use == VariableUse::Take && !is_in_exec_of_another;
        let target_has_address = values.has_keyword("hostaddr");
        if connection.is_none() {
            connection = connection_at(&values, options, takes_variables, config)?;
            if connection.is_some() {
                // The configuration may write the same host in another way.
                values.host = SourcedValue::default();
            }
        }
        if let Some(connection) = connection {
            values.fill_from_connection(connection);
        }
        if takes_variables {
            values.fill_from_variables()?;
        }
        if options.roots.is_some() {
            values.drop_keyword("sslrootcert");
        }
        fill_from_rules(&mut values, config)?;
        if takes_variables {
            values.fill_roots_from_variable()?;
        }
        Ok(Self {
            connection,
            values,
            takes_variables,
            target_has_address,
        })
    }
}

/// Returns the connection of that name. Any other TARGET is an address.
fn named_connection<'a>(
    values: &mut SourcedValues,
    target: &str,
    config: &'a Config,
) -> Result<Option<&'a Connection>> {
    let connection = config.connection(target);
    if connection.is_none() {
        values.fill_address(ValueSource::Target, TargetSpec::parse(target)?);
    }
    Ok(connection)
}

/// Takes what the match rules say about the host, which has to be known by now.
fn fill_from_rules(values: &mut SourcedValues, config: &Config) -> Result<()> {
    let Some(host) = &values.host.value else {
        return Err(Error::usage("no host is named")
            .hint("name a connection, a host or a postgres:// URI, or set PGHOST"));
    };
    let rule = config.rule(host);
    values.fill_from_rule(rule);
    Ok(())
}

/// Returns the connection whose own address the sources name.
///
/// Several tunnels may begin at one address. The endpoint that is signed and the provider then say
/// which connection is meant.
fn connection_at<'a>(
    values: &SourcedValues,
    options: &ConnectionOptions,
    takes_variables: bool,
    config: &'a Config,
) -> Result<Option<&'a Connection>> {
    let mut address_values = values.clone();
    if takes_variables {
        address_values.fill_from_variables()?;
    }
    let address = TargetSpec {
        host: address_values.host.value,
        port: address_values.port.value,
        user: address_values.user.value,
        ..TargetSpec::default()
    };
    let region = values.region.value.as_ref();
    let sign_host = values.sign_host.value.as_ref();
    Ok(config.connection_at(&address, region, |connection| {
        names_signed_endpoint(config, connection, sign_host, region)
            && is_served_by(connection, options.provider.as_deref())
    }))
}

fn names_signed_endpoint(
    config: &Config,
    connection: &Connection,
    sign_host: Option<&HostPort>,
    region: Option<&Region>,
) -> bool {
    match sign_host {
        Some(sign_host) => {
            config.is_signed_for(connection, &sign_host.host, sign_host.port, region)
        }
        None => true,
    }
}

fn is_served_by(connection: &Connection, provider: Option<&str>) -> bool {
    match provider {
        Some(provider) => connection.may_be_of(provider),
        None => true,
    }
}
