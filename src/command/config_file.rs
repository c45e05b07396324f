//! Reads the configuration file for a command, and decides what a missing or broken file means.
//!
//! A file that is there and cannot be read stops most commands, because its rules decide who signs.
//! The commands that undo or examine something work without it, and `add` makes the file that is
//! named.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::Config;
use crate::error::{Error, ErrorReason, Result};
use crate::output::Output;
use crate::sys::fs::{self, FileTrust};
use crate::sys::paths;
use crate::text::quote;

/// What a command needs of the configuration file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigNeed {
    /// A missing file counts as an empty one; anything else that is wrong is an error.
    Whole,
    /// As `Whole`, and the command makes the file that `--config` names if it is missing.
    WholeOrNew,
    /// The command works without the file, and only warns.
    Optional,
}

/// The name that `--config` takes for no configuration at all, as ssh's `-F` does.
const NO_FILE: &str = "/dev/null";

/// A configuration as it was read.
pub(super) struct ConfigFile {
    pub(super) config: Config,
    pub(super) path: Option<PathBuf>,
    /// When the file was last changed before it was read.
    pub(super) changed: Option<SystemTime>,
}

impl ConfigFile {
    /// Reads the file that `--config` names, or the usual one.
    ///
    /// A file that is there and cannot be read never counts as an empty one: its rules decide who
    /// signs, and for how long.
    pub(super) fn read(
        config_option: Option<&Path>,
        need: ConfigNeed,
        output: Output,
    ) -> Result<Self> {
        let path = match config_option {
            Some(path) => Some(path.to_owned()),
            None => paths::config_file(),
        };
        let Some(file) = &path else {
            return Ok(Self::empty(path));
        };
        if need != ConfigNeed::WholeOrNew && config_option == Some(Path::new(NO_FILE)) {
            return Ok(Self::empty(path));
        }
        match read_config_file(file, config_option.is_some(), need) {
            Ok((config, changed)) => Ok(Self {
                config,
                path,
                changed,
            }),
            Err(error) if need == ConfigNeed::Optional => {
                output.warn(&error.to_string());
                Ok(Self::empty(path))
            }
            Err(error) => Err(error),
        }
    }

    fn empty(path: Option<PathBuf>) -> Self {
        Self {
            config: Config::default(),
            path,
            changed: None,
        }
    }
}

fn read_config_file(
    file: &Path,
    is_named: bool,
    need: ConfigNeed,
) -> Result<(Config, Option<SystemTime>)> {
    // A file that is named may be a colleague's; the usual one has to be the user's own, as with
    // ssh.
    let file_trust = if is_named {
        FileTrust::Any
    } else {
        FileTrust::OwnOnly
    };
    let text_and_time = match fs::read_dated(file, file_trust) {
        Ok(text_and_time) => text_and_time,
        Err(error) => return Err(with_hint(error, file)),
    };
    if text_and_time.is_none() && need != ConfigNeed::WholeOrNew {
        check_absence(file, is_named)?;
    }
    let (text, changed) = text_and_time.unwrap_or_default();
    let config = match Config::parse(&text) {
        Ok(config) => config,
        Err(error) => return Err(error.about(&file.display().to_string())),
    };
    if !config.commands.is_empty() {
        check_who_defines(file, &text, is_named)?;
    }
    Ok((config, changed))
}

/// Refuses a file with commands that another user could have written: pgcred would run them. The
/// text that was read has to be that of a file of the user's own.
fn check_who_defines(file: &Path, text: &str, is_named: bool) -> Result<()> {
    const WHY: &str = "a file that defines commands has to be the user's own";
    fs::trust::check_place(file).map_err(|error| error.noting(WHY))?;
    if !is_named {
        return Ok(()); // it was read as the user's own
    }
    let shown_path = file.display().to_string();
    let current_file =
        fs::read_dated(file, FileTrust::OwnOnly).map_err(|error| error.noting(WHY))?;
    match current_file {
        Some((current_text, _)) if current_text == text => Ok(()),
        _ => Err(Error::changed_meanwhile(shown_path)),
    }
}

fn with_hint(error: Error, file: &Path) -> Error {
    // Some mounts show every file as another user's, or as writable by all, and the user cannot
    // change that. With commands in it, a file that is named is refused too.
    match (error.reason(), error.hint_text()) {
        (Some(ErrorReason::NotOwn), Some(hint)) if !defines_commands(file) => {
            let typed_path = quote::typed(&file.to_string_lossy());
            let hint = format!("{hint}; if you trust what is in it, add --config {typed_path}");
            error.hint(hint)
        }
        (Some(ErrorReason::NotOwn), _) => error,
        _ => error.hint("correct the file, let your user read it, or name another with --config"),
    }
}

fn defines_commands(file: &Path) -> bool {
    let Ok(Some(text)) = fs::read_plain(file) else {
        return false;
    };
    match Config::parse(&text) {
        Ok(config) => !config.commands.is_empty(),
        Err(_) => false,
    }
}

/// Refuses to go on without a file on which the user relies: a file that is named, or one whose
/// directory is not there now.
fn check_absence(file: &Path, is_named: bool) -> Result<()> {
    if is_named {
        let (path, quoted) = (file.display(), quote::typed(&file.to_string_lossy()));
        return Err(Error::usage(format!("{path}: no such file")).hint(format!(
            "correct --config, or run `pgcred add NAME HOST --config {quoted}` to make the file"
        )));
    }
    fs::check_absence(file)
}
