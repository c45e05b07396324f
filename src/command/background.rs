//! What the last run of a scheduler came to, for `pgcred list`: a time and a message, no secret.

use std::path::PathBuf;

use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::time::{Time, spoken};

fn file() -> Option<PathBuf> {
    env::cache_folder().map(|folder| folder.join("background"))
}

/// Remembers a run; that it could not be remembered is no reason to fail.
pub(super) fn remember(outcome: &Result<()>) {
    let Some(path) = file() else { return };
    let error = outcome.as_ref().err().map(Error::to_string).unwrap_or_default();
    let written = path.parent().map_or(Ok(()), fs::private_folder);
    let _ = written.and_then(|()| fs::put(&path, format!("{}\n{error}\n", Time::now().unix()).as_bytes()));
}

/// Says when the last run was and what failed; nothing if there was none.
pub(super) fn last() -> Option<String> {
    let text = String::from_utf8(fs::read(&file()?)?).ok()?;
    let (at, error) = text.split_once('\n')?;
    let ago = spoken(Time::from_unix(at.parse().ok()?).until(Time::now()));
    let failed = Some(error.trim()).filter(|error| !error.is_empty());
    let failed = failed.map(|error| format!(", failed: {error}")).unwrap_or_default();
    Some(format!("last refresh in the background: {ago} ago{failed}"))
}
