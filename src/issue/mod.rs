//! Turns a request into a token.
//!
//! ```text
//! token, exec, refresh ...        one Issuer for each run of a command
//!   | issue(request)
//!   v
//!  1 cache -------------- a token that fits ----------------------> answer
//!   | none
//!  2 lock of the identity     waits for another process that resolves the same credentials
//!  3 cache again -------- the other process was quicker ----------> answer
//!   | none
//!  4 credentials (renew)      a recent failure is repeated instead of asking again (backoff);
//!   |                         an identity has its share of the run's time (deadline)
//!  5 sign (renew)
//!  6 store (store)            seals the token, and what else of this identity is due (renew)
//!   v
//!  answer; after a failure of 4 or 5 a stale token that still lasts, with a warning
//! ```
//!
//! Locks are taken in this order, and never in another:
//!
//! ```text
//! lock of an identity    from step 2 until the issuer is dropped, so that a second process that
//!   |                    wants the same credentials waits, and then finds the new token
//!   |-- AWS session      in step 4, while an SSO or `aws login` session is made or renewed
//!   |-- key, index       in step 6, one after the other
//!   |-- passfile, index  when `refresh` has all answers, one after the other
//!   `-- due file         at the end of the command
//!                        (below these no other lock is taken, except that of the file with a
//!                        new key: see `cache`)
//! ```
//!
//! A caller with several identities asks in the order of their names, so two processes never wait
//! for each other. If the lock of an identity, the key or the index cannot be taken, pgcred goes on
//! without it: then two processes may ask for the same credentials.
//!
//! `due` says when a token is to be renewed, `identities` keeps one identity for each profile of a
//! run, and `trace` makes the lines of `--debug`.
//!
//! `command_tests` are unit tests with programs that print tokens.
//!
//! This module does not know AWS. It uses the traits of `authority`, which AWS implements.

mod backoff;
mod deadline;
mod due;
mod identities;
mod renew;
mod store;
mod trace;

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::authority::{AskPolicy, Identity, Region, RunNotes};
use crate::cache::{Cache, CacheIndex, EntryId};
use crate::error::{Error, Exit, Result};
use crate::provider;
use crate::request::Request;
use crate::time::{Time, spoken_duration};
use crate::token::{Token, TokenAge};
pub(crate) use backoff::{end_of_pause, last_failure};
use deadline::TimeBudget;
pub(crate) use due::PassfileView;
use identities::IdentityRegistry;

/// A stale token is handed out when renewing fails, if it lasts this many seconds.
const MIN_STALE_LIFETIME_SECONDS: u32 = 30;
/// How long a run waits for the lock of an identity if a user sits at its terminal: the process
/// that holds the lock may be waiting for that user's login.
const TERMINAL_TIMEOUT: Duration = Duration::from_mins(10);

/// The options of one call of [`Issuer::issue`].
#[derive(Clone, Copy, Default)]
pub(crate) struct IssueOptions {
    /// How many seconds the token must last.
    pub(crate) min_valid: u32,
    /// Issue a new token, and do not wait out the pause after a failure.
    pub(crate) fresh: bool,
    /// The caller writes the token into the passfile, so it is not sealed into the cache. A token
    /// that no passfile can hold is sealed all the same.
    pub(crate) for_passfile: bool,
    /// Ask the authority also in the pause after a failure.
    pub(crate) ends_pause: bool,
}

/// A token, and how it came about.
pub(crate) struct IssuedToken {
    id: EntryId,
    pub(crate) token: Token,
    /// The region that was signed for; `None` if the authority has no regions.
    pub(crate) region: Option<Region>,
    pub(crate) is_cached: bool,
    /// The credentials expire before the lifetime that was asked for.
    pub(crate) is_cut_short: bool,
}

/// Issues tokens. It holds the lock of every identity that it resolved until it is dropped, so a
/// caller with several identities asks in the order of [`Issuer::identity`]'s names.
pub(crate) struct Issuer {
    ask_policy: AskPolicy,
    cache: Option<Cache>,
    identities: IdentityRegistry,
    time: TimeBudget,
    run_started_at: Time,
    has_warned_about_cache: bool,
    notes: RunNotes,
}

/// Why a cached token is not the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissReason {
    /// It is stale: the caller wants a fresh one.
    Stale,
    /// It was issued before this run, which is to issue a new one.
    Older,
    /// It does not last as long as the caller needs.
    TooShort,
}

/// Whether a run has waited for the lock of an identity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitOutcome {
    /// Another process may have changed the cache meanwhile.
    Waited,
    /// This run has the lock already, or has resolved the credentials.
    NotNeeded,
}

impl Issuer {
    pub(crate) fn new(ask_policy: AskPolicy, cache: Option<Cache>) -> Self {
        Self {
            time: TimeBudget::new(Instant::now(), ask_policy.timeout),
            notes: ask_policy.notes(),
            ask_policy,
            cache,
            identities: IdentityRegistry::default(),
            run_started_at: Time::now(),
            has_warned_about_cache: false,
        }
    }

