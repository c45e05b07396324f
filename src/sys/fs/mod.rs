//! Reads and writes files of the user's, as the only module.
//!
//! ```text
//! read     a whole file, limited in length           foreign   a file of another program
//! edit     lock -> read -> change -> new file -> look again -> rename over the old file
//! swap                               new file ---------------> rename over the old file
//! remove   files and directories, which may be gone already
//! lock     one writer at a time for each file
//! private_directory   files of one run, which go with it
//! path     where a link leads, and the names of the files beside a file
//! trust    who owns a file, and who else can change it
//! unix, windows   owners, modes and locks of the system
//! ```
//!
//! A file is written as a whole, private, and in one step: a reader finds the old text or the new
//! one. Two processes that change a file wait for each other.

mod edit;
mod foreign;
mod lock;
mod path;
mod private_directory;
mod read;
mod remove;
mod swap;
pub(crate) mod trust;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result};
pub(crate) use edit::{edit, edit_cache, edit_text, remove_needless_copy, replace};
pub(crate) use foreign::{
    read_foreign, read_foreign_cache, read_foreign_settings, read_foreign_text,
};
pub(crate) use lock::{FileLock, clear_leftovers, is_locked, lock};
use path::{backup_path, directory_and_name, resolve_link};
pub(crate) use private_directory::{
    PrivateDirectory, is_in_private_directory, new_private_directory, private_directory_parents,
    remove_abandoned_directories, remove_private_directories,
};
pub(crate) use read::{
    FileTrust, check_absence, read, read_dated, read_if_plain, read_own, read_plain, read_private,
};
pub(crate) use remove::{empty_directory, remove, remove_directory, remove_empty_directories};
pub(crate) use swap::{
    replace_atomically, replace_atomically_for_owner, replace_atomically_with_time,
};
#[cfg(unix)]
use unix as platform;
#[cfg(not(unix))]
use windows as platform;

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
pub(crate) enum FilePresence {
    Present,
    /// The directory of the file can be read, and the file is not in it.
    Missing,
    /// This directory of the file does not exist now, or cannot be read. The file may come back,
    /// for example with a volume.
    Unreachable(PathBuf),
}

/// Tells whether a file exists. For a link that is the file to which it leads.
pub(crate) fn presence(path: &Path) -> FilePresence {
    let path = match resolve_link(path) {
        Ok(path) => path,
        Err(_) => path.to_owned(),
    };
    match fs::metadata(&path) {
        Ok(_) => FilePresence::Present,
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && directory_and_name(&path).is_ok() =>
        {
            FilePresence::Missing
        }
        Err(_) => FilePresence::Unreachable(path.parent().unwrap_or(&path).to_owned()),
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
pub(crate) fn file_state(path: &Path) -> Option<FileState> {
    let metadata = fs::metadata(path).ok()?;
    Some(FileState {
        is_plain: metadata.is_file(),
        is_open_to_others: platform::is_open_to_others(&metadata),
        other_owner: platform::other_owner(&metadata),
    })
}

/// Returns the time of the last change of a file.
pub(crate) fn time_of_change(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Writes a private file that may get lost. Its readers check what they read, so it is neither
/// synced to the disk nor renamed into its place.
pub(crate) fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    platform::private_mode(options.write(true).create_new(true));
    remove(path)?;
    let result = match options.open(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) => Err(error),
    };
    result.map_err(|error| trust::explain_denial(path, &error, Error::writing(path, &error)))
}

/// Returns the copy of a file that [`replace`] has made.
pub(crate) fn backup(path: &Path) -> Option<Vec<u8>> {
    let path = resolve_link(path).ok()?;
    let (directory, name) = directory_and_name(&path).ok()?;
    read(&backup_path(directory, name))
}

/// Makes a directory that only the user can enter, if it does not exist.
pub(crate) fn create_private_directory(path: &Path) -> Result<()> {
    platform::create_private_directory(path).map_err(|cause| {
        let error = Error::failure(format!("cannot create the directory {}", path.display()))
            .caused_by(&cause)
            .hint("check that you may write there and that the disk is not full");
        trust::explain_denial(path, &cause, error)
    })
}

/// Tells whether a path is that of a Unix socket itself, and not of a link to one.
#[cfg(unix)]
pub(crate) fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type().is_socket(),
        Err(_) => false,
    }
}

/// Lets only the user open a Unix socket.
#[cfg(unix)]
pub(crate) fn make_socket_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// Makes a directory for pgcred's own files as [`create_private_directory`] does. It is an error if
/// another user can change the directory.
pub(crate) fn ensure_own_directory(path: &Path) -> Result<()> {
    create_private_directory(path)?;
    trust::check_path(path)
}

#[cfg(test)]
mod tests;
