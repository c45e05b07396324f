//! Tells when `refresh` has something to do: for a request, for a list of them, and for the hooks
//! of shells, which look at a file with that time.
//!
//! A request is due unless its token is fresh and is in the passfile, or the pause after a failure
//! is not over. `refresh` asks before it issues, `--watch` asks when to run next, and
//! `command/due_file.rs` writes the time into the file that hooks read. Nothing here takes a lock.
//! The functions that decide take the time as an argument.

use std::path::Path;
use std::rc::Rc;

use super::backoff::Backoff;
use super::{Issuer, trace};
use crate::authority::Identity;
use crate::cache::{Cache, CacheIndex, EntryId, TokenRecord};
use crate::passfile::block::Passfile;
use crate::request::Request;
use crate::sys::fs;
use crate::time::Time;
use crate::token::{TokenAge, TokenTimes};

/// A passfile, and what the index knows of the tokens in it.
pub(crate) struct PassfileView {
    index: Rc<CacheIndex>,
    passfile: Passfile,
}

impl PassfileView {
    /// Reads a passfile. `None` if its block is damaged: then every request is due.
    pub(crate) fn read(path: &Path, cache: &Cache) -> Option<Self> {
        let text = fs::read(path).unwrap_or_default();
        Some(Self {
            index: cache.index(),
            passfile: Passfile::parse(&text).ok()?,
        })
    }

    /// Returns when the token in the request's own line was issued, if that is known, and when it
    /// expires. What the index says comes before what the token says of itself: an authority may
    /// hand out tokens that it has made some time ago.
    pub(crate) fn times(&self, request: &Request) -> Option<TokenTimes> {
        let line = request.passfile_line();
        let expires_at = self.passfile.expires_at(&line)?;
        let token = self.passfile.token(&line, expires_at)?;
        Some(match self.index.record_of(&token) {
            Some(record) => TokenTimes {
                issued_at: Some(record.issued_at),
                fresh_until: Some(record.fresh_until),
                expires_at,
            },
            None => TokenTimes {
                issued_at: request.provider.authority.signing_time(&token),
                fresh_until: None,
                expires_at,
            },
        })
    }

    /// Returns when `refresh` has something to do for this request: now, or later.
    fn due(&self, request: &Request, identity: &dyn Identity, now: Time) -> Time {
        let good_until = self.good_until(request, identity, now);
        let due = match good_until {
            Some(good_until) => Some(good_until),
            None => self.next_attempt(request, identity, now),
        };
        match due {
            Some(due) => due.max(now),
            None => now,
        }
    }

    fn next_attempt(&self, request: &Request, identity: &dyn Identity, now: Time) -> Option<Time> {
        Backoff::for_request(&self.index, request, identity, now)?.next_attempt(now)
    }

    /// Returns until when the token in the passfile needs no refresh; `None` if it needs one now.
    fn good_until(&self, request: &Request, identity: &dyn Identity, now: Time) -> Option<Time> {
        let id = EntryId::new(request, identity);
        if let Some(record) = self.index.records.get(id.as_str())
            && record.age(now) == TokenAge::Fresh
            && self.has_in_every_line(request, record)
        {
            return Some(record.fresh_until);
        }
        self.good_until_as_longer_token(request, identity, now)
    }

    /// Returns until when a token with a longer lifetime than the request asks for can stay: until
    /// a new token would outlast it.
    fn good_until_as_longer_token(
        &self,
        request: &Request,
        identity: &dyn Identity,
        now: Time,
    ) -> Option<Time> {
        let first_line = request.passfile_lines().next()?;
        let expires_at = self.passfile.expires_at(&first_line)?;
        if expires_at < now.plus(request.lifetime_seconds) {
            return None;
        }
        let mut records = self
            .index
            .records_of_any_lifetime(request, identity, expires_at);
        if !records.any(|record| self.has_in_every_line(request, record)) {
            return None;
        }
        Some(Time::from_unix(
            expires_at.unix() - i64::from(request.lifetime_seconds),
        ))
    }

    /// Tells whether the recorded token is in the passfile under every address of the request.
    fn has_in_every_line(&self, request: &Request, record: &TokenRecord) -> bool {
        request.passfile_lines().all(|line| {
            let line = line.or_user(&record.line.user);
            let token = self.passfile.token(&line, record.expires_at);
            matches!(token, Some(token) if record.is_record_of(&token))
        })
    }
}

impl Issuer {
    fn view(&self, path: &Path) -> Option<PassfileView> {
        PassfileView::read(path, self.cache.as_ref()?)
    }

    /// Keeps the requests whose token is not fresh, or is not in this passfile. The pause after a
    /// failure is no reason to drop a request: its error has to be reported.
    pub(crate) fn retain_due(&mut self, requests: &mut Vec<Request>, path: &Path) {
        let Some(view) = self.view(path) else {
            return;
        };
        let now = Time::now();
        requests.retain(|request| {
            self.trace_identity(request);
            let identity = self.identities.identity_of(request);
            let good_until = view.good_until(request, &*identity, now);
            trace::request_due(&self.notes, request, good_until);
            good_until.is_none()
        });
    }

    /// Returns when `refresh` has something to do for this request.
    pub(crate) fn due(&mut self, request: &Request, view: Option<&PassfileView>) -> Time {
        let now = Time::now();
        match view {
            Some(view) => view.due(request, &*self.identities.identity_of(request), now),
            None => now,
        }
    }

    /// Returns when the first of these requests is due for this passfile; `None` if there is no
    /// request.
    pub(crate) fn first_due(&mut self, requests: &[Request], path: &Path) -> Option<Time> {
        let view = self.view(path);
        let mut first = None;
        for request in requests {
            let due = self.due(request, view.as_ref());
            first = match first {
                Some(earlier) if earlier <= due => Some(earlier),
                _ => Some(due),
            };
        }
        first
    }
}

#[cfg(test)]
mod tests;
