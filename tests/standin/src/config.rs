//! The settings of a stand-in: the keys that it knows, the real server, and how it behaves.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::{Answer, Fault, Minted, Upstream};

/// An access key that the stand-in knows, as AWS knows it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub access_key_id: String,
    pub secret_access_key: String,
    #[serde(default)]
    pub session_token: Option<String>,
    /// Unix time from which AWS refuses the credentials, and every token that they have signed.
    #[serde(default)]
    pub expires_at: Option<u64>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// The address and port on which the stand-in listens. Only this machine can reach it, because the
/// stand-in trusts every program that connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(SocketAddr);

impl Listen {
    /// # Errors
    /// If other machines could reach the address.
    pub fn at(address: SocketAddr) -> Result<Self, String> {
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err(format!("{} is no loopback address", address.ip()))
        }
    }

    pub(crate) fn address(self) -> SocketAddr {
        self.0
    }

    /// The same port at `[::1]`.
    pub(crate) fn over_ipv6(self) -> Self {
        Self((Ipv6Addr::LOCALHOST, self.0.port()).into())
    }
}

impl Default for Listen {
    /// 127.0.0.1, and a port that is free.
    fn default() -> Self {
        Self((Ipv4Addr::LOCALHOST, 0).into())
    }
}

impl FromStr for Listen {
    type Err = String;

    /// `PORT`, or `ADDRESS:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(port) = text.parse::<u16>() {
            return Ok(Self((Ipv4Addr::LOCALHOST, port).into()));
        }
        Self::at(
            text.parse()
                .map_err(|_| "PORT or ADDRESS:PORT is expected")?,
        )
    }
}

/// How a stand-in is to behave; `Default` is a free port in front of `127.0.0.1:5432` with no key
/// known.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub keys: Vec<Key>,
    /// The hosts of services whose own programs mint the tokens.
    pub minted: Minted,
    pub upstream: Upstream,
    /// The default is 127.0.0.1 and a free port.
    pub listen: Listen,
    /// The port that an RDS token must name. The default is the port on which the stand-in listens.
    pub public_port: Option<u16>,
    /// The host whose certificate and rules count for clients that send no SNI. An instance of RDS
    /// has an address of its own, so it serves them. Aurora DSQL refuses them, and so does the
    /// stand-in if this is `None`. Clients without TLS get the texts of this host's service.
    pub without_sni: Option<String>,
    /// Refuses to clients of DSQL what DSQL refuses: parameters that are not on its list, also in
    /// the startup message, and the statements, functions and transactions that it does not have.
    pub strict: bool,
    /// What a proper token is answered, instead of letting the client in.
    pub answer: Option<Answer>,
    /// How the stand-in misbehaves.
    pub fault: Option<Fault>,
    /// How many seconds are added to the clock of the system.
    pub clock_offset: i64,
    /// Freezes the clock at this Unix time.
    pub now: Option<u64>,
    /// Ends every session that has lasted this long.
    pub session_limit: Option<Duration>,
    /// Appends one JSON line per login attempt to this file.
    pub log: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_listened_on() {
        let read = |text: &str| {
            text.parse::<Listen>()
                .map(|listen| listen.address().to_string())
        };
        for (text, address) in [
            ("0", "127.0.0.1:0"),
            ("15432", "127.0.0.1:15432"),
            ("127.1.2.3:5432", "127.1.2.3:5432"),
            ("[::1]:0", "[::1]:0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(address), "{text}");
        }
        for text in [
            "",
            "70000",
            "localhost:5432",
            "127.0.0.1",
            "0.0.0.0:5432",
            "192.0.2.1:5432",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
