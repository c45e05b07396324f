//! Asks one region for everything that the listing wants of it.

use futures_util::future;

use super::catalog_part::CatalogPart;
use super::question::InRegion;
use super::{of_dsql, of_rds, verdict};

/// How many questions a region has before anything is known of it.
pub(super) const QUESTIONS: usize = 1 + of_rds::QUESTIONS;

/// Lists what there is in one region: Aurora DSQL, then RDS.
pub(super) async fn list_region(asked: &InRegion<'_>) -> CatalogPart {
    let of_dsql = Box::pin(of_dsql::list_dsql(asked));
    let of_rds = Box::pin(of_rds::list_rds(asked));
    let (mut of_region, of_rds) = future::join(of_dsql, of_rds).await;
    if of_rds.is_answered {
        verdict::without_missing_service(&mut of_region.failures);
    }
    of_region.append(of_rds);
    of_region
}
