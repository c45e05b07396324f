//! Checks the token itself, issued as every command does: from the cache if it is fresh there, else
//! with credentials that are resolved now. Nobody is asked for a login.

use super::{error_finding, signer_summary, with_private_names};
use crate::authority::SignerSummary;
use crate::cache::Cache;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::Finding;
use crate::error::{Error, Exit};
use crate::issue::{IssueOptions, IssuedToken, last_failure};
use crate::provider::{self, Provider};
use crate::time::{Time, spoken_duration};
use crate::token::TokenAge;

/// Issues the token and keeps it for the checks that follow.
pub(super) fn examine_token(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let finding = issue_token(examined);
    match signer_summary(examined) {
        Some(summary) => with_private_names(finding, &summary),
        None => finding,
    }
}

fn issue_token(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let options = IssueOptions {
        ends_pause: true, // the user may just have repaired it
        ..IssueOptions::default()
    };
    let app = &mut *examined.examination.app;
    let is_for_users_alone = examined.request.provider.authority.issues_on_request_only();
    if is_for_users_alone
        && app
            .issuer
            .cached_token(examined.request, TokenAge::Fresh)
            .is_none()
    {
        return Finding::skip(
            "no token is known, and each new one creates a user of the database: pgcred token \
             makes one",
        );
    }
    let answer = app
        .issuer
        .issue(examined.request, options, |_| std::iter::empty());
    let warnings = app.issuer.take_warnings();
    let issued = match answer {
        Ok(issued) => issued,
        Err(error) => {
            return judge_error(
                examined.request.provider,
                &error,
                signer_summary(examined).as_ref(),
            );
        }
    };
    let now = Time::now();
    let finding = if issued.token.age(now) == TokenAge::Stale {
        judge_stale(examined, &issued, warnings, now)
    } else {
        Finding::ok(describe_token(&issued, now))
    };
    examined.token = Some(issued.token);
    finding
}

fn describe_token(issued: &IssuedToken, now: Time) -> String {
    let lifetime_left = spoken_duration(now.until(issued.token.expires_at));
    if issued.is_cached {
        format!("a token is cached, and good for {lifetime_left}")
    } else {
        format!("signed now, and good for {lifetime_left}")
    }
}

/// Returns the failure of credentials that give no token.
fn judge_error(provider: &Provider, error: &Error, summary: Option<&SignerSummary>) -> Finding {
    let finding = error_finding::finding_of_error(provider.authority, error);
    // A login that is missing for a reason has other commands than that for a login.
    if error.exit() != Exit::Login || error.reason().is_some() {
        return finding;
    }
    let profile = match summary {
        Some(summary) => summary.profile.as_deref(),
        None => None,
    };
    finding.with_command(provider::login_command(provider, profile))
}

/// Returns the warning about an old token that is handed out because there is no newer one. The
/// failure is on record.
fn judge_stale(
    examined: &mut ExaminedTarget<'_, '_>,
    old: &IssuedToken,
    warnings: Vec<String>,
    now: Time,
) -> Finding {
    let issuer = &mut examined.examination.app.issuer;
    let identity = issuer.identity(examined.request);
    let authority = examined.request.provider.authority;
    // No hint: it is not shown, the finding has the cause's advice.
    let mut likely_cause = authority.cause_of(&Error::failure("nothing newer has come"));
    if let Some(index) = issuer.cache().map(Cache::index)
        && let Some(last) = last_failure(&index, examined.request, &*identity)
    {
        likely_cause = authority.cause_of(&last.error);
    }
    let detail = match warnings.into_iter().next() {
        Some(warning) => warning,
        None => describe_token(old, now),
    };
    Finding::warn(likely_cause, detail)
}

#[cfg(test)]
mod tests {
    use super::super::tests::summary;
    use super::*;
    use crate::command::doctor::finding::FindingStatus;
    use crate::error::ErrorReason;

    #[test]
    fn a_login_that_is_missing_is_typed_with_the_profile_in_use() {
        let error = Error::login("profile `dev`: the SSO session was ended by AWS");
        let dsql = provider::from_name("dsql").expect("it is in the table");
        let mut summary = summary(Ok(String::new()));
        let finding = judge_error(dsql, &error, Some(&summary));
        assert_eq!(
            (finding.status, finding.exit),
            (FindingStatus::Fail, Exit::Login)
        );
        assert_eq!(finding.commands, ["pgcred login --profile dev"]);
        summary.profile = Some("default".to_owned());
        assert_eq!(
            judge_error(dsql, &error, Some(&summary)).commands,
            ["pgcred login"]
        );
        assert_eq!(judge_error(dsql, &error, None).commands, ["pgcred login"]);
        let fake = provider::from_name("fake").expect("it is in the table");
        let finding = judge_error(fake, &error, None);
        assert_eq!(finding.commands, ["pgcred login --provider fake"]);

        let error = Error::login("x").because(ErrorReason::NoCredentials);
        assert!(
            judge_error(dsql, &error, Some(&summary))
                .commands
                .is_empty()
        );
    }
}
