//! Bounds how many requests are under way at a time, in the whole process.
//!
//! A listing has hundreds of questions, for each profile in a thread of its own. All at once they
//! would make AWS refuse some of them, and take hundreds of connections, each with the cost of its
//! TLS; one after the other they would take a minute.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;

/// How many may be under way: 85 regions with four questions of 100 ms each then take one second.
/// AWS's buckets for these operations are by account and region, so that no account sees more than
/// a few of them.
const MAX_REQUESTS: usize = 32;
/// How long a request counts. One that AWS has not answered by then takes no time of this machine,
/// and those that hang in one region must not keep out those of the others.
const SLOT_TIME: Duration = Duration::from_secs(2);

static SLOTS: Semaphore = Semaphore::const_new(MAX_REQUESTS);

/// Does the work as soon as there is room for it.
pub(super) async fn run_in_a_slot<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let slot = SLOTS.acquire().await; // an error only if somebody closed it
    if let Ok(result) = tokio::time::timeout(SLOT_TIME, &mut work).await {
        return result;
    }
    drop(slot);
    work.await
}
