//! Checks the way to the authorities, without a permission: whether each answers, and whether its
//! clock is that of this machine. A login may need neither, so what fails on the way is a warning.
//!
//! Each authority of the targets is asked once. The check tells of all, and the worst decides.

use super::no_answer;
use crate::authority::{Authority, InspectionResult, NoAnswerReason};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, Examination};
use crate::command::doctor::finding::{Finding, FindingStatus};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "aws.reach",
        about: "whether the authority answers, and TLS to it is trusted",
        level: CheckLevel::Network,
        needs: &[],
        examine: Examine::Machine(examine_reach),
    },
    Check {
        id: "clock.offset",
        about: "whether the clock of this machine is that of the authority",
        level: CheckLevel::Network,
        needs: &[],
        examine: Examine::Machine(examine_offset),
    },
];

/// A signature or a token that is older or newer than five minutes is usually refused.
const MAX_SECONDS_OFF: u64 = 5 * 60;
/// A clock that is off by more than that is not set by anybody.
const USUAL_SECONDS_OFF: u64 = 60;

/// What an authority has said of its clock; `None` if it has said nothing in time.
struct ClockAnswer {
    authority: &'static dyn Authority,
    /// The region that was asked.
    region: Option<String>,
    answer: Option<InspectionResult<i64>>,
}

fn ask_clocks(run: &mut Examination<'_>) -> Vec<ClockAnswer> {
    let mut answers = Vec::new();
    for clock in &mut run.jobs.clocks {
        answers.push(ClockAnswer {
            authority: clock.authority,
            region: clock.region.clone(),
            answer: clock.offset.get(clock.deadline).cloned(),
        });
    }
    answers
}

/// Returns the worst finding, with the details of all.
fn worst_of(findings: Vec<Finding>) -> Finding {
    let mut details = Vec::new();
    let mut worst: Option<Finding> = None;
    for finding in findings {
        details.push(finding.detail.clone());
        let is_worse = match &worst {
            Some(worst) => rank_of_status(finding.status) > rank_of_status(worst.status),
            None => true,
        };
        if is_worse {
            worst = Some(finding);
        }
    }
    match worst {
        Some(finding) => Finding {
            detail: details.join("; "),
            ..finding
        },
        None => Finding::skip("there is nothing to log in to whose authority tells the time"),
    }
}

fn rank_of_status(status: FindingStatus) -> u8 {
    match status {
        FindingStatus::Ok => 0,
        FindingStatus::Skip => 1,
        FindingStatus::Warn => 2,
        FindingStatus::Fail => 3,
    }
}

fn examine_reach(run: &mut Examination<'_>) -> Finding {
    let answers = ask_clocks(run);
    worst_of(answers.iter().map(judge_reach).collect())
}

fn judge_reach(clock_answer: &ClockAnswer) -> Finding {
    let title = clock_answer.authority.title();
    let no_answer = match &clock_answer.answer {
        Some(Ok(_)) => {
            return Finding::ok(match &clock_answer.region {
                Some(region) => format!("{title} answers in {region}"),
                None => format!("{title} answers"),
            });
        }
        Some(Err(no_answer)) => no_answer,
        None => {
            let cause = clock_answer
                .authority
                .cause_of_no_answer(NoAnswerReason::Late);
            return Finding::warn(cause, format!("{title} did not answer in time"));
        }
    };
    let reason = match no_answer.reason {
        NoAnswerReason::Untrusted | NoAnswerReason::Setting => no_answer.reason,
        _ => NoAnswerReason::Unreachable,
    };
    let cause = clock_answer.authority.cause_of_no_answer(reason);
    let finding = Finding::warn(cause, no_answer.error.to_string());
    match no_answer.error.hint_text() {
        Some(hint) => finding.with_advice(hint),
        None => finding,
    }
}

fn examine_offset(run: &mut Examination<'_>) -> Finding {
    let answers = ask_clocks(run);
    worst_of(answers.iter().map(judge_clock).collect())
}

