//! Makes rows of what was found: each host once, with the name that its connection has or would
//! have, and why it cannot be added. It is pure.

use std::collections::{HashMap, HashSet};

use super::names::{self, ConnectionNamer};
use super::scope::{ListingAuthority, ProfileName};
use super::search::ProfileAnswer;
use crate::authority::{CatalogAnswer, EndpointRole, FoundDatabase, Lister};
use crate::config::{self, Config, Connection};
use crate::provider::{self, Provider};
use crate::request::target::TargetSpec;
use crate::text::host::HostPort;
use crate::text::shortened;

/// The longest text of others that is kept.
const MAX_TEXT_LENGTH: usize = 255;

/// A host that takes logins.
#[derive(Clone)]
pub(crate) struct DiscoveredHost {
    /// Who has listed it.
    pub(super) listing_authority: ListingAuthority,
    /// The name of its connection: the one that it has, else the one that it would get.
    pub(crate) name: String,
    pub(crate) database: FoundDatabase,
    /// `None` while there is no host, or if it is none of a provider's.
    pub(crate) provider: Option<&'static Provider>,
    pub(crate) host: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) profile: ProfileName,
    pub(crate) account: Option<String>,
    /// Whether the configuration has a connection to this host.
    pub(crate) is_configured: bool,
    pub(crate) not_added: Option<NotAddedReason>,
}

/// Why a row cannot become a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAddedReason {
    /// The service has not given it a host yet.
    NoHost,
    /// The host is none of a provider's.
    ForeignHost,
    /// It takes passwords only.
    NoTokens,
    /// Nothing tells the user.
    NoUser,
}

impl NotAddedReason {
    /// Returns it for a column.
    pub(super) fn column_text(self, lister: &dyn Lister) -> &'static str {
        match self {
            Self::NoHost => "no host",
            Self::ForeignHost => "other host",
            Self::NoTokens => lister.no_tokens().in_table,
            Self::NoUser => "needs --user",
        }
    }

    /// Returns it for a sentence, as the reason why something is not added.
    pub(super) fn clause(self, lister: &dyn Lister) -> &'static str {
        match self {
            Self::NoHost => "it has no host yet",
            Self::ForeignHost => "no provider has hosts of this form",
            Self::NoTokens => lister.no_tokens().in_sentence,
            Self::NoUser => "needs --user",
        }
    }
}

impl DiscoveredHost {
    /// Returns the port, if it is not the usual one.
    fn other_port(&self) -> Option<u16> {
        let port = self.database.port?;
        if port == provider::DEFAULT_PORT {
            return None;
        }
        Some(port)
    }

    /// Returns what the row is: `RDS instance`; for one of several hosts, `Aurora readers`.
    pub(crate) fn kind_in_words(&self) -> String {
        let kind = self.database.kind;
        let service = kind.split(' ').next().unwrap_or(kind);
        match self.database.role {
            EndpointRole::Reader => format!("{service} readers"),
            EndpointRole::Custom => format!("{service} endpoint"),
            EndpointRole::Main | EndpointRole::Proxy => kind.to_owned(),
        }
    }

    /// Returns the connection that the row becomes: without what is the default anyway. `None` if
    /// it cannot be one. Whether it is configured already does not matter here.
    pub(crate) fn to_connection(&self) -> Option<Connection> {
        let (Some(provider), Some(host), None) = (self.provider, &self.host, self.not_added) else {
            return None;
        };
        let mut connection = Connection {
            name: self.name.clone(),
            target: TargetSpec {
                host: Some(host.clone()),
                port: self.other_port(),
                user: self.user.clone(),
                ..TargetSpec::default()
            },
            profile: self.profile.clone(),
            discovered: true,
            ..Connection::default()
        };
        if self.database.dbname.as_deref() != Some(provider.dbname) {
            connection.target.dbname.clone_from(&self.database.dbname);
        }
        if (provider.region_of)(host).as_ref() != Some(&self.database.region) {
            connection.region = Some(self.database.region.clone());
        }
        Some(connection)
    }

    /// Returns what the user types so that the database takes tokens, if that is known.
    pub(super) fn how_to_take_tokens(&self) -> Option<String> {
        let profile = self.profile.as_deref();
        self.listing_authority
            .lister
            .how_to_take_tokens(&self.database, profile)
    }

    /// Tells whether the user has to name the database user before it can be added.
    pub(super) fn needs_user(&self) -> bool {
        !self.is_configured && self.not_added == Some(NotAddedReason::NoUser)
    }

    /// Tells whether the row can become a connection, and is none yet.
    pub(crate) fn is_new(&self) -> bool {
        !self.is_configured && self.not_added.is_none()
    }

    /// Returns the connection as it is offered to a user who can still name the database user. The
    /// error says why it cannot be one.
    pub(crate) fn to_offer(&self) -> Result<Connection, &'static str> {
        let mut row = self.clone();
        if row.not_added == Some(NotAddedReason::NoUser) {
            row.not_added = None;
        }
        let reason = row.not_added.unwrap_or(NotAddedReason::NoHost);
        row.to_connection()
            .ok_or(reason.clause(row.listing_authority.lister))
    }

    /// Returns the texts that a pattern of `--add` may fit.
    pub(super) fn texts(&self) -> [&str; 3] {
        let host = self.host.as_deref().unwrap_or_default();
        [&self.name, &self.database.identifier, host]
    }
}

