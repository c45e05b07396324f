//! Reads `config.toml` and edits it: text in, values out, and edits of the text that leave every
//! other byte alone. Nothing here reads or writes files.
//!
//! ```text
//! text --read--> Config    connections, rules, commands and settings; errors name line and key.
//!                          `field` is a key and its place, `values` are the single values,
//!                          `command` is [command.NAME], `proxy` a connection's gateway;
//!                          of a file that a team shares, `shared` reads connections alone
//!   |
//!   +--edit--> text        connections are added, changed and removed: `toml_edit` changes the
//!                          document, and `merge` takes the connections' lines from it; the result
//!                          has to read as expected
//! ```

mod command;
mod edit;
mod field;
mod gateway;
mod merge;
mod read;
mod shared;
mod values;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

pub(crate) use command::{check_vars, parse_var};
pub(crate) use edit::{add_connection, change_connections, keeps_keyword, remove_connection};
pub(crate) use gateway::{GatewaySettings, LocalAuth};
pub(crate) use shared::read_shared_file;

use crate::authority::{LoginPolicy, Region};
use crate::error::{Error, Result};
use crate::provider;
use crate::provider::command::CommandDefinition;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::text::backquoted;
use crate::text::glob::matches_pattern;
use crate::text::host::{self, HostPort};
use crate::time::Seconds;

/// What the file says, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) cache: Option<CacheChoice>,
    pub(crate) login: Option<LoginPolicy>,
    /// Policy cap in seconds for every token.
    pub(crate) max_lifetime_seconds: Option<u32>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) rules: Vec<HostRule>,
    pub(crate) commands: Vec<CommandDefinition>,
    /// The position of each name in `connections`, because a run may look up every one of them.
    by_name: HashMap<String, usize>,
}

/// A `[connections.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) name: String,
    /// The host may still be a bare cluster ID.
    pub(crate) target: TargetSpec,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<Region>,
    pub(crate) provider: Option<String>,
    pub(crate) sign_host: Option<HostPort>,
    pub(crate) roots: Option<RootsChoice>,
    pub(crate) lifetime: Option<RequestedLifetime>,
    /// Other addresses under which the passfile holds the token. One without a port has the
    /// connection's port.
    pub(crate) aliases: Vec<HostPort>,
    /// The values of placeholders of its command, in the order of their names.
    pub(crate) vars: Vec<(String, String)>,
    /// `pgcred discover` has written it, and may take it out again.
    pub(crate) discovered: bool,
    /// How the local gateway offers it; `None` if it does not.
    pub(crate) gateway: Option<GatewaySettings>,
}

/// A `[[match]]`: values for every host that the pattern fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostRule {
    /// Pattern in lower case; `*` stands for any run of characters.
    pub(crate) host: String,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<Region>,
    pub(crate) lifetime: Option<RequestedLifetime>,
    pub(crate) user: Option<String>,
    pub(crate) roots: Option<RootsChoice>,
    pub(crate) provider: Option<String>,
}

/// Where the key of the cached tokens is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CacheChoice {
    /// The system's keyring, else the file. The user cannot write this: it is the default.
    #[default]
    Auto,
    /// The system's keyring: on Linux the kernel's, else Keychain or Credential Manager.
    Keyring,
    SecretService,
    File,
    None,
}

/// The lifetime asked for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestedLifetime {
    Seconds(u32),
    /// As long as the credentials live, within the provider's limit and the policy cap.
    Max,
}