fn judge_clock(clock_answer: &ClockAnswer) -> Finding {
    let title = clock_answer.authority.title();
    match &clock_answer.answer {
        Some(Ok(ahead)) => judge_offset(title, *ahead),
        Some(Err(answer)) => no_answer::skip_without_answer(answer),
        None => Finding::skip(format!("{title} did not answer in time")),
    }
}

fn judge_offset(title: &str, ahead: i64) -> Finding {
    let seconds_off = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let detail = format!("it is {seconds_off} s {side} that of {title}");
    if seconds_off > MAX_SECONDS_OFF {
        return Finding::fail("clock", detail);
    }
    if seconds_off > USUAL_SECONDS_OFF {
        return Finding::warn("clock", detail);
    }
    Finding::ok(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::NoAnswer;
    use crate::error::Error;
    use crate::provider;

    fn said(
        provider: &str,
        region: Option<&str>,
        answer: Option<InspectionResult<i64>>,
    ) -> ClockAnswer {
        ClockAnswer {
            authority: provider::authority_of(Some(provider)).expect("it is in the table"),
            region: region.map(str::to_owned),
            answer,
        }
    }

    #[test]
    fn a_clock_may_be_a_minute_off() {
        use FindingStatus::{Fail, Ok, Warn};
        for (ahead, status, says) in [
            (0, Ok, "it is 0 s ahead of that of AWS"),
            (-60, Ok, "it is 60 s behind that of AWS"),
            (61, Warn, "it is 61 s ahead of that of AWS"),
            (-300, Warn, "it is 300 s behind that of AWS"),
            (-301, Fail, "it is 301 s behind that of AWS"),
            (
                i64::MIN,
                Fail,
                "it is 9223372036854775808 s behind that of AWS",
            ),
        ] {
            let finding = judge_offset("AWS", ahead);
            assert_eq!((finding.status, finding.detail.as_str()), (status, says));
            assert_eq!(finding.cause.is_some(), status != Ok);
        }
    }

    #[test]
    fn a_login_may_need_no_way_to_aws() {
        for (reason, cause) in [
            (NoAnswerReason::Untrusted, "aws.tls"),
            (NoAnswerReason::Unreachable, "aws.unreachable"),
            (NoAnswerReason::Late, "aws.unreachable"),
            (NoAnswerReason::NotUnderstood, "aws.unreachable"),
            (NoAnswerReason::Setting, "aws.config"),
        ] {
            let answer = Err(NoAnswer::new(reason, Error::failure("x").hint("y")));
            let finding = judge_reach(&said("dsql", None, Some(answer.clone())));
            assert_eq!(
                (finding.status, finding.cause),
                (FindingStatus::Warn, Some(cause))
            );
            let of_other = judge_reach(&said("fake", None, Some(answer)));
            assert_eq!(
                (of_other.status, of_other.cause),
                (FindingStatus::Warn, None)
            );
            assert_eq!(finding.advice.as_deref(), Some("y"));
        }
        let finding = judge_reach(&said("dsql", Some("eu-west-1"), Some(Ok(0))));
        assert_eq!(finding.detail, "AWS answers in eu-west-1");
        let finding = judge_reach(&said("dsql", None, None));
        assert_eq!(finding.detail, "AWS did not answer in time");
        assert_eq!(finding.cause, Some("aws.unreachable"));
    }

    #[test]
    fn each_authority_is_told_of_and_the_worst_decides() {
        let judged = |answers: &[ClockAnswer]| worst_of(answers.iter().map(judge_clock).collect());
        assert_eq!(judged(&[]).status, FindingStatus::Skip);
        let finding = judged(&[
            said("dsql", None, Some(Ok(1))),
            said("fake", None, Some(Ok(-90))),
        ]);
        assert_eq!(
            (finding.status, finding.cause),
            (FindingStatus::Warn, Some("clock"))
        );
        assert_eq!(
            finding.detail,
            "it is 1 s ahead of that of AWS; it is 90 s behind that of Fake"
        );
        let silent = judged(&[said("fake", None, None), said("dsql", None, Some(Ok(0)))]);
        assert_eq!(silent.status, FindingStatus::Skip);
        assert!(silent.detail.starts_with("Fake did not answer in time"));
    }
}
