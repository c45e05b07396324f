//! Makes private directories that last as long as one run of pgcred: for the passfile of `pgcred
//! exec`, and for files that another program reads.
//!
//! The run that makes such a directory holds a lock in it. A directory whose lock is free was left
//! by a killed run. The next run that makes a private directory removes it.
//!
//! The directories are in the user's own directories if possible. Otherwise they are in the
//! directory for temporary files, where other users can make files too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lock::{FileLock, lock};
use super::remove::{cannot_remove, remove};
use super::{ensure_own_directory, is_own_directory, list, platform, stamp, trust};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::paths::{self, CacheDirectory};

/// A private directory, which is removed when this value is dropped. If the run is killed, a later
/// run removes it.
pub(crate) struct PrivateDirectory {
    directory: PathBuf,
    lock: Option<FileLock>,
}

impl PrivateDirectory {
    /// Returns the path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for PrivateDirectory {
    /// Removes the directory if it still holds the lock. If another user has put another directory
    /// in its place, nothing in that one is removed.
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take()
            && lock.is_at(&self.path(LOCK))
        {
            let _ = remove_abandoned(&self.directory, Some(lock)); // a later run tries again
        }
    }
}

/// The name of the lock inside a private directory, which the run that made the directory holds.
const LOCK: &str = "lock";
/// The beginning of the name of a private directory in a directory of the user's own.
const OWN_PREFIX: &str = "run-";
/// The beginning of the name of a private directory in the directory for temporary files.
const SHARED_PREFIX: &str = "pgcred-run-";

/// Returns the user's own directories for private directories. The best one comes first: on systems
/// that have a runtime directory, its files are kept in memory only.
///
/// A directory that another user could change is left out. No directory is made.
pub(crate) fn private_directory_parents() -> Vec<PathBuf> {
    let mut parents = Vec::new();
    if paths::own_home().is_none()
        && let Some(runtime) = env::runtime_directory()
        && is_own_directory(&runtime)
    {
        parents.push(paths::runs_directory(&paths::pgcred_directory_in(&runtime)));
    }
    if let Some(cache) = CacheDirectory::for_user()
        && trust::root_in_foreign_home_error().is_none()
    {
        parents.push(paths::runs_directory(cache.path()));
    }
    parents
}

/// Returns every directory that may contain private directories, with the beginning of their names.
fn parent_directories() -> Vec<(PathBuf, &'static str)> {
    let mut places = Vec::new();
    for parent in private_directory_parents() {
        if is_own_parent(&parent) {
            places.push((parent, OWN_PREFIX));
        }
    }
    if let Ok(parent) = shared_parent() {
        places.push((parent, SHARED_PREFIX));
    }
    places
}

/// Tells whether a directory for private directories, and the directory above it, are the user's
/// own. Neither may be a link that another user made: it could lead to other files of the user's.
fn is_own_parent(parent: &Path) -> bool {
    let is_own = |directory: &Path| {
        let Ok(link) = fs::symlink_metadata(directory) else {
            return false;
        };
        is_own_directory(directory) && platform::untrusted_owner(&link).is_none()
    };
    parent
        .parent()
        .is_some_and(|grandparent| is_own(parent) && is_own(grandparent))
}

/// Makes a directory for private directories, if it does not exist.
fn ensure_own_parent(parent: &Path) -> Result<()> {
    ensure_own_directory(parent)?;
    if is_own_parent(parent) {
        return Ok(());
    }
    // No hint: the user reads what failed at all places in one error, as in the next functions.
    Err(Error::failure(format!(
        "{} does not belong to this user, or another user can change it",
        parent.display()
    )))
}

/// Returns the directory for temporary files, in which every user may make private directories. It
/// has to belong to root or the user, because its owner could exchange the directories in it.
fn shared_parent() -> Result<PathBuf> {
    let directory = env::temporary_directory();
    if trust::is_trusted_place(&directory) {
        return Ok(directory);
    }
    let shown = directory.display();
    // No hint: see `ensure_own_parent`.
    Err(Error::failure(format!(
        "{shown} does not exist, or another user owns it or can replace it"
    )))
}

