//! Tells the state of a connection's token, for a shell prompt: fresh, stale, expired or in need of
//! a login.

use crate::cache::{CacheIndex, EntryId};
use crate::error::Exit;
use crate::issue::{Issuer, last_failure};
use crate::request::Request;
use crate::time::Time;
use crate::token::{TokenAge, TokenTimes};

/// A connection and the state of its token, for a prompt to show.
pub(super) struct PromptSegment {
    pub(super) name: String,
    pub(super) state: TokenState,
    /// When the token expires; 1970 if there is none.
    pub(super) expires_at: Time,
}

/// What a prompt says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenState {
    Fresh,
    /// It is due to be renewed, and still valid.
    Stale,
    Expired,
    /// It is not fresh, and cannot be renewed before the user has logged in.
    NeedsLogin,
}

impl TokenState {
    /// Returns the word that `--format` and the shell hooks show.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::NeedsLogin => "needs-login",
        }
    }
}

/// Returns the segment of a connection. `None` if it has no token and needs no login.
///
/// The passfile is read only if the index knows no fresh token: then a pgcred with another
/// environment may have filed one there.
pub(super) fn segment_of(
    name: &str,
    request: &Request,
    index: &CacheIndex,
    issuer: &mut Issuer,
    in_passfile: impl FnOnce() -> Option<TokenTimes>,
) -> Option<PromptSegment> {
    let now = Time::now();
    let identity = issuer.identity(request);
    let id = EntryId::new(request, &*identity);
    let mut latest = None;
    if let Some(record) = index.records.get(id.as_str()) {
        latest = Some(TokenTimes {
            issued_at: Some(record.issued_at),
            fresh_until: Some(record.fresh_until),
            expires_at: record.expires_at,
        });
    }
    if age_of(latest, now) != TokenAge::Fresh
        && let Some(passfile_times) = in_passfile()
        && latest.is_none_or(|cached_times| passfile_times.expires_at > cached_times.expires_at)
    {
        latest = Some(passfile_times);
    }
    let needs_login = last_failure(index, request, &*identity)
        .is_some_and(|failure| failure.error.exit() == Exit::Login);
    let state = match age_of(latest, now) {
        TokenAge::Fresh => TokenState::Fresh,
        _ if needs_login => TokenState::NeedsLogin,
        TokenAge::Stale => TokenState::Stale,
        TokenAge::Expired => TokenState::Expired,
    };
    let expires_at = match latest {
        Some(times) => times.expires_at,
        None if needs_login => Time::from_unix(0),
        None => return None,
    };
    Some(PromptSegment {
        name: name.to_owned(),
        state,
        expires_at,
    })
}

/// Returns what a token is good for now. One that is not known counts as expired.
fn age_of(times: Option<TokenTimes>, now: Time) -> TokenAge {
    match times {
        Some(times) => times.age(now),
        None => TokenAge::Expired,
    }
}
