//! Defines what a kind of host needs, as values: [`Provider`]. A new provider names what is
//! different from [`Provider::new`].
//!
//! The fields are data and functions without effects, so that a provider is a constant. They say
//! who issues the tokens, which hosts are the provider's, what a token is good for, how long it may
//! live, and what the user has to name.

use super::required_roots::RequiredRoots;
use super::server_login_sql::ServerLoginSql;
use crate::authority::{AskPolicy, Authority, Region, ServerLoginObstacle, TokenPart, TokenScope};
use crate::error::{Error, Result};

/// A kind of host that takes tokens as passwords.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Provider {
    /// The name in `--provider` and in the native JSON (`aws-dsql`).
    pub(crate) name: &'static str,
    /// The name in sentences.
    pub(crate) title: &'static str,
    /// Who issues its tokens.
    pub(crate) authority: &'static dyn Authority,
    /// The authority's name of the service that the token is for. Empty if it knows no services.
    pub(crate) service: &'static str,
    /// Returns the authority's name of what the token permits to this user. Empty if it knows no
    /// actions.
    pub(crate) action_of: fn(user: &str) -> &'static str,
    /// Whether a token is good for one port alone, so that it has to be known when the token is
    /// made.
    pub(crate) signs_port: bool,
    /// Whether a token is good for one user alone, so that it has to be known when the token is
    /// made.
    pub(crate) signs_user: bool,
    /// Tells whether a host is one of this provider's. `None` if its hosts have no form of their
    /// own: then the user names the provider with `--provider`, and any host may be one of its
    /// hosts.
    pub(crate) owns: Option<fn(host: &str) -> bool>,
    /// Returns the region that a host of this provider names; `None` if it has no regions.
    pub(crate) region_of: fn(host: &str) -> Option<Region>,
    /// Returns the host of a bare ID in a region, if the provider knows such IDs.
    pub(crate) host_of_id: fn(id: &str, region: &str) -> Option<String>,
    /// Returns what is wrong with a text that is nearly such an ID.
    pub(crate) id_mistake: fn(text: &str) -> Option<String>,
    /// Returns how many labels at the beginning of a host are the name of the server, so that a
    /// report that is shared shows the others; `None` if it has to leave out the whole host.
    pub(crate) count_of_name_labels: fn(host: &str) -> Option<usize>,
    /// Returns a warning if a host of this provider looks wrong.
    pub(crate) host_warning: fn(host: &str) -> Option<String>,
    /// Whether the answer of the authority names the user, so that a request needs to name none.
    pub(crate) names_user: bool,
    /// The user of a request that names none; `None` if it has to name one.
    pub(crate) user: Option<&'static str>,
    /// Who the user of a request is, for a sentence that asks for one: `your e-mail address`.
    pub(crate) who_logs_in: Option<&'static str>,
    /// Returns what the database calls a user who was named in another way, which it does not know.
    pub(crate) right_user: fn(user: &str) -> Option<&str>,
    /// Whether the users of the database are called by their e-mail addresses.
    pub(crate) users_are_addresses: bool,
    /// Tells whether a token that names this audience is for another service.
    pub(crate) is_foreign_audience: fn(audience: &str) -> bool,
    /// The database of a request that names none.
    pub(crate) dbname: &'static str,
    /// The port on which the servers listen, unless somebody has changed it.
    pub(crate) default_port: u16,
    /// The lifetime of a token in seconds, unless the user asks for another.
    pub(crate) default_lifetime_seconds: u32,
    /// The longest lifetime that the provider accepts, in seconds.
    pub(crate) max_lifetime_seconds: u32,
    /// Returns which root certificates the certificate of a host chains to. `region` is that of the
    /// request, if anything names it.
    pub(crate) roots_of: fn(host: &str, region: Option<&Region>) -> RequiredRoots,
    /// The value of the key `roots` of a request for which nothing else says it.
    pub(crate) default_roots: Option<&'static str>,
    /// Whether a client has to send the name of the host in TLS (SNI): several servers share one
    /// address.
    pub(crate) needs_sni: bool,
    /// Whether the servers take connections that begin with TLS (`sslnegotiation=direct`).
    pub(crate) takes_direct_tls: bool,
    /// The cause, a row of `causes`, of a login that sends settings (`PGOPTIONS`); `None` if the
    /// servers take most settings.
    pub(crate) cause_of_settings: Option<&'static str>,
    /// The cause, a row of `causes`, of a login that asks for replication (`replication=`); `None`
    /// if a token permits that too.
    pub(crate) cause_of_replication: Option<&'static str>,
    /// Returns why a server whose certificate chains to these roots asks for another password than
    /// a token.
    pub(crate) no_token_reason: fn(roots: &RequiredRoots) -> NoTokenReason,
    /// The SQL that lets a user log in with a token; `None` if pgcred knows none.
    pub(crate) server_login_sql: Option<ServerLoginSql>,
}