    /// Returns the cache; `None` if it is switched off.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    pub(crate) fn take_cache(&mut self) -> Option<Cache> {
        self.cache.take()
    }

    /// Gives back what [`Issuer::take_cache`] took.
    pub(crate) fn put_cache(&mut self, cache: Cache) {
        self.cache = Some(cache);
    }

    /// Takes the warnings about what went wrong without costing an answer.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.notes.take_warnings()
    }

    /// Ends every wait by then, if it would not end earlier.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        let time_left = deadline.saturating_duration_since(Instant::now());
        self.ask_policy.timeout = self.ask_policy.timeout.min(time_left);
        self.time.end_by(deadline);
    }

    /// Returns the cached token of a request, and asks nobody for another one.
    pub(crate) fn cached_token(
        &mut self,
        request: &Request,
        oldest: TokenAge,
    ) -> Option<IssuedToken> {
        let id = self.entry_id(request);
        self.find_in_cache(request, &id, oldest)
    }

    /// Shares the time of this run between so many identities.
    pub(crate) fn share_time(&mut self, identities: usize) {
        self.time.share_between(identities);
    }

    /// Returns who signs for a request.
    pub(crate) fn identity(&mut self, request: &Request) -> Rc<dyn Identity> {
        self.identities.identity_of(request)
    }

    /// Returns a fresh token from the cache, else a new one, else a stale one with a warning.
    ///
    /// `others` are requests of other connections. Those of the same identity that are due are
    /// renewed too, if credentials were resolved anyway, in the order of the iterator until a limit
    /// is reached (see `renew`). Each is made only when it is looked at.
    pub(crate) fn issue<Others: Iterator<Item = Request>>(
        &mut self,
        request: &Request,
        options: IssueOptions,
        others: impl FnOnce(&CacheIndex) -> Others,
    ) -> Result<IssuedToken> {
        self.trace_identity(request);
        if self.cache.is_none() {
            self.notes.step(|| "cache: switched off".to_owned());
            return self
                .sign(request, options)?
                .require_lifetime(options, request);
        }
        let started = Time::now();
        if let Some(issued) = self.usable_cached_token(request, options, started) {
            return Ok(issued);
        }
        if self.wait_for_identity(request) == WaitOutcome::Waited {
            // Another process may have been quicker, and a user may have logged in for it.
            let identity = self.identities.identity_of(request);
            self.identities.reload(&*identity);
            if let Some(issued) = self.usable_cached_token(request, options, started) {
                return Ok(issued);
            }
        }
        let id = self.entry_id(request);
        match self.sign(request, options) {
            Ok(issued) => {
                self.note_same_token(request, &issued, options);
                self.store(request, &issued, options, others);
                issued.require_lifetime(options, request)
            }
            Err(error) => self.fall_back_to_stale(error, request, &id, options),
        }
    }

    /// Says that a new token was asked for, and the authority has handed out the known one.
    fn note_same_token(&self, request: &Request, issued: &IssuedToken, options: IssueOptions) {
        let Some(cache) = &self.cache else { return };
        if !options.fresh || !request.provider.authority.decides_lifetime() {
            return;
        }
        let index = cache.index();
        let record = index.records.get(issued.id.as_str());
        if record.is_some_and(|record| record.is_record_of(issued.token.expose())) {
            self.notes.warn(format!(
                "{} has handed out the same token again",
                request.provider.title
            ));
        }
    }

    /// Returns the cached token, if it is what the caller wants.
    fn usable_cached_token(
        &mut self,
        request: &Request,
        options: IssueOptions,
        asked_at: Time,
    ) -> Option<IssuedToken> {
        let id = self.entry_id(request);
        let Some(issued) = self.find_in_cache(request, &id, options.oldest_usable()) else {
            self.trace_missing(request, &id);
            return None;
        };
        let miss = issued.miss_reason(options, asked_at, Time::now());
        self.trace_cached(request, &issued, miss);
        if miss.is_some() {
            return None;
        }
        Some(issued)
    }

    fn entry_id(&mut self, request: &Request) -> EntryId {
        EntryId::new(request, &*self.identities.identity_of(request))
    }

    /// Tells whether a token is also that of another request, such as one for another database.
    pub(crate) fn is_token_of(&mut self, issued: &IssuedToken, request: &Request) -> bool {
        self.entry_id(request) == issued.id
    }

    fn find_in_cache(
        &self,
        request: &Request,
        id: &EntryId,
        oldest: TokenAge,
    ) -> Option<IssuedToken> {
        let (token, region) = self
            .cache
            .as_ref()?
            .get(id, &request.passfile_line(), oldest)?;
        Some(IssuedToken {
            id: id.clone(),
            token,
            region,
            is_cached: true,
            is_cut_short: false,
        })
    }

    /// Waits until no other process resolves the credentials of this identity, and takes its lock.
    fn wait_for_identity(&mut self, request: &Request) -> WaitOutcome {
        let identity = self.identities.identity_of(request);
        let started = Instant::now();
        let deadline = self.deadline_of(&*identity);
        let resources = self.identities.resources(&*identity);
        if resources.lock.is_some() || resources.signer.is_some() {
            return WaitOutcome::NotNeeded;
        }
        let Some(cache) = &self.cache else {
            return WaitOutcome::NotNeeded;
        };
        let timeout = if self.ask_policy.asks() {
            TERMINAL_TIMEOUT
        } else {
            // A quarter of the time is kept to ask without the lock, if it cannot be taken.
            deadline.saturating_duration_since(started) / 4 * 3
        };
        trace::lock_started(&self.notes, &*identity, timeout);
        match cache.lock(&*identity, timeout) {
            Ok(lock) => {
                trace::lock_taken(&self.notes, &*identity, started);
                resources.lock = Some(lock);
                if self.ask_policy.terminal {
                    resources.deadline = Some(Instant::now() + self.ask_policy.timeout);
                }
            }
            Err(error) => {
                trace::lock_missed(&self.notes, &*identity, started);
                self.warn_about_cache(&error);
            }
        }
        WaitOutcome::Waited
    }

    /// Returns the end of an identity's share of the run's time, which starts now if it has not.
    fn deadline_of(&mut self, identity: &dyn Identity) -> Instant {
        let resources = self.identities.resources(identity);
        if let Some(deadline) = resources.deadline {
            return deadline;
        }
        let deadline = self.time.next_share(Instant::now());
        resources.deadline = Some(deadline);
        deadline
    }

    /// Returns the previous token, if it still lasts: a stale token is better than an error.
    fn fall_back_to_stale(
        &self,
        error: Error,
        request: &Request,
        id: &EntryId,
        options: IssueOptions,
    ) -> Result<IssuedToken> {
        if options.fresh && error.exit() == Exit::Usage {
            // The user asked for a new token, so the wrong setting is reported, and the old token
            // does not hide it.
            return Err(error);
        }
        let Some(stale_token) = self.find_in_cache(request, id, TokenAge::Stale) else {
            return Err(error);
        };
        let lifetime_left = Time::now().until(stale_token.token.expires_at);
        if lifetime_left < MIN_STALE_LIFETIME_SECONDS.max(options.min_valid) {
            return Err(error);
        }
        let lifetime_left = spoken_duration(lifetime_left);
        self.notes.warn(format!(
            "{error}; the previous token is good for {lifetime_left} more"
        ));
        Ok(stale_token)
    }

    fn update_index(&mut self, change: impl FnOnce(&mut CacheIndex)) {
        let Some(cache) = &self.cache else { return };
        if let Err(error) = cache.update(change) {
            self.warn_about_cache(&error);
        }
    }

    /// Warns once about a cache that fails: if one step fails, the next ones do too.
    fn warn_about_cache(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.has_warned_about_cache, true) {
            self.notes.warn(error.to_string());
        }
    }
}

