//! Holds a finding together with the check that found it, and with what to type.
//!
//! Here the finding meets the table of causes: advice and commands of the finding come first, those
//! of the cause fill the gaps. It is pure. The functions at the end say which of several failures
//! comes first.

use super::check::Check;
use super::finding::{Finding, FindingStatus};
use super::redact::RedactedKind;
use crate::causes::{self, Cause, CausePlaceholders};
use crate::error::Exit;

pub(super) struct CheckOutcome {
    pub(super) check: &'static Check,
    /// What the user calls the target; `None` for a check of the machine.
    pub(super) target: Option<String>,
    pub(super) status: FindingStatus,
    pub(super) detail: String,
    pub(super) cause: Option<&'static Cause>,
    /// What the cause means for users of the target's authority.
    pub(super) meaning: Option<String>,
    /// What to do, in words. The cause says it where the finding does not.
    pub(super) advice: Option<String>,
    /// What to type, with the values of this case.
    pub(super) commands: Vec<String>,
    /// Names in these texts that identify the user.
    pub(super) private_names: Vec<(String, RedactedKind)>,
    /// How the run ends if this is the first failure.
    pub(super) exit: Exit,
}

impl CheckOutcome {
    pub(super) fn new(
        check: &'static Check,
        target: Option<String>,
        finding: Finding,
        values: &CausePlaceholders,
    ) -> Self {
        let cause = match finding.cause {
            Some(id) => causes::find_by_id(id).filter(|cause| cause.is_for(values.authority)),
            None => None,
        };
        let commands = match cause {
            Some(cause) if finding.commands.is_empty() => cause.commands(values),
            _ => finding.commands,
        };
        let advice = match (finding.advice, cause) {
            (Some(advice), _) => Some(advice),
            (None, Some(cause)) if commands.is_empty() => Some(cause.advice(values)),
            (None, _) => None,
        };
        Self {
            check,
            target,
            status: finding.status,
            detail: finding.detail,
            cause,
            meaning: cause.map(|cause| cause.meaning(values.authority)),
            advice,
            commands,
            private_names: finding.private_names,
            exit: finding.exit,
        }
    }

    /// Returns the same with every text of this case changed. What the table of causes says is the
    /// same for everybody and stays.
    pub(super) fn redacted(&self, mut redact: impl FnMut(&str) -> String) -> Self {
        Self {
            check: self.check,
            target: self.target.as_deref().map(&mut redact),
            status: self.status,
            detail: redact(&self.detail),
            cause: self.cause,
            meaning: self.meaning.clone(),
            advice: self.advice.as_deref().map(&mut redact),
            commands: self.commands.iter().map(|text| redact(text)).collect(),
            private_names: Vec::new(),
            exit: self.exit,
        }
    }

    /// Returns the id of the cause.
    pub(super) fn cause_id(&self) -> Option<&'static str> {
        self.cause.map(|cause| cause.id)
    }

    /// Tells whether what depends on this check cannot be examined.
    pub(super) fn blocks(&self) -> bool {
        match self.status {
            FindingStatus::Fail => true,
            FindingStatus::Skip => !self.check.needs.is_empty(),
            FindingStatus::Ok | FindingStatus::Warn => false,
        }
    }
}

/// Returns what explains the failures: the first of this machine, else the first of each target.
pub(super) fn first_failures(outcomes: &[CheckOutcome]) -> Vec<&CheckOutcome> {
    let mut first: Vec<&CheckOutcome> = Vec::new();
    for outcome in outcomes {
        if outcome.status != FindingStatus::Fail {
            continue;
        }
        let is_explained = first
            .iter()
            .any(|failure| failure.target.is_none() || failure.target == outcome.target);
        if !is_explained {
            first.push(outcome);
        }
    }
    first
}

/// Returns the failure that decides how the run ends: the first, because the checks stand in the
/// order in which a login depends on them.
pub(super) fn first_failure(outcomes: &[CheckOutcome]) -> Option<&CheckOutcome> {
    let is_failure = |outcome: &&CheckOutcome| outcome.status == FindingStatus::Fail;
    outcomes.iter().find(is_failure)
}