/// Why a server asks for another password than a token.
pub(crate) struct NoTokenReason {
    /// A row of `causes`; `None` if the table has none.
    pub(crate) cause: Option<&'static str>,
    /// What to do, in words, where the row does not say enough.
    pub(crate) advice: Option<&'static str>,
}

/// The port of PostgreSQL.
pub(crate) const DEFAULT_PORT: u16 = 5432;

impl Provider {
    /// Returns a provider of an authority that knows no services, actions, ports, regions or IDs,
    /// and whose servers have certificates that every system trusts. A provider names what is
    /// different and takes the rest from here.
    pub(super) const fn new(
        name: &'static str,
        title: &'static str,
        authority: &'static dyn Authority,
    ) -> Self {
        Self {
            name,
            title,
            authority,
            service: "",
            action_of: |_| "",
            signs_port: false,
            signs_user: false,
            owns: None,
            region_of: |_| None,
            host_of_id: |_, _| None,
            id_mistake: |_| None,
            count_of_name_labels: |_| None,
            host_warning: |_| None,
            names_user: false,
            user: None,
            who_logs_in: None,
            right_user: |_| None,
            users_are_addresses: false,
            is_foreign_audience: |_| false,
            dbname: "postgres",
            default_port: DEFAULT_PORT,
            default_lifetime_seconds: 900,
            max_lifetime_seconds: 86_400,
            roots_of: |_, _| RequiredRoots::Public(None),
            default_roots: None,
            needs_sni: false,
            takes_direct_tls: false,
            cause_of_settings: None,
            cause_of_replication: None,
            no_token_reason: |_| NoTokenReason {
                cause: None,
                advice: Some(
                    "the server may not take tokens from this role: ask who administers it, and \
                     compare the name of the user",
                ),
            },
            server_login_sql: None,
        }
    }

    /// Tells whether a host has the form of this provider's hosts.
    pub(crate) fn owns(&self, host: &str) -> bool {
        self.owns.is_some_and(|owns| owns(host))
    }

    /// Returns `advice`, which says what to do about a request without a user, with who logs in
    /// here.
    pub(crate) fn hint_of_user(&self, advice: &str) -> String {
        match self.who_logs_in {
            Some(database_user) => format!("{advice}; for {} that is {database_user}", self.title),
            None => advice.to_owned(),
        }
    }

    /// Returns what a token for this host, port and user permits.
    pub(crate) fn scope<'a>(&self, host: &'a str, port: u16, user: &'a str) -> TokenScope<'a> {
        TokenScope {
            service: self.service,
            action: (self.action_of)(user),
            host,
            port: if self.signs_port { Some(port) } else { None },
            user: if self.signs_user { Some(user) } else { None },
            dbname: "",
            vars: &[],
        }
    }

    /// Returns the row of `causes`, by its id, of what the authority says is in the way of a login.
    pub(crate) fn cause_of_obstacle(&self, obstacle: ServerLoginObstacle) -> Option<&'static str> {
        self.authority.cause_of_obstacle(obstacle, self.service)
    }

    /// Returns the same of a token that names another host, user or the like than the request.
    pub(crate) fn cause_of_difference(&self, part: TokenPart) -> Option<&'static str> {
        self.authority.cause_of_difference(part, self.service)
    }

    /// Returns the same of what a server says.
    pub(crate) fn cause_of_server_message(&self, message: &str) -> Option<&'static str> {
        self.authority
            .cause_of_server_message(message, self.service)
    }

    /// Returns what the native JSON calls the source of a token: `aws-dsql`.
    pub(crate) fn source_type(&self) -> String {
        if self.authority.command().is_some() {
            return "command".to_owned();
        }
        format!("{}-{}", self.authority.name(), self.name)
    }

    /// Returns the region of a request that names none: what the authority's configuration says.
    /// `None` if the authority needs no region.
    pub(crate) fn default_region(
        &self,
        host: &str,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
    ) -> Result<Option<Region>> {
        let identity = self.authority.identities().identity(profile, None);
        identity.find_region(host, ask_policy, &ask_policy.notes())
    }

    /// Checks a lifetime that the user asks for, in seconds.
    pub(crate) fn check_lifetime(&self, seconds: u32) -> Result<u32> {
        if (1..=self.max_lifetime_seconds).contains(&seconds) {
            return Ok(seconds);
        }
        let limit = self.max_lifetime_seconds;
        let error = Error::usage(format!(
            "the lifetime of a token of {} is 1 to {limit} s, and {seconds} s are asked for",
            self.title
        ));
        Err(error.hint(format!("ask for {limit} s or less")))
    }
}
