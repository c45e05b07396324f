//! Checks the way to the server: its name, and connections to each of its addresses.
//!
//! The probe of the target does the work on its own thread; the checks wait for its answers until
//! the probe's deadline. `judge_names` and `judge_connections` are pure. `answers_of_server`, which
//! gives the answers or says why nobody asked, also serves the stages of TLS and of the login.

use std::net::SocketAddr;

use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::network::{NetworkAnswers, address_of};
use crate::probe::connect::{ConnectAttempt, ConnectOutcome};
use crate::probe::names::NameAnswer;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "net.dns",
        about: "whether the name of the host has addresses (IPv4 and IPv6)",
        level: CheckLevel::Network,
        needs: &["target.known"],
        examine: Examine::Target(examine_dns),
    },
    Check {
        id: "net.tcp",
        about: "whether each address accepts connections at the port",
        level: CheckLevel::Network,
        needs: &["net.dns"],
        examine: Examine::Target(examine_tcp),
    },
];

/// Returns the probe of a target, or the finding that there is none.
pub(super) fn answers_of_server<'a>(
    examined: &'a mut ExaminedTarget<'_, '_>,
) -> Result<&'a mut NetworkAnswers, Finding> {
    match &mut examined.network {
        Some(Ok(network)) => Ok(network),
        Some(Err(error)) => Err(Finding::from_error("tls.rootfile", error)),
        None => Err(Finding::skip("needs a connection")),
    }
}

fn examine_dns(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let address = address_of(examined.request).to_owned();
    let network = match answers_of_server(examined) {
        Ok(network) => network,
        Err(finding) => return finding,
    };
    match network.names.get(network.reached_by) {
        Some(names) => judge_names(&address, names),
        None => judge_names(&address, &NameAnswer::TimedOut),
    }
}

fn judge_names(host: &str, names: &NameAnswer) -> Finding {
    match names {
        NameAnswer::Literal(address) => Finding::ok(format!("{address} is an address itself")),
        NameAnswer::Found(addresses) => {
            let families = match (names.has_v4(), names.has_v6()) {
                (true, true) => "IPv4 and IPv6",
                (false, true) => "IPv6 only",
                _ => "IPv4 only",
            };
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Finding::ok(format!("{} ({families})", addresses.join(", ")))
        }
        NameAnswer::Unknown(reason) => Finding::fail("net.dns", format!("{host}: {reason}")),
        NameAnswer::TimedOut => Finding::fail(
            "net.dns",
            format!("{host}: the resolver does not answer in time"),
        ),
    }
}

fn examine_tcp(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let network = match answers_of_server(examined) {
        Ok(network) => network,
        Err(finding) => return finding,
    };
    let Some(attempts) = network.attempts.get(network.reached_by) else {
        return Finding::fail("net.blocked", "no connection was made in time");
    };
    let mut outcomes = Vec::new();
    for ConnectAttempt {
        address, outcome, ..
    } in attempts
    {
        outcomes.push((*address, outcome));
    }
    judge_connections(&outcomes)
}

/// Judges what became of the connections. One that is open is enough; otherwise a refusal tells
/// more than silence, and silence more than an address to which there is no way.
fn judge_connections(attempts: &[(SocketAddr, &ConnectOutcome)]) -> Finding {
    let mut details = Vec::new();
    let (mut is_open, mut is_refused, mut is_silent) = (false, false, false);
    let mut unreachable_v4 = false;
    for (address, outcome) in attempts {
        is_open |= **outcome == ConnectOutcome::Open;
        is_refused |= **outcome == ConnectOutcome::Refused;
        is_silent |= **outcome == ConnectOutcome::Silent;
        unreachable_v4 |= **outcome == ConnectOutcome::Unreachable && address.is_ipv4();
        details.push(format!("{address} {}", describe_outcome(outcome)));
    }
    let detail = details.join(", ");
    match () {
        () if is_open => Finding::ok(detail),
        () if is_refused => Finding::fail("net.refused", detail),
        () if is_silent || unreachable_v4 => Finding::fail("net.blocked", detail),
        () => Finding::fail("net.ipv6", detail),
    }
}

fn describe_outcome(outcome: &ConnectOutcome) -> String {
    match outcome {
        ConnectOutcome::Open => "accepts connections".to_owned(),
        ConnectOutcome::Refused => "refuses connections".to_owned(),
        ConnectOutcome::Silent => "does not answer".to_owned(),
        ConnectOutcome::Unreachable => "cannot be reached from this machine".to_owned(),
        ConnectOutcome::Failed(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    #[test]
    fn one_open_address_is_enough_and_a_refusal_tells_more_than_silence() {
        use ConnectOutcome::{Open, Refused, Silent, Unreachable};
        let v4: SocketAddr = "203.0.113.5:5432".parse().expect("an address");
        let v6: SocketAddr = "[2001:db8::1]:5432".parse().expect("an address");
        for (attempts, cause) in [
            (vec![(v6, &Unreachable), (v4, &Open)], None),
            (vec![(v6, &Refused), (v4, &Silent)], Some("net.refused")),
            (vec![(v6, &Unreachable), (v4, &Silent)], Some("net.blocked")),
            (vec![(v4, &Unreachable)], Some("net.blocked")),
            (vec![(v6, &Unreachable)], Some("net.ipv6")),
        ] {
            let finding = judge_connections(&attempts);
            assert_eq!(finding.cause, cause, "{}", finding.detail);
            assert_eq!(finding.status == FindingStatus::Ok, cause.is_none());
        }
    }

    #[test]
    fn names_are_told_with_their_families() {
        let found = NameAnswer::Found(vec!["203.0.113.5".parse().expect("an address")]);
        let finding = judge_names("db", &found);
        assert_eq!(finding.detail, "203.0.113.5 (IPv4 only)");
        let unknown = NameAnswer::Unknown("no such name".to_owned());
        let finding = judge_names("db", &unknown);
        assert_eq!(
            (finding.cause, finding.status),
            (Some("net.dns"), FindingStatus::Fail)
        );
    }
}
