//! Writes the outcomes as lines for the user and as JSON for programs, from the same data.
//!
//! It is pure. The summary names the first failure of the machine or, without one, the first of
//! each target: what comes later may only be its consequence.

use serde_json::{Value, json};

use super::checks;
use super::finding::FindingStatus;
use super::outcome::{CheckOutcome, first_failure, first_failures};
use super::wrap::wrap_text;
use crate::output::table::TextTable;

/// No id of a check is longer.
const MAX_ID_WIDTH: usize = 24;

/// What stands before the lines that belong to a check.
const INDENT: &str = "      ";

pub(super) struct DoctorReport<'a> {
    outcomes: &'a [CheckOutcome],
}

/// Returns one line for each check that there is.
pub(super) fn list_of_checks() -> Vec<String> {
    let checks: Vec<_> = checks::all_checks().collect();
    let mut table = TextTable::new(checks.len(), 100);
    let mut ids = Vec::new();
    let mut abouts = Vec::new();
    for check in &checks {
        ids.push(check.id.to_owned());
        abouts.push(check.about.to_owned());
    }
    table.add("ID", &ids);
    table.add("EXAMINES", &abouts);
    table.lines()
}

impl<'a> DoctorReport<'a> {
    pub(super) fn new(outcomes: &'a [CheckOutcome]) -> Self {
        Self { outcomes }
    }

    /// Returns a line for each check, two more where something is wrong, and a summary.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut target = None;
        for outcome in self.outcomes {
            if outcome.target != target {
                target.clone_from(&outcome.target);
                lines.push(String::new());
                lines.extend(target.iter().map(|name| format!("{name}:")));
            }
            lines.extend(outcome.lines());
        }
        lines.push(String::new());
        lines.extend(self.summary());
        lines
    }

    /// Returns the first cause and the command to type.
    fn summary(&self) -> Vec<String> {
        let failures = first_failures(self.outcomes);
        if failures.is_empty() {
            return self.without_failure();
        }
        let mut lines = Vec::new();
        for outcome in failures {
            let summary = outcome.summary();
            lines.push(match &outcome.target {
                Some(target) => format!("first cause: {target}: {summary}"),
                None => format!("first cause: {summary}"),
            });
            if let Some(advice) = &outcome.advice {
                lines.extend(wrap_text(advice, ""));
            }
            for command in &outcome.commands {
                lines.push(format!("type: {command}"));
            }
        }
        lines
    }

    /// Returns how to begin, if nothing is configured.
    fn without_failure(&self) -> Vec<String> {
        for outcome in self.outcomes {
            if outcome.cause_id() == Some("config.none") {
                let mut lines = vec!["nothing to log in to is configured yet".to_owned()];
                for command in &outcome.commands {
                    lines.push(format!("type: {command}"));
                }
                return lines;
            }
        }
        let mut lines = vec!["no cause of a failing login was found".to_owned()];
        let is_warning = |outcome: &&CheckOutcome| outcome.status == FindingStatus::Warn;
        if let Some(outcome) = self.outcomes.iter().find(is_warning) {
            lines.push(format!("first warning: {}", outcome.summary()));
        }
        lines.extend(self.first_note());
        lines
    }

    /// Returns what some users still have to do although nothing is wrong.
    fn first_note(&self) -> Vec<String> {
        for outcome in self.outcomes {
            let is_good = matches!(outcome.status, FindingStatus::Ok | FindingStatus::Skip);
            let (true, Some(advice)) = (is_good, &outcome.advice) else {
                continue;
            };
            let mut lines = match &outcome.target {
                Some(target) => wrap_text(&format!("note: {target}: {advice}"), ""),
                None => wrap_text(&format!("note: {advice}"), ""),
            };
            for command in &outcome.commands {
                lines.push(format!("type: {command}"));
            }
            return lines;
        }
        Vec::new()
    }

    pub(super) fn json(&self) -> Value {
        let checks: Vec<Value> = self.outcomes.iter().map(CheckOutcome::json).collect();
        let first = first_failure(self.outcomes);
        json!({
            "version": 1,
            "pgcred": env!("CARGO_PKG_VERSION"),
            "checks": checks,
            "first_cause": first.map(CheckOutcome::cause_id),
            "first_check": first.map(|outcome| outcome.check.id),
        })
    }
}

impl CheckOutcome {
    /// Returns what is wrong, in a few words.
    fn summary(&self) -> &str {
        match self.cause {
            Some(cause) => cause.title,
            None => &self.detail,
        }
    }

    fn lines(&self) -> Vec<String> {
        let label = self.status.label();
        let id = self.check.id;
        let detail = &self.detail;
        let mut lines = vec![format!("{label:<4}  {id:<MAX_ID_WIDTH$}  {detail}")];
        if !matches!(self.status, FindingStatus::Warn | FindingStatus::Fail) {
            return lines;
        }
        if let Some(meaning) = &self.meaning {
            lines.extend(wrap_text(meaning, INDENT));
        }
        if let Some(advice) = &self.advice {
            lines.extend(wrap_text(advice, INDENT));
        }
        for command in &self.commands {
            lines.push(format!("{INDENT}type: {command}"));
        }
        lines
    }

    fn json(&self) -> Value {
        json!({
            "id": self.check.id,
            "target": self.target,
            "status": self.status.as_str(),
            "title": self.check.about,
            "detail": self.detail,
            "cause": self.cause_id(),
            "cause_title": self.cause.map(|cause| cause.title),
            "because": self.meaning,
            "fix": { "text": self.advice, "commands": self.commands },
        })
    }
}
