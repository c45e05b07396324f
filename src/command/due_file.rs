//! Writes the file that tells shell hooks when to refresh and what to show at a prompt.
//!
//! It has two lines and no secret: the time at which the first connection is due, and the name, the
//! expiry and the state of the connection whose token expires first. A command writes it when the
//! cache has changed; a change of the configuration removes it, and the next hook makes it again.

use std::path::PathBuf;

use super::line_owners::assign_line_owners;
use super::preferences::Preferences;
use super::segment::{PromptSegment, TokenState, segment_of};
use crate::cache::Cache;
use crate::issue::{Issuer, PassfileView, last_failure};
use crate::request::Request;
use crate::shell::MAX_WAIT_SECONDS;
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;
use crate::token::TokenTimes;

/// During the pause after a failure, a hook looks this often whether the user has logged in, which
/// ends the pause.
const LOGIN_CHECK_SECONDS: u32 = 15;
/// The pause after a refresh that did not help, if nothing says when the next one may.
const RETRY_SECONDS: u32 = 300;

/// Whether the connections that are due have just been refreshed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshState {
    NotRefreshed,
    JustNow,
}

/// Writes the file if anything has changed. If it cannot be written, a hook only looks once more
/// than it needs to.
pub(super) fn update_due_file(
    preferences: &Preferences,
    issuer: &mut Issuer,
    refreshed: RefreshState,
) {
    let Some(cache) = issuer.take_cache() else {
        return;
    };
    let config_changed = match &preferences.config_path {
        Some(path) => fs::time_of_change(path),
        None => None,
    };
    if config_changed != preferences.config_changed {
        let _ = cache.remove_due_files(); // another process has just added or removed a connection
    } else if cache.take_has_changed() || refreshed == RefreshState::JustNow {
        let passfile_variable = env::passfile();
        // Two shells with different passfiles have different files. A relative path
        // is another file in every directory, so that there is none to write.
        let is_relative = matches!(&passfile_variable, Some(path) if path.is_relative());
        if !is_relative {
            let passfile = match &passfile_variable {
                Some(path) => Some(path.clone()),
                None => env::default_passfile(),
            };
            let write = || first_due(preferences, issuer, &cache, passfile, refreshed);
            let _ = cache.write_due_file(passfile_variable.as_deref(), write);
        }
    }
    issuer.put_cache(cache);
}

/// Returns the time at which the first connection is due, and the line that a prompt may show.
fn first_due(
    preferences: &Preferences,
    issuer: &mut Issuer,
    cache: &Cache,
    passfile: Option<PathBuf>,
    refreshed: RefreshState,
) -> (Time, String) {
    let now = Time::now();
    let index = cache.index();
    let mut passfile_view = None;
    if let Some(path) = passfile {
        passfile_view = PassfileView::read(&path, cache);
    }
    let mut next_due = now.plus(MAX_WAIT_SECONDS);
    let mut first: Option<PromptSegment> = None;
    let mut connections = preferences.named_connections();
    assign_line_owners(&mut connections);
    for (name, request) in &connections {
        let is_renewed = !request.provider.authority.issues_on_request_only();
        if is_renewed && request.passfile_lines().next().is_some() {
            let mut due = issuer.due(request, passfile_view.as_ref());
            if due > now {
                let identity = issuer.identity(request);
                if last_failure(&index, request, &*identity).is_some() {
                    due = due.min(now.plus(LOGIN_CHECK_SECONDS));
                }
            } else if refreshed == RefreshState::JustNow {
                due = now.plus(RETRY_SECONDS);
            }
            next_due = next_due.min(due);
        }
        let in_passfile = || times_in_passfile(request, passfile_view.as_ref(), now);
        if let Some(segment) = segment_of(name, request, &index, issuer, in_passfile) {
            first = match first {
                Some(first) if first.expires_at <= segment.expires_at => Some(first),
                _ => Some(segment),
            };
        }
    }
    let segment_text = match first {
        Some(segment) => prompt_line(segment),
        None => String::new(),
    };
    (next_due, segment_text)
}

/// Returns the times of the valid token that the passfile has for a connection, if the line there
/// is this connection's own.
fn times_in_passfile(
    request: &Request,
    passfile_view: Option<&PassfileView>,
    now: Time,
) -> Option<TokenTimes> {
    if !request.owns_its_line() {
        return None;
    }
    let times = passfile_view?.times(request)?;
    if times.expires_at > now {
        Some(times)
    } else {
        None
    }
}

/// Returns what a prompt may show: name, expiry and state. A hook finds out by itself whether the
/// token is stale or expired, because that is a matter of time.
fn prompt_line(segment: PromptSegment) -> String {
    let PromptSegment {
        name,
        state,
        expires_at,
    } = segment;
    let state = match state {
        TokenState::NeedsLogin => state.as_str(),
        TokenState::Fresh | TokenState::Stale | TokenState::Expired => "ok",
    };
    format!("{name} {} {state}", expires_at.unix())
}
