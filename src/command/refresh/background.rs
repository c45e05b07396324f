//! What the last run of a scheduler came to: for `pgcred list`, and for one notice of a login that
//! is needed. No secret.

use std::path::{Path, PathBuf};

use crate::error::{Exit, Result};
use crate::sys::child;
use crate::sys::fs;
use crate::sys::paths::CacheDirectory;
use crate::text;
use crate::time::{Time, spoken};

/// When, what failed, what login a person was told of, and the state of the configuration then.
#[derive(Default)]
struct Run {
    at: String,
    error: String,
    told: String,
    config: String,
}

impl Run {
    fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text).into_owned();
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        Self {
            at: next(),
            error: next(),
            told: next(),
            config: next(),
        }
    }
}

fn file() -> Option<PathBuf> {
    Some(CacheDirectory::of_user()?.background())
}

/// Remembers a run; that it could not be remembered is no reason to fail. A login that is needed is
/// told once, however many runs come to it, until one succeeds.
pub(in crate::command) fn remember(outcome: &Result<()>, may_tell: bool, config: Option<&Path>) {
    let Some(path) = file() else { return };
    let line =
        |text: String| text::masked(&text::shown(&text.lines().collect::<Vec<_>>().join(" ")));
    let error = outcome
        .as_ref()
        .err()
        .map(|error| line(error.to_string()))
        .unwrap_or_default();
    let news = outcome
        .as_ref()
        .err()
        .filter(|error| may_tell && error.exit() == Exit::Login);
    let news = news
        .map(|error| line([&error.to_string(), error.to_hint().unwrap_or_default()].join("; ")));
    let mut is_new = false;
    let edited = path
        .parent()
        .map_or(Ok(()), fs::own_directory)
        .and_then(|()| {
            fs::edit_cache(&path, |old| {
                let told = if outcome.is_ok() {
                    String::new()
                } else {
                    Run::read(old).told
                };
                is_new = news.as_ref().is_some_and(|news| *news != told);
                let (at, told) = (Time::now().unix(), news.as_ref().unwrap_or(&told));
                format!("{at}\n{error}\n{told}\n{}\n", state_of(config)).into_bytes()
            })
        });
    if let (Some(news), true, Ok(())) = (news, is_new, edited) {
        child::notify(&news);
    }
}

fn state_of(config: Option<&Path>) -> String {
    config.and_then(fs::stamp).unwrap_or_default()
}

/// Says when the last run was and what failed; nothing if there was none. A failure with another
/// configuration says nothing about this one: its connection may be gone.
pub(in crate::command) fn last(config: Option<&Path>) -> Option<String> {
    let Run {
        at,
        error,
        config: before,
        ..
    } = Run::read(&fs::read_own(&file()?)?);
    let ago = spoken(Time::from_unix(at.parse().ok()?).until(Time::now()));
    let failed = Some(error).filter(|error| !error.is_empty() && before == state_of(config));
    let failed = failed
        .map(|error| format!(", failed: {error}"))
        .unwrap_or_default();
    Some(format!("last refresh in the background: {ago} ago{failed}"))
}
