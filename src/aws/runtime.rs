//! The network runtime that all questions to AWS run on, and the locks of the login sessions in
//! AWS's caches.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::fs::{self, FileLock};
use crate::sys::limits;
use crate::sys::paths::CacheDirectory;

/// Runs a task to its end. Programs that it leaves behind are not waited for.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let failed = Error::failure("cannot start the network runtime");
    if let Err(error) = limits::check_room() {
        return Err(failed
            .caused_by(&error)
            .hint("end other programs, or raise the limits: ulimit -n 1024; ulimit -u 1024"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Err(failed.caused_by(&error)),
    };
    let answer = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(answer)
}

/// Returns the directory of these locks, and of the notes that processes which log in leave for
/// each other. Root in the home directory of another user has none: a directory of root's would
/// lock that user out.
pub(super) fn locks_directory() -> Option<PathBuf> {
    if fs::trust::roots_foreign_home().is_some() {
        return None;
    }
    Some(CacheDirectory::of_user()?.locks())
}

/// Returns the lock that a process holds while it changes a session in AWS's cache. If the lock
/// cannot be taken the process goes on without it: then two processes may renew one session, and
/// the one that comes second needs a new login.
pub(super) fn session_lock(id: &str, timeout: Duration) -> Option<FileLock> {
    let directory = locks_directory()?;
    fs::own_directory(&directory).ok()?;
    fs::lock(&directory.join(id), timeout).ok()
}
