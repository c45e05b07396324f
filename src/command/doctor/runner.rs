//! Carries out the checks in their order, and only those whose needs are met.
//!
//! The probes of the servers start before the first check, so that they work while the checks look
//! at files and AWS is asked for a token.

use super::check::{Check, Examine};
use super::checks::{self, TARGET};
use super::context::{CheckLevel, Examination, ExaminedTarget};
use super::finding::Finding;
use super::inquiry::{Inspectors, TargetInquiry};
use super::network::NetworkAnswers;
use super::outcome::CheckOutcome;
use super::selection::CheckSelection;
use crate::causes::CausePlaceholders;
use crate::error::Result;
use crate::request::Request;

/// The most servers that are probed, and asked about, at the same time.
const MAX_PROBES: usize = 16;

/// What the user asked to examine, before anything is known of it.
pub(super) struct NamedTarget {
    /// What the user calls it.
    pub(super) name: String,
    pub(super) request: Result<Request>,
}

/// Why a check is not carried out.
enum SkipReason {
    /// The user did not ask for it.
    Silently,
    Because(String),
}

/// Carries out the checks of the machine, then those of each target.
pub(super) fn run_checks(
    examination: &mut Examination<'_>,
    targets: &[NamedTarget],
    selection: &CheckSelection,
) -> Vec<CheckOutcome> {
    let mut probes = TargetProbes::default();
    probes.start_up_to(MAX_PROBES, targets, examination, selection);
    let machine_outcomes = run_machine(examination, selection);
    let mut target_outcomes = Vec::new();
    for (index, NamedTarget { name, request }) in targets.iter().enumerate() {
        probes.start_up_to(index + MAX_PROBES, targets, examination, selection);
        let (network, inquiry) = probes.take(index);
        match request {
            Ok(request) => {
                let mut examined = ExaminedTarget {
                    examination: &mut *examination,
                    name: name.clone(),
                    request,
                    token: None,
                    network,
                    inquiry,
                };
                target_outcomes.extend(run_target(&mut examined, selection, &machine_outcomes));
            }
            Err(error) => {
                let mut finding = Finding::from_error("target.unknown", error);
                // A target that cannot be understood is wrong usage of doctor itself.
                finding.exit = error.exit();
                let values = CausePlaceholders::default();
                let name = Some(name.clone());
                target_outcomes.push(CheckOutcome::new(&TARGET, name, finding, &values));
            }
        }
    }
    let mut outcomes = machine_outcomes;
    outcomes.extend(target_outcomes);
    outcomes.retain(|outcome| selection.shows(outcome));
    outcomes
}

/// Returns the name of the authority that all targets have.
pub(super) fn only_authority(targets: &[NamedTarget]) -> Option<&'static str> {
    let mut only_name = None;
    for target in targets {
        let Ok(request) = &target.request else {
            continue;
        };
        let name = request.provider.authority.name();
        if only_name.is_some_and(|first_name| first_name != name) {
            return None;
        }
        only_name = Some(name);
    }
    only_name
}

/// The probes of the targets' servers, and the questions about them.
#[derive(Default)]
struct TargetProbes {
    started: Vec<StartedProbe>,
    inspectors: Inspectors,
}

/// What asks about one target; `None` where no check needs it.
type StartedProbe = (Option<Result<NetworkAnswers>>, Option<TargetInquiry>);

impl TargetProbes {
    /// Starts the probes of the first `count` targets, as far as checks need them.
    fn start_up_to(
        &mut self,
        count: usize,
        targets: &[NamedTarget],
        examination: &Examination<'_>,
        selection: &CheckSelection,
    ) {
        let level = examination.level;
        let is_probed = level >= CheckLevel::Network && selection.needs_network();
        let is_asked_about = level >= CheckLevel::Aws && selection.needs_aws();
        let deadline = examination.deadline;
        let ask_policy = &examination.app.preferences.ask_policy;
        for target in targets.iter().take(count).skip(self.started.len()) {
            let (mut probe, mut inquiry) = (None, None);
            if let Ok(request) = &target.request {
                if is_probed {
                    probe = Some(NetworkAnswers::start(request, deadline));
                }
                if is_asked_about {
                    inquiry =
                        TargetInquiry::start(&mut self.inspectors, request, ask_policy, deadline);
                }
            }
            self.started.push((probe, inquiry));
        }
    }

    fn take(&mut self, index: usize) -> StartedProbe {
        match self.started.get_mut(index) {
            Some(probe) => std::mem::take(probe),
            None => StartedProbe::default(),
        }
    }
}

fn run_machine(examination: &mut Examination<'_>, selection: &CheckSelection) -> Vec<CheckOutcome> {
    let values = CausePlaceholders {
        authority: examination.only_authority,
        ..CausePlaceholders::default()
    };
    let mut outcomes: Vec<CheckOutcome> = Vec::new();
    for check in checks::all_checks() {
        let Examine::Machine(examine) = check.examine else {
            continue;
        };
        let finding = match reason_to_skip(check, selection, examination.level, &outcomes) {
            Some(SkipReason::Silently) => continue,
            Some(SkipReason::Because(reason)) => Finding::skip(reason),
            None => examine(examination),
        };
        outcomes.push(CheckOutcome::new(check, None, finding, &values));
    }
    outcomes
}

/// Carries out the checks of one target. They may need those of the machine.
fn run_target(
    examined: &mut ExaminedTarget<'_, '_>,
    selection: &CheckSelection,
    machine_outcomes: &[CheckOutcome],
) -> Vec<CheckOutcome> {
    let values = examined.placeholders();
    let mut outcomes: Vec<CheckOutcome> = Vec::new();
    for check in checks::all_checks() {
        let Examine::Target(examine) = check.examine else {
            continue;
        };
        let earlier_outcomes = machine_outcomes.iter().chain(&outcomes);
        let finding = match reason_to_skip(
            check,
            selection,
            examined.examination.level,
            earlier_outcomes,
        ) {
            Some(SkipReason::Silently) => continue,
            Some(SkipReason::Because(reason)) => Finding::skip(reason),
            None => examine(examined),
        };
        let name = Some(examined.name.clone());
        outcomes.push(CheckOutcome::new(check, name, finding, &values));
    }
    outcomes
}

/// Returns why a check is not carried out. `earlier` are the outcomes that it may need.
fn reason_to_skip<'a>(
    check: &Check,
    selection: &CheckSelection,
    level: CheckLevel,
    earlier: impl IntoIterator<Item = &'a CheckOutcome>,
) -> Option<SkipReason> {
    if !selection.includes(check) {
        return Some(SkipReason::Silently);
    }
    if check.level > level {
        return Some(match check.level {
            CheckLevel::Aws => SkipReason::Silently,
            CheckLevel::Network | CheckLevel::Offline => {
                SkipReason::Because("needs a connection".to_owned())
            }
        });
    }
    for outcome in earlier {
        let id = outcome.check.id;
        if check.needs.contains(&id) && outcome.blocks() {
            return Some(SkipReason::Because(format!("needs {id}")));
        }
    }
    None
}
