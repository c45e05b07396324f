//! From an error of getting credentials or a token to a row of the table of causes: by the reason
//! that the error carries. Only what a service has said in its own words is recognised by its text.

use crate::authority::{TokenPart, WhyNot};
use crate::causes;
use crate::error::{Error, Exit, Reason};

/// Returns the id of the cause.
pub(super) fn cause_of(error: &Error) -> &'static str {
    let by_exit = match error.exit() {
        Exit::Login => "aws.login",
        Exit::Usage => "aws.config",
        Exit::Ok | Exit::Failure | Exit::NoTarget => "aws.unreachable",
    };
    match error.reason() {
        Some(Reason::NoProfile) => "aws.profile",
        Some(Reason::NoCredentials) => "aws.none",
        Some(Reason::Expired) => "aws.expired",
        Some(Reason::NoCode) => "aws.mfa",
        Some(Reason::ProgramFailed) => "aws.process",
        Some(Reason::Untrusted) => "aws.tls",
        Some(Reason::Unreachable | Reason::TimedOut) => "aws.unreachable",
        Some(Reason::NoRegion) => NO_REGION,
        Some(Reason::InvalidRoleSetting) => "aws.config",
        Some(Reason::Refused) => explain(&error.to_string()).unwrap_or("aws.refused"),
        None => by_exit,
    }
}

/// The id of the cause of a request without a region.
pub(super) const NO_REGION: &str = "aws.region";

/// Returns the id of the cause of a token that is signed for something else than is asked for.
pub(super) fn cause_of_difference(part: TokenPart) -> &'static str {
    match part {
        TokenPart::Service => "token.service",
        TokenPart::Action => "dsql.action",
        TokenPart::Host | TokenPart::Port => "token.endpoint",
        TokenPart::User => "token.user",
        TokenPart::Region => "region",
    }
}

/// Returns the id of the cause of a question that AWS has not answered.
pub(super) fn cause_of_no_answer(why: WhyNot) -> &'static str {
    match why {
        WhyNot::KeyUnknown => "aws.stale.env",
        WhyNot::Expired => "aws.expired",
        WhyNot::ClockWrong => "clock",
        WhyNot::SecretWrong => "aws.secret",
        WhyNot::LoginNeeded => "aws.login",
        WhyNot::NoCredentials => "aws.none",
        WhyNot::Setting => "aws.config",
        WhyNot::Untrusted => "aws.tls",
        WhyNot::NotAllowed
        | WhyNot::NotFound
        | WhyNot::Throttled
        | WhyNot::RegionOff
        | WhyNot::Unreachable
        | WhyNot::NoSuchHost
        | WhyNot::Late
        | WhyNot::NotUnderstood
        | WhyNot::Refused
        | WhyNot::NotAskable => "aws.unreachable",
    }
}

/// Returns the id of the cause of which a message speaks.
pub(super) fn explain(message: &str) -> Option<&'static str> {
    let causes = causes::explain(message);
    causes.first().map(|cause| cause.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_an_error_decides_its_cause() {
        let refused = |text: &str| {
            let text = format!("cannot assume role R: STS refused: {text}");
            Error::failure(text).because(Reason::Refused)
        };
        for (error, id) in [
            (Error::login("x").because(Reason::NoCredentials), "aws.none"),
            (Error::login("x").because(Reason::Expired), "aws.expired"),
            (Error::login("x").because(Reason::NoCode), "aws.mfa"),
            (Error::login("x"), "aws.login"),
            (Error::usage("x").because(Reason::NoProfile), "aws.profile"),
            (Error::usage("x").because(Reason::NoRegion), "aws.region"),
            (Error::usage("x"), "aws.config"),
            (
                Error::failure("x").because(Reason::ProgramFailed),
                "aws.process",
            ),
            (Error::failure("x").because(Reason::Untrusted), "aws.tls"),
            (
                Error::failure("x").because(Reason::TimedOut),
                "aws.unreachable",
            ),
            (Error::failure("x"), "aws.unreachable"),
            (refused("RequestTimeTooSkewed: x"), "clock"),
            (
                refused("InvalidSignatureException: Signature expired: A is now earlier than B"),
                "clock",
            ),
            (
                refused("AccessDenied: User: U is not authorized to perform: sts:AssumeRole"),
                "aws.role",
            ),
            (
                refused(
                    "InvalidClientTokenId: The security token included in the request is \
                         invalid.",
                ),
                "aws.stale.env",
            ),
            (refused("SomethingNew: no"), "aws.refused"),
        ] {
            assert_eq!(cause_of(&error), id, "{error}");
            assert!(causes::by_id(id).is_some(), "{id} is in the table");
        }
    }
}
