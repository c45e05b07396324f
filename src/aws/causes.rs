//! Finds the row of the table of causes for an error of getting credentials or a token, by the
//! reason that the error carries. Only what a service has said in its own words is recognised by
//! its text.

use super::known_service::KnownService::{self, Dsql, Rds};
use crate::authority::{NoAnswerReason, ServerLoginObstacle, TokenPart};
use crate::causes;
use crate::error::{Error, ErrorReason, Exit};

/// Returns the id of the cause.
pub(super) fn cause_of(error: &Error) -> &'static str {
    let cause_from_exit = match error.exit() {
        Exit::Login => "aws.login",
        Exit::Usage => "aws.config",
        Exit::Ok | Exit::Failure | Exit::NoTarget => "aws.unreachable",
    };
    match error.reason() {
        Some(ErrorReason::NoProfile) => "aws.profile",
        Some(ErrorReason::NoCredentials) => "aws.none",
        Some(ErrorReason::Expired) => "aws.expired",
        Some(ErrorReason::NoCode) => "aws.mfa",
        Some(ErrorReason::ProgramFailed) => "aws.process",
        Some(ErrorReason::Untrusted) => "aws.tls",
        Some(ErrorReason::Unreachable | ErrorReason::TimedOut) => "aws.unreachable",
        Some(ErrorReason::NoRegion) => NO_REGION,
        Some(ErrorReason::InvalidRoleSetting) => "aws.config",
        Some(ErrorReason::Refused) => cause_of_refusal(error),
        Some(ErrorReason::NotOwn) | None => cause_from_exit,
    }
}

/// The id of the cause of a request without a region.
pub(super) const NO_REGION: &str = "aws.region";

/// Returns the id of the cause of a token that is signed for something else than is asked for.
pub(super) fn cause_of_difference(
    part: TokenPart,
    service: Option<KnownService>,
) -> Option<&'static str> {
    match (part, service) {
        (TokenPart::Service, _) => Some("token.service"),
        (TokenPart::Action, Some(Dsql)) => Some("dsql.action"),
        (TokenPart::Action, Some(Rds) | None) => None, // the table has no row of theirs
        (TokenPart::Host | TokenPart::Port, _) => Some("token.endpoint"),
        (TokenPart::User, _) => Some("token.user"),
        (TokenPart::Region, _) => Some("region"),
    }
}

/// Returns the id of the cause of what AWS itself says is in the way of a login. A service that is
/// not known has only the causes that all have.
pub(super) fn cause_of_obstacle(
    obstacle: ServerLoginObstacle,
    service: Option<KnownService>,
) -> Option<&'static str> {
    match (obstacle, service) {
        (ServerLoginObstacle::OtherAccount, _) => Some("aws.account"),
        (ServerLoginObstacle::Denied, _) => Some("iam.deny"),
        (ServerLoginObstacle::Boundary, _) => Some("iam.boundary"),
        (ServerLoginObstacle::NotReady, Some(Dsql)) => Some("dsql.state"),
        (ServerLoginObstacle::NotReady, Some(Rds)) => Some("rds.state"),
        (ServerLoginObstacle::KeyUnusable, Some(Dsql)) => Some("dsql.kms"),
        (ServerLoginObstacle::NoTokens, Some(Rds)) => Some("rds.iam.off"),
        (ServerLoginObstacle::NoTokensAtProxy, Some(Rds)) => Some("rds.proxy.method"),
        (ServerLoginObstacle::NoPolicy | ServerLoginObstacle::OpenCondition, Some(Dsql)) => {
            Some("iam.dsql")
        }
        (ServerLoginObstacle::NoPolicy, Some(Rds)) => Some("iam.rds.resource"),
        (ServerLoginObstacle::OpenCondition, Some(Rds)) => Some("rds.condition"),
        (ServerLoginObstacle::KeyUnusable, Some(Rds))
        | (ServerLoginObstacle::NoTokens | ServerLoginObstacle::NoTokensAtProxy, Some(Dsql))
        | (_, None) => None,
    }
}

/// Returns the id of the cause of a question that AWS has not answered.
pub(super) fn cause_of_no_answer(reason: NoAnswerReason) -> &'static str {
    match reason {
        NoAnswerReason::KeyUnknown => "aws.stale.env",
        NoAnswerReason::Expired => "aws.expired",
        NoAnswerReason::ClockWrong => "clock",
        NoAnswerReason::SecretWrong => "aws.secret",
        NoAnswerReason::LoginNeeded => "aws.login",
        NoAnswerReason::NoCredentials => "aws.none",
        NoAnswerReason::Setting => "aws.config",
        NoAnswerReason::Untrusted => "aws.tls",
        NoAnswerReason::NotAllowed
        | NoAnswerReason::NotFound
        | NoAnswerReason::Throttled
        | NoAnswerReason::RegionOff
        | NoAnswerReason::Unreachable
        | NoAnswerReason::NoSuchHost
        | NoAnswerReason::Late
        | NoAnswerReason::NotUnderstood
        | NoAnswerReason::Refused
        | NoAnswerReason::NotAskable => "aws.unreachable",
    }
}

/// Returns the id of the cause of which AWS's own words speak, whatever service the token is for.
fn cause_of_refusal(error: &Error) -> &'static str {
    let causes = causes::causes_of_message(&error.to_string());
    causes.first().map_or("aws.refused", |cause| cause.id)
}

