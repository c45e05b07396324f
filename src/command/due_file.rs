//! Tells shell hooks when to refresh and what to show: a file of two lines, without a secret,
//! beside the index.

use std::path::PathBuf;

use super::line_owners::settle;
use super::preferences::Preferences;
use super::segment::{Segment, TokenState, segment};
use crate::cache::Cache;
use crate::issue::{Issuer, PassfileView, last_failure};
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;

/// A hook refreshes after this at the latest: a configuration or a passfile may have been edited by
/// hand. The hooks' templates hold whatever is later for damaged.
const LONGEST: u32 = 3_600;
/// While a failure is waited out, a hook looks this often whether somebody has logged in, which
/// ends the wait.
const LOOK_FOR_LOGIN: u32 = 15;
/// After a refresh that did not help, and is not known to help later.
const RETRY: u32 = 300;

/// Whether connections that are due are to be refreshed now, or just have been.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refreshed {
    No,
    JustNow,
}

/// Writes the file, if anything has changed. That it could not be written costs a hook a look too
/// many.
pub(super) fn tell(preferences: &Preferences, issuer: &mut Issuer, refreshed: Refreshed) {
    let Some(cache) = issuer.take_cache() else {
        return;
    };
    if preferences.config_path.as_deref().and_then(fs::changed) != preferences.config_changed {
        let _ = cache.forget_due(); // another process has just added a connection, or taken one away
    } else if cache.take_changed() || refreshed == Refreshed::JustNow {
        let named = env::passfile();
        // Two shells with different passfiles have different files. A relative one is another file
        // in every directory, so that there is none to write.
        if named.as_ref().is_none_or(|path| path.is_absolute()) {
            let passfile = named.clone().or_else(env::default_passfile);
            let write = || due(preferences, issuer, &cache, passfile, refreshed);
            let _ = cache.write_due(named.as_deref(), write);
        }
    }
    issuer.put_cache(cache);
}

/// Returns the time at which the first connection is due, and what a prompt may show: name, end and
/// state.
fn due(
    preferences: &Preferences,
    issuer: &mut Issuer,
    cache: &Cache,
    passfile: Option<PathBuf>,
    refreshed: Refreshed,
) -> (Time, String) {
    let now = Time::now();
    let index = cache.index();
    let filed = passfile.and_then(|path| PassfileView::read(&path, cache));
    let mut next = now.plus(LONGEST);
    let mut first: Option<Segment> = None;
    let mut connections = preferences.named_connections();
    settle(&mut connections);
    for (name, request) in &connections {
        if request.keys().next().is_some() {
            let mut due = issuer.due(request, filed.as_ref());
            if due > now && last_failure(&index, &*issuer.identity(request)).is_some() {
                due = due.min(now.plus(LOOK_FOR_LOGIN));
            }
            next = next.min(if due <= now && refreshed == Refreshed::JustNow {
                now.plus(RETRY)
            } else {
                due
            });
        }
        let own = filed.as_ref().filter(|_| request.owns_its_line());
        let in_passfile = || {
            own?.times(&request.key())
                .filter(|(_, expires_at)| *expires_at > now)
        };
        let shown = segment(name, request, &index, issuer, in_passfile);
        first = [first, shown]
            .into_iter()
            .flatten()
            .min_by_key(|segment| segment.expires_at);
    }
    let shown = first.map(
        |Segment {
             name,
             state,
             expires_at,
         }| {
            // The hook sees by the clock whether a token has expired.
            let state = match state {
                TokenState::NeedsLogin => state.as_str(),
                TokenState::Fresh | TokenState::Stale | TokenState::Expired => "ok",
            };
            format!("{name} {} {state}", expires_at.unix())
        },
    );
    (next, shown.unwrap_or_default())
}
