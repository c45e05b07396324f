//! Implements the seam for listing databases with the questions of this directory.

use std::time::Instant;

use super::listing;
use crate::authority::{
    AskPolicy, CatalogAnswer, CatalogStep, DatabaseCatalog, Inspected, ProfileRegions, Region,
};
use crate::aws::api::session::AwsSession;
use crate::aws::known_regions::KNOWN_REGIONS;
use crate::aws::partition;
use crate::aws::region;

/// Whose partition counts where nothing names a region.
const ANY_REGION: &str = "us-east-1";

/// Lists databases with the credentials of one profile.
pub(crate) struct AwsCatalog {
    session: AwsSession,
}

impl AwsCatalog {
    pub(crate) fn new(profile: Option<&str>, ask: &AskPolicy, deadline: Instant) -> Self {
        Self::of(AwsSession::new(profile, ask, deadline))
    }

    pub(in crate::aws::api) fn of(session: AwsSession) -> Self {
        Self { session }
    }

    /// Returns the region that a variable or the profile names, if it can be one.
    fn own_region(&self) -> Option<Region> {
        region::parse(&self.session.plan().region()?).ok()
    }
}

impl DatabaseCatalog for AwsCatalog {
    fn regions(&self) -> ProfileRegions {
        let own = self.own_region();
        let of_partition = match &own {
            Some(own) => partition::partition_of(own.as_str()),
            None => partition::partition_of(ANY_REGION),
        };
        let mut all = Vec::new();
        for region in KNOWN_REGIONS {
            if partition::partition_of(region).name == of_partition.name {
                all.push(Region::vouched_for(*region));
            }
        }
        ProfileRegions { own, all }
    }

    fn list(
        &self,
        regions: &[Region],
        progress: &(dyn Fn(CatalogStep) + Sync),
    ) -> Inspected<CatalogAnswer> {
        let own = self.own_region();
        let home = match &own {
            Some(own) => Some(own),
            None => regions.first(),
        };
        self.session.with_credentials(home, async |client, home| {
            listing::list_regions(client, home, regions, progress).await
        })
    }
}
