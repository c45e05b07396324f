//! Providers: what a kind of host needs. One file and one line of the table for each; everything
//! else asks the table.
//!
//! A provider knows its hosts, the defaults and limits of its tokens, which authority issues them,
//! and which root certificates its servers have. It does not sign: it says what a token permits
//! ([`TokenScope`]), and the authority makes the token.
//!
//! `dsql` and `rds` are the providers, and `fake` is one for unit tests. `command` is for those
//! whose tokens a command prints, and `defined` knows those of the configuration. `required_roots`
//! is how a provider names root certificates; `amazon_roots` has those of RDS. `login_sql` is the
//! SQL that lets a user log in with a token.

mod amazon_roots;
pub(crate) mod command;
mod defined;
mod dsql;
#[cfg(test)]
pub(crate) mod fake;
mod login_sql;
mod rds;
mod required_roots;

use crate::authority::{
    AskPolicy, Authority, LoginObstacle, OptionHelp, Region, TokenPart, TokenScope,
};
use crate::aws;
use crate::error::{Error, Result};
use crate::text::host;
use command::{CommandPreset, PRESETS};
pub(crate) use defined::{define, usual_port};
pub(crate) use login_sql::{LONGEST_NAME, LoginSql, SqlStep, SqlSubject};
pub(crate) use required_roots::{RequiredRoots, RootSet};

/// Every provider, in the order in which hosts are matched.
pub(crate) static PROVIDERS: &[&Provider] = &[
    &dsql::PROVIDER,
    &rds::PROVIDER,
    #[cfg(test)]
    &fake::PROVIDER,
];

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
    pub(crate) action: fn(user: &str) -> &'static str,
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
    pub(crate) region: fn(host: &str) -> Option<Region>,
    /// Returns the host of a bare ID in a region, if the provider knows such IDs.
    pub(crate) expand: fn(id: &str, region: &str) -> Option<String>,
    /// Returns what is wrong with a text that is nearly such an ID.
    pub(crate) nearly_id: fn(text: &str) -> Option<String>,
    /// Returns how many labels at the beginning of a host are the name of the server, so that a
    /// report that is shared shows the others; `None` if it has to leave out the whole host.
    pub(crate) labels_of_name: fn(host: &str) -> Option<usize>,
    /// Returns a warning if a host of this provider looks wrong.
    pub(crate) host_warning: fn(host: &str) -> Option<String>,
    /// Whether the answer of the authority names the user, so that a request needs to name none.
    pub(crate) names_user: bool,
    /// The user of a request that names none; `None` if it has to name one.
    pub(crate) user: Option<&'static str>,
    /// Who the user of a request is, for a sentence that asks for one: `your e-mail address`.
    pub(crate) who_logs_in: Option<&'static str>,
    /// Returns a warning if a user looks wrong.
    pub(crate) user_warning: fn(user: &str) -> Option<String>,
    /// Whether the users of the database are called by their e-mail addresses.
    pub(crate) users_are_addresses: bool,
    /// The database of a request that names none.
    pub(crate) dbname: &'static str,
    /// The port on which the servers listen, unless somebody has changed it.
    pub(crate) usual_port: u16,
    /// The life of a token in seconds, unless the user asks for another.
    pub(crate) default_life: u32,
    /// The longest life that the provider accepts, in seconds.
    pub(crate) max_life: u32,
    /// Returns which root certificates the certificate of a host chains to. `region` is that of the
    /// request, if anything names it.
    pub(crate) roots: fn(host: &str, region: Option<&Region>) -> RequiredRoots,
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
    pub(crate) why_no_token: fn(roots: &RequiredRoots) -> WhyNoToken,
    /// The SQL that lets a user log in with a token; `None` if pgcred knows none.
    pub(crate) login_sql: Option<LoginSql>,
}

/// Why a server asks for another password than a token.
pub(crate) struct WhyNoToken {
    /// A row of `causes`; `None` if the table has none.
    pub(crate) cause: Option<&'static str>,
    /// What to do, in words, where the row does not say enough.
    pub(crate) advice: Option<&'static str>,
}

/// The port of PostgreSQL.
pub(crate) const DEFAULT_PORT: u16 = 5432;

/// Returns every authority, each once: those of the table, then those of the configuration.
pub(crate) fn authorities() -> Vec<&'static dyn Authority> {
    let mut authorities: Vec<&'static dyn Authority> = Vec::new();
    for provider in PROVIDERS.iter().copied().chain(defined::all()) {
        let name = provider.authority.name();
        if authorities.iter().all(|known| known.name() != name) {
            authorities.push(provider.authority);
        }
    }
    authorities
}

/// Returns the authority of a provider; without a name, that of the first provider.
pub(crate) fn authority_of(name: Option<&str>) -> Result<&'static dyn Authority> {
    match name {
        Some(name) => Ok(named(name)?.authority),
        None => Ok(PROVIDERS[0].authority),
    }
}

