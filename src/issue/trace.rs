//! Writes the lines of `--debug` about every decision of this directory. Each function makes its
//! text only if the user reads it, so a run without `--debug` pays one comparison.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::{IssueOptions, IssuedToken, Issuer, MissReason};
use crate::authority::{Identity, RunNotes, Signer};
use crate::cache::{CacheIndex, EntryId, FailureRecord, TokenLocation};
use crate::error::{Error, Result};
use crate::request::Request;
use crate::time::{Time, spoken_duration};
use crate::token::TokenAge;

/// How many digits of an identity's digest tell it from the others of a user.
const SHORT_LENGTH: usize = 8;

fn short_digest(identity: &dyn Identity) -> &str {
    let digest = identity.digest();
    digest.get(..SHORT_LENGTH).unwrap_or(digest)
}

impl Issuer {
    /// Says who signs for a request, and why: once for each identity, whether the token then comes
    /// from the cache or is a new one.
    pub(super) fn trace_identity(&mut self, request: &Request) {
        if !self.notes.shows_steps() {
            return;
        }
        let identity = self.identities.identity_of(request);
        let resources = self.identities.resources(&*identity);
        if !resources.is_explained {
            resources.is_explained = true;
            identity.trace_identity(request.region.as_ref(), &self.notes);
        }
    }

    /// Says which token the cache has, and whether it is used.
    pub(super) fn trace_cached(
        &mut self,
        request: &Request,
        issued: &IssuedToken,
        miss: Option<MissReason>,
    ) {
        let identity = self.identities.identity_of(request);
        self.notes.step(|| {
            let now = Time::now();
            let token = &issued.token;
            let name = request.name();
            let age = spoken_duration(token.issued_at.until(now));
            let lifetime_left = spoken_duration(now.until(token.expires_at));
            let expires_at = token.expires_at.rfc3339();
            let location = self.location_of(&issued.id);
            let identity = short_digest(&*identity);
            let verdict = match miss {
                None => "used",
                Some(MissReason::Stale) => "not used, it is stale: two thirds of its life are over",
                Some(MissReason::Older) => "not used, a new token is asked for",
                Some(MissReason::TooShort) => "not used, it lasts less than --min-valid",
            };
            format!(
                "cache: token of {name} for identity {identity} in {location}, issued {age} ago, \
                 expires in {lifetime_left} ({expires_at}): {verdict}"
            )
        });
    }

    fn location_of(&self, id: &EntryId) -> String {
        let Some(cache) = &self.cache else {
            return "no cache".to_owned();
        };
        match cache.index().records.get(id.as_str()) {
            Some(record) => match &record.location {
                TokenLocation::Passfile(path) => format!("passfile {}", path.display()),
                TokenLocation::Cache => "the cache".to_owned(),
            },
            None => "the cache".to_owned(),
        }
    }

    /// Says why the cache has no token for a request.
    pub(super) fn trace_missing(&mut self, request: &Request, id: &EntryId) {
        let identity = self.identities.identity_of(request);
        let Some(cache) = &self.cache else { return };
        self.notes.step(|| {
            let name = request.name();
            let reason = missing_reason(&cache.index(), request, id, &*identity, Time::now());
            format!(
                "cache: no token of {name} for identity {}: {reason}",
                short_digest(&*identity)
            )
        });
    }
}

fn missing_reason(
    index: &CacheIndex,
    request: &Request,
    id: &EntryId,
    identity: &dyn Identity,
    now: Time,
) -> String {
    if let Some(record) = index.records.get(id.as_str()) {
        return match (record.age(now), &record.location) {
            (TokenAge::Expired, _) => format!("it expired at {}", record.expires_at.rfc3339()),
            (TokenAge::Stale, _) => {
                format!("it has been stale since {}", record.fresh_until.rfc3339())
            }
            (TokenAge::Fresh, TokenLocation::Cache) => {
                "its file is missing, or cannot be opened with the key".to_owned()
            }
            (TokenAge::Fresh, TokenLocation::Passfile(path)) => {
                format!("{} does not hold it any more", path.display())
            }
        };
    }
    let line = request.passfile_line();
    let mut other_records = 0;
    for record in index.records.values() {
        if record.line == line {
            if !record.is_signed_by_another(identity) {
                return "the known one was issued for another region, life or login".to_owned();
            }
            other_records += 1;
        }
    }
    match other_records {
        0 => "none is known".to_owned(),
        _ => "the known one was signed by another identity".to_owned(),
    }
}

fn time_waited(started: Instant) -> String {
    format!("{} ms", started.elapsed().as_millis())
}

/// Says that this run may now wait for another one.
pub(super) fn lock_started(notes: &RunNotes, identity: &dyn Identity, timeout: Duration) {
    notes.step(|| {
        let (name, max_seconds) = (short_digest(identity), timeout.as_secs_f32().ceil());
        format!(
            "lock: taking that of identity {name}, or waiting for another pgcred {max_seconds} s \
             at most"
        )
    });
}

pub(super) fn lock_taken(notes: &RunNotes, identity: &dyn Identity, started: Instant) {
    notes.step(|| {
        let (name, wait) = (short_digest(identity), time_waited(started));
        format!("lock: taken for identity {name} after {wait}")
    });
}

pub(super) fn lock_missed(notes: &RunNotes, identity: &dyn Identity, started: Instant) {
    notes.step(|| {
        let (name, wait) = (short_digest(identity), time_waited(started));
        format!("lock: not taken for identity {name} after {wait}; going on without it")
    });
}

