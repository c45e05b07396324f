//! Reads a file that a team shares: connections as in `config.toml`, and nothing else.
//!
//! Whoever writes the file is not the user, so it must not decide what only the user decides:
//!
//! - No other keys than those of connections, because they decide for every connection.
//! - No file of this machine, and no weaker check of the server.
//! - Where a token would go to another host than the one for which it is signed, the user has to be
//!   asked: [`Connection::signed_and_other_hosts`].

use toml::de::DeTable;

use super::field::{ConfigItem, LineNumbers, TableName, fields};
use super::read;
use super::{Connection, check_connection_name, endpoint};
use crate::error::{Error, Result};
use crate::text::host::HostPort;

/// What a key may have in a shared file, if the configuration allows more.
struct SharedKeyLimit {
    key: &'static str,
    allowed: &'static [&'static str],
    refusal: &'static str,
    hint: &'static str,
}

const LIMITS: [SharedKeyLimit; 2] = [
    SharedKeyLimit {
        key: "roots",
        allowed: &["system", "provider"],
        refusal: "a shared file cannot name a file of this machine",
        hint: "write system or provider, or leave roots out",
    },
    SharedKeyLimit {
        key: "sslmode",
        allowed: &["verify-full"],
        refusal: "a shared file cannot weaken the verification of the server",
        hint: "leave sslmode out; another mode is only for a configuration of one's own",
    },
];

/// Reads a shared file; an error names line and key, and the caller adds the file.
pub(crate) fn read_shared_file(text: &str) -> Result<Vec<Connection>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = LineNumbers::from_text(text);
    let document = read::parse_document(text)?;
    for field in fields(&document, TableName::File, lines) {
        if field.key != "connections" {
            let error = Error::usage("only connections are taken from a shared file");
            return Err(field.refusal(error.hint("take it out of that file")));
        }
    }
    check_limits(&document, lines)?;
    let mut connections = read::parse_config(&document, lines)?.connections;
    for connection in &mut connections {
        connection.discovered = false; // by somebody else
        connection.gateway = None; // a gateway is a door that only the user opens
        let has = |key: &str| {
            connection
                .target
                .options
                .iter()
                .any(|(name, _)| name == key)
        };
        // Without a mode PGSSLMODE would count, and a server at that address could be any.
        if has("hostaddr") && !has("sslmode") {
            let mode = "verify-full".to_owned();
            connection.target.set_option("sslmode", mode);
        }
    }
    Ok(connections)
}

fn check_limits(document: &DeTable<'_>, lines: LineNumbers<'_>) -> Result<()> {
    // What is wrong in another way is reported when the connection is read.
    let Some(connections) = document.get("connections") else {
        return Ok(());
    };
    let Some(connections) = connections.get_ref().as_table() else {
        return Ok(());
    };
    for (name, item) in connections {
        let Some(keys) = item.get_ref().as_table() else {
            continue;
        };
        if check_connection_name(name.get_ref(), None).is_err() {
            continue;
        }
        for limit in &LIMITS {
            let Some(value) = keys.get(limit.key) else {
                continue;
            };
            if !is_allowed(value, limit) {
                let key = format!("connections.{}.{}", name.get_ref(), limit.key);
                let refusal = Error::usage(limit.refusal).hint(limit.hint);
                return Err(lines.locate(refusal, value.span(), &key));
            }
        }
    }
    Ok(())
}

fn is_allowed(value: &ConfigItem<'_>, limit: &SharedKeyLimit) -> bool {
    match value.get_ref().as_str() {
        Some(text) => limit.allowed.contains(&text),
        None => true,
    }
}

impl Connection {
    /// Returns the host for which tokens are signed, and the other hosts that would get them.
    pub(crate) fn signed_and_other_hosts(&self) -> (String, Vec<String>) {
        let region = self.region.as_ref();
        let own_host = endpoint(self.target.host.as_deref().unwrap_or_default(), region);
        let signed_host = match &self.sign_host {
            Some(sign_host) => endpoint(&sign_host.host, region),
            None => own_host.clone(),
        };
        let mut other_hosts = Vec::new();
        let target_address = HostPort {
            host: own_host,
            port: self.target.port,
        };
        for address in [&target_address].into_iter().chain(&self.aliases) {
            if address.host != signed_host {
                other_hosts.push(address.to_string());
            }
        }
        (signed_host, other_hosts)
    }
}

#[cfg(test)]
mod tests;
