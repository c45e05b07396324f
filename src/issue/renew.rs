//! Makes new tokens: resolves the credentials once for each identity, and signs tokens with them.
//! These are steps 4 and 5 in `mod`, which calls this file while it holds the lock of the identity.
//!
//! The order for one identity is: repeat a failure whose pause is not over; resolve within the
//! identity's share of the time, or record the failure; sign, or record that the token is for
//! another user than the request. `store` then calls it once more for other connections of the same
//! identity that are due. That work is bounded: a user who asked for one token must not wait for
//! those of ten thousand connections.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::backoff::{self, Backoff};
use super::{IssueOptions, IssuedToken, Issuer, trace};
use crate::authority::{CredentialQuery, Identity, Region, Signer};
use crate::cache::{CacheIndex, EntryId, FailureRecord};
use crate::error::{Error, Exit, Result};
use crate::request::Request;
use crate::text::backquoted;
use crate::time::Time;
use crate::token::{Token, TokenAge};

/// How many other tokens a run renews at most.
pub(super) const MAX_RENEWED: usize = 64;
/// How many other requests a run looks at to find them.
pub(super) const MAX_LOOKED_AT: usize = 1_000;
/// The run ends that work early if the disk is slow. Debug builds sign many times slower, and go by
/// the numbers alone.
pub(super) const MAX_FOR_OTHERS_TIME: Duration = if cfg!(debug_assertions) {
    Duration::from_mins(1)
} else {
    Duration::from_millis(40)
};

impl Issuer {
    /// Issues a new token. Its lifetime is cut to what the credentials have left.
    pub(super) fn sign(&mut self, request: &Request, options: IssueOptions) -> Result<IssuedToken> {
        check_no_user_is_named(request)?;
        let region = match &request.region {
            Some(region) => Some(region.clone()),
            None => self.identities.identity_of(request).find_region(
                &request.sign_host,
                &self.ask_policy,
                &self.notes,
            )?,
        };
        let signer = self.signer(request, region.as_ref(), options)?;
        // A login or its renewal may have changed the identity's files, so the ID is made again.
        let id = self.entry_id(request);
        let issued = issue_with(&*signer, request, id, region)?;
        if let Err(error) = check_user_of_token(&issued.token, request) {
            let identity = self.identities.identity_of(request);
            let login_stamp = identity.stamp_of_failure(identity.login_stamp().to_owned());
            self.record_failure(issued.id.as_str(), &error, login_stamp);
            return Err(error);
        }
        trace::token_signed(&self.notes, request, &issued);
        Ok(issued)
    }

    /// Returns the resolved credentials of a request's identity; resolves them if this run has not.
    fn signer(
        &mut self,
        request: &Request,
        region: Option<&Region>,
        options: IssueOptions,
    ) -> Result<Rc<dyn Signer>> {
        let identity = self.identities.identity_of(request);
        if let Some(signer) = &self.identities.resources(&*identity).signer {
            trace::resolved_before(&self.notes, &*identity, signer);
            return signer.clone();
        }
        let id = self.entry_id(request);
        if self.has_failure(id.as_str())
            && let Some(error) = self.error_while_waiting(id.as_str(), &*identity, options)
        {
            return Err(error); // of this request alone: the identity may sign for others
        }
        let signer = match self.error_while_waiting(identity.digest(), &*identity, options) {
            Some(error) => Err(error),
            None => self.resolve(request, &identity, region, options),
        };
        self.identities.resources(&*identity).signer = Some(signer.clone());
        signer
    }

    fn has_failure(&self, name: &str) -> bool {
        self.cache
            .as_ref()
            .is_some_and(|cache| cache.index().failures.contains_key(name))
    }

    /// Returns the failure that is recorded under this name, if the pause after it is not over and
    /// this run does not end it.
    fn error_while_waiting(
        &self,
        name: &str,
        identity: &dyn Identity,
        options: IssueOptions,
    ) -> Option<Error> {
        let index = self.cache.as_ref()?.index();
        let now = Time::now();
        let Some(backoff) = Backoff::for_name(&index, name, identity, now) else {
            trace::no_backoff(&self.notes, index.failures.get(name));
            return None;
        };
        if options.fresh || options.ends_pause || self.can_prompt_for(backoff.failure) {
            trace::pause_ignored(&self.notes, options);
            return None;
        }
        let error = backoff.error_while_waiting(now);
        trace::backoff(&self.notes, &backoff, identity, now);
        error
    }

    /// Tells whether this run may have the login that was missing. It is false if the
    /// recorded failure was itself a prompt, made by another process while this one waited for its
    /// lock.
    fn can_prompt_for(&self, failure: &FailureRecord) -> bool {
        let was_asked_meanwhile =
            failure.could_ask_user && failure.failed_at >= self.run_started_at;
        failure.error.exit() == Exit::Login
            && self.ask_policy.may_have_login()
            && !was_asked_meanwhile
    }