/// Says that this run has resolved the credentials before.
pub(super) fn resolved_before(
    notes: &RunNotes,
    identity: &dyn Identity,
    signer: &Result<Rc<dyn Signer>>,
) {
    notes.step(|| {
        let name = short_digest(identity);
        match signer {
            Ok(_) => format!("credentials: those of identity {name} were resolved in this run"),
            Err(_) => format!("credentials: those of identity {name} failed in this run"),
        }
    });
}

/// Says why there is no pause: no failure is known, or the user has logged in since.
pub(super) fn no_backoff(notes: &RunNotes, failure: Option<&FailureRecord>) {
    notes.step(|| match failure {
        None => "pause: none, no failure is recorded".to_owned(),
        Some(failure) => format!(
            "pause: none, the user may have logged in since the failure at {}",
            failure.failed_at.rfc3339()
        ),
    });
}

pub(super) fn pause_ignored(notes: &RunNotes, options: IssueOptions) {
    notes.step(|| {
        if options.fresh {
            "pause: ignored, a new token is asked for".to_owned()
        } else if options.ends_pause {
            "pause: ignored, this run looks for the cause of the failure".to_owned()
        } else {
            "pause: ignored, this run can ask for the login that was missing".to_owned()
        }
    });
}

/// Says whether the pause after the last failure is over, and which files a login would change.
pub(super) fn backoff(notes: &RunNotes, backoff: &Backoff<'_>, identity: &dyn Identity, now: Time) {
    let failed_at = backoff.failure.failed_at.rfc3339();
    let Some(end) = backoff.next_attempt(now) else {
        notes.step(|| format!("pause: over, the last failure was at {failed_at}"));
        return;
    };
    notes.step(|| {
        let (count, end) = (backoff.failure.count, end.rfc3339());
        format!(
            "pause: after failure {count} at {failed_at}, until {end} or the next login; the \
             failure is repeated"
        )
    });
    if notes.shows_steps() {
        for path in identity.login_paths() {
            notes.step(|| {
                let path = path.display();
                format!("pause: no login since {failed_at}: {path} has not changed")
            });
        }
    }
}

pub(super) fn failure_recorded(notes: &RunNotes, failure: &FailureRecord) {
    notes.step(|| {
        let backoff = Backoff { failure };
        match backoff.next_attempt(failure.failed_at) {
            Some(end) => format!("pause: begins, until {} or the next login", end.rfc3339()),
            None => "pause: none after a setting that cannot be used".to_owned(),
        }
    });
}

pub(super) fn resolution_started(notes: &RunNotes, identity: &dyn Identity, deadline: Instant) {
    notes.step(|| {
        let name = short_digest(identity);
        let time_left = deadline.saturating_duration_since(Instant::now());
        format!(
            "credentials: resolving those of identity {name} within {} s",
            time_left.as_secs_f32().ceil()
        )
    });
}

pub(super) fn resolution_ended(
    notes: &RunNotes,
    resolved: &Result<Rc<dyn Signer>>,
    started: Instant,
) {
    notes.step(|| {
        let wait = time_waited(started);
        match resolved {
            Ok(_) => format!("credentials: resolved in {wait}"),
            Err(error) => format!("credentials: failed after {wait}: {error}"),
        }
    });
}

/// Says what was signed, and that the credentials cut the token's lifetime short.
pub(super) fn token_signed(notes: &RunNotes, request: &Request, issued: &IssuedToken) {
    notes.step(|| {
        let scope = request.scope();
        let region = match &issued.region {
            Some(region) => format!(" in {region}"),
            None => String::new(),
        };
        let cut = if issued.is_cut_short {
            let requested_lifetime = spoken_duration(request.lifetime_seconds);
            format!(", not after {requested_lifetime}, because the credentials expire then")
        } else {
            String::new()
        };
        let subject = match (scope.service, scope.action) {
            ("", "") => "a token".to_owned(),
            (service, action) => format!("{service} {action}"),
        };
        format!(
            "signed: {subject} for {}{region}, expires at {}{cut}",
            request.name(),
            issued.token.expires_at.rfc3339()
        )
    });
}

/// Says where the token went, and what was renewed besides.
pub(super) fn tokens_stored(
    notes: &RunNotes,
    request: &Request,
    for_passfile: bool,
    failure: Option<&Error>,
    renewed: &[(Request, IssuedToken)],
) {
    notes.step(|| {
        let name = request.name();
        if for_passfile {
            format!("cache: the token of {name} goes into the passfile instead")
        } else if let Some(error) = failure {
            format!("cache: the token of {name} is not stored: {error}")
        } else {
            format!("cache: the token of {name} is stored")
        }
    });
    for (other_request, issued) in renewed {
        notes.step(|| {
            let (name, expires_at) = (other_request.name(), issued.token.expires_at.rfc3339());
            format!("renewed besides: {name}, expires at {expires_at}")
        });
    }
}

pub(super) fn renewal_ended_early(notes: &RunNotes, renewed: usize) {
    notes.step(|| {
        format!("renewed besides: {renewed}, and no more, so that this run does not take longer")
    });
}

/// Says whether `refresh` has something to do for a request.
pub(super) fn request_due(notes: &RunNotes, request: &Request, good_until: Option<Time>) {
    notes.step(|| {
        let name = request.name();
        match good_until {
            Some(due_at) => format!("due: {name}: not before {}", due_at.rfc3339()),
            None => format!("due: {name}: now, the passfile has no fresh token of it"),
        }
    });
}
