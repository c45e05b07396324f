//! Where the local gateway listens for a connection, and how it protects the port.

use crate::error::{Error, Result};
use crate::text::host;

/// A connection's `proxy`: where the local gateway listens for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProxySettings {
    /// On 127.0.0.1, and in the name of the socket.
    pub(crate) port: u16,
    /// Whether there is a Unix socket, too.
    pub(crate) socket: bool,
    pub(crate) auth: LocalAuth,
}

/// How a program proves on a TCP port that it may use the gateway. On a Unix socket the system
/// tells whose program it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LocalAuth {
    /// By the local password.
    #[default]
    Password,
    /// By nothing, where the system tells that it is a program of the same user.
    None,
}

impl LocalAuth {
    const ALL: [Self; 2] = [Self::Password, Self::None];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::None => "none",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        for choice in Self::ALL {
            if choice.as_str() == text {
                return Ok(choice);
            }
        }
        let names = Self::ALL.map(Self::as_str).join(" or ");
        Err(Error::usage(format!(
            "no such way to protect the port: {}",
            host::quoted(text)
        ))
        .hint(format!("write {names}")))
    }
}
