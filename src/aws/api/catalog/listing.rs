//! Carries out one listing: asks all regions at once, and finds the account that the keys belong
//! to.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{self, Either};

use super::catalog_part::CatalogPart;
use super::in_region;
use super::question::{CatalogProgress, InRegion};
use super::verdict;
use crate::authority::{CallerIdentity, CatalogAnswer, Inspected, Region};
use crate::aws::api::client::ApiClient;
use crate::aws::api::sts;

/// How much longer than all others STS is waited for.
const PATIENCE_FOR_STS: Duration = Duration::from_secs(1);

/// Lists what there is in these regions. STS, which is asked in `home`, says whose keys these are.
pub(super) async fn list_regions(
    client: &ApiClient<'_>,
    home: &str,
    regions: &[Region],
    progress: CatalogProgress<'_>,
) -> Inspected<CatalogAnswer> {
    let mut asked = Vec::new();
    for region in regions {
        asked.push(InRegion {
            client,
            region,
            progress,
        });
    }
    for region in &asked {
        region.plan(in_region::QUESTIONS);
    }
    let parts = future::join_all(asked.iter().map(in_region::list_region));
    let (parts, caller) = join_with_caller(parts, sts::caller_identity(client, home)).await;
    let mut of_all = CatalogPart::default();
    for part in parts {
        of_all.append(part);
    }
    verdict::check_keys(&of_all, caller.as_ref())?;
    let account = match caller {
        Some(Ok(caller)) => {
            verdict::with_known_keys(&mut of_all.failures);
            Some(caller.account)
        }
        _ => of_all.account,
    };
    verdict::once_for_a_region(&mut of_all.failures);
    Ok(CatalogAnswer {
        account,
        databases: of_all.databases,
        idle_hosts: of_all.idle_hosts,
        failures: of_all.failures,
        complete: of_all.complete,
    })
}

/// Waits for all parts, and for the caller not much longer than that: an STS that hangs must not
/// hold up what was found.
async fn join_with_caller<T>(
    parts: impl Future<Output = T>,
    caller: impl Future<Output = Inspected<CallerIdentity>>,
) -> (T, Option<Inspected<CallerIdentity>>) {
    match future::select(pin!(parts), pin!(caller)).await {
        Either::Left((parts, caller)) => {
            let caller = tokio::time::timeout(PATIENCE_FOR_STS, caller).await;
            (parts, caller.ok())
        }
        Either::Right((caller, parts)) => (parts.await, Some(caller)),
    }
}
