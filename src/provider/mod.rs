//! Who defines a token. One file and one table line each; everything else asks the table.

mod dsql;
mod rds;

use crate::aws::is_region;
pub(crate) use crate::aws::sigv4::Signable;
use crate::error::{Error, Result};
pub(crate) use dsql::doubt as doubt_host;

/// Every provider, in the order in which hosts are matched.
pub(crate) static PROVIDERS: &[&Provider] = &[&dsql::PROVIDER, &rds::PROVIDER];

pub(crate) struct Provider {
    /// As in `--provider` and in the native JSON (`aws-dsql`).
    pub(crate) name: &'static str,
    /// The service's name in messages.
    pub(crate) title: &'static str,
    pub(crate) owns: fn(host: &str) -> bool,
    /// Returns the region that a host of this provider names.
    pub(crate) region: fn(host: &str) -> Option<&str>,
    /// Returns the host of a bare ID in a region, where the provider knows such IDs.
    pub(crate) expand: fn(id: &str, region: &str) -> Option<String>,
    pub(crate) user: Option<&'static str>,
    pub(crate) dbname: &'static str,
    /// Whether the port is a part of what is signed.
    pub(crate) signs_port: bool,
    /// Longest life that the provider accepts, in seconds.
    pub(crate) max_life: u32,
    pub(crate) signable: fn(&Endpoint<'_>) -> Signable,
    /// Returns which root certificates the certificate of a host chains to.
    pub(crate) roots: fn(host: &str) -> Roots,
}

/// Which root certificates verify a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Public ones, which every system trusts.
    Public,
    /// Amazon's private ones for RDS and Aurora, a set for each region. No system trusts them by
    /// itself.
    AmazonRds,
}

/// What a provider signs for: `host` is the name in the signature, not the one the client dials.
pub(crate) struct Endpoint<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) user: &'a str,
}

/// Life of a token that nobody asked otherwise for, in seconds; the AWS CLI's default.
pub(crate) const DEFAULT_LIFE: u32 = 900;
pub(crate) const DEFAULT_PORT: u16 = 5432;

/// Returns the provider that a host belongs to.
pub(crate) fn of_host(host: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| (provider.owns)(host))
}

/// Returns the provider and the full host of a bare ID such as a DSQL cluster's.
pub(crate) fn of_id(id: &str, region: &str) -> Option<(&'static Provider, String)> {
    PROVIDERS
        .iter()
        .copied()
        .find_map(|provider| (provider.expand)(id, region).map(|host| (provider, host)))
}

pub(crate) fn named(name: &str) -> Result<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name)
        .ok_or_else(|| Error::usage(format!("no provider of that name; known: {}", names(", "))))
}

/// Returns the names of all providers, for the texts that say what `--provider` takes.
pub(crate) fn names(separator: &str) -> String {
    let mut names = Vec::new();
    for provider in PROVIDERS {
        names.push(provider.name);
    }
    names.join(separator)
}

/// Returns the services that the providers stand for, for messages.
pub(crate) fn titles() -> String {
    let mut titles = Vec::new();
    for provider in PROVIDERS {
        titles.push(provider.title);
    }
    titles.join(" or ")
}

impl Provider {
    /// Checks a life asked for, in seconds.
    pub(crate) fn check_life(&self, seconds: u32) -> Result<u32> {
        if (1..=self.max_life).contains(&seconds) {
            return Ok(seconds);
        }
        let error = Error::usage(format!(
            "a life of {seconds} s: {} accepts 1 to {} s",
            self.name, self.max_life
        ));
        Err(error.hint(format!(
            "leave the option out, or ask for {} s or less; `max` asks for the most",
            self.max_life
        )))
    }
}
