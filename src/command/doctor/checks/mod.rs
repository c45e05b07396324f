//! Every check, in the order in which a login depends on them.
//!
//! Each file is a stage and has its part of the table. A check looks at one thing, returns one
//! [`Finding`], and changes nothing but what its documentation names.

mod clients;
mod clock;
mod configuration;
mod credentials;
mod entry;
mod environment;
mod installation;
mod login;
mod net;
mod no_answer;
mod passfile;
mod policy;
mod sandboxes;
mod server;
mod server_text;
mod store;
mod tls;
mod token;
mod token_judges;
mod tools;

use super::check::{Check, Examine};
use super::context::Level;
use super::finding::Finding;

/// The first check of a target. It fails where there is no request that the others could examine.
pub(super) static TARGET: Check = Check {
    id: "target.known",
    about: "whether the target names a host, a user and a provider",
    level: Level::Offline,
    needs: &[],
    examine: Examine::Target(|case| Finding::ok(case.request.name())),
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
    login::CHECKS,
];

/// Returns every check, in its order.
pub(super) fn all() -> impl Iterator<Item = &'static Check> {
    let others = STAGES.iter().copied().flatten();
    std::iter::once(&TARGET).chain(others)
}

#[cfg(test)]
mod tests;
