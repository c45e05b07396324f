//! The way to AWS without a permission: whether it answers, and whether its clock is that of this
//! machine. It may be that a login needs neither, so that what fails on the way is a warning.

use super::no_answer;
use crate::authority::{Inspected, WhyNot};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{Examination, Level};
use crate::command::doctor::finding::Finding;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "aws.reach",
        about: "whether AWS answers, and TLS to it is trusted",
        level: Level::Network,
        needs: &[],
        examine: Examine::Machine(check_reach),
    },
    Check {
        id: "clock.offset",
        about: "whether the clock of this machine is that of AWS",
        level: Level::Network,
        needs: &[],
        examine: Examine::Machine(check_offset),
    },
];

/// AWS refuses a signature that is older or newer than five minutes.
const MOST_SECONDS_OFF: u64 = 5 * 60;
/// A clock that is off by more than that is not set by anybody.
const USUAL_SECONDS_OFF: u64 = 60;

/// The region that is asked, and the answer; or the finding that there is none.
type ClockAnswer = Result<(Option<String>, Inspected<i64>), Finding>;

fn ask_clock(run: &mut Examination<'_>) -> ClockAnswer {
    let Some(clock) = &mut run.jobs.clock else {
        return Err(Finding::skip(
            "there is nothing to log in to that AWS issues tokens for",
        ));
    };
    match clock.offset.get(clock.deadline) {
        Some(answer) => Ok((clock.region.clone(), answer.clone())),
        None => Err(Finding::warn(
            "aws.unreachable",
            "AWS did not answer in time",
        )),
    }
}

fn check_reach(run: &mut Examination<'_>) -> Finding {
    match ask_clock(run) {
        Ok((region, answer)) => judge_reach(region.as_deref(), &answer),
        Err(finding) => finding,
    }
}

fn judge_reach(region: Option<&str>, answer: &Inspected<i64>) -> Finding {
    let Err(no_answer) = answer else {
        return Finding::ok(match region {
            Some(region) => format!("AWS answers in {region}"),
            None => "AWS answers".to_owned(),
        });
    };
    let cause = match no_answer.why {
        WhyNot::Untrusted => "aws.tls",
        WhyNot::Setting => "aws.config",
        _ => "aws.unreachable",
    };
    let finding = Finding::warn(cause, no_answer.error.to_string());
    match no_answer.error.to_hint() {
        Some(hint) => finding.with_advice(hint),
        None => finding,
    }
}

fn check_offset(run: &mut Examination<'_>) -> Finding {
    match ask_clock(run) {
        Ok((_, Ok(ahead))) => judge_offset(ahead),
        Ok((_, Err(answer))) => no_answer::skip(&answer),
        Err(finding) => Finding::skip(finding.detail),
    }
}

fn judge_offset(ahead: i64) -> Finding {
    let off = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let detail = format!("it is {off} s {side} that of AWS");
    if off > MOST_SECONDS_OFF {
        return Finding::fail("clock", detail);
    }
    if off > USUAL_SECONDS_OFF {
        return Finding::warn("clock", detail);
    }
    Finding::ok(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::NoAnswer;
    use crate::command::doctor::finding::Status;
    use crate::error::Error;

    #[test]
    fn a_clock_may_be_a_minute_off() {
        use Status::{Fail, Ok, Warn};
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
            let finding = judge_offset(ahead);
            assert_eq!((finding.status, finding.detail.as_str()), (status, says));
            assert_eq!(finding.cause.is_some(), status != Ok);
        }
    }

    #[test]
    fn a_login_may_need_no_way_to_aws() {
        for (why, cause) in [
            (WhyNot::Untrusted, "aws.tls"),
            (WhyNot::Unreachable, "aws.unreachable"),
            (WhyNot::Late, "aws.unreachable"),
            (WhyNot::NotUnderstood, "aws.unreachable"),
            (WhyNot::Setting, "aws.config"),
        ] {
            let answer = Err(NoAnswer::new(why, Error::failure("x").hint("y")));
            let finding = judge_reach(None, &answer);
            assert_eq!((finding.status, finding.cause), (Status::Warn, Some(cause)));
            assert_eq!(finding.advice.as_deref(), Some("y"));
        }
        assert_eq!(
            judge_reach(Some("eu-west-1"), &Ok(0)).detail,
            "AWS answers in eu-west-1"
        );
    }
}
