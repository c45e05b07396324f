//! Defines where the local gateway listens for a connection, and how it protects the port.

use super::Connection;
use crate::error::{Error, Result};
use crate::text::{backquoted, host};

/// A connection's `proxy`: where the local gateway listens for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatewaySettings {
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
            backquoted(text)
        ))
        .hint(format!("write {names}")))
    }
}

/// Refuses a port that is an alias of the connection: a token would be filed where the gateway asks
/// for its local password.
pub(super) fn check_port(connection: &Connection) -> Result<()> {
    let Some(GatewaySettings { port, .. }) = connection.gateway else {
        return Ok(());
    };
    for alias in &connection.aliases {
        if host::is_loopback(&alias.host) && alias.port == Some(port) {
            return Err(
                Error::usage(format!("{alias} is an alias of this connection"))
                    .hint("give the gateway another port: the alias leads to the server"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// Returns the error of a connection with these lines.
    fn error_of(lines: &str) -> String {
        let text = format!("[connections.b]\nhost = 'i'\n{lines}\n");
        let error = Config::parse(&text).expect_err(lines);
        assert!(error.hint_text().is_some(), "{error}");
        error.to_string()
    }

    #[test]
    fn the_port_leads_nowhere_else() {
        assert_eq!(
            error_of("aliases = ['localhost:15433']\nproxy = { port = 15433 }"),
            "line 1: connections.b.proxy: localhost:15433 is an alias of this connection"
        );
    }

    #[test]
    fn settings_are_checked() {
        for (written, says) in [
            ("15432", "not a table"),
            ("{}", "port is missing"),
            ("{ port = 0 }", "`port`: not a port"),
            ("{ port = '15432' }", "`port`: not a port"),
            (
                "{ port = 1, auth = 'peer' }",
                "`auth`: no such way to protect the port: `peer`",
            ),
            ("{ port = 1, socket = 1 }", "`socket`: not true or false"),
            ("{ port = 1, soothe = true }", "`soothe`: no such key"),
        ] {
            let error = error_of(&format!("proxy = {written}"));
            assert!(error.contains(says), "{error}");
        }
    }
}