impl Config {
    /// Reads the file's text; an error names line and key, and the caller adds the file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        read::parse_config(
            &read::parse_document(text)?,
            field::LineNumbers::from_text(text),
        )
    }

    /// Tells whether two files mean the same.
    fn has_same_meaning_as(&self, other: &Self) -> bool {
        self.cache == other.cache
            && self.login == other.login
            && self.max_lifetime_seconds == other.max_lifetime_seconds
            && self.connections == other.connections
            && self.rules == other.rules
            && self.commands == other.commands
    }

    pub(crate) fn connection(&self, name: &str) -> Option<&Connection> {
        self.by_name
            .get(name)
            .and_then(|index| self.connections.get(*index))
    }

    /// Returns the connection whose own address this is, of those that `may_be_meant`. Port and
    /// user have to agree where both name one; of several connections it is the first, but one that
    /// names this user comes before those that name none.
    pub(crate) fn connection_at(
        &self,
        target: &TargetSpec,
        region: Option<&Region>,
        may_be_meant: impl Fn(&Connection) -> bool,
    ) -> Option<&Connection> {
        let host = target.host.as_deref()?;
        // Behind each port of this machine is another tunnel; none named is the usual one, as for
        // the client.
        let port = match target.port {
            None if host::is_loopback(host) => Some(provider::DEFAULT_PORT),
            port => port,
        };
        let mut without_user = None;
        for connection in &self.connections {
            let is_there = connection.has_host(host, region)
                && port.is_none_or(|port| port == self.port_of(connection))
                && may_be_meant(connection);
            if !is_there {
                continue;
            }
            if target.user.is_none() || target.user == connection.target.user {
                return Some(connection);
            }
            if connection.target.user.is_none() && without_user.is_none() {
                without_user = Some(connection);
            }
        }
        without_user
    }

    /// Returns the connection that a client dials at this address, or at an alias of it: one of
    /// this user's before others.
    pub(crate) fn connection_dialled_at(
        &self,
        host: &str,
        port: u16,
        user: &str,
    ) -> Option<&Connection> {
        let mut of_another_user = None;
        for connection in &self.connections {
            if !self.is_dialled_at(connection, host, port) {
                continue;
            }
            match &connection.target.user {
                Some(own_user) if own_user != user => {
                    of_another_user = of_another_user.or(Some(connection));
                }
                _ => return Some(connection),
            }
        }
        of_another_user
    }

    /// Tells whether this is the connection's own address or one of its aliases.
    fn is_dialled_at(&self, connection: &Connection, host: &str, port: u16) -> bool {
        if connection.target.host.as_deref() == Some(host) && self.port_of(connection) == port {
            return true;
        }
        connection.aliases.iter().any(|alias| {
            alias.host == host && alias.port.unwrap_or_else(|| self.port_of(connection)) == port
        })
    }

    /// Tells whether a connection has this port of this machine: for the gateway, or as the near
    /// end of a tunnel.
    pub(crate) fn uses_local_port(&self, port: u16) -> bool {
        self.connections.iter().any(|connection| {
            let is_offered = connection
                .gateway
                .is_some_and(|gateway| gateway.port == port);
            let is_dialled = self.port_of(connection) == port;
            is_offered || is_dialled || self.is_dialled_at(connection, "localhost", port)
        })
    }

    /// Tells whether the tokens of a connection are signed for this endpoint; no port may be any.
    pub(crate) fn is_signed_for(
        &self,
        connection: &Connection,
        host: &str,
        port: Option<u16>,
        region: Option<&Region>,
    ) -> bool {
        let has_same_host = match &connection.sign_host {
            Some(sign_host) => connection.is_same_host(&sign_host.host, host, region),
            None => connection.has_host(host, region),
        };
        let Some(port) = port else {
            return has_same_host;
        };
        let own_port = || match &connection.sign_host {
            Some(sign_host) => sign_host
                .port
                .unwrap_or_else(|| self.usual_port_of(connection)),
            None => self.port_of(connection),
        };
        has_same_host && port == own_port()
    }

    /// Returns the port that the client dials.
    fn port_of(&self, connection: &Connection) -> u16 {
        match connection.target.port {
            Some(port) => port,
            None => self.usual_port_of(connection),
        }
    }

    /// Returns the port on which the servers of the connection's provider listen. It costs more
    /// than a comparison of hosts, so that it is asked for after that.
    fn usual_port_of(&self, connection: &Connection) -> u16 {
        let Some(host) = &connection.target.host else {
            return provider::DEFAULT_PORT;
        };
        let provider = connection
            .provider
            .clone()
            .or_else(|| self.rule(host).provider);
        let signed_host = connection
            .sign_host
            .as_ref()
            .map_or(host, |sign_host| &sign_host.host);
        provider::default_port(provider.as_deref(), signed_host)
    }

    /// Returns what the rules say about a host: each field from the first rule that fits and has
    /// it.
    pub(crate) fn rule(&self, host: &str) -> HostRule {
        let host = host.to_ascii_lowercase();
        let mut merged_rule = HostRule {
            host: host.clone(),
            ..HostRule::default()
        };
        for rule in &self.rules {
            if !matches_pattern(&rule.host, &host) {
                continue;
            }
            merged_rule.profile = merged_rule.profile.or(rule.profile.clone());
            merged_rule.region = merged_rule.region.or(rule.region.clone());
            merged_rule.lifetime = merged_rule.lifetime.or(rule.lifetime);
            merged_rule.user = merged_rule.user.or(rule.user.clone());
            merged_rule.roots = merged_rule.roots.or(rule.roots.clone());
            merged_rule.provider = merged_rule.provider.or(rule.provider.clone());
        }
        merged_rule
    }

    /// Returns the number of the first rule that fits a host and has a value, counted from 1.
    pub(crate) fn rule_number(
        &self,
        host: &str,
        has_value: fn(&HostRule) -> bool,
    ) -> Option<usize> {
        let host = host.to_ascii_lowercase();
        let has = |rule: &HostRule| matches_pattern(&rule.host, &host) && has_value(rule);
        Some(self.rules.iter().position(has)? + 1)
    }
}

