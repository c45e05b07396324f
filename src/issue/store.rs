//! Stores new tokens: step 6 in `mod`, which holds the lock of the identity.
//!
//! A token is sealed and written, then recorded in the index with its times. If that fails, the
//! caller gets the token all the same, with a warning: a cache that cannot be written must not stop
//! a login. `refresh` records here which tokens it has written to the passfile; a sealed copy of
//! such a token is removed, since the older one would be handed out.

use std::path::Path;
use std::time::Instant;

use super::{IssueOptions, IssuedToken, Issuer, renew, trace};
use crate::authority::Identity;
use crate::cache::{Cache, CacheIndex, TokenLocation, TokenRecord};
use crate::error::Error;
use crate::passfile::block::Passfile;
use crate::request::Request;
use crate::token::Token;

/// Tokens that are sealed in the cache, but not in its index yet.
#[derive(Default)]
pub(super) struct StoredTokens {
    records: Vec<(String, TokenRecord)>,
    error: Option<Error>,
}

impl StoredTokens {
    fn put(
        &mut self,
        cache: &Cache,
        request: &Request,
        issued: &IssuedToken,
        identity: &dyn Identity,
    ) {
        match cache.put(&issued.id, &issued.token, issued.region.as_ref()) {
            Ok(()) => {
                let record = issued.record(request, TokenLocation::Cache, identity);
                self.records.push((issued.id.as_str().to_owned(), record));
            }
            Err(error) => self.error = Some(error),
        }
    }
}

impl IssuedToken {
    fn record(
        &self,
        request: &Request,
        location: TokenLocation,
        identity: &dyn Identity,
    ) -> TokenRecord {
        let region = self.region.clone();
        let user = self.token.user.as_deref().unwrap_or_default();
        TokenRecord::new(
            request.passfile_line().or_user(user),
            &self.token,
            region,
            location,
            identity,
        )
    }
}

/// Tells whether a passfile can hold a token. One that it cannot hold, such as that of a user
/// `a*b`, would be asked for again and again if it were not kept.
fn fits_in_passfile(request: &Request, token: &Token) -> bool {
    let user = token.user.as_deref().unwrap_or_default();
    request
        .passfile_lines()
        .all(|line| Passfile::default().set(line.or_user(user), token).is_ok())
}

impl Issuer {
    /// Stores the token, and while the credentials are at hand what else of this identity is due.
    pub(super) fn store<Others: Iterator<Item = Request>>(
        &mut self,
        request: &Request,
        issued: &IssuedToken,
        options: IssueOptions,
        others: impl FnOnce(&CacheIndex) -> Others,
    ) {
        let Some(index) = self.cache.as_ref().map(Cache::index) else {
            return;
        };
        let identity = self.identities.identity_of(request);
        let started = Instant::now();
        let renewed = self.renew_others(request, &issued.id, &index, others(&index), started);
        let Some(cache) = &self.cache else { return };
        let mut stored = StoredTokens::default();
        let for_passfile = options.for_passfile && fits_in_passfile(request, &issued.token);
        if !for_passfile {
            stored.put(cache, request, issued, &*identity);
        }
        for (other_request, issued) in &renewed {
            if started.elapsed() > renew::MAX_FOR_OTHERS_TIME {
                break;
            }
            stored.put(cache, other_request, issued, &*identity);
        }
        let error = stored.error.as_ref();
        trace::tokens_stored(&self.notes, request, for_passfile, error, &renewed);
        if let Some(note) = cache.note.take() {
            self.notes.warn(note);
        }
        let mut past_failures = vec![identity.digest().to_owned(), issued.id.as_str().to_owned()];
        for (_, issued) in &renewed {
            past_failures.push(issued.id.as_str().to_owned());
        }
        past_failures.retain(|name| cache.index().failures.contains_key(name));
        if let Some(error) = stored.error {
            self.warn_about_cache(&error);
        }
        if !past_failures.is_empty() || !stored.records.is_empty() {
            self.update_index(|index| {
                index.records.extend(stored.records);
                index
                    .failures
                    .retain(|name, _| !past_failures.contains(name));
            });
        }
    }

    /// Tells the index that these tokens are in a passfile now.
    pub(crate) fn record_in_passfile(&mut self, path: &Path, tokens: &[(Request, IssuedToken)]) {
        let path = match std::path::absolute(path) {
            Ok(absolute) => absolute,
            Err(_) => path.to_owned(),
        };
        let mut records = Vec::new();
        for (request, issued) in tokens {
            // A token whose own line belongs to another connection is found in the cache.
            if issued.is_cached || !request.owns_its_line() {
                continue;
            }
            let location = TokenLocation::Passfile(path.clone());
            let record = issued.record(request, location, &*self.identities.identity_of(request));
            records.push((issued.id.as_str().to_owned(), record));
        }
        let Some(cache) = &self.cache else { return };
        let is_known = cache.index().passfiles.contains(&path);
        if records.is_empty() && (is_known || tokens.is_empty()) {
            return;
        }
        let mut sealed_ids = Vec::new();
        self.update_index(|index| {
            for (id, _) in &records {
                if let Some(old_record) = index.records.get(id)
                    && old_record.location == TokenLocation::Cache
                {
                    sealed_ids.push(id.clone());
                }
            }
            index.records.extend(records);
            index.passfiles.insert(path);
        });
        // An older token in the cache would be handed out before the one in the passfile.
        let Some(cache) = &self.cache else { return };
        if let Err(error) = cache.remove_entries(&sealed_ids) {
            self.warn_about_cache(&error);
        }
    }
}
