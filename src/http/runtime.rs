//! Runs the network runtime that requests run on: one thread, started for each question.

use std::future::Future;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::sys::{limits, typed_commands};

/// Runs a task to its end. Programs that it leaves behind are not waited for.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    const FAILED: &str = "cannot start the network runtime";
    if let Err(error) = limits::check_room() {
        return Err(Error::system(FAILED, &error).hint(typed_commands::HINT_AT_LIMITS));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Err(Error::system(FAILED, &error)),
    };
    let answer = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(answer)
}

/// Runs a task to its end. Returns nothing if the deadline comes first.
pub(crate) fn block_until<T>(
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Result<Option<T>> {
    let time_left = deadline.saturating_duration_since(Instant::now());
    let answer = block_on(async move { tokio::time::timeout(time_left, work).await })?;
    Ok(answer.ok())
}
