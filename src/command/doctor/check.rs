//! Defines what a check is: its id, what it needs, and the function that does it.

use super::context::{CheckLevel, Examination, ExaminedTarget};
use super::finding::Finding;

/// One thing that doctor examines.
pub(super) struct Check {
    /// `stage.subject`. The ids are stable: scripts and pages name them.
    pub(super) id: &'static str,
    /// What is examined, for `--list`.
    pub(super) about: &'static str,
    pub(super) level: CheckLevel,
    /// The ids of earlier checks that must not have failed, nor been skipped for a failure.
    pub(super) needs: &'static [&'static str],
    pub(super) examine: Examine,
}

/// What a check looks at. The checks of the machine come first, then those of each target.
#[derive(Clone, Copy)]
pub(super) enum Examine {
    Machine(fn(&mut Examination<'_>) -> Finding),
    Target(fn(&mut ExaminedTarget<'_, '_>) -> Finding),
}

impl Check {
    /// Returns a check of the machine that makes no connection and needs no other check.
    pub(super) const fn for_machine(
        id: &'static str,
        about: &'static str,
        examine: fn(&mut Examination<'_>) -> Finding,
    ) -> Self {
        Self::offline(id, about, Examine::Machine(examine))
    }

    /// Returns the same for a target.
    pub(super) const fn for_target(
        id: &'static str,
        about: &'static str,
        examine: fn(&mut ExaminedTarget<'_, '_>) -> Finding,
    ) -> Self {
        Self::offline(id, about, Examine::Target(examine))
    }

    const fn offline(id: &'static str, about: &'static str, examine: Examine) -> Self {
        Self {
            id,
            about,
            level: CheckLevel::Offline,
            needs: &[],
            examine,
        }
    }

    /// Tells whether `--check` selects this check: by its id, or by the beginning of it before a
    /// full stop.
    pub(super) fn is_selected_by(&self, word: &str) -> bool {
        self.id
            .strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}
