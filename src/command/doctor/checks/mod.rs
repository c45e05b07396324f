//! Lists every check, in the order in which a login depends on them.
//!
//! ```text
//! of this machine                         of each target
//!  installation   pgcred itself            entry          the passfile's answer for the target
//!  store          where tokens are kept    environment    libpq's variables
//!  configuration  pgcred's own file        credentials    who signs, and the token that is issued
//!  passfile       the file of clients      token          what the token is good for
//!  clients        psql, the AWS CLI        server         what the authority says of it (--aws)
//!  tools          the tools' own files     net, tls       the way to the server, and encryption
//!  clock          the authorities' clocks   server_login   the login at the server
//!                                          gateway        another way in: the local gateway
//!
//! shared:  sandboxes, token_judges, policy, server_text, no_answer    judge values for the stages
//! ```
//!
//! A file is a stage: its `CHECKS` are the rows of the stage, and each row names a function
//! `examine_...`. That function has two steps:
//!
//! 1. It looks: it reads files and variables, or takes the answer of a thread from `jobs`,
//!    `network` or `inquiry`. If the answer is not there in time, the check says so.
//! 2. It judges: `judge...` is a pure function from these facts to one [`Finding`], and has the
//!    tests. `with_command` says what to type where the values of the case are known.
//!
//! A check returns the first fault only. The faults of one check hide or cause each other, so that
//! the user mends one and runs doctor again. A check changes nothing but what its documentation
//! names.

mod clients;
mod clock;
mod configuration;
mod credentials;
mod entry;
mod environment;
mod gateway;
mod installation;
mod net;
mod no_answer;
mod passfile;
mod policy;
mod sandboxes;
mod server;
mod server_login;
mod server_text;
mod store;
mod tls;
mod token;
mod token_judges;
mod tools;

use super::check::{Check, Examine};
use super::context::CheckLevel;
use super::finding::Finding;

/// The first check of a target. It fails where there is no request that the others could examine.
pub(super) static TARGET: Check = Check {
    id: "target.known",
    about: "whether the target names a host, a user and a provider",
    level: CheckLevel::Offline,
    needs: &[],
    examine: Examine::Target(|examined| Finding::ok(examined.request.name())),
};

/// The stages in their order. Those of the machine come first. The first check that fails names
/// the cause.
static STAGES: &[&[Check]] = &[
    installation::CHECKS,
    store::CHECKS,
    configuration::CHECKS,
    passfile::CHECKS,
    entry::CHECKS,
    environment::CHECKS,
    clients::CHECKS,
    tools::CHECKS,
    clock::CHECKS,
    credentials::CHECKS,
    token::CHECKS,
    server::CHECKS,
    net::CHECKS,
    tls::CHECKS,
    server_login::CHECKS,
    gateway::CHECKS,
];

/// Returns every check, in its order.
pub(super) fn all_checks() -> impl Iterator<Item = &'static Check> {
    let others = STAGES.iter().copied().flatten();
    std::iter::once(&TARGET).chain(others)
}

#[cfg(test)]
mod tests;
