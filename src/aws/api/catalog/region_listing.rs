//! Asks one region for everything that the listing wants of it.

use futures_util::future;

use super::catalog_part::CatalogPart;
use super::question::RegionQuery;
use super::{dsql_listing, failures, rds_listing};

/// How many questions a region has before anything is known of it.
pub(super) const QUESTIONS: usize = 1 + rds_listing::QUESTIONS;

/// Lists what there is in one region: Aurora DSQL, then RDS.
pub(super) async fn list_region(query: &RegionQuery<'_>) -> CatalogPart {
    let of_dsql = Box::pin(dsql_listing::list_dsql(query));
    let of_rds = Box::pin(rds_listing::list_rds(query));
    let (mut of_region, of_rds) = future::join(of_dsql, of_rds).await;
    if of_rds.is_answered {
        failures::drop_failures_of_missing_service(&mut of_region.failures);
    }
    of_region.append(of_rds);
    of_region
}
