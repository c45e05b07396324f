//! Finds paths of files: where a link leads, which directory a file is in, and the names of the
//! files that pgcred puts beside it. It also makes the error of a file that cannot be written.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::trust;
use crate::error::{Error, Result};
use crate::sys::typed_commands;

/// The time between two looks at a file or a lock that is waited for.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// Returns the path of the copy that `setup` keeps of a file.
pub(super) fn backup_path(directory: &Path, name: &OsStr) -> PathBuf {
    directory.join(suffixed(name, ".pgcred-backup"))
}

/// Returns the path to which a link leads, or the path itself. The file to which it leads need not
/// exist.
///
/// A link of another user is an error: pgcred would write into a file that this user chose.
pub(super) fn resolve_link(path: &Path) -> Result<PathBuf> {
    const MAX_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            return Ok(path);
        };
        if let Ok(link) = fs::symlink_metadata(&path) {
            trust::check_owner(&path, &link)?;
        }
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(
        Error::usage(format!("{} leads through too many links", path.display()))
            .hint("remove the link, which may lead back to itself, or name another file"),
    )
}

/// Returns the directory and the name of a file. A directory that does not exist is an error.
pub(super) fn directory_and_name(path: &Path) -> Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else {
        let shown = path.display();
        let error = Error::usage(format!("{shown} is not the path of a file"));
        return Err(error.hint("add the name of a file to it"));
    };
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    if directory.is_dir() {
        return Ok((directory, name));
    }
    let shown = directory.display();
    let error = Error::usage(format!("the directory {shown} does not exist"));
    if let Ok(relative_path) = path.strip_prefix("~") {
        let relative_path = relative_path.display();
        return Err(error.hint(format!(
            "write \"$HOME/{relative_path}\": the shell did not expand ~"
        )));
    }
    let make = typed_commands::make_directory(directory);
    Err(error.hint(format!("make it with `{make}`")))
}

pub(super) fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// Returns the error about a file that cannot be written. The name of the temporary file beside it
/// is cut off, because it would only confuse the user.
pub(super) fn cannot_write(path: &Path, cause: &io::Error) -> Error {
    let mut reason = cause.to_string();
    if let Some(end) = reason.find(" at path ") {
        reason.truncate(end);
    }
    let error = Error::failure(format!("cannot write {}: {reason}", path.display()))
        .hint("check that you may write there and that the disk is not full");
    trust::explain_denial(path, cause, error)
}
