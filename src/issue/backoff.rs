//! Pauses after a failure to get credentials: for a while the failure is repeated instead of asking
//! the authority again. The pause doubles with every failure in a row, and ends early when the user
//! logs in: then the login stamp of the identity has changed. `renew` asks for the pause, and
//! records a failure in the index.
//!
//! A failure is that of an identity, and so of all its requests: it is recorded under the digest of
//! the identity. Where there is a token, but it is not for the user that one request names, the
//! failure is that of the request alone, and is recorded under the ID of its token.

use crate::authority::Identity;
use crate::cache::{CacheIndex, EntryId, FailureRecord};
use crate::error::{Error, Exit};
use crate::request::Request;
use crate::time::Time;

/// The longest pause, in seconds.
const MAX_PAUSE_SECONDS: u32 = 300;
/// Two failures count as consecutive if less than this lies between them, in seconds.
const CONSECUTIVE_SECONDS: u32 = 3_600;

/// The last failure of an identity or of a request, if the user has not logged in since.
pub(super) struct Backoff<'a> {
    pub(super) failure: &'a FailureRecord,
}

impl<'a> Backoff<'a> {
    /// Returns the failure that is in the index under this name, unless the user has logged in
    /// since, or the clock was set back to a time before it.
    pub(super) fn for_name(
        index: &'a CacheIndex,
        name: &str,
        identity: &dyn Identity,
        now: Time,
    ) -> Option<Self> {
        let failure = index.failures.get(name)?;
        let is_over = failure.failed_at > now || failure.login_stamp != identity.login_stamp();
        if is_over {
            return None;
        }
        Some(Self { failure })
    }

    /// Returns the failure of a request: its own, or that of its identity.
    pub(super) fn for_request(
        index: &'a CacheIndex,
        request: &Request,
        identity: &dyn Identity,
        now: Time,
    ) -> Option<Self> {
        if index.failures.is_empty() {
            return None;
        }
        let id = EntryId::new(request, identity);
        match Self::for_name(index, id.as_str(), identity, now) {
            Some(failure) => Some(failure),
            None => Self::for_name(index, identity.digest(), identity, now),
        }
    }

    /// Returns when the authority may be asked again; `None` if it may be asked now. A
    /// wrong setting causes no pause, because checking it again sends no request.
    pub(super) fn next_attempt(&self, now: Time) -> Option<Time> {
        let failure = self.failure;
        let pause = 5_u32
            .saturating_mul(1 << failure.count.min(10))
            .min(MAX_PAUSE_SECONDS);
        let pause_ends_at = failure.failed_at.plus(pause);
        if failure.error.exit() == Exit::Usage || now >= pause_ends_at {
            return None;
        }
        Some(pause_ends_at)
    }

    /// Returns the error to repeat during the pause; `None` if the authority may be asked now.
    pub(super) fn error_while_waiting(&self, now: Time) -> Option<Error> {
        self.next_attempt(now)?;
        let age_seconds = self.failure.failed_at.until(now);
        Some(self.failure.error.clone().repeated_after(age_seconds))
    }
}

/// Returns the record of a failure. It counts on from the one before, unless that was long ago or
/// the user has logged in since.
pub(super) fn record_of_failure(
    failure_before: Option<&FailureRecord>,
    error: &Error,
    now: Time,
    could_ask_user: bool,
    login_stamp: String,
) -> FailureRecord {
    let count_before = match failure_before {
        Some(last_failure)
            if last_failure.login_stamp == login_stamp
                && last_failure.failed_at.until(now) < CONSECUTIVE_SECONDS =>
        {
            last_failure.count
        }
        _ => 0,
    };
    FailureRecord {
        failed_at: now,
        count: count_before.saturating_add(1),
        error: error.clone(),
        could_ask_user,
        login_stamp,
    }
}

/// Returns the last failure of a request, unless the user has logged in since.
pub(crate) fn last_failure<'a>(
    index: &'a CacheIndex,
    request: &Request,
    identity: &dyn Identity,
) -> Option<&'a FailureRecord> {
    Some(Backoff::for_request(index, request, identity, Time::now())?.failure)
}

/// Returns when the pause after a failure ends; `None` if it is over.
pub(crate) fn end_of_pause(failure: &FailureRecord) -> Option<Time> {
    Backoff { failure }.next_attempt(Time::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fake::control as fake;

    const START: Time = Time::from_unix(1_000_000);

    fn index_with(failure: FailureRecord) -> CacheIndex {
        let mut index = CacheIndex::default();
        let digest = fake::identity(None).digest().to_owned();
        index.failures.insert(digest, failure);
        index
    }

    fn backoff_of(index: &CacheIndex, now: Time) -> Option<Backoff<'_>> {
        let identity = fake::identity(None);
        Backoff::for_name(index, identity.digest(), &*identity, now)
    }

    fn failed(before: Option<&FailureRecord>, at: Time) -> FailureRecord {
        let stamp = fake::identity(None).login_stamp().to_owned();
        record_of_failure(before, &Error::failure("no answer"), at, false, stamp)
    }

    #[test]
    fn the_pause_doubles_up_to_five_minutes() {
        fake::reset();
        let mut failure = failed(None, START);
        for pause in [10, 20, 40, 80, 160, 300, 300] {
            let at = failure.failed_at;
            let backoff = Backoff { failure: &failure };
            assert_eq!(backoff.next_attempt(at), Some(at.plus(pause)));
            assert_eq!(
                backoff.next_attempt(at.plus(pause - 1)),
                Some(at.plus(pause))
            );
            assert_eq!(backoff.next_attempt(at.plus(pause)), None);
            failure = failed(Some(&failure), at.plus(pause));
        }
    }

    #[test]
    fn the_error_is_repeated_with_its_age_and_a_way_out() {
        fake::reset();
        let failure = failed(None, START);
        let backoff = Backoff { failure: &failure };
        let error = backoff.error_while_waiting(START.plus(3)).unwrap();
        let text = error.to_string();
        assert!(text.starts_with("no answer ("), "{text}");
        assert!(
            text.contains("3 s ago") && text.contains("--fresh"),
            "{text}"
        );
        assert!(backoff.error_while_waiting(START.plus(10)).is_none());
    }

    #[test]
    fn a_login_ends_the_pause_and_the_row() {
        fake::reset();
        let first = failed(None, START);
        let second = failed(Some(&first), START.plus(20));
        assert_eq!(second.count, 2);
        let index = index_with(second.clone());
        let now = START.plus(21);
        assert!(backoff_of(&index, now).is_some());
        fake::log_in_elsewhere();
        assert!(backoff_of(&index, now).is_none());
        assert_eq!(failed(Some(&second), now).count, 1);
    }

    #[test]
    fn an_old_failure_does_not_count_and_one_of_the_future_is_none() {
        fake::reset();
        let first = failed(None, START);
        assert_eq!(
            failed(Some(&first), START.plus(CONSECUTIVE_SECONDS - 1)).count,
            2
        );
        assert_eq!(
            failed(Some(&first), START.plus(CONSECUTIVE_SECONDS)).count,
            1
        );
        let index = index_with(first);
        let earlier = Time::from_unix(START.unix() - 1);
        assert!(backoff_of(&index, earlier).is_none());
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_looked_at_again_at_once() {
        fake::reset();
        let stamp = fake::identity(None).login_stamp().to_owned();
        let error = Error::usage("there is no such profile");
        let failure = record_of_failure(None, &error, START, false, stamp);
        assert_eq!(Backoff { failure: &failure }.next_attempt(START), None);
    }
}
