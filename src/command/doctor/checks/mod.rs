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
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::causes::{self, Detection};

    /// The stages whose checks are all there.
    const STAGES_OF_THIS_MACHINE: [&str; 7] = [
        "installation",
        "store",
        "configuration",
        "passfile",
        "environment",
        "clients",
        "tools",
    ];

    #[test]
    fn the_table_of_causes_names_checks_that_there_are() {
        let ids: BTreeSet<&str> = all().map(|check| check.id).collect();
        let mut found = 0;
        for cause in causes::all() {
            let Detection::Checks(checks) = cause.detection else {
                continue;
            };
            for id in checks {
                let (stage, _) = id.split_once('.').unwrap_or((id, ""));
                if STAGES_OF_THIS_MACHINE.contains(&stage) {
                    assert!(ids.contains(id), "{}: there is no check {id}", cause.id);
                    found += 1;
                }
            }
        }
        assert!(found > 30, "{found}");
    }

    #[test]
    fn an_id_is_a_stage_and_a_subject_and_names_one_check() {
        let mut ids = BTreeSet::new();
        for check in all() {
            let id = check.id;
            let (stage, subject) = id.split_once('.').expect("a stage and a subject");
            for part in [stage, subject] {
                let is_word = part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || "._".contains(c));
                assert!(is_word && !part.is_empty(), "{id}");
            }
            assert!(ids.insert(id) && id.len() <= 24, "{id} twice, or too long");
            assert!(
                !check.about.is_empty() && !check.about.ends_with('.'),
                "{id}"
            );
        }
    }

    #[test]
    fn a_check_needs_only_what_stands_before_it() {
        let mut before = BTreeSet::new();
        for check in all() {
            for needed in check.needs {
                assert!(before.contains(needed), "{} needs {needed}", check.id);
            }
            before.insert(check.id);
        }
    }
}
