//! A fully resolved wish for one token: where the client connects, what is signed, as whom. Pure.

use crate::error::{Error, Result};
use crate::passfile::block::Key;
use crate::provider::{Endpoint, Provider, Signable};

pub(crate) struct Request {
    /// The connection of the configuration that it is for, if it is for one.
    pub(crate) connection: Option<String>,
    pub(crate) provider: &'static Provider,
    /// The name the client dials: the passfile's key.
    pub(crate) host: String,
    /// The name that is signed.
    pub(crate) sign_host: String,
    /// The port that is signed, where the provider signs one.
    pub(crate) sign_port: u16,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) dbname: String,
    /// Other libpq keywords that came with TARGET.
    pub(crate) options: Vec<(String, String)>,
    /// `None`: AWS's own order decides.
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    /// Other hosts and ports that the passfile files the token under.
    pub(crate) aliases: Vec<(String, u16)>,
    /// Wanted life in seconds.
    pub(crate) life: u32,
}

impl Request {
    pub(crate) fn signable(&self) -> Signable {
        (self.provider.signable)(&Endpoint { host: &self.sign_host, port: self.sign_port, user: &self.user })
    }

    pub(crate) fn has_option(&self, keyword: &str) -> bool {
        self.options.iter().any(|(key, _)| key == keyword)
    }

    /// Returns what the passfile files its token under.
    pub(crate) fn key(&self) -> Key {
        self.key_of(&self.host, self.port)
    }

    /// Returns all that the passfile files its token under.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        [self.key()].into_iter().chain(self.aliases.iter().map(|(host, port)| self.key_of(host, *port)))
    }

    fn key_of(&self, host: &str, port: u16) -> Key {
        Key { host: host.to_owned(), port, user: self.user.clone() }
    }

    /// Returns `user@host:port`, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}:{}", self.user, self.host, self.port)
    }
}

/// Checks a user or database name.
pub(crate) fn check_name(what: &str, value: String) -> Result<String> {
    if value.is_empty() {
        return Err(Error::usage(format!("the {what} is empty")));
    }
    if value.contains(char::is_control) {
        return Err(Error::usage(format!("the {what} has a control character")));
    }
    Ok(value)
}
