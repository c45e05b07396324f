//! Writes new files and renames them over the old ones. Readers find the old text or the new one.
//! `edit` calls this under the lock of the file. The other callers take no lock: their files are
//! logins in directories of the AWS CLI, root certificates, and the file for shell hooks.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread::sleep;
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::lock::{NEW_SUFFIX, new_files};
use super::path::{PAUSE, cannot_write, directory_and_name, suffixed};
use super::remove::remove;
use super::{create_private_directory, platform};
use crate::error::Result;

/// Replaces a private file, such as one of another program. No lock is taken: if another process
/// writes it too, the last one wins.
pub(crate) fn replace_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_prepared(path, bytes, |_| Ok(()))
}

/// Replaces a file as [`replace_atomically`] does, and sets the time of its last change.
pub(crate) fn replace_atomically_with_time(
    path: &Path,
    bytes: &[u8],
    modified_at: SystemTime,
) -> Result<()> {
    replace_prepared(path, bytes, |new| new.set_modified(modified_at))
}

/// Replaces a file as [`replace_atomically`] does. If root writes it, the file belongs to the owner
/// of the directory, whose programs read and write it too.
pub(crate) fn replace_atomically_for_owner(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_prepared(path, bytes, |new| {
        if !platform::is_root() {
            return Ok(());
        }
        let directory = path.parent().unwrap_or(path);
        platform::keep_owner(new, &fs::metadata(directory)?)
    })
}

/// Takes no lock that other programs could see. The new file itself is locked while its writer
/// lives. A new file without a lock was left by a killed writer, and is removed.
fn replace_prepared(
    path: &Path,
    bytes: &[u8],
    prepare: impl Fn(&File) -> io::Result<()>,
) -> Result<()> {
    const TRIES: u32 = 3;
    make_directory_of(path)?;
    let (directory, name) = directory_and_name(path)?;
    remove_abandoned(directory, name);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let new = new_file(path, bytes)?;
        let result = match prepare(new.as_file()) {
            Ok(()) => swap(new, path),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => return Ok(()),
            // Another writer has removed the new file in the moment before it was locked.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < TRIES => {}
            Err(error) => return Err(cannot_write(path, &error)),
        }
    }
}

/// Makes the directory of a file, if it does not exist.
pub(super) fn make_directory_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(directory) => create_private_directory(directory),
        None => Ok(()),
    }
}

/// Writes a text into a new file beside the file that it will replace.
pub(super) fn new_file(path: &Path, text: &[u8]) -> Result<NamedTempFile> {
    let (directory, name) = directory_and_name(path)?;
    let result = tempfile::Builder::new()
        .prefix(&suffixed(name, NEW_SUFFIX))
        .tempfile_in(directory);
    let mut new = result.map_err(|error| cannot_write(path, &error))?;
    platform::lock_as_writer(new.as_file());
    let result = new.write_all(text);
    result.map_err(|error| cannot_write(path, &error))?;
    Ok(new)
}

pub(super) fn sync(new: &NamedTempFile, path: &Path) -> Result<()> {
    let result = new.as_file().sync_all();
    result.map_err(|error| cannot_write(path, &error))
}

/// Removes the new files whose writers were killed.
fn remove_abandoned(directory: &Path, name: &OsStr) {
    for path in new_files(directory, name) {
        if platform::is_abandoned(&path) {
            let _ = remove(&path); // nothing in it is needed
        }
    }
}

/// Renames a new file over the old one. Windows refuses that while a reader has the old file open,
/// so it is tried again for a while.
pub(super) fn swap(mut new: NamedTempFile, path: &Path) -> io::Result<()> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        match new.persist(path) {
            Ok(_) => return Ok(()),
            Err(error)
                if cfg!(windows) && error.error.kind() == io::ErrorKind::PermissionDenied =>
            {
                new = error.file;
                sleep(PAUSE);
            }
            Err(error) => return Err(error.error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "another program keeps the file open",
    ))
}