/// Tells whether `pgcred login` without `--provider` logs in to the authority of a provider.
pub(crate) fn is_of_first_authority(provider: &Provider) -> bool {
    is_first_authority(provider.authority.name())
}

/// Tells whether this is the name of the authority that also has a command of its own (`aws`).
pub(crate) fn is_first_authority(name: &str) -> bool {
    name == PROVIDERS[0].authority.name()
}

/// Returns the provider that a host belongs to.
pub(crate) fn of_host(host: &str) -> Option<&'static Provider> {
    let built_in = PROVIDERS.iter().copied();
    match built_in.into_iter().find(|provider| provider.owns(host)) {
        Some(provider) => Some(provider),
        None => defined::of_host(host),
    }
}

/// Tells whether a host has a name that a provider or an authority gives.
pub(crate) fn knows_host(host: &str) -> bool {
    of_host(host).is_some() || authorities().iter().any(|known| known.owns(host))
}

/// Returns the provider and the full host of a bare ID such as a DSQL cluster's.
pub(crate) fn of_id(id: &str, region: &str) -> Option<(&'static Provider, String)> {
    for provider in PROVIDERS {
        if let Some(host) = (provider.expand)(id, region) {
            return Some((provider, host));
        }
    }
    None
}

/// Returns what is wrong with a text that is nearly an ID.
pub(crate) fn nearly_id(text: &str) -> Option<String> {
    PROVIDERS.iter().find_map(|known| (known.nearly_id)(text))
}

/// Reads the name of a region as a user types it. The provider is often not known yet where a user
/// names a region, but only one of all authorities has regions.
pub(crate) fn parse_region(text: &str) -> Result<Region> {
    aws::parse_region(text)
}

/// Returns a warning if a host is a provider's own and looks wrong.
pub(crate) fn host_warning(host: &str) -> Option<String> {
    (of_host(host)?.host_warning)(host)
}

pub(crate) fn named(name: &str) -> Result<&'static Provider> {
    let built_in = PROVIDERS.iter().copied().find(|it| it.name == name);
    if let Some(provider) = built_in.or_else(|| defined::named(name)) {
        return Ok(provider);
    }
    let unknown = Error::no_target(format!("no such provider: {}", host::quoted(name)));
    Err(unknown.hint(format!("the providers are {}", names(", "))))
}

/// Tells whether this is the name of a provider or an authority of the table.
pub(crate) fn is_built_in(name: &str) -> bool {
    PROVIDERS
        .iter()
        .any(|known| known.name == name || known.authority.name() == name)
}

/// Returns the names of all providers, as `--provider` takes them.
pub(crate) fn names(separator: &str) -> String {
    let mut names: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name).collect();
    names.extend(PRESETS.iter().map(|preset| preset.name));
    for provider in defined::all() {
        if !names.contains(&provider.name) {
            names.push(provider.name);
        }
    }
    names.join(separator)
}

/// Returns what the help says of an option, for all authorities that have it.
pub(crate) fn option_help(part: fn(&OptionHelp) -> &'static str) -> String {
    let mut texts = Vec::new();
    for authority in authorities() {
        let text = part(&authority.option_help());
        if !text.is_empty() {
            texts.push(text);
        }
    }
    texts.join("; ")
}

/// Returns to whom `pgcred login` logs in: `AWS for a profile of SSO; X`.
pub(crate) fn logins() -> String {
    let mut texts = Vec::new();
    for authority in authorities() {
        let log_in = authority.option_help().log_in;
        texts.push(format!("{}{log_in}", authority.title()));
    }
    texts.join("; ")
}

/// Returns the names of all authorities in sentences: `A or B`.
pub(crate) fn authority_titles() -> String {
    let authorities = authorities();
    let titles: Vec<&str> = authorities.iter().map(|known| known.title()).collect();
    titles.join(" or ")
}

