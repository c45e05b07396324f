//! The only reader of the environment: variables and the user's folders.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Returns a variable's value; empty counts as unset, as in libpq and the AWS CLI.
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
pub(crate) fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns a variable's value as text, refusing what is not UTF-8.
pub(crate) fn text(name: &str) -> Result<Option<String>> {
    let refused = |_| Error::usage(format!("{name} is not UTF-8"));
    var_os(name).map(|value| value.into_string().map_err(refused)).transpose()
}

/// Returns a variable's value as text; where it is not UTF-8, U+FFFD stands for the bytes.
pub(crate) fn var(name: &str) -> Option<String> {
    var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Returns the passfile that libpq reads when nothing names another.
pub(crate) fn default_passfile() -> Option<PathBuf> {
    if cfg!(windows) {
        dirs::config_dir().map(|dir| dir.join("postgresql").join("pgpass.conf"))
    } else {
        dirs::home_dir().map(|dir| dir.join(".pgpass"))
    }
}

/// Returns the home folder of the user's account where `HOME` names another one.
#[cfg(unix)]
pub(crate) fn other_home() -> Option<PathBuf> {
    let account = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
    let home = dirs::home_dir()?;
    (account.dir != home && account.dir.canonicalize().ok() != home.canonicalize().ok()).then_some(account.dir)
}

#[cfg(not(unix))]
pub(crate) fn other_home() -> Option<PathBuf> {
    None
}
