//! Defines a request for one token, with every value filled in: where the client connects, what the
//! token permits, and which profile signs. It comes from `resolve` and goes to `issue`. It is pure.
//!
//! `target` reads what a user writes as TARGET.

pub(crate) mod target;

use crate::authority::{Region, TokenScope};
use crate::error::{Error, Result};
use crate::passfile::block::PassfileLine;
use crate::provider::Provider;
use crate::text::backquoted;
use target::RootsChoice;

/// What to issue a token for.
#[derive(Clone)]
pub(crate) struct Request {
    /// The name of the connection in the configuration, if TARGET is one.
    pub(crate) connection: Option<String>,
    pub(crate) provider: &'static Provider,
    /// The name that the client dials, which the passfile is searched by.
    pub(crate) host: String,
    /// The name that is signed.
    pub(crate) sign_host: String,
    /// The port that is signed, if the provider signs one.
    pub(crate) sign_port: u16,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) dbname: String,
    /// Other libpq keywords that came with TARGET.
    pub(crate) keywords: Vec<(String, String)>,
    /// Whether `hostaddr` comes from TARGET itself, and not from a connection of the configuration
    /// or from PGHOSTADDR.
    pub(crate) target_has_address: bool,
    /// The root certificates that the user chose; `None` if the user's libpq, else the provider,
    /// decides.
    pub(crate) roots: Option<RootsChoice>,
    /// The region that an option, the connection, a rule or the host names; `None` if the authority
    /// decides.
    pub(crate) region: Option<Region>,
    pub(crate) profile: Option<String>,
    /// Other lines of the passfile that hold the token.
    pub(crate) aliases: Vec<PassfileLine>,
    /// Lines of the passfile that belong to an earlier connection, so that this one leaves them.
    pub(crate) lines_of_others: Vec<PassfileLine>,
    /// The lifetime to ask for, in seconds.
    pub(crate) lifetime_seconds: u32,
    /// The connection's values for the placeholders of a command, by name.
    pub(crate) vars: Vec<(String, String)>,
}

impl Request {
    /// Returns the permission that its token gives.
    pub(crate) fn scope(&self) -> TokenScope<'_> {
        let scope = self
            .provider
            .scope(&self.sign_host, self.sign_port, &self.user);
        if !self.provider.authority.has_identity_per_scope() {
            return scope;
        }
        TokenScope {
            dbname: &self.dbname,
            vars: &self.vars,
            ..scope
        }
    }

    /// Takes the user that a token is for, where the request names none.
    pub(crate) fn fill_user(&mut self, user: Option<&str>) {
        if let Some(user) = user
            && self.user.is_empty()
        {
            user.clone_into(&mut self.user);
            for alias in &mut self.aliases {
                user.clone_into(&mut alias.user);
            }
        }
    }

    /// Returns the value of a libpq keyword that came with TARGET.
    pub(crate) fn keyword(&self, keyword: &str) -> Option<&str> {
        for (name, value) in &self.keywords {
            if name == keyword {
                return Some(value);
            }
        }
        None
    }

    /// Returns the `sslmode` that clients are told: one that verifies the server, unless the user
    /// said otherwise.
    pub(crate) fn sslmode(&self) -> &str {
        self.keyword("sslmode").unwrap_or("verify-full")
    }

    /// Tells whether clients verify the server's certificate.
    pub(crate) fn verifies(&self) -> bool {
        self.sslmode().starts_with("verify-")
    }

    /// Refuses an address from TARGET that would send the token to any server that answers there.
    /// TARGET may be a text that another user wrote.
    pub(crate) fn check_address(&self) -> Result<()> {
        let address = self.keyword("hostaddr").unwrap_or("");
        if !self.target_has_address || self.sslmode() == "verify-full" {
            return Ok(());
        }
        Err(Error::usage(format!(
            "TARGET sends the token of {} to {address}, and sslmode={} does not verify who answers \
             there",
            self.sign_host,
            self.sslmode()
        ))
        .hint(
            "use sslmode=verify-full; if you trust the address, make it a connection of yours with \
             `pgcred add NAME TARGET`",
        ))
    }

    /// Returns libpq's keywords besides the address: `sslmode`, what came with TARGET, and the root
    /// certificates.
    pub(crate) fn all_keywords(&self, roots: Option<&str>) -> Vec<(&str, String)> {
        let mut all = Vec::new();
        if self.keyword("sslmode").is_none() {
            all.push(("sslmode", self.sslmode().to_owned()));
        }
        for (keyword, value) in &self.keywords {
            all.push((keyword, value.clone()));
        }
        if let Some(roots) = roots
            && self.keyword("sslrootcert").is_none()
        {
            all.push(("sslrootcert", roots.to_owned()));
        }
        all
    }

    /// Returns the address and user of its own line in the passfile.
    pub(crate) fn passfile_line(&self) -> PassfileLine {
        PassfileLine {
            host: self.host.clone(),
            port: self.port,
            user: self.user.clone(),
        }
    }

    /// Returns the address and user of every line that it writes into the passfile.
    pub(crate) fn passfile_lines(&self) -> impl Iterator<Item = PassfileLine> {
        self.dialled_lines()
            .filter(|line| !self.lines_of_others.contains(line))
    }

    /// Returns every address that clients dial, with the user: its own, then the aliases.
    pub(crate) fn dialled_lines(&self) -> impl Iterator<Item = PassfileLine> {
        let mut lines = vec![self.passfile_line()];
        lines.extend(self.aliases.iter().cloned());
        lines.into_iter()
    }

    /// Tells whether its own address, without the aliases, is its line in the passfile.
    pub(crate) fn owns_its_line(&self) -> bool {
        !self.lines_of_others.contains(&self.passfile_line())
    }

    /// Returns `user@host:port`, for messages.
    pub(crate) fn name(&self) -> String {
        self.passfile_line().to_string()
    }
}

/// Checks a user or database name.
pub(crate) fn check_name(kind: &str, value: String) -> Result<String> {
    if value.is_empty() {
        let error = Error::usage(format!("the {kind} is empty"));
        return Err(error.hint(format!("name a {kind}, or leave it out")));
    }
    if value.contains(char::is_control) {
        let shown = backquoted(&value);
        let error = Error::usage(format!("the {kind} {shown} has a control character"));
        return Err(error.hint("write the name without it; a newline counts as one"));
    }
    Ok(value)
}
