//! The gateway as a service: which connections it offers.

use crate::error::{Error, Result};
use crate::setup::ToolTarget;

/// Refuses to run a gateway that would offer nothing, or two connections at one port.
pub(super) fn check_offers(targets: &[ToolTarget], errors: &[Error]) -> Result<()> {
    if targets.is_empty() && errors.is_empty() {
        return Err(Error::usage("no connection is offered by the gateway").hint(
            "write proxy = { port = 15432 } into a connection of config.toml, then the same again",
        ));
    }
    for (at, target) in targets.iter().enumerate() {
        let port = |of: &ToolTarget| of.proxy.map(|proxy| proxy.port);
        if let Some(other) = targets[..at]
            .iter()
            .find(|other| port(other) == port(target))
        {
            let (first, second) = (&other.name, &target.name);
            return Err(Error::usage(format!(
                "{first} and {second} have one port for the gateway"
            ))
            .hint("give one of them another port: proxy = { port = 15433 }"));
        }
    }
    Ok(())
}
