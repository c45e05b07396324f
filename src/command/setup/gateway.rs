//! Tells which connections the local gateway offers, and what a tool is given that connects through
//! it.

use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::setup::{Machine, Tool, ToolKind, ToolTarget};

/// Refuses to run a gateway that would offer nothing, or two connections at one port.
pub(super) fn check_offers(targets: &[ToolTarget], errors: &[Error]) -> Result<()> {
    if targets.is_empty() && errors.is_empty() {
        return Err(
            Error::no_target("no connection is offered by the gateway").hint(
                "run `pgcred add NAME --replace --proxy`, or write `proxy = { port = 15432 }` \
                 into a connection of config.toml",
            ),
        );
    }
    for (index, target) in targets.iter().enumerate() {
        let port = |target: &ToolTarget| target.gateway.map(|gateway| gateway.port);
        if let Some(earlier_target) = targets[..index]
            .iter()
            .find(|earlier_target| port(earlier_target) == port(target))
        {
            let (first, second) = (&earlier_target.name, &target.name);
            return Err(Error::usage(format!(
                "{first} and {second} have the same port for the gateway"
            ))
            .hint("give one of them another port, such as `proxy = { port = 15433 }`"));
        }
    }
    Ok(())
}

/// Refuses `--proxy` for what does not connect itself.
pub(super) fn check_tool(tool: &Tool) -> Result<()> {
    if !tool.kind.is_background() {
        return Ok(());
    }
    let title = tool.title;
    Err(Error::usage(format!(
        "--proxy is for tools that connect, and {title} does not"
    ))
    .hint("run `pgcred setup proxy`, which makes the gateway a service"))
}

/// Returns a target as the gateway offers it: at an address of this machine, which the connection
/// never leaves, and therefore without TLS.
pub(super) fn through_gateway(mut target: ToolTarget) -> Result<ToolTarget> {
    let Some(gateway) = target.gateway else {
        return Err(not_offered(&target));
    };
    let request = &mut target.request;
    "127.0.0.1".clone_into(&mut request.host);
    request.port = gateway.port;
    request.keywords.retain(|(keyword, _)| {
        let is_of_the_server = ["ssl", "gss", "channel_binding", "hostaddr", "require_auth"]
            .iter()
            .any(|start| keyword.starts_with(start));
        !is_of_the_server
    });
    let without_tls = ("sslmode".to_owned(), "disable".to_owned());
    request.keywords.push(without_tls);
    target.roots = None;
    target.uses_gateway = true;
    Ok(target)
}

fn not_offered(target: &ToolTarget) -> Error {
    let name = &target.name;
    let add = match &target.request.connection {
        Some(connection) => format!("pgcred add {connection} --replace --proxy"),
        None => format!("pgcred add NAME {} --proxy", target.request.host),
    };
    Error::usage(format!("{name} is not offered by the gateway")).hint(format!(
        "run `{add}`, or write `proxy = {{ port = 15432 }}` into the connection"
    ))
}

/// Says how the gateway is started, unless it is a service already.
pub(super) fn start_hint(machine: &Machine) -> Option<String> {
    for tool in TOOLS {
        if tool.kind == ToolKind::Service && tool.is_set_up(machine) {
            return None;
        }
    }
    Some(
        "the gateway has to run: leave `pgcred proxy` running while you work, or run \
         `pgcred setup proxy` once"
            .to_owned(),
    )
}
