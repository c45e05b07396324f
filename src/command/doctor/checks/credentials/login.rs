//! Checks the login that the credentials rest on, and the last failure to get them.
//!
//! Both are known without asking anybody: the authority reads the files that a login has left, and
//! the cache has a record of the last failure. `judge_login` and `judge_failure` are pure. A login
//! that is missing has an exit code of its own.

use super::{no_source_finding, signer_summary, with_private_names};
use crate::authority::{Authority, LoginState};
use crate::cache::{Cache, FailureRecord};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::error::Error;
use crate::issue::{end_of_pause, last_failure};
use crate::time::{Time, spoken_duration};
use crate::token::TokenAge;

pub(super) fn examine_login(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(summary) = signer_summary(examined) else {
        return no_source_finding();
    };
    let cached_token = examined
        .examination
        .app
        .issuer
        .cached_token(examined.request, TokenAge::Fresh);
    let cached_until = match cached_token {
        Some(issued) => Some(issued.token.expires_at),
        None => None,
    };
    let authority = examined.request.provider.authority;
    let finding = judge_login(authority, &summary.login, cached_until, Time::now());
    with_private_names(finding, &summary)
}

/// Judges a login. A cached token works without one until it ends.
fn judge_login(
    authority: &dyn Authority,
    login: &LoginState,
    cached_until: Option<Time>,
    now: Time,
) -> Finding {
    match login {
        LoginState::NotNeeded => Finding::ok("the credentials rest on no login"),
        LoginState::Good(end) => {
            let lifetime_left = spoken_duration(now.until(*end));
            Finding::ok(format!(
                "logged in; the credentials are good for {lifetime_left}"
            ))
        }
        LoginState::Renewable(Some(end)) => {
            let ago = spoken_duration(end.until(now));
            Finding::ok(format!(
                "it ended {ago} ago, and pgcred renews it without you"
            ))
        }
        LoginState::Renewable(None) => Finding::ok("pgcred renews it without you"),
        LoginState::Missing { reason, command } => {
            // No hint: it is not shown, the finding has the cause's advice.
            let cause = authority.cause_of(&Error::login(reason.as_str()));
            let finding = match cached_until {
                Some(end) => {
                    let time_left = spoken_duration(now.until(end));
                    let detail = format!("{reason}; the cached token is good for {time_left}");
                    Finding::warn(cause, detail)
                }
                None => Finding::fail(cause, reason).for_login(),
            };
            finding.with_command(command)
        }
    }
}

pub(super) fn examine_failure(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let asks_now = examined.examination.level != CheckLevel::Offline;
    let issuer = &mut examined.examination.app.issuer;
    let identity = issuer.identity(examined.request);
    let Some(index) = issuer.cache().map(Cache::index) else {
        return Finding::ok("none can be recorded: the cache is switched off");
    };
    let Some(failure) = last_failure(&index, examined.request, &*identity) else {
        return Finding::ok("none is recorded");
    };
    let id_of_cause = examined.request.provider.authority.cause_of(&failure.error);
    let finding = if asks_now {
        judge_old_failure(failure, Time::now())
    } else {
        judge_failure(id_of_cause, failure, end_of_pause(failure), Time::now())
    };
    match identity.signer_summary() {
        Some(summary) => with_private_names(finding, &summary),
        None => finding,
    }
}

fn describe_failure(failure: &FailureRecord, now: Time) -> String {
    format!(
        "{} ago: {}",
        spoken_duration(failure.failed_at.until(now)),
        failure.error
    )
}

/// Judges the last failure where the same is asked now: the answer to that says more.
fn judge_old_failure(failure: &FailureRecord, now: Time) -> Finding {
    Finding::ok(format!(
        "{}; asked again now",
        describe_failure(failure, now)
    ))
}

/// Judges the last failure where nobody is asked now.
fn judge_failure(
    cause: Option<&'static str>,
    failure: &FailureRecord,
    pause: Option<Time>,
    now: Time,
) -> Finding {
    let next_try = match pause {
        Some(end) => format!("pgcred asks again in {}", spoken_duration(now.until(end))),
        None => "pgcred asks again at the next call".to_owned(),
    };
    let mut finding = Finding::warn(
        cause,
        format!("{}; {next_try}", describe_failure(failure, now)),
    );
    finding.advice = failure.error.hint_text().map(str::to_owned);
    finding
}

#[cfg(test)]
mod tests {
    use super::super::tests::aws;
    use super::*;
    use crate::command::doctor::finding::FindingStatus;
    use crate::error::{ErrorReason, Exit};

    const NOW: Time = Time::from_unix(1_800_000_000);

    #[test]
    fn a_missing_login_fails_unless_a_token_is_cached() {
        let missing = LoginState::Missing {
            reason: "the SSO session has expired".to_owned(),
            command: "pgcred login --profile dev".to_owned(),
        };
        let finding = judge_login(aws(), &missing, None, NOW);
        assert_eq!(finding.status, FindingStatus::Fail);
        assert_eq!(finding.cause, Some("aws.login"));
        assert_eq!(finding.exit, Exit::Login);
        assert_eq!(finding.commands, ["pgcred login --profile dev"]);

        let finding = judge_login(aws(), &missing, Some(NOW.plus(600)), NOW);
        assert_eq!(finding.status, FindingStatus::Warn);
        assert!(
            finding.detail.contains("good for 10 min"),
            "{}",
            finding.detail
        );
    }

    #[test]
    fn a_login_that_is_good_or_can_be_renewed_is_all_right() {
        for (login, says) in [
            (LoginState::NotNeeded, "rest on no login"),
            (LoginState::Good(NOW.plus(7_200)), "good for 2 h"),
            (LoginState::Renewable(Some(NOW)), "renews it without you"),
            (LoginState::Renewable(None), "renews it without you"),
        ] {
            let finding = judge_login(aws(), &login, None, NOW);
            assert_eq!(finding.status, FindingStatus::Ok);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
    }

    #[test]
    fn a_failure_is_told_with_its_time_and_the_pause() {
        let last = FailureRecord {
            failed_at: NOW,
            count: 1,
            error: Error::failure("no answer").because(ErrorReason::TimedOut),
            could_ask_user: false,
            login_stamp: String::new(),
        };
        let later = NOW.plus(5);
        let cause = aws().cause_of(&last.error);
        let finding = judge_failure(cause, &last, Some(NOW.plus(20)), later);
        assert_eq!(finding.status, FindingStatus::Warn);
        assert_eq!(finding.cause, Some("aws.unreachable"));
        assert_eq!(
            finding.detail,
            "5 s ago: no answer; pgcred asks again in 15 s"
        );
        let finding = judge_failure(cause, &last, None, later);
        assert!(finding.detail.ends_with("at the next call"));
        assert_eq!(judge_old_failure(&last, later).status, FindingStatus::Ok);
    }
}