    /// Asks the authority for credentials, and records a failure in the index.
    fn resolve(
        &mut self,
        request: &Request,
        identity: &Rc<dyn Identity>,
        region: Option<&Region>,
        options: IssueOptions,
    ) -> Result<Rc<dyn Signer>> {
        // The stamp of before: a login that comes while the authority is asked ends the pause.
        let mut login_stamp = None;
        if self.cache.is_some() {
            login_stamp = Some(identity.login_stamp().to_owned());
        }
        let deadline = self.deadline_of(&**identity);
        let started = Instant::now();
        trace::resolution_started(&self.notes, &**identity, deadline);
        let query = CredentialQuery {
            scope: &request.scope(),
            region,
            lifetime_seconds: request.lifetime_seconds,
            min_valid: options.min_valid,
            ask_policy: &self.ask_policy,
            deadline,
        };
        let signer = identity.signer(&query, &self.notes);
        trace::resolution_ended(&self.notes, &signer, started);
        // The files are looked at again only if this run has changed them: a login by another
        // process, made while this one asked, is not the one that signs.
        if self.notes.take_changed_files() {
            self.identities.reload(&**identity);
        }
        if let (Err(error), Some(login_stamp)) = (&signer, login_stamp) {
            let login_stamp = identity.stamp_of_failure(login_stamp);
            self.record_failure(identity.digest(), error, login_stamp);
        }
        signer
    }

    fn record_failure(&mut self, name: &str, error: &Error, login_stamp: String) {
        let Some(cache) = &self.cache else { return };
        let index = cache.index();
        let last_failure = index.failures.get(name);
        let was_user_asked = self.ask_policy.asks();
        let failure = backoff::record_of_failure(
            last_failure,
            error,
            Time::now(),
            was_user_asked,
            login_stamp,
        );
        trace::failure_recorded(&self.notes, &failure);
        self.update_index(|index| {
            index.failures.insert(name.to_owned(), failure);
        });
    }

    /// Issues new tokens for those of the others that are due, with the credentials that have
    /// signed for this request.
    pub(super) fn renew_others(
        &mut self,
        request: &Request,
        id: &EntryId,
        index: &CacheIndex,
        others: impl Iterator<Item = Request>,
        started: Instant,
    ) -> Vec<(Request, IssuedToken)> {
        let identity = self.identities.identity_of(request);
        let Some(Ok(signer)) = self.identities.resources(&*identity).signer.clone() else {
            return Vec::new();
        };
        let now = Time::now();
        let mut renewed = Vec::new();
        for other_request in others.take(MAX_LOOKED_AT) {
            if renewed.len() == MAX_RENEWED || started.elapsed() > MAX_FOR_OTHERS_TIME {
                trace::renewal_ended_early(&self.notes, renewed.len());
                break;
            }
            if self.identities.identity_of(&other_request).digest() != identity.digest() {
                continue;
            }
            let other_id = EntryId::new(&other_request, &*identity);
            let is_fresh = index
                .records
                .get(other_id.as_str())
                .is_some_and(|record| record.age(now) == TokenAge::Fresh);
            if is_fresh || other_id == *id {
                continue;
            }
            // A request without a region is skipped by an authority that needs one: finding the
            // region would take time.
            let region = other_request.region.clone();
            if let Ok(issued) = issue_with(&*signer, &other_request, other_id, region)
                && check_user_of_token(&issued.token, &other_request).is_ok()
            {
                renewed.push((other_request, issued));
            }
        }
        renewed
    }
}

fn issue_with(
    signer: &dyn Signer,
    request: &Request,
    id: EntryId,
    region: Option<Region>,
) -> Result<IssuedToken> {
    let now = Time::now();
    let token = signer.issue(
        &request.scope(),
        region.as_ref(),
        request.lifetime_seconds,
        now,
    )?;
    let lifetime_seconds = token.issued_at.until(token.expires_at);
    Ok(IssuedToken {
        id,
        token,
        region,
        is_cached: false,
        is_cut_short: lifetime_seconds < request.lifetime_seconds
            && !request.provider.authority.decides_lifetime(),
    })
}

/// Refuses to ask for a token that creates its user where another one is named: that could only
/// fail, with one more user in the database.
fn check_no_user_is_named(request: &Request) -> Result<()> {
    let provider = request.provider;
    let creates_its_user = provider.names_user && provider.authority.issues_on_request_only();
    if !creates_its_user || request.user.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{} creates a user for each token, so that {} cannot be named",
        provider.title,
        backquoted(&request.user)
    ))
    .hint("leave out --user, and the key `user` of the connection"))
}

/// Refuses a token that is for another user than the request names: another account may have been
/// logged in.
fn check_user_of_token(token: &Token, request: &Request) -> Result<()> {
    let Some(user) = &token.user else {
        return Ok(());
    };
    if request.user.is_empty() || request.user == *user {
        return Ok(());
    }
    let (user, title) = (backquoted(user), request.provider.title);
    Err(Error::failure(format!(
        "the token of {title} is for the user {user}, and not for {}",
        request.name()
    ))
    .hint("leave the user out, or log in to the account that it belongs to"))
}
