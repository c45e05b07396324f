//! Remembers how the last refresh of a scheduler or a shell's hook ended: for `pgcred list`, and to
//! notify the user only once of a login that is needed. `mod` calls it at the end of `refresh
//! --background`. The file holds no secret.

use std::path::{Path, PathBuf};

use crate::error::{Error, Exit, Result};
use crate::sys::child;
use crate::sys::fs;
use crate::sys::paths::CacheDirectory;
use crate::text;
use crate::time::{Time, spoken_duration};

/// The file's four lines.
#[derive(Default)]
struct LastRun {
    /// When the run ended, in Unix seconds.
    ended_at: String,
    error: String,
    /// The login that the user was last notified of.
    notified: String,
    /// The state of the configuration file then.
    config: String,
}

impl LastRun {
    fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let mut next_line = || lines.next().unwrap_or("").to_owned();
        Self {
            ended_at: next_line(),
            error: next_line(),
            notified: next_line(),
            config: next_line(),
        }
    }

    fn render(&self) -> Vec<u8> {
        let Self {
            ended_at,
            error,
            notified,
            config,
        } = self;
        format!("{ended_at}\n{error}\n{notified}\n{config}\n").into_bytes()
    }
}

fn outcome_file() -> Option<PathBuf> {
    Some(CacheDirectory::for_user()?.background())
}

/// Remembers how a run ended. A run does not fail because this cannot be remembered.
///
/// The user is notified once of a login that is needed, however many runs need it, until one
/// succeeds.
pub(in crate::command) fn remember_outcome(
    outcome: &Result<()>,
    may_notify: bool,
    config: Option<&Path>,
) {
    let Some(path) = outcome_file() else { return };
    let mut error_line = String::new();
    let mut login = None;
    if let Err(error) = outcome {
        error_line = join_lines(&error.to_string());
        if may_notify && error.exit() == Exit::Login {
            login = Some(login_notice(error));
        }
    }
    let mut is_new = false;
    let result = write_outcome(&path, |old| {
        let mut notified = String::new();
        if outcome.is_err() {
            notified = LastRun::parse(old).notified;
        }
        if let Some(login) = &login {
            is_new = *login != notified;
            notified.clone_from(login);
        }
        let run = LastRun {
            ended_at: Time::now().unix().to_string(),
            error: error_line,
            notified,
            config: stamp_of_config(config),
        };
        run.render()
    });
    if let Some(login) = login
        && is_new
        && result.is_ok()
    {
        child::notify(&login);
    }
}

fn write_outcome(path: &Path, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<()> {
    if let Some(directory) = path.parent() {
        fs::ensure_own_directory(directory)?;
    }
    fs::edit_cache(path, change)
}

fn login_notice(error: &Error) -> String {
    let hint = error.hint_text().unwrap_or("");
    join_lines(&format!("{error}; {hint}"))
}

/// Returns a text in one line, without control characters and AWS account numbers.
fn join_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    text::mask_accounts(&text::printable(&lines.join(" ")))
}

fn stamp_of_config(config: Option<&Path>) -> String {
    match config {
        Some(config) => fs::stamp(config).unwrap_or_default(),
        None => String::new(),
    }
}

/// Returns when the last run was and what failed, in words; `None` if there was no run.
pub(in crate::command) fn last_run_in_words(config: Option<&Path>) -> Option<String> {
    let BackgroundOutcome { ended_at, error } = last_outcome(config)?;
    let ago = spoken_duration(ended_at.until(Time::now()));
    let mut text = format!("last refresh in the background: {ago} ago");
    if let Some(error) = error {
        text.push_str(", failed: ");
        text.push_str(&error);
    }
    Some(text)
}

/// How the last run ended.
pub(in crate::command) struct BackgroundOutcome {
    pub(in crate::command) ended_at: Time,
    /// What failed. A failure with another configuration is left out, because its connection may
    /// be gone.
    pub(in crate::command) error: Option<String>,
}

/// Returns how the last run ended; `None` if there was no run.
pub(in crate::command) fn last_outcome(config: Option<&Path>) -> Option<BackgroundOutcome> {
    let run = LastRun::parse(&fs::read_own(&outcome_file()?)?);
    let ended_at = Time::from_unix(run.ended_at.parse().ok()?);
    let mut error = None;
    if !run.error.is_empty() && run.config == stamp_of_config(config) {
        error = Some(run.error);
    }
    Some(BackgroundOutcome { ended_at, error })
}