/// Returns the titles of all providers whose hosts have a form of their own, for a sentence:
/// `A, B or C`.
pub(crate) fn titles() -> String {
    let mut titles: Vec<&str> = PROVIDERS.iter().map(|provider| provider.title).collect();
    titles.extend(CommandPreset::with_hosts().map(|preset| preset.title));
    match titles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

impl Provider {
    /// Returns a provider of an authority that knows no services, actions, ports, regions or IDs,
    /// and whose servers have certificates that every system trusts. A provider names what is
    /// different and takes the rest from here.
    const fn new(
        name: &'static str,
        title: &'static str,
        authority: &'static dyn Authority,
    ) -> Self {
        Self {
            name,
            title,
            authority,
            service: "",
            action: |_| "",
            signs_port: false,
            signs_user: false,
            owns: None,
            region: |_| None,
            expand: |_, _| None,
            nearly_id: |_| None,
            labels_of_name: |_| None,
            host_warning: |_| None,
            names_user: false,
            user: None,
            who_logs_in: None,
            user_warning: |_| None,
            users_are_addresses: false,
            dbname: "postgres",
            usual_port: DEFAULT_PORT,
            default_life: 900,
            max_life: 86_400,
            roots: |_, _| RequiredRoots::Public(None),
            default_roots: None,
            needs_sni: false,
            takes_direct_tls: false,
            cause_of_settings: None,
            cause_of_replication: None,
            why_no_token: |_| WhyNoToken {
                cause: None,
                advice: Some(
                    "the server may not take tokens from this role: ask who administers it, and \
                     compare the name of the user",
                ),
            },
            login_sql: None,
        }
    }

    /// Tells whether a host has the form of this provider's hosts.
    pub(crate) fn owns(&self, host: &str) -> bool {
        match self.owns {
            Some(owns) => owns(host),
            None => false,
        }
    }

    /// Returns what to do about a request that names no user, which `how` says.
    pub(crate) fn hint_of_user(&self, how: &str) -> String {
        match self.who_logs_in {
            Some(who) => format!("{how}; for {} that is {who}", self.title),
            None => how.to_owned(),
        }
    }

    /// Returns what a token for this host, port and user permits.
    pub(crate) fn scope<'a>(&self, host: &'a str, port: u16, user: &'a str) -> TokenScope<'a> {
        TokenScope {
            service: self.service,
            action: (self.action)(user),
            host,
            port: if self.signs_port { Some(port) } else { None },
            user: if self.signs_user { Some(user) } else { None },
            dbname: "",
            vars: &[],
        }
    }

    /// Returns the row of `causes`, by its id, of what the authority says is in the way of a login.
    pub(crate) fn cause_of_obstacle(&self, obstacle: LoginObstacle) -> Option<&'static str> {
        self.authority.cause_of_obstacle(obstacle, self.service)
    }

    /// Returns the same of a token that names another host, user or the like than the request.
    pub(crate) fn cause_of_difference(&self, part: TokenPart) -> Option<&'static str> {
        self.authority.cause_of_difference(part, self.service)
    }

    /// Returns the same of what a server says.
    pub(crate) fn explain(&self, message: &str) -> Option<&'static str> {
        self.authority.explain(message, self.service)
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
        ask: &AskPolicy,
    ) -> Result<Option<Region>> {
        let identity = self.authority.identities().identity(profile, None);
        identity.find_region(host, ask, &ask.notes())
    }

    /// Checks a life that the user asks for, in seconds.
    pub(crate) fn check_life(&self, seconds: u32) -> Result<u32> {
        if (1..=self.max_life).contains(&seconds) {
            return Ok(seconds);
        }
        let most = self.max_life;
        let error = Error::usage(format!(
            "a token of {} lives 1 to {most} s, and {seconds} s are asked for",
            self.title
        ));
        Err(error.hint(format!("ask for {most} s or less")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    /// Two that share a name would share cached tokens, locks and options.
    #[test]
    fn every_name_stands_for_one_provider_or_authority() {
        let mut names = HashSet::new();
        let mut titles = HashSet::new();
        let mut authorities_by_name = HashMap::new();
        for provider in PROVIDERS {
            assert!(names.insert(provider.name), "{}", provider.name);
            assert!(titles.insert(provider.title), "{}", provider.title);
            let (name, title) = (provider.authority.name(), provider.authority.title());
            let known = authorities_by_name.entry(name).or_insert(title);
            assert_eq!(*known, title, "two authorities are called {name}");
            assert_eq!(authority_of(Some(provider.name)).unwrap().name(), name);
        }
        let mut listed: Vec<&str> = authorities().iter().map(|it| it.name()).collect();
        listed.sort_unstable();
        let mut all: Vec<&str> = authorities_by_name.into_keys().collect();
        all.sort_unstable();
        assert_eq!(listed, all);
        let first = PROVIDERS[0].authority.name();
        assert_eq!(authority_of(None).unwrap().name(), first);
        assert!(authority_of(Some("none")).is_err());
    }

    #[test]
    fn the_help_of_an_option_is_that_of_the_authorities_that_have_it() {
        let help = option_help(|help| help.region);
        // Nobody but the first has it here; another that has it follows, and Fake leaves no gap.
        let first = PROVIDERS[0].authority.option_help().region;
        assert!(!first.is_empty() && help.starts_with(first), "{help}");
        assert!(!help.ends_with("; ") && !help.contains("; ; "), "{help}");
        assert_eq!(option_help(|_| ""), "");
        let logins = logins();
        assert!(logins.starts_with("AWS for a profile of SSO"), "{logins}");
        assert!(logins.ends_with("; Fake"), "{logins}");
    }

    #[test]
    fn an_authority_needs_neither_profiles_nor_regions_nor_variables() {
        let fake = authority_of(Some("fake")).unwrap();
        let settings = fake.shell_settings();
        assert!(fake.known_regions().is_empty() && fake.profile_names().unwrap().is_empty());
        assert!(settings.variables.is_empty() && settings.key.is_none());
        assert_eq!(settings.profile, None);
        assert_eq!(fake.profile_warning("dev"), None);
        let region = Region::vouched_for("nowhere");
        assert_eq!(fake.region_warning(&region), None);
    }
}