/// Returns the private directories in a directory. A directory that other users can read was not
/// made by [`new_private_directory`], so it is left out: a user may have moved it there.
fn private_directories(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut directories = list(parent);
    directories.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        // The name is checked first, because there may be thousands of other users' files.
        if !name.to_string_lossy().starts_with(prefix) {
            return false;
        }
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return false;
        };
        metadata.is_dir() && platform::is_own(&metadata) && !platform::is_open_to_others(&metadata)
    });
    directories
}

/// The state of the run that made a private directory.
enum MakerState {
    Runs,
    /// The run has ended. The lock, if there is one, is kept until the directory is removed, so
    /// that no other run takes it.
    IsGone(Option<FileLock>),
}

/// Tells whether the run that made a private directory still runs.
///
/// An empty directory counts as one that a run is making at this moment, because the lock is the
/// first file in each. If such a directory is removed, its maker makes another one.
fn state_of_maker(directory: &Path) -> MakerState {
    let path = directory.join(LOCK);
    // Before the look at the lock, which may come now.
    let has_contents = !list(directory).is_empty();
    match stamp(&path) {
        Some(_) => match lock(&path, Duration::ZERO) {
            Ok(lock) => MakerState::IsGone(Some(lock)),
            Err(_) => MakerState::Runs,
        },
        None if has_contents => MakerState::IsGone(None),
        None => MakerState::Runs,
    }
}

/// Tells whether a file is in a private directory whose maker still runs.
pub(crate) fn is_in_private_directory(file: &Path) -> bool {
    match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => {}
        _ => return false,
    }
    // The path has to be absolute, because `tempfile` makes absolute paths.
    let Ok(file) = std::path::absolute(file) else {
        return false;
    };
    for (parent, prefix) in parent_directories() {
        for directory in private_directories(&parent, prefix) {
            let directory = std::path::absolute(&directory).unwrap_or_default();
            if file.parent() == Some(&directory)
                && stamp(&directory.join(LOCK)).is_some()
                && matches!(state_of_maker(&directory), MakerState::Runs)
            {
                return true;
            }
        }
    }
    false
}

fn is_lock(file: &Path) -> bool {
    file.file_name() == Some(LOCK.as_ref())
}

/// Tells whether pgcred puts files of this name into private directories: a passfile, the new file
/// that is going to replace it, root certificates, or a crontab.
fn is_removable_secret(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("passfile") || name.ends_with(".pem") || name == "crontab"
}

/// Removes pgcred's files from a private directory, as far as possible. The lock stays.
fn remove_secrets(directory: &Path) {
    for file in list(directory) {
        if is_removable_secret(&file) {
            let _ = remove(&file); // a file that stays makes the removal of the directory fail
        }
    }
}

/// Removes a private directory whose maker has ended or is ending.
///
/// The files go first, and the lock goes last. If this run is killed in between, the directory does
/// not look like the one of a run that is starting, and the next run removes it. If a file cannot
/// be removed, the lock stays for the same reason.
///
/// A run that is starting may put its lock there again. Then the directory is not empty, and stays.
fn remove_abandoned(directory: &Path, lock: Option<FileLock>) -> Result<()> {
    remove_secrets(directory);
    if list(directory).iter().any(|file| !is_lock(file)) {
        return Err(Error::failure(format!(
            "cannot remove {}: it is not empty",
            directory.display()
        ))
        .hint("look at the files in it, and remove it by hand"));
    }
    if cfg!(windows) {
        drop(lock); // on Windows an open file keeps its directory
    }
    remove(&directory.join(LOCK))?;
    fs::remove_dir(directory).map_err(|error| cannot_remove(directory, &error))
}

/// Removes the private directories in a directory whose makers have ended. Returns each one that
/// was removed, and an error for each one that could not be. If other users could exchange them
/// meanwhile, as on a volume that is open to all users, they stay.
fn remove_left_in(parent: &Path, prefix: &str) -> Vec<Result<PathBuf>> {
    let mut results = Vec::new();
    if trust::can_be_exchanged_in(parent) {
        return results;
    }
    for directory in private_directories(parent, prefix) {
        // This removes an empty directory only. Its maker was killed before it had a lock, or makes
        // another one.
        if fs::remove_dir(&directory).is_ok() {
            results.push(Ok(directory));
        } else if let MakerState::IsGone(lock) = state_of_maker(&directory) {
            results.push(remove_abandoned(&directory, lock).map(|()| directory));
        }
    }
    results
}