impl Connection {
    /// Tells whether this is the connection's host.
    fn has_host(&self, host: &str, region: Option<&Region>) -> bool {
        self.target
            .host
            .as_ref()
            .is_some_and(|own_host| self.is_same_host(own_host, host, region))
    }

    /// Tells whether its tokens may be this provider's: nothing says that they are another one's.
    pub(crate) fn may_be_of(&self, provider: &str) -> bool {
        if let Some(own_provider) = &self.provider {
            return own_provider == provider;
        }
        let signed_host = self.sign_host.as_ref().map(|sign_host| &sign_host.host);
        let Some(host) = signed_host.or(self.target.host.as_ref()) else {
            return true;
        };
        if let Some(own_provider) = provider::find_by_host(host) {
            return own_provider.name == provider;
        }
        match provider::find_by_id(host, "") {
            Some((own_provider, _)) => own_provider.name == provider,
            None => true,
        }
    }

    /// Tells whether a host is this one of the connection's own; a bare cluster ID and its endpoint
    /// are the same host.
    fn is_same_host(&self, own_host: &str, host: &str, region: Option<&Region>) -> bool {
        if own_host == host {
            return true;
        }
        let own_host = endpoint(own_host, self.region.as_ref());
        if region.is_none() && provider::find_by_id(host, "").is_some() {
            return own_host.split('.').next() == Some(host);
        }
        endpoint(host, region) == own_host
    }
}

/// Returns the endpoint of a bare cluster ID, and any other host as it is.
pub(crate) fn endpoint(host: &str, region: Option<&Region>) -> String {
    let region = region.map_or("", Region::as_str);
    match provider::find_by_id(host, region) {
        Some((_, endpoint)) => endpoint,
        None => host.to_owned(),
    }
}

/// Checks that a connection's name cannot be taken for a host, a URI, a conninfo string, an option,
/// or a cluster ID other than that of its own host.
pub(crate) fn check_connection_name(name: &str, host: Option<&str>) -> Result<()> {
    let refuse = |reason: &str, hint: &str| {
        let shown = backquoted(name);
        Err(Error::usage(format!("name {shown}: {reason}")).hint(hint))
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) || name.starts_with('-') {
        return refuse(
            "not a connection's name",
            "use letters, digits, `_` and, after the first, `-`; 64 at most",
        );
    }
    let first_label = host.and_then(|host| host.split('.').next());
    if provider::find_by_id(&name.to_ascii_lowercase(), "").is_some() && first_label != Some(name) {
        return refuse("it reads as a cluster ID", "choose another name");
    }
    Ok(())
}

impl CacheChoice {
    /// What the user can write.
    const ALL: [Self; 4] = [Self::Keyring, Self::SecretService, Self::File, Self::None];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keyring => "keyring",
            Self::SecretService => "secret-service",
            Self::File => "file",
            Self::None => "none",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parsed = Self::ALL.into_iter().find(|choice| choice.as_str() == text);
        let Some(parsed) = parsed else {
            let names = Self::ALL.map(Self::as_str).join(", ");
            let hint = format!("choose one of {names}");
            return Err(Error::usage(format!("no such cache: {}", backquoted(text))).hint(hint));
        };
        if parsed == Self::SecretService
            && cfg!(all(target_os = "linux", not(feature = "secret-service")))
        {
            return Err(
                Error::usage("this pgcred was built without secret-service").hint(
                    "choose keyring; or build pgcred with `./install.sh --secret-service` or \
                     `cargo install --features secret-service`",
                ),
            );
        }
        Ok(parsed)
    }
}

impl FromStr for RequestedLifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "max" {
            return Ok(Self::Max);
        }
        text.parse()
            .map(|Seconds(seconds)| Self::Seconds(seconds))
            .map_err(|message: String| format!("{message}, or max"))
    }
}

/// Writes a lifetime as the configuration has it, in the largest unit that fits: `max`, `7d`,
/// `12h`, `15m`, `90`.
impl fmt::Display for RequestedLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Seconds(seconds) => {
                let unit = [('d', 86_400), ('h', 3_600), ('m', 60)]
                    .into_iter()
                    .find(|unit| seconds % unit.1 == 0);
                match unit.filter(|_| *seconds > 0) {
                    Some((letter, length)) => write!(f, "{}{letter}", seconds / length),
                    None => write!(f, "{seconds}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