impl IssueOptions {
    /// Returns the oldest token that is worth looking at.
    fn oldest_usable(self) -> TokenAge {
        if self.fresh {
            TokenAge::Stale
        } else {
            TokenAge::Fresh
        }
    }
}

impl IssuedToken {
    /// Returns why a token that was not made for this caller will not do, if it will not.
    fn miss_reason(&self, options: IssueOptions, asked_at: Time, now: Time) -> Option<MissReason> {
        if options.fresh {
            if self.token.issued_at < asked_at {
                return Some(MissReason::Older);
            }
        } else if self.token.age(now) != TokenAge::Fresh {
            return Some(MissReason::Stale);
        }
        if now.until(self.token.expires_at) < options.min_valid {
            return Some(MissReason::TooShort);
        }
        None
    }

    /// Refuses a new token that does not last as long as the caller needs.
    fn require_lifetime(self, options: IssueOptions, request: &Request) -> Result<Self> {
        let lifetime_left = Time::now().until(self.token.expires_at);
        if lifetime_left >= options.min_valid {
            return Ok(self);
        }
        let (name, wanted_lifetime, lifetime_left) = (
            request.name(),
            spoken_duration(options.min_valid),
            spoken_duration(lifetime_left),
        );
        let cause = if request.provider.authority.decides_lifetime() {
            "it expires"
        } else {
            "the credentials expire"
        };
        Err(Error::login(format!(
            "cannot issue a token for {name} that lasts {wanted_lifetime}: {cause} in \
             {lifetime_left}"
        ))
        .hint(format!(
            "run `{}`, then try again, or ask for less with --min-valid",
            provider::login_command(request.provider, request.profile.as_deref())
        )))
    }
}

#[cfg(test)]
mod command_tests;
#[cfg(test)]
pub(crate) mod tests;
