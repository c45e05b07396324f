//! Reads the configuration file for a command, and decides what a missing or broken file means.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::sys::fs;
use crate::sys::paths;
use crate::text::quote;

/// What a command makes of the configuration file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Whatever is wrong with the file is an error.
    Whole,
    /// The same, but the command makes the file if there is none.
    WholeOrNew,
    /// The command works without the file, and only warns.
    Optional,
}

/// What `--config` names where no configuration is meant, as with ssh's `-F`.
const NO_FILE: &str = "/dev/null";

/// A configuration as it was read.
pub(super) struct Read {
    pub(super) config: Config,
    pub(super) path: Option<PathBuf>,
    /// When the file was changed last before it was read.
    pub(super) changed: Option<SystemTime>,
}

impl Read {
    /// Reads the file that `--config` names, or the usual one.
    ///
    /// A file that is there and cannot be read is never an empty one: its rules decide who signs,
    /// and for how long.
    pub(super) fn file(named: Option<&Path>, need: Need, output: Output) -> Result<Self> {
        let path = named.map(Path::to_owned).or_else(paths::config_file);
        let Some(file) = &path else {
            return Ok(Self {
                config: Config::default(),
                path,
                changed: None,
            });
        };
        if need != Need::WholeOrNew && named == Some(Path::new(NO_FILE)) {
            return Ok(Self {
                config: Config::default(),
                path,
                changed: None,
            });
        }
        // A file that is named may be a colleague's; the usual one is the user's own, as with ssh.
        let found = fs::read_dated(file, named.is_none())
            .map_err(|error| match error.to_hint() {
                // Some mounts show all files as another user's, or as open to all, and let nobody
                // change that.
                Some(hint) => {
                    let hint = format!(
                        "{hint}; or, if you trust what is in it: --config {}",
                        quote::posix(&file.to_string_lossy())
                    );
                    error.hint(hint)
                }
                None => error.hint(
                    "correct the file, let your user read it, or name another one with --config",
                ),
            })
            .and_then(|found| {
                if found.is_none() && need != Need::WholeOrNew {
                    check_absence(file, named.is_some())?;
                }
                Ok(found)
            });
        let read = found.and_then(|found| {
            let (text, changed) = found.unwrap_or_default();
            let config =
                Config::parse(&text).map_err(|error| error.about(&file.display().to_string()))?;
            Ok((config, changed))
        });
        match read {
            Ok((config, changed)) => Ok(Self {
                config,
                path,
                changed,
            }),
            Err(error) if need == Need::Optional => {
                output.warn(&error.to_string());
                Ok(Self {
                    config: Config::default(),
                    path,
                    changed: None,
                })
            }
            Err(error) => Err(error),
        }
    }
}

/// Refuses to go on without a file that somebody relies on: one that is named, or whose place is
/// not there now.
fn check_absence(file: &Path, is_named: bool) -> Result<()> {
    if is_named {
        let path = file.display();
        return Err(Error::usage(format!("{path}: no such file")).hint(format!(
            "correct --config; pgcred add NAME HOST --config {path} makes the file"
        )));
    }
    fs::check_absence(file)
}
