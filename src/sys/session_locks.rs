//! Takes the locks of login sessions: of several processes, one makes or renews a session.

use std::path::PathBuf;
use std::time::Duration;

use crate::sys::fs::{self, FileLock};
use crate::sys::paths::CacheDirectory;

/// Returns the directory of these locks, and of the notes that processes which log in leave for
/// each other. Root in the home directory of another user has none: a directory of root's would
/// lock that user out.
pub(crate) fn locks_directory() -> Option<PathBuf> {
    if fs::trust::root_in_foreign_home_error().is_some() {
        return None;
    }
    Some(CacheDirectory::for_user()?.locks())
}

/// Returns the lock that a process holds while it changes a session. If the lock cannot be taken,
/// the process goes on without it: then two processes may renew one session, and the one that comes
/// second needs a new login.
pub(crate) fn session_lock(id: &str, timeout: Duration) -> Option<FileLock> {
    let directory = locks_directory()?;
    fs::ensure_own_directory(&directory).ok()?;
    fs::lock(&directory.join(id), timeout).ok()
}
