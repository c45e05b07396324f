//! Chooses the port on which the gateway offers a connection that is added. Tools save the port, so
//! it is chosen once, and stays.

use crate::config::{Config, GatewaySettings, LocalAuth};
use crate::error::{Error, Result};
use crate::gateway;

/// Where the search for a free port begins, and how many are tried.
const FIRST_PORT: u16 = 15432;
const MAX_PORTS: u16 = 1000;

/// Returns the settings of a connection's gateway. The port 0 stands for the next one that is free.
/// What the connection has besides the port stays.
pub(super) fn gateway_settings(port: u16, name: &str, config: &Config) -> Result<GatewaySettings> {
    let old = config.connection(name).and_then(|old| old.gateway);
    let (socket, auth) = match old {
        Some(old) => (old.socket, old.auth),
        None => (false, LocalAuth::default()),
    };
    let port = match (port, old) {
        (0, Some(old)) => old.port,
        (0, None) => free_port(config)?,
        (port, _) => port,
    };
    Ok(GatewaySettings { port, socket, auth })
}

fn free_port(config: &Config) -> Result<u16> {
    for port in FIRST_PORT..FIRST_PORT + MAX_PORTS {
        if !config.uses_local_port(port) && !gateway::is_port_in_use(port) {
            return Ok(port);
        }
    }
    Err(Error::failure("no port is free for the gateway").hint("name one with --proxy=PORT"))
}
