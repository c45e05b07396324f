//! Chooses which checks are carried out: all, or those that `--check` names together with what they
//! need.
//!
//! It is pure. The runner asks it before each check, `jobs`, the probe and the inquiry are only
//! started if a check that is included needs them, and the report leaves out what the user did not
//! ask for.

use std::collections::BTreeSet;

use super::check::Check;
use super::checks;
use super::finding::FindingStatus;
use super::outcome::CheckOutcome;
use crate::error::{Error, Result};

pub(super) struct CheckSelection {
    /// The ids, or the beginnings of ids, that the user typed; empty for all.
    prefixes: Vec<String>,
    /// The ids of the checks to carry out.
    included: BTreeSet<&'static str>,
}

impl CheckSelection {
    /// Refuses a word that no check's id begins with.
    pub(super) fn parse(prefixes: Vec<String>) -> Result<Self> {
        for prefix in &prefixes {
            if !checks::all_checks().any(|check| check.is_selected_by(prefix)) {
                let error = Error::usage(format!("no such check: `{prefix}`"));
                return Err(error.hint("run `pgcred doctor --list` to see the checks"));
            }
        }
        let mut selection = Self {
            prefixes,
            included: BTreeSet::new(),
        };
        let all: Vec<&'static Check> = checks::all_checks().collect();
        // From the last to the first, because a check needs only earlier ones.
        for check in all.into_iter().rev() {
            if selection.is_typed(check) || selection.included.contains(check.id) {
                selection.included.insert(check.id);
                selection.included.extend(check.needs);
            }
        }
        Ok(selection)
    }

    /// Tells whether the user asked for this check itself.
    fn is_typed(&self, check: &Check) -> bool {
        self.prefixes.is_empty()
            || self
                .prefixes
                .iter()
                .any(|prefix| check.is_selected_by(prefix))
    }

    pub(super) fn includes(&self, check: &Check) -> bool {
        self.included.contains(check.id)
    }

    /// Tells whether a check is included that has this id, or is of this stage.
    pub(super) fn includes_any(&self, prefix: &str) -> bool {
        checks::all_checks().any(|check| check.is_selected_by(prefix) && self.includes(check))
    }

    /// Tells whether a check is included that asks the server. All of them need the way there.
    pub(super) fn needs_network(&self) -> bool {
        self.includes_any("net")
    }

    /// Tells whether a check is included that asks AWS for what needs a permission. All of them
    /// need to know who asks.
    pub(super) fn needs_aws(&self) -> bool {
        self.includes_any("aws.identity")
    }

    /// Tells whether the report shows an outcome. One that the user did not ask for is shown only
    /// if it is why the others cannot be examined.
    pub(super) fn shows(&self, outcome: &CheckOutcome) -> bool {
        self.is_typed(outcome.check) || outcome.status == FindingStatus::Fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(prefixes: &[&str]) -> CheckSelection {
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned());
        CheckSelection::parse(prefixes.collect()).expect("known checks")
    }

    #[test]
    fn a_stage_selects_its_checks_and_what_they_need() {
        let tls = selection(&["tls"]);
        assert!(tls.includes_any("tls.roots") && tls.includes_any("net.dns"));
        assert!(tls.needs_network() && !tls.includes_any("passfile"));
        assert!(!selection(&["tls.mode"]).needs_network());
        let all = selection(&[]);
        assert!(checks::all_checks().all(|check| all.includes(check)));
    }

    #[test]
    fn a_word_that_no_check_has_is_refused() {
        for word in ["", "tl", "tls.", "tls.rootsx"] {
            assert!(
                CheckSelection::parse(vec![word.to_owned()]).is_err(),
                "{word}"
            );
        }
    }
}