/// Makes the rows of all answers, in their order. `user` is the one that `--user` names.
pub(super) fn rows_of_answers(
    answers: &[ProfileAnswer],
    config: &Config,
    user: Option<&str>,
) -> Vec<DiscoveredHost> {
    let mut rows = Vec::new();
    let mut row_keys = HashSet::new();
    for answer in answers {
        let Ok(catalog_answer) = &answer.listing else {
            continue;
        };
        for database in &catalog_answer.databases {
            let row = new_row(database, catalog_answer, answer, user);
            if row_keys.insert(row_key(&row)) {
                rows.push(row);
            }
        }
    }
    give_names(&mut rows, config);
    rows
}

/// Returns what two rows about the same thing have in common.
fn row_key(row: &DiscoveredHost) -> String {
    match &row.host {
        Some(host) => format!("{host}:{}", row.database.port.unwrap_or_default()),
        None => format!(
            "{:?} {} {} {} {:?}",
            row.account,
            row.database.region,
            row.database.kind,
            row.database.identifier,
            row.database.role
        ),
    }
}

fn new_row(
    database: &FoundDatabase,
    catalog_answer: &CatalogAnswer,
    answer: &ProfileAnswer,
    user: Option<&str>,
) -> DiscoveredHost {
    let mut database = database.clone(); // its texts are bounded from here on
    bound_texts(&mut database);
    let host = host_of(&database);
    let provider = host.as_deref().and_then(provider::find_by_host);
    let user = match (user, provider) {
        (Some(user), _) => Some(user.to_owned()),
        (None, Some(provider)) => database.user.clone().or(provider.user.map(str::to_owned)),
        (None, None) => database.user.clone(),
    };
    let not_added = if database.takes_tokens == Some(false) {
        Some(NotAddedReason::NoTokens)
    } else if host.is_none() {
        Some(NotAddedReason::NoHost)
    } else if provider.is_none() {
        Some(NotAddedReason::ForeignHost)
    } else if user.is_none() {
        Some(NotAddedReason::NoUser)
    } else {
        None
    };
    DiscoveredHost {
        listing_authority: answer.listing_authority,
        name: String::new(),
        database,
        provider,
        host,
        user,
        profile: answer.profiles.first().cloned().flatten(),
        account: catalog_answer.account.clone(),
        is_configured: false,
        not_added,
    }
}

/// Cuts the texts of others. A cut text would be another user or database, so these are dropped.
fn bound_texts(database: &mut FoundDatabase) {
    database.identifier = shortened(&database.identifier, MAX_TEXT_LENGTH);
    database.status = shortened(&database.status, MAX_TEXT_LENGTH);
    for long in [
        &mut database.label,
        &mut database.engine,
        &mut database.resource_id,
    ]
    .into_iter()
    .flatten()
    {
        *long = shortened(long, MAX_TEXT_LENGTH);
    }
    for text in [&mut database.user, &mut database.dbname] {
        let is_usable = |text: &String| {
            text.chars().count() <= MAX_TEXT_LENGTH && !text.contains(char::is_control)
        };
        if text.as_ref().is_some_and(|text| !is_usable(text)) {
            *text = None;
        }
    }
}

/// Returns the host as a connection has it: the one that the service names, or the one that the
/// identifier tells.
fn host_of(database: &FoundDatabase) -> Option<String> {
    let Some(host) = &database.host else {
        let (_, host) = provider::find_by_id(&database.identifier, database.region.as_str())?;
        return Some(host);
    };
    match HostPort::parse(host) {
        Ok(HostPort { host, port: None }) => Some(host),
        _ => None,
    }
}

/// Names the rows: those that are configured as their connections, all others anew.
fn give_names(rows: &mut [DiscoveredHost], config: &Config) {
    let connections_by_host = configured_hosts(config);
    let mut namer = ConnectionNamer::with_taken(
        config
            .connections
            .iter()
            .map(|connection| connection.name.as_str()),
    );
    for row in rows.iter_mut() {
        if let Some(connection) = connection_of(row, &connections_by_host) {
            row.name.clone_from(&connection.name);
            row.is_configured = true;
        }
    }
    let mut new = Vec::new();
    for row in rows.iter() {
        if !row.is_configured {
            new.push(names::NameParts {
                base: names::base_name(&row.database),
                suffix: role_suffix(row.database.role),
                region: row.database.region.as_str(),
                profile: row.profile.as_deref().unwrap_or_default(),
                host: row.host.as_deref(),
            });
        }
    }
    let mut new_names = namer.names(&new).into_iter();
    for row in rows.iter_mut() {
        if !row.is_configured
            && let Some(name) = new_names.next()
        {
            row.name = name;
        }
    }
}

fn role_suffix(role: EndpointRole) -> &'static str {
    match role {
        EndpointRole::Reader => "-ro",
        EndpointRole::Main | EndpointRole::Custom | EndpointRole::Proxy => "",
    }
}

/// Returns the connections by each host that they dial or sign for. A bare cluster ID stands for
/// its endpoint.
fn configured_hosts(config: &Config) -> HashMap<String, &Connection> {
    let mut connections_by_host = HashMap::new();
    for connection in &config.connections {
        let mut hosts: Vec<&str> = Vec::new();
        hosts.extend(connection.target.host.as_deref());
        if let Some(sign_host) = &connection.sign_host {
            hosts.push(&sign_host.host);
        }
        hosts.extend(connection.aliases.iter().map(|alias| alias.host.as_str()));
        for host in hosts {
            let endpoint = config::endpoint(host, connection.region.as_ref());
            connections_by_host.entry(endpoint).or_insert(connection);
        }
    }
    connections_by_host
}

fn connection_of<'a>(
    row: &DiscoveredHost,
    connections_by_host: &HashMap<String, &'a Connection>,
) -> Option<&'a Connection> {
    connections_by_host.get(row.host.as_ref()?).copied()
}

#[cfg(test)]
mod tests;