/// Removes the private directories of killed runs from the user's own directories, as far as
/// possible. The directory for temporary files may be large. The next run that makes a private
/// directory there cleans it up.
pub(crate) fn remove_abandoned_directories() {
    for parent in private_directory_parents() {
        if is_own_parent(&parent) {
            remove_left_in(&parent, OWN_PREFIX);
        }
    }
}

/// Removes all private directories of killed runs. Of the user's own directories for them, and of
/// those above, removes the ones that are empty then.
///
/// Returns each private directory that was removed, an error for each one that could not be, and
/// the ones whose makers still run.
pub(crate) fn remove_private_directories() -> (Vec<Result<PathBuf>>, Vec<PathBuf>) {
    let (mut results, mut directories_in_use) = (Vec::new(), Vec::new());
    for (parent, prefix) in parent_directories() {
        results.extend(remove_left_in(&parent, prefix));
        for directory in private_directories(&parent, prefix) {
            if let MakerState::Runs = state_of_maker(&directory) {
                directories_in_use.push(directory);
            }
        }
    }
    for parent in private_directory_parents() {
        if fs::remove_dir(&parent).is_ok()
            && let Some(grandparent) = parent.parent()
        {
            let _ = fs::remove_dir(grandparent); // fails if anything else is in it
        }
    }
    (results, directories_in_use)
}

/// Makes a private directory in the first of the user's own directories in which that is possible,
/// otherwise in the directory for temporary files. Directories of killed runs are removed before.
pub(crate) fn new_private_directory() -> Result<PrivateDirectory> {
    let mut errors = Vec::new();
    for parent in private_directory_parents() {
        match directory_in_own_parent(&parent) {
            Ok(directory) => return Ok(directory),
            Err(error) => errors.push(error.to_string()),
        }
    }
    match directory_in_shared() {
        Ok(directory) => return Ok(directory),
        Err(error) => errors.push(error.to_string()),
    }
    let errors = errors.join("; ");
    Err(
        Error::failure(format!("there is no place for a private file: {errors}"))
            .hint("set XDG_RUNTIME_DIR or TMPDIR to a directory in which you can write"),
    )
}

fn directory_in_own_parent(parent: &Path) -> Result<PrivateDirectory> {
    ensure_own_parent(parent)?;
    directory_in(parent, OWN_PREFIX)
}

fn directory_in_shared() -> Result<PrivateDirectory> {
    directory_in(&shared_parent()?, SHARED_PREFIX)
}

/// Makes a directory with a random name that no other user can enter, and takes its lock.
///
/// Another run that cleans up may come between these two steps. It takes the lock before it removes
/// the directory. Therefore this run keeps the directory if it gets the lock and the directory
/// still exists, and otherwise makes another one.
fn directory_in(parent: &Path, prefix: &str) -> Result<PrivateDirectory> {
    const TRIES: u32 = 100;
    remove_left_in(parent, prefix);
    let shown = parent.display();
    // No hint to any of these: see `ensure_own_parent`.
    let mut error = Error::failure(format!("cannot keep a private directory in {shown}"));
    for _ in 0..TRIES {
        let directory = match platform::private_temporary_directory(prefix, parent) {
            Ok(directory) => directory,
            Err(error) => {
                // No hint
                return Err(Error::failure(format!("cannot write to {shown}")).caused_by(&error));
            }
        };
        if !is_own_directory(directory.path()) && directory.path().exists() {
            // No hint
            return Err(Error::failure(format!(
                "{} belongs to another user",
                directory.path().display()
            )));
        }
        let path = directory.path().join(LOCK);
        match lock(&path, Duration::ZERO) {
            Err(lock_error) => error = lock_error,
            Ok(lock) if stamp(&path).is_some() => {
                return Ok(PrivateDirectory {
                    directory: directory.keep(),
                    lock: Some(lock),
                });
            }
            Ok(_) => {}
        }
    }
    Err(error)
}
