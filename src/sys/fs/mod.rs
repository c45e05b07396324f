//! The only module that reads and writes files of the user's.
//!
//! ```text
//! read     a whole file, limited in length           foreign   a file of another program
//! edit     lock -> read -> change -> new file -> look again -> rename over the old file
//! swap                               new file ---------------> rename over the old file
//! lock     one writer at a time for each file
//! private_directory   files of one run, which go with it
//! trust    who owns a file, and who else can change it
//! unix, windows   owners, modes and locks of the system
//! ```
//!
//! A file is written as a whole, private, and in one step: a reader finds the old text or the new
//! one. Two processes that change a file wait for each other.

mod edit;
mod foreign;
mod lock;
mod private_directory;
mod read;
mod remove;
mod swap;
pub(crate) mod trust;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::text::quote;
pub(crate) use edit::{edit, edit_cache, edit_text, replace};
pub(crate) use foreign::{
    read_foreign, read_foreign_cache, read_foreign_settings, read_foreign_text,
};
pub(crate) use lock::{Lock, clear_leftovers, is_locked, lock};
pub(crate) use private_directory::{
    PrivateDirectory, is_in_private_directory, new_private_directory, private_directory_parents,
    remove_abandoned_directories, remove_private_directories,
};
pub(crate) use read::{
    check_absence, read, read_dated, read_if_plain, read_own, read_plain, read_private,
};
pub(crate) use remove::{empty_directory, remove, remove_directory, remove_empty_directories};
pub(crate) use swap::{swap_in, swap_in_dated, swap_in_for_owner};
#[cfg(unix)]
use unix as platform;
#[cfg(not(unix))]
use windows as platform;

/// The time between two looks at a file or a lock that is waited for.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells whether a directory exists, belongs to the user, and cannot be changed by another user.
pub(crate) fn is_own_directory(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => {
            metadata.is_dir() && platform::is_own(&metadata) && trust::is_trusted(&metadata)
        }
        Err(_) => false,
    }
}

/// Returns the paths of everything in a directory. A directory that cannot be read counts as empty.
pub(crate) fn list(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Ok(entries) = fs::read_dir(directory) {
        for entry in entries.flatten() {
            paths.push(entry.path());
        }
    }
    paths
}

/// Returns a text that changes whenever the file's text does; `None` if the file does not exist.
pub(crate) fn stamp(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    Some(platform::stamp(&metadata))
}

/// Returns the stamp of a file as [`stamp`] does; `None` for a directory, whose stamp would change
/// with each file in it.
pub(crate) fn stamp_of_file(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if metadata.is_dir() {
        return None;
    }
    Some(platform::stamp(&metadata))
}

/// Whether a file exists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    /// The directory of the file can be read, and the file is not in it.
    Gone,
    /// This directory of the file does not exist now, or cannot be read. The file may come back,
    /// for example with a volume.
    OutOfReach(PathBuf),
}

/// Tells whether a file exists. For a link that is the file to which it leads.
pub(crate) fn presence(path: &Path) -> Presence {
    let path = match resolve(path) {
        Ok(resolved) => resolved,
        Err(_) => path.to_owned(),
    };
    match fs::metadata(&path) {
        Ok(_) => Presence::Here,
        Err(error) if error.kind() == io::ErrorKind::NotFound && parts(&path).is_ok() => {
            Presence::Gone
        }
        Err(_) => Presence::OutOfReach(path.parent().unwrap_or(&path).to_owned()),
    }
}

/// What other programs see of a file, and whether they would use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) is_plain: bool,
    /// Whether other users have any rights to it.
    pub(crate) is_open_to_others: bool,
    /// The name of the owner, if it is not the user.
    pub(crate) other_owner: Option<String>,
}

/// Returns what other programs see of a file, or of the file to which a link leads; `None` if there
/// is none.
pub(crate) fn state(path: &Path) -> Option<FileState> {
    let metadata = fs::metadata(path).ok()?;
    Some(FileState {
        is_plain: metadata.is_file(),
        is_open_to_others: platform::is_open_to_others(&metadata),
        other_owner: platform::other_owner(&metadata),
    })
}

/// Returns the time of the last change of a file.
pub(crate) fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Writes a private file that may get lost. Its readers check what they read, so it is neither
/// synced to the disk nor renamed into its place.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    platform::private_mode(options.write(true).create_new(true));
    remove(path)?;
    let written = match options.open(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) => Err(error),
    };
    written.map_err(|error| trust::explain_denial(path, &error, Error::writing(path, &error)))
}

/// Returns the copy of a file that [`replace`] has made.
pub(crate) fn backup(path: &Path) -> Option<Vec<u8>> {
    let path = resolve(path).ok()?;
    let (directory, name) = parts(&path).ok()?;
    read(&backup_path(directory, name))
}

fn backup_path(directory: &Path, name: &OsStr) -> PathBuf {
    directory.join(suffixed(name, ".pgcred-backup"))
}

/// Makes a directory that only the user can enter, if it does not exist.
pub(crate) fn private_directory(path: &Path) -> Result<()> {
    platform::create_private_directory(path).map_err(|error| {
        let failed = Error::failure(format!("cannot create the directory {}", path.display()))
            .caused_by(&error);
        trust::explain_denial(path, &error, failed)
    })
}

/// Makes a directory for pgcred's own files as [`private_directory`] does. It is an error if
/// another user can change the directory.
pub(crate) fn own_directory(path: &Path) -> Result<()> {
    private_directory(path)?;
    trust::check_path(path)
}

/// Returns the path to which a link leads, or the path itself. The file to which it leads need not
/// exist.
///
/// A link of another user is an error: pgcred would write into a file that this user chose.
fn resolve(path: &Path) -> Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            return Ok(path);
        };
        if let Ok(link) = fs::symlink_metadata(&path) {
            trust::check_owner(&path, &link)?;
        }
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(Error::usage(format!("{}: too many links", path.display()))
        .hint("it may lead back to itself: remove the link, or name another file"))
}

/// Returns the directory and the name of a file. A directory that does not exist is an error.
fn parts(path: &Path) -> Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else {
        let shown = path.display();
        let wrong = Error::usage(format!("{shown} is not the path of a file"));
        return Err(wrong.hint("add the name of a file to it"));
    };
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    if directory.is_dir() {
        return Ok((directory, name));
    }
    let shown = directory.display();
    let missing = Error::failure(format!("the directory {shown} does not exist"));
    if let Ok(inside) = path.strip_prefix("~") {
        let inside = inside.display();
        return Err(missing.hint(format!(
            "the shell did not expand ~: write \"$HOME/{inside}\""
        )));
    }
    let quoted = quote::posix(&directory.to_string_lossy());
    Err(missing.hint(format!("mkdir -p -m 700 {quoted}")))
}

fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// Returns the error about a file that cannot be written. The name of the temporary file beside it
/// is cut off, because it would only confuse the user.
fn cannot_write(path: &Path, cause: &io::Error) -> Error {
    let mut reason = cause.to_string();
    if let Some(end) = reason.find(" at path ") {
        reason.truncate(end);
    }
    let error = Error::failure(format!("cannot write {}: {reason}", path.display()));
    trust::explain_denial(path, cause, error)
}

#[cfg(test)]
mod tests;
