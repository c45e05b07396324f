//! Checks the login itself, with the token, up to the server's first verdict. No SQL is sent.
//!
//! `examine_server_login` gives the token of `token.issued` to the thread of the probe, and waits
//! for the verdict until the deadline of the run. The rest is pure: it goes by what the server has
//! said, and lets the table of causes explain the server's own words.

use std::time::Instant;

use super::net::answers_of_server;
use super::server_text::explain_message;
use super::tls::judge_break;
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::probe::server_login::{ServerLoginAttempt, ServerLoginOutcome};
use crate::request::Request;
use crate::roots;
use crate::wire::{AuthenticationMethod, ServerMessage};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "login.accepted",
    about: "whether the server accepts the token",
    level: CheckLevel::Network,
    needs: &[
        "token.issued",
        "tls.handshake",
        "tls.chain",
        "tls.roots",
        "tls.name",
        "tls.alpn",
    ],
    examine: Examine::Target(examine_server_login),
}];

fn examine_server_login(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let (request, deadline) = (examined.request, examined.examination.deadline);
    let Some(token) = examined.token.take() else {
        return Finding::skip("needs token.issued");
    };
    if deadline <= Instant::now() {
        return Finding::skip("no time is left; --timeout gives more");
    }
    let network = match answers_of_server(examined) {
        Ok(network) => network,
        Err(finding) => return finding,
    };
    network.give_token(token);
    match network.login.get(deadline) {
        Some(login) => judge_server_login(request, login),
        None => Finding::fail("net.blocked", "the server did not answer the login in time"),
    }
}

fn judge_server_login(request: &Request, login: &ServerLoginAttempt) -> Finding {
    match &login.outcome {
        ServerLoginOutcome::LoggedIn => Finding::ok(format!(
            "{} is logged in, {} ms",
            request.name(),
            login.elapsed.as_millis()
        )),
        ServerLoginOutcome::Refused(message) => judge_refusal(request, message),
        ServerLoginOutcome::OtherMethod(method) => judge_other_method(request, method),
        ServerLoginOutcome::AskedAgain => Finding::fail(
            "net.other",
            "the server asks for the password a second time",
        ),
        ServerLoginOutcome::NotBelieved => {
            Finding::skip("the token was not sent: the server is not verified")
        }
        ServerLoginOutcome::CannotBeSent => Finding::fail(
            "token.user",
            "the user or the database cannot be sent to a server",
        ),
        ServerLoginOutcome::OutOfPlace(kind) => {
            let kind = char::from(*kind).escape_default();
            Finding::fail(
                "net.other",
                format!("the server sent a packet `{kind}` in the login"),
            )
        }
        ServerLoginOutcome::Broke(reason) => judge_break(reason),
    }
}

/// Judges a refusal. The token is a fresh one, so that a server that takes it for an old one, or
/// this machine, has a wrong clock.
fn judge_refusal(request: &Request, message: &ServerMessage) -> Finding {
    let mut finding = explain_message(message, request);
    if finding.cause == Some("token.expired") {
        finding.cause = Some("clock");
    }
    finding
}

/// Judges a server that expects a password of its own from this user, and no token.
fn judge_other_method(request: &Request, method: &AuthenticationMethod) -> Finding {
    let detail = format!("the server asks for {method} and expects no token");
    let reason = (request.provider.no_token_reason)(&roots::required_roots(request));
    let finding = Finding::fail(reason.cause, detail);
    match reason.advice {
        Some(advice) => finding.with_advice(advice),
        None => finding,
    }
}
