//! Checks the local gateway, for a connection that it offers: whether it listens, and whether its
//! sockets are the user's alone.
//!
//! It stands last, because only tools that connect through the gateway depend on it. The port is
//! looked at and not connected to: a service manager would start the gateway. The `judge` functions
//! are pure.

use std::path::PathBuf;

use crate::command::doctor::check::Check;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::Finding;
use crate::config::GatewaySettings;
use crate::error::Error;
use crate::gateway::{self, PortHolder};
use crate::integrations::TOOLS;
use crate::setup::{Machine, ToolKind};
use crate::sys::fs::{self, FileState};
use crate::text::quote;

pub(super) const CHECKS: &[Check] = &[
    Check::for_target(
        "gateway.port",
        "whether the local gateway listens at its port, or another program does",
        examine_port,
    ),
    Check::for_target(
        "gateway.socket",
        "whether the directory of the gateway's sockets is yours alone",
        examine_socket,
    ),
];

const NOT_OFFERED: &str = "the gateway does not offer the target";

/// Returns how the gateway offers a target, if it does.
fn offer_of(examined: &ExaminedTarget<'_, '_>) -> Option<GatewaySettings> {
    let name = examined.request.connection.as_ref()?;
    examined
        .examination
        .app
        .preferences
        .config
        .connection(name)?
        .gateway
}

fn examine_port(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(GatewaySettings { port, .. }) = offer_of(examined) else {
        return Finding::skip(NOT_OFFERED);
    };
    if gateway::is_port_in_use(port) {
        return judge_holder(&PortHolder::find(port), port, &examined.name);
    }
    judge_free_port(port, is_service(&examined.examination.machine))
}

/// Tells whether the gateway is set up as a service.
fn is_service(machine: &Machine) -> bool {
    let mut services = TOOLS.iter().filter(|tool| tool.kind == ToolKind::Service);
    services.any(|service| service.is_set_up(machine))
}

fn judge_holder(holder: &PortHolder, port: u16, target: &str) -> Finding {
    let detail = format!("{holder} listens on 127.0.0.1:{port}");
    if holder.may_be_gateway() {
        return Finding::ok(detail);
    }
    Finding::fail(None, format!("{detail}, the gateway's port"))
        .with_advice(
            "end that program, or choose another port for the connection, also in the tools that \
             connect through the gateway",
        )
        .with_command(format!("pgcred add {target} --replace --proxy=PORT"))
}

/// Judges a port on which nobody listens. Most users start the gateway when they need it.
fn judge_free_port(port: u16, is_service: bool) -> Finding {
    let detail = format!("nobody listens on 127.0.0.1:{port}");
    if is_service {
        return Finding::warn(None, format!("{detail}, although the gateway is a service"))
            .with_advice("set it up again; it also takes changed ports over")
            .with_command("pgcred setup proxy");
    }
    Finding::skip(format!("{detail}; `pgcred proxy` does"))
        .with_advice("tools that use the gateway need it to run: start it, or make it a service")
        .with_command("pgcred proxy")
        .with_command("pgcred setup proxy")
}

/// What is seen of the directory of the sockets.
struct SocketFacts {
    directory: PathBuf,
    /// `None` if there is no such directory.
    state: Option<FileState>,
    /// Why the gateway does not make a socket there.
    trust_error: Option<Error>,
    /// The connection's socket is there.
    has_socket: bool,
    /// Somebody listens on the port that belongs to the socket.
    is_port_in_use: bool,
}

fn examine_socket(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(GatewaySettings { port, socket, .. }) = offer_of(examined) else {
        return Finding::skip(NOT_OFFERED);
    };
    if !socket {
        return Finding::skip("the connection has no `socket = true`");
    }
    let directory = match gateway::socket_directory() {
        Ok(directory) => directory,
        Err(error) => return Finding::from_error(None, &error),
    };
    judge_socket(&SocketFacts {
        state: fs::file_state(&directory),
        trust_error: fs::trust::check_path(&directory).err(),
        has_socket: gateway::socket_path(&directory, port).exists(),
        is_port_in_use: gateway::is_port_in_use(port),
        directory,
    })
}

fn judge_socket(facts: &SocketFacts) -> Finding {
    let directory = facts.directory.display().to_string();
    if let Some(error) = &facts.trust_error {
        return Finding::from_error(None, error);
    }
    match &facts.state {
        Some(FileState {
            other_owner: Some(owner),
            ..
        }) => Finding::fail(None, format!("{directory} belongs to {owner}"))
            .with_advice("the gateway cannot make a socket there: find out why it is not yours"),
        Some(state) if state.is_open_to_others => {
            let private = format!("chmod 700 {}", quote::posix(&directory));
            Finding::warn(None, format!("other users can enter {directory}"))
                .with_advice("only you should: a gateway's socket asks for no password")
                .with_command(private)
        }
        _ if facts.is_port_in_use && !facts.has_socket => {
            Finding::warn(None, format!("the gateway's socket is not in {directory}"))
                .with_advice("the gateway does not know of it yet: start the gateway again")
        }
        None => Finding::ok(format!("the gateway makes {directory} when it starts")),
        Some(_) => Finding::ok(format!("{directory} is yours alone")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    fn program(name: &str) -> PortHolder {
        PortHolder::Program {
            name: name.to_owned(),
            process: "7".to_owned(),
        }
    }

    #[test]
    fn another_program_on_the_port_is_a_failure_with_its_name() {
        let ok = FindingStatus::Ok;
        for (holder, status, says) in [
            (program("pgcred"), ok, "pgcred (process 7) listens"),
            (program("systemd"), ok, "systemd (process 7) listens"),
            (PortHolder::Unknown, ok, "a program listens"),
            (program("nginx"), FindingStatus::Fail, "nginx (process 7)"),
            (
                PortHolder::OtherUser(33),
                FindingStatus::Fail,
                "a program of user 33 listens",
            ),
        ] {
            let finding = judge_holder(&holder, 15432, "prod");
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
    }

    #[test]
    fn a_gateway_that_does_not_run_is_a_note_unless_it_is_a_service() {
        let finding = judge_free_port(15432, false);
        assert_eq!(finding.status, FindingStatus::Skip);
        assert_eq!(finding.commands, ["pgcred proxy", "pgcred setup proxy"]);
        let finding = judge_free_port(15432, true);
        assert_eq!(finding.status, FindingStatus::Warn);
        assert_eq!(finding.commands, ["pgcred setup proxy"]);
    }

    #[test]
    fn the_directory_of_the_sockets_is_judged_by_who_can_enter_it() {
        let state = |is_open_to_others, owner: Option<&str>| {
            Some(FileState {
                is_plain: false,
                is_open_to_others,
                other_owner: owner.map(str::to_owned),
            })
        };
        let facts = |state, is_port_in_use| SocketFacts {
            directory: PathBuf::from("/run/pgcred"),
            state,
            trust_error: None,
            has_socket: false,
            is_port_in_use,
        };
        let (ok, warn, fail) = (FindingStatus::Ok, FindingStatus::Warn, FindingStatus::Fail);
        for (facts, status, says) in [
            (facts(None, false), ok, "when it starts"),
            (facts(state(false, None), false), ok, "yours alone"),
            (facts(state(true, None), true), warn, "can enter"),
            (facts(state(false, None), true), warn, "is not in"),
            (facts(state(false, Some("eve")), false), fail, "eve"),
        ] {
            let finding = judge_socket(&facts);
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
        let mut broken = facts(state(false, None), false);
        broken.trust_error = Some(Error::failure("another user can change it"));
        assert_eq!(judge_socket(&broken).status, fail);
    }
}
