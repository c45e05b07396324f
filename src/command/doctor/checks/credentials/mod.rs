//! Checks the credentials: where they come from, whether a login is missing, and whether they give
//! a token.
//!
//! ```text
//! mod         the checks, and what each of them looks at
//!  +--> login    judges the login and the last failure
//!  +--> shell    judges what only the variables of this shell say
//!  +--> signing  issues the token, as every command does
//!  +--> error_finding  from an error of pgcred's to the failure
//! ```
//!
//! All but the last check ask nobody. That one signs at most once, and keeps the token as `pgcred
//! token` does.

mod error_finding;
mod login;
mod shell;
mod signing;

use crate::authority::{Authority, SignerSummary};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::redact::RedactedKind;
use crate::error::ErrorReason;

/// The last check begins the stage of the token, and so has an id of that.
pub(super) const CHECKS: &[Check] = &[
    credentials_check(
        "credentials.source",
        "which credentials sign, and which setting says so",
        &[],
        examine_source,
    ),
    credentials_check(
        "credentials.environment",
        "whether keys in variables are in the way",
        &[],
        shell::examine_environment,
    ),
    credentials_check(
        "credentials.desktop",
        "whether tools find the settings that this shell has",
        &[],
        shell::examine_desktop,
    ),
    credentials_check(
        "credentials.login",
        "whether you have to log in",
        &["credentials.source"],
        login::examine_login,
    ),
    credentials_check(
        "credentials.failure",
        "whether a failure is recorded, and how long pgcred waits after it",
        &["credentials.source"],
        login::examine_failure,
    ),
    Check {
        id: "token.issued",
        about: "whether the credentials give a token",
        level: CheckLevel::Network,
        needs: &["target.known", "credentials.source", "credentials.login"],
        examine: Examine::Target(signing::examine_token),
    },
];

const fn credentials_check(
    id: &'static str,
    about: &'static str,
    needs: &'static [&'static str],
    examine: fn(&mut ExaminedTarget<'_, '_>) -> Finding,
) -> Check {
    Check {
        id,
        about,
        level: CheckLevel::Offline,
        needs,
        examine: Examine::Target(examine),
    }
}

/// Returns who would sign for the target; `None` if nothing is known before somebody is asked.
pub(super) fn signer_summary(examined: &mut ExaminedTarget<'_, '_>) -> Option<SignerSummary> {
    examined
        .examination
        .app
        .issuer
        .identity(examined.request)
        .signer_summary()
}

/// The finding where an authority has neither files nor variables.
fn no_source_finding() -> Finding {
    Finding::ok("nothing is known before the authority is asked")
}

fn examine_source(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(summary) = signer_summary(examined) else {
        return no_source_finding();
    };
    let authority = examined.request.provider.authority;
    let mut finding = with_private_names(judge_source(authority, &summary), &summary);
    let is_unknown_profile = match &summary.source {
        Ok(_) => false,
        Err(error) => error.reason() == Some(ErrorReason::NoProfile),
    };
    if let Some(name) = &examined.request.connection
        && is_unknown_profile
        && summary.profile_variable.is_none()
    {
        let place = format!("correct --profile, or `profile` in [connections.{name}]");
        finding.advice = Some(match finding.advice {
            Some(advice) if advice.ends_with('?') => format!("{advice} {place}"),
            Some(advice) => format!("{advice}; {place}"),
            None => place,
        });
    }
    finding
}

fn judge_source(authority: &dyn Authority, summary: &SignerSummary) -> Finding {
    let source = match &summary.source {
        Ok(source) => source,
        Err(error) => return error_finding::finding_of_error(authority, error),
    };
    let Some(profile) = &summary.profile else {
        return Finding::ok(source);
    };
    let named_by = match summary.profile_variable {
        Some(variable) => format!(", named by {variable}"),
        None => String::new(),
    };
    Finding::ok(format!("profile `{profile}`{named_by}: {source}"))
}

/// Says which names in the texts of a finding identify the user.
fn with_private_names(mut finding: Finding, summary: &SignerSummary) -> Finding {
    for name in &summary.private_names {
        finding = finding.naming(RedactedKind::Name, name);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::LoginState;
    use crate::command::doctor::finding::FindingStatus;
    use crate::error::{Error, Exit, Result};
    use crate::provider;

    pub(super) fn aws() -> &'static dyn Authority {
        provider::authority_of(Some("dsql")).expect("it is in the table")
    }

    pub(super) fn summary(source: Result<String>) -> SignerSummary {
        SignerSummary {
            source,
            profile: Some("dev".to_owned()),
            profile_variable: None,
            region: None,
            variable_keys: None,
            login: LoginState::NotNeeded,
            private_names: vec!["corp-session".to_owned()],
        }
    }

    #[test]
    fn the_source_is_one_line_with_its_profile() {
        let mut summary = summary(Ok("SSO session `corp-session` (FILE line 3)".to_owned()));
        let finding = judge_source(aws(), &summary);
        assert_eq!(finding.status, FindingStatus::Ok);
        assert_eq!(
            finding.detail,
            "profile `dev`: SSO session `corp-session` (FILE line 3)"
        );
        summary.profile_variable = Some("AWS_PROFILE");
        let finding = with_private_names(judge_source(aws(), &summary), &summary);
        assert!(finding.detail.contains("named by AWS_PROFILE"));
        assert_eq!(
            finding.private_names,
            [("corp-session".to_owned(), RedactedKind::Name)]
        );
        summary.profile = None;
        assert!(
            judge_source(aws(), &summary)
                .detail
                .starts_with("SSO session")
        );
    }

    #[test]
    fn a_profile_that_does_not_exist_fails_with_the_nearest_name() {
        let error = Error::usage("there is no AWS profile `dov`")
            .hint("did you mean `dev`?")
            .because(ErrorReason::NoProfile);
        let finding = judge_source(aws(), &summary(Err(error)));
        assert_eq!(finding.status, FindingStatus::Fail);
        assert_eq!(finding.cause, Some("aws.profile"));
        assert_eq!(finding.advice.as_deref(), Some("did you mean `dev`?"));
        assert_eq!(finding.exit, Exit::Failure);
    }
}
