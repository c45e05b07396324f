//! Removes files and directories. A file or a directory that does not exist counts as removed. No
//! lock is taken here.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::list;
use crate::error::{Error, Result};
use crate::sys::env;

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<()> {
    check_removal(path, fs::remove_file(path))
}

/// Removes a directory of pgcred's with everything in it.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    check_removal(path, fs::remove_dir_all(path))
}

fn check_removal(path: &Path, result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_remove(path, &error)),
        _ => Ok(()),
    }
}

pub(super) fn cannot_remove(path: &Path, cause: &io::Error) -> Error {
    Error::failure(format!("cannot remove {}", path.display()))
        .caused_by(cause)
        .hint("check that you may write to its directory, then try again")
}

/// Removes pgcred's own files and directories from a directory, except for those in `kept_paths`,
/// and the directory itself if it is empty then. Tells whether anything was removed.
pub(crate) fn empty_directory(
    path: &Path,
    kept_paths: &[PathBuf],
    is_ours: impl Fn(&str) -> bool,
) -> Result<bool> {
    let mut has_removed = false;
    for part in list(path) {
        let name = part.file_name().map(OsStr::to_string_lossy);
        if kept_paths.contains(&part) || !is_ours(&name.unwrap_or_default()) {
            continue;
        }
        has_removed = true;
        match fs::symlink_metadata(&part) {
            Ok(metadata) if metadata.is_dir() => remove_directory(&part)?,
            _ => remove(&part)?,
        }
    }
    let is_gone = fs::remove_dir(path).is_ok(); // fails if something is left in it
    Ok(has_removed || is_gone)
}

/// Removes the directories above a file that are empty, up to the user's home directory.
pub(crate) fn remove_empty_directories(path: &Path) {
    let Some(home) = env::home() else { return };
    for directory in path.ancestors().skip(1) {
        let is_below_home = directory.starts_with(&home) && *directory != *home;
        if !is_below_home || fs::remove_dir(directory).is_err() {
            return;
        }
    }
}
