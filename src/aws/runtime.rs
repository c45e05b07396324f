//! What all questions to AWS run on: the network runtime, and the locks of sessions in AWS's
//! caches.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::fs::{self, Lock};
use crate::sys::limits;
use crate::sys::paths::CacheDirectory;

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let failed = |error: &dyn std::error::Error| {
        Error::failure("cannot start the network runtime").caused_by(error)
    };
    limits::check_room().map_err(|error| {
        failed(&error)
            .hint("end other programs, or raise the limits: ulimit -n 1024; ulimit -u 1024")
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    let answer = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(answer)
}

/// Returns the directory of these locks, and of what those who log in tell each other. Root in the
/// home directory of another user has none: made by root, it would lock that user out.
pub(super) fn locks_directory() -> Option<PathBuf> {
    if fs::trust::roots_foreign_home().is_some() {
        return None;
    }
    Some(CacheDirectory::of_user()?.locks())
}

/// Held by whoever changes a session of AWS's cache; none where the lock cannot be had, for it
/// saves only work.
pub(super) fn session_lock(id: &str, patience: Duration) -> Option<Lock> {
    let directory = locks_directory()?;
    fs::own_directory(&directory).ok()?;
    fs::lock(&directory.join(id), patience).ok()
}
