//! Asks one region for everything that the listing wants of it.

use futures_util::future;

use super::catalog_part::CatalogPart;
use super::question::RegionQuery;
use super::{dsql_listing, failures, rds_listing};

/// How many questions a region has before anything is known of it.
pub(super) const QUESTIONS: usize = 1 + rds_listing::QUESTIONS;

/// Lists what there is in one region: Aurora DSQL, then RDS.
pub(super) async fn list_region(query: &RegionQuery<'_>) -> CatalogPart {
    let dsql_part = Box::pin(dsql_listing::list_dsql(query));
    let rds_part = Box::pin(rds_listing::list_rds(query));
    let (mut region_part, rds_part) = future::join(dsql_part, rds_part).await;
    if rds_part.is_answered {
        failures::drop_failures_of_missing_service(&mut region_part.failures);
    }
    region_part.append(rds_part);
    region_part
}
