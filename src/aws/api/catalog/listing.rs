//! Carries out one listing: asks all regions at once, and finds the account that the keys belong
//! to.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{self, Either};

use super::catalog_part::CatalogPart;
use super::failures;
use super::question::{CatalogProgress, RegionQuery};
use super::region_listing;
use crate::authority::{CallerIdentity, CatalogAnswer, InspectionResult, Region};
use crate::aws::api::client::ApiClient;
use crate::aws::api::sts;

/// How much longer than all others STS is waited for.
const STS_TIMEOUT: Duration = Duration::from_secs(1);

/// Lists what there is in these regions. STS, which is asked in `home`, says whose keys these are.
pub(super) async fn list_regions(
    client: &ApiClient<'_>,
    home: &str,
    regions: &[Region],
    progress: CatalogProgress<'_>,
) -> InspectionResult<CatalogAnswer> {
    let mut queries = Vec::new();
    for region in regions {
        queries.push(RegionQuery {
            client,
            region,
            progress,
        });
    }
    for region in &queries {
        region.expect_more(region_listing::QUESTIONS);
    }
    let parts = future::join_all(queries.iter().map(region_listing::list_region));
    let (parts, caller) = join_with_caller(parts, sts::caller_identity(client, home)).await;
    let mut all_parts = CatalogPart::default();
    for part in parts {
        all_parts.append(part);
    }
    failures::check_keys(&all_parts, caller.as_ref())?;
    let account = match caller {
        Some(Ok(caller)) => {
            failures::report_regions_off(&mut all_parts.failures);
            Some(caller.account)
        }
        _ => all_parts.account,
    };
    failures::keep_one_failure_per_region_off(&mut all_parts.failures);
    Ok(CatalogAnswer {
        account,
        databases: all_parts.databases,
        idle_hosts: all_parts.idle_hosts,
        failures: all_parts.failures,
        complete_listings: all_parts.complete_listings,
    })
}

/// Waits for all parts, and for the caller not much longer than that: an STS that hangs must not
/// hold up what was found.
async fn join_with_caller<T>(
    parts: impl Future<Output = T>,
    caller: impl Future<Output = InspectionResult<CallerIdentity>>,
) -> (T, Option<InspectionResult<CallerIdentity>>) {
    match future::select(pin!(parts), pin!(caller)).await {
        Either::Left((parts, caller)) => {
            let caller = tokio::time::timeout(STS_TIMEOUT, caller).await;
            (parts, caller.ok())
        }
        Either::Right((caller, parts)) => (parts.await, Some(caller)),
    }
}
