//! Takes locks between processes: one writer at a time for each file.
//!
//! A lock is an empty file that the system locks for a process. The system releases it when the
//! process ends, even if the process is killed. Locks of pgcred's own directories stay there as
//! files. The lock beside a file of another directory is removed by its last holder.
//!
//! A process that waits for a lock has opened a file that the holder may remove. Therefore a
//! process that gets a lock checks that the file still has its name, and otherwise tries again with
//! the file of that name.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::path::{PAUSE, directory_and_name, resolve_link, suffixed};
use super::remove::remove;
use super::{list, platform, stamp, trust};
use crate::error::{Error, Result};
use crate::sys::typed_commands;

/// How long a writer of a file waits for another writer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The extension of the file that locks another file.
const LOCK_SUFFIX: &str = ".pgcred-lock";
/// The extension of a new file that is going to replace a file. Random characters follow it.
pub(super) const NEW_SUFFIX: &str = ".pgcred-new-";

/// A lock. It is held until this value is dropped, and at most until the process ends.
pub(crate) struct FileLock {
    file: File,
    /// The path of the lock's file, if it is removed together with the lock.
    temporary: Option<PathBuf>,
}

impl FileLock {
    /// Tells whether a path leads to the lock's file.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        platform::has_name(&self.file, path)
    }
}

impl Drop for FileLock {
    /// Removes the file while it is still locked. A process that waits for it notices that, see
    /// [`lock`].
    fn drop(&mut self) {
        if let Some(path) = &self.temporary {
            platform::remove_lock(path);
        }
    }
}

/// Takes the lock of this name, and waits for it if another process holds it.
pub(crate) fn lock(path: &Path, timeout: Duration) -> Result<FileLock> {
    let deadline = Instant::now() + timeout;
    let mut file = open_lock_file(path)?;
    loop {
        match file.try_lock() {
            Ok(()) if platform::has_name(&file, path) => {
                return Ok(FileLock {
                    file,
                    temporary: None,
                });
            }
            Ok(()) => file = open_lock_file(path)?,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(cannot_lock(path, &error)),
        }
    }
    let (shown, seconds) = (path.display(), timeout.as_secs());
    let message = format!("another pgcred has held {shown} for {seconds} s");
    Err(Error::failure(message).hint("wait until the other one has ended, then try again"))
}

/// Opens or makes the file of a lock. Refuses a link, and everything that is not a regular file of
/// the user's.
fn open_lock_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    platform::private_mode(options.write(true).create(true).truncate(false));
    platform::nonblocking_without_links(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) => {
            return match fs::symlink_metadata(path) {
                Ok(metadata) if !metadata.is_file() => Err(unusable_lock_file(path, NOT_REGULAR)),
                _ => Err(cannot_lock(path, &error)),
            };
        }
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Err(cannot_lock(path, &error)),
    };
    if !metadata.is_file() {
        return Err(unusable_lock_file(path, NOT_REGULAR));
    }
    match platform::untrusted_owner(&metadata) {
        // Root may work for the user whose lock it is.
        Some(owner) if !platform::is_root() => {
            Err(unusable_lock_file(path, &format!("it belongs to {owner}")))
        }
        _ => Ok(file),
    }
}

const NOT_REGULAR: &str = "it is not a regular file";

/// Returns the error about something else that stands in the place of a lock.
fn unusable_lock_file(path: &Path, reason: &str) -> Error {
    let remove = typed_commands::remove_file(path);
    Error::failure(format!("cannot lock {}: {reason}", path.display()))
        .hint(format!("find out which user made it, then run `{remove}`"))
}

fn cannot_lock(path: &Path, cause: &io::Error) -> Error {
    let error = Error::failure(format!("cannot lock {}", path.display()))
        .caused_by(cause)
        .hint("check that you may write there and that the disk is not full");
    trust::explain_denial(path, cause, error)
}

/// Takes the lock of a file in any directory. The lock's file lies beside it, and is removed with
/// the lock.
pub(super) fn lock_file(directory: &Path, name: &OsStr) -> Result<FileLock> {
    let path = directory.join(suffixed(name, LOCK_SUFFIX));
    let mut lock = lock(&path, TIMEOUT)?;
    lock.temporary = Some(path);
    Ok(lock)
}

/// Returns the new files beside a file that were going to replace it.
pub(super) fn new_files(directory: &Path, name: &OsStr) -> Vec<PathBuf> {
    let prefix = suffixed(name, NEW_SUFFIX);
    let mut files = list(directory);
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name.as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes())
    });
    files
}

/// Removes the new files that killed writers have left. The caller holds the lock, so that no other
/// writer is at work.
pub(super) fn remove_leftovers(directory: &Path, name: &OsStr) {
    for path in new_files(directory, name) {
        let _ = remove(&path); // nothing in it is needed
    }
}

/// Removes everything that killed writers have left beside a file, also their lock. If there is
/// nothing to remove, makes no file.
pub(crate) fn clear_leftovers(path: &Path) -> Result<()> {
    let path = resolve_link(path)?;
    let Ok((directory, name)) = directory_and_name(&path) else {
        return Ok(());
    };
    let lock = directory.join(suffixed(name, LOCK_SUFFIX));
    if stamp(&lock).is_some() || !new_files(directory, name).is_empty() {
        let _lock = lock_file(directory, name)?;
        remove_leftovers(directory, name);
    }
    Ok(())
}

/// Tells whether another program holds a lock on a file.
pub(crate) fn is_locked(path: &Path) -> bool {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => platform::is_locked(&file),
        Err(_) => false,
    }
}
