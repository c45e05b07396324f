//! A fully resolved wish for one token: where the client connects, what is signed, as whom. Pure.

pub(crate) mod target;

use crate::authority::Scope;
use crate::error::{Error, Result};
use crate::passfile::block::PassfileKey;
use crate::provider::Provider;
use target::RootsChoice;

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
    /// TARGET itself has `hostaddr`: neither a connection of the configuration nor PGHOSTADDR said
    /// it.
    pub(crate) target_has_address: bool,
    /// `None`: what the user's libpq takes, else what the provider needs.
    pub(crate) roots: Option<RootsChoice>,
    /// `None`: AWS's own order decides.
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    /// Other lines of the passfile that hold the token.
    pub(crate) aliases: Vec<PassfileKey>,
    /// Lines that an earlier connection has in the passfile: they are not this one's to write.
    pub(crate) taken: Vec<PassfileKey>,
    /// Wanted life in seconds.
    pub(crate) life: u32,
}

impl Request {
    /// Returns what its token permits.
    pub(crate) fn scope(&self) -> Scope<'_> {
        self.provider
            .scope(&self.sign_host, self.sign_port, &self.user)
    }

    /// Returns the value of a libpq keyword that came with TARGET.
    pub(crate) fn option(&self, keyword: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(key, _)| key == keyword)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the `sslmode` that clients are told: one that verifies the server, unless the user
    /// said otherwise.
    pub(crate) fn sslmode(&self) -> &str {
        self.option("sslmode").unwrap_or("verify-full")
    }

    /// Tells whether clients verify the server's certificate.
    pub(crate) fn verifies(&self) -> bool {
        self.sslmode().starts_with("verify-")
    }

    /// Refuses an address out of TARGET that would get the token whoever answers there. TARGET may
    /// be somebody else's text.
    pub(crate) fn check_address(&self) -> Result<()> {
        let address = self.option("hostaddr").unwrap_or_default();
        if !self.target_has_address || self.sslmode() == "verify-full" {
            return Ok(());
        }
        Err(Error::usage(format!(
            "TARGET sends the token of {} to {address}, and sslmode={} does not verify who answers there",
            self.sign_host,
            self.sslmode()
        ))
        .hint(
            "use sslmode=verify-full; if you trust the address, make it a connection of yours: pgcred add NAME TARGET",
        ))
    }

    /// Returns libpq's keywords besides the address: `sslmode`, what came with TARGET, and the root
    /// certificates.
    pub(crate) fn all_options(&self, roots: Option<&str>) -> Vec<(&str, String)> {
        let mut all = Vec::new();
        if self.option("sslmode").is_none() {
            all.push(("sslmode", self.sslmode().to_owned()));
        }
        all.extend(
            self.options
                .iter()
                .map(|(key, value)| (key.as_str(), value.clone())),
        );
        let roots = roots.filter(|_| self.option("sslrootcert").is_none());
        all.extend(roots.map(|roots| ("sslrootcert", roots.to_owned())));
        all
    }

    /// Returns what the passfile files its token under.
    pub(crate) fn key(&self) -> PassfileKey {
        PassfileKey {
            host: self.host.clone(),
            port: self.port,
            user: self.user.clone(),
        }
    }

    /// Returns all that the passfile files its token under.
    pub(crate) fn keys(&self) -> impl Iterator<Item = PassfileKey> {
        self.dialled().filter(|key| !self.taken.contains(key))
    }

    /// Returns all that clients dial: its own address, then the aliases.
    pub(crate) fn dialled(&self) -> impl Iterator<Item = PassfileKey> {
        [self.key()].into_iter().chain(self.aliases.iter().cloned())
    }

    /// Tells whether its own address, without the aliases, is its line in the passfile.
    pub(crate) fn owns_its_line(&self) -> bool {
        !self.taken.contains(&self.key())
    }

    /// Returns `user@host:port`, for messages.
    pub(crate) fn name(&self) -> String {
        self.key().to_string()
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