/// Returns the id of the cause of which a server speaks in a message about a login with a token.
/// Causes of other services are left out, and so is a variable with another password: the token
/// was sent.
pub(super) fn cause_of_message(
    message: &str,
    service: Option<KnownService>,
) -> Option<&'static str> {
    let causes = causes::causes_of_message_among(message, |cause| {
        let owner = service_of_cause(cause.id);
        (owner.is_none() || owner == service) && cause.id != "env.password"
    });
    causes.first().map(|cause| cause.id)
}

/// Returns the service that a row is about; `None` for a row that is about all of them.
fn service_of_cause(cause_id: &str) -> Option<KnownService> {
    KnownService::ALL.iter().copied().find(|service| {
        cause_prefixes_of(*service)
            .iter()
            .any(|prefix| cause_id.starts_with(prefix))
    })
}

/// Returns how the ids of the rows begin that are about one service.
fn cause_prefixes_of(service: KnownService) -> &'static [&'static str] {
    match service {
        Dsql => &["dsql.", "iam.dsql"],
        Rds => &["rds.", "iam.rds.", "role.rds_iam.", "tls.roots.rds"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSTACLES: [ServerLoginObstacle; 9] = [
        ServerLoginObstacle::NotReady,
        ServerLoginObstacle::KeyUnusable,
        ServerLoginObstacle::NoTokens,
        ServerLoginObstacle::NoTokensAtProxy,
        ServerLoginObstacle::OtherAccount,
        ServerLoginObstacle::NoPolicy,
        ServerLoginObstacle::OpenCondition,
        ServerLoginObstacle::Denied,
        ServerLoginObstacle::Boundary,
    ];

    #[test]
    fn a_service_that_is_not_known_has_no_cause_of_another() {
        assert_eq!(KnownService::from_name("newsvc"), None);
        for obstacle in OBSTACLES {
            for service in [Some(Dsql), Some(Rds), None] {
                let Some(id) = cause_of_obstacle(obstacle, service) else {
                    continue;
                };
                assert!(causes::find_by_id(id).is_some(), "{id} is in the table");
                let (of_dsql, of_rds) = (id.contains("dsql"), id.contains("rds"));
                assert!(!of_dsql || service == Some(Dsql), "{id}: {service:?}");
                assert!(!of_rds || service == Some(Rds), "{id}: {service:?}");
            }
        }
        let action = |service| cause_of_difference(TokenPart::Action, service);
        assert_eq!(action(Some(Dsql)), Some("dsql.action"));
        assert_eq!((action(Some(Rds)), action(None)), (None, None));
    }

    /// Each message is one that a server of any service can send.
    #[test]
    fn no_server_is_explained_by_the_causes_of_another_service() {
        let newsvc = KnownService::from_name("newsvc");
        let at_rds = "db.eu-west-1.rds.amazonaws.com: role \"a\" does not exist";
        let denied = "unable to accept connection, access denied";
        let password = "password authentication failed for user \"a\"";
        for (message, of_dsql, of_rds, of_newsvc) in [
            (password, None, Some("role.rds_iam.missing"), None),
            (at_rds, Some("dsql.role"), Some("rds.role"), None),
            (denied, Some("dsql.denied"), None, None),
            (
                "PAM authentication failed for user \"a\"",
                Some("token.pasted"),
                Some("rds.pam"),
                Some("token.pasted"),
            ),
        ] {
            assert_eq!(cause_of_message(message, Some(Dsql)), of_dsql, "{message}");
            assert_eq!(cause_of_message(message, Some(Rds)), of_rds, "{message}");
            assert_eq!(cause_of_message(message, newsvc), of_newsvc, "{message}");
        }
        let of_all =
            "no pg_hba.conf entry for host \"h\", user \"a\", database \"d\", no encryption";
        assert_eq!(cause_of_message(of_all, None), Some("tls.off"));
        for service in KnownService::ALL {
            for row in cause_prefixes_of(*service) {
                let known = causes::all_causes().any(|cause| cause.id.starts_with(row));
                assert!(known, "{row} is in the table");
            }
        }
    }

    #[test]
    fn the_reason_of_an_error_decides_its_cause() {
        let refused = |text: &str| {
            let text = format!("cannot assume role R: STS refused: {text}");
            Error::failure(text).because(ErrorReason::Refused)
        };
        for (error, id) in [
            (
                Error::login("x").because(ErrorReason::NoCredentials),
                "aws.none",
            ),
            (
                Error::login("x").because(ErrorReason::Expired),
                "aws.expired",
            ),
            (Error::login("x").because(ErrorReason::NoCode), "aws.mfa"),
            (Error::login("x"), "aws.login"),
            (
                Error::usage("x").because(ErrorReason::NoProfile),
                "aws.profile",
            ),
            (
                Error::usage("x").because(ErrorReason::NoRegion),
                "aws.region",
            ),
            (Error::usage("x"), "aws.config"),
            (
                Error::failure("x").because(ErrorReason::ProgramFailed),
                "aws.process",
            ),
            (
                Error::failure("x").because(ErrorReason::Untrusted),
                "aws.tls",
            ),
            (
                Error::failure("x").because(ErrorReason::TimedOut),
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
            assert!(causes::find_by_id(id).is_some(), "{id} is in the table");
        }
    }
}
