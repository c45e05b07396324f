//! Why AWS has not answered a question, as a finding: by the value that comes with the error, never
//! by its text.

use crate::authority::{NoAnswer, WhyNot};
use crate::command::doctor::finding::Finding;

/// What is wrong with the login itself, by why a question has no answer. Everything else says
/// nothing of the login.
#[rustfmt::skip]
const CAUSES: &[(WhyNot, &str)] = &[
    (WhyNot::KeyUnknown, "aws.stale.env"),
    (WhyNot::Expired, "aws.expired"),
    (WhyNot::ClockWrong, "clock"),
    (WhyNot::SecretWrong, "aws.secret"),
    (WhyNot::LoginNeeded, "aws.login"),
    (WhyNot::NoCredentials, "aws.none"),
    (WhyNot::Setting, "aws.config"),
];

/// Returns the finding for a question without an answer.
pub(super) fn judge(answer: &NoAnswer) -> Finding {
    for (why, cause) in CAUSES {
        if *why == answer.why {
            let finding = Finding::of_error(*cause, &answer.error);
            return match why {
                WhyNot::LoginNeeded => finding.for_login(),
                _ => finding,
            };
        }
    }
    skip(answer)
}

/// Returns the finding where the answer does not matter for the login. It says which permission the
/// question needs.
pub(super) fn skip(answer: &NoAnswer) -> Finding {
    let error = &answer.error;
    match error.to_hint() {
        Some(hint) => Finding::skip(format!("{error}; {hint}")),
        None => Finding::skip(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes;
    use crate::command::doctor::finding::Status;
    use crate::error::{Error, Exit};

    #[test]
    fn only_what_is_wrong_with_the_login_fails() {
        let error = || Error::failure("no").hint("allow it");
        for (why, cause) in CAUSES {
            let finding = judge(&NoAnswer::new(*why, error()));
            assert_eq!(
                (finding.status, finding.cause),
                (Status::Fail, Some(*cause))
            );
            assert!(causes::by_id(cause).is_some(), "{cause}");
            let is_login = *why == WhyNot::LoginNeeded;
            assert_eq!(finding.exit == Exit::Login, is_login, "{cause}");
        }
        for why in [
            WhyNot::NotAllowed,
            WhyNot::NotAskable,
            WhyNot::Throttled,
            WhyNot::Late,
        ] {
            let finding = judge(&NoAnswer::new(why, error()));
            assert_eq!(finding.status, Status::Skip);
            assert_eq!(finding.detail, "no; allow it");
        }
        let wrong = NoAnswer::new(WhyNot::Setting, Error::usage("no"));
        assert_eq!(judge(&wrong).exit, Exit::Failure);
    }
}
