//! What a check is: its id, what it needs, and the function that does it.

use super::context::{Case, Examination, Level};
use super::finding::Finding;

/// One thing that doctor examines.
pub(super) struct Check {
    /// `stage.subject`. The ids are stable: scripts and pages name them.
    pub(super) id: &'static str,
    /// What is examined, for `--list`.
    pub(super) about: &'static str,
    pub(super) level: Level,
    /// The ids of earlier checks that must not have failed, nor been skipped for a failure.
    pub(super) needs: &'static [&'static str],
    pub(super) examine: Examine,
}

/// What a check looks at. The checks of the machine come first, then those of each target.
#[derive(Clone, Copy)]
pub(super) enum Examine {
    Machine(fn(&mut Examination<'_>) -> Finding),
    Target(fn(&mut Case<'_, '_>) -> Finding),
}

impl Check {
    /// Tells whether `--check` selects this check: by its id, or by the beginning of it before a
    /// full stop.
    pub(super) fn is_selected_by(&self, word: &str) -> bool {
        match self.id.strip_prefix(word) {
            Some(rest) => rest.is_empty() || rest.starts_with('.'),
            None => false,
        }
    }
}
