//! Makes a finding of why an authority has not answered a question: by the value that comes with
//! the error, never by its text.

use crate::authority::{Authority, NoAnswer, NoAnswerReason};
use crate::command::doctor::finding::Finding;

/// Why a question has no answer where the login itself cannot work. Everything else says nothing of
/// the login.
const LOGIN_REASONS: [NoAnswerReason; 7] = [
    NoAnswerReason::KeyUnknown,
    NoAnswerReason::Expired,
    NoAnswerReason::ClockWrong,
    NoAnswerReason::SecretWrong,
    NoAnswerReason::LoginNeeded,
    NoAnswerReason::NoCredentials,
    NoAnswerReason::Setting,
];

/// Returns the finding for a question without an answer. The authority knows the cause.
pub(super) fn judge_no_answer(authority: &dyn Authority, answer: &NoAnswer) -> Finding {
    if !LOGIN_REASONS.contains(&answer.reason) {
        return skip_without_answer(answer);
    }
    let finding = Finding::from_error(authority.cause_of_no_answer(answer.reason), &answer.error);
    match answer.reason {
        NoAnswerReason::LoginNeeded => finding.for_login(),
        _ => finding,
    }
}

/// Returns the finding where the answer does not matter for the login. It says which permission the
/// question needs.
pub(super) fn skip_without_answer(answer: &NoAnswer) -> Finding {
    let error = &answer.error;
    match error.hint_text() {
        Some(hint) => Finding::skip(format!("{error}; {hint}")),
        None => Finding::skip(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes;
    use crate::command::doctor::finding::FindingStatus;
    use crate::error::{Error, Exit};
    use crate::provider;
    use crate::provider::fake;

    #[test]
    fn only_what_is_wrong_with_the_login_fails() {
        let error = || Error::failure("no").hint("allow it");
        let aws = provider::authority_of(Some("rds")).expect("it is in the table");
        let causes_of_aws = [
            "aws.stale.env",
            "aws.expired",
            "clock",
            "aws.secret",
            "aws.login",
            "aws.none",
            "aws.config",
        ];
        for (reason, cause) in LOGIN_REASONS.into_iter().zip(causes_of_aws) {
            let finding = judge_no_answer(aws, &NoAnswer::new(reason, error()));
            assert_eq!(
                (finding.status, finding.cause),
                (FindingStatus::Fail, Some(cause))
            );
            assert!(causes::find_by_id(cause).is_some(), "{cause}");
            let is_login = reason == NoAnswerReason::LoginNeeded;
            assert_eq!(finding.exit == Exit::Login, is_login, "{cause}");
            let finding =
                judge_no_answer(fake::PROVIDER.authority, &NoAnswer::new(reason, error()));
            assert_eq!((finding.status, finding.cause), (FindingStatus::Fail, None));
        }
        for reason in [
            NoAnswerReason::NotAllowed,
            NoAnswerReason::NotAskable,
            NoAnswerReason::Throttled,
            NoAnswerReason::Late,
        ] {
            let finding = judge_no_answer(aws, &NoAnswer::new(reason, error()));
            assert_eq!(finding.status, FindingStatus::Skip);
            assert_eq!(finding.detail, "no; allow it");
        }
        let wrong = NoAnswer::new(NoAnswerReason::Setting, Error::usage("no"));
        assert_eq!(judge_no_answer(aws, &wrong).exit, Exit::Failure);
    }
}
