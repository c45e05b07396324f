//! Carries out the checks in their order, and only those whose needs are met.

use super::check::{Check, Examine};
use super::checks::{self, TARGET};
use super::context::{Case, Examination, Level};
use super::finding::Finding;
use super::outcome::CheckOutcome;
use crate::causes::Placeholders;
use crate::error::Result;
use crate::request::Request;

/// What the user asked to examine, before anything is known of it.
pub(super) struct Target {
    /// What the user calls it.
    pub(super) name: String,
    pub(super) request: Result<Request>,
}

/// Why a check is not carried out.
enum Skip {
    /// The user did not ask for it.
    Silently,
    Because(String),
}

/// Carries out the checks of the machine, then those of each target. `selected` has the ids, or the
/// beginnings of ids, that `--check` names; it is empty for all.
pub(super) fn run(
    examination: &mut Examination<'_>,
    targets: Vec<Target>,
    selected: &[String],
) -> Vec<CheckOutcome> {
    let mut outcomes = Vec::new();
    for check in checks::all() {
        if let Examine::Machine(examine) = check.examine {
            let finding = match reason_to_skip(check, selected, examination.level, &outcomes, None)
            {
                Some(Skip::Silently) => continue,
                Some(Skip::Because(why)) => Finding::skip(why),
                None => examine(examination),
            };
            let values = Placeholders::default();
            outcomes.push(CheckOutcome::new(check, None, finding, &values));
        }
    }
    for Target { name, request } in targets {
        match request {
            Ok(request) => {
                let mut case = Case {
                    run: &mut *examination,
                    name,
                    request,
                };
                run_case(&mut case, selected, &mut outcomes);
            }
            Err(error) => {
                let finding = Finding::of_error("target.unknown", &error);
                let values = Placeholders::default();
                outcomes.push(CheckOutcome::new(&TARGET, Some(name), finding, &values));
            }
        }
    }
    outcomes
}

fn run_case(case: &mut Case<'_, '_>, selected: &[String], outcomes: &mut Vec<CheckOutcome>) {
    let values = case.placeholders();
    for check in checks::all() {
        let Examine::Target(examine) = check.examine else {
            continue;
        };
        let name = Some(case.name.as_str());
        let finding = match reason_to_skip(check, selected, case.run.level, outcomes, name) {
            Some(Skip::Silently) => continue,
            Some(Skip::Because(why)) => Finding::skip(why),
            None => examine(case),
        };
        outcomes.push(CheckOutcome::new(
            check,
            Some(case.name.clone()),
            finding,
            &values,
        ));
    }
}

fn reason_to_skip(
    check: &Check,
    selected: &[String],
    level: Level,
    outcomes: &[CheckOutcome],
    target: Option<&str>,
) -> Option<Skip> {
    let is_selected = |word: &String| check.is_selected_by(word);
    if !selected.is_empty() && !selected.iter().any(is_selected) {
        return Some(Skip::Silently);
    }
    if check.level > level {
        return match check.level {
            Level::Aws => Some(Skip::Silently),
            _ => Some(Skip::Because("needs a connection".to_owned())),
        };
    }
    for needed in check.needs {
        for outcome in outcomes {
            let is_of_case = outcome.target.is_none() || outcome.target.as_deref() == target;
            if outcome.check.id == *needed && is_of_case && outcome.blocks() {
                return Some(Skip::Because(format!("needs {needed}")));
            }
        }
    }
    None
}
