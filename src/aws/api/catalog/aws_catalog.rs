//! Implements the seam for listing databases with the questions of this directory.

use std::time::Instant;

use super::listing;
use crate::authority::{
    AskPolicy, CatalogAnswer, CatalogStep, DatabaseCatalog, InspectionResult, ProfileRegions,
    Region,
};
use crate::aws::api::profile_client::ProfileClient;
use crate::aws::known_regions::KNOWN_REGIONS;
use crate::aws::partition;
use crate::aws::region;

/// Whose partition counts where nothing names a region.
const ANY_REGION: &str = "us-east-1";

/// Lists databases with the credentials of one profile.
pub(crate) struct AwsCatalog {
    client: ProfileClient,
}

impl AwsCatalog {
    pub(crate) fn new(profile: Option<&str>, ask_policy: &AskPolicy, deadline: Instant) -> Self {
        Self::from_client(ProfileClient::new(profile, ask_policy, deadline))
    }

    pub(in crate::aws::api) fn from_client(client: ProfileClient) -> Self {
        Self { client }
    }

    /// Returns the region that a variable or the profile names, if it can be one.
    fn own_region(&self) -> Option<Region> {
        region::parse(&self.client.plan().region()?).ok()
    }
}

impl DatabaseCatalog for AwsCatalog {
    fn regions(&self) -> ProfileRegions {
        let own_region = self.own_region();
        let partition_in_use = match &own_region {
            Some(own_region) => partition::partition_of(own_region.as_str()),
            None => partition::partition_of(ANY_REGION),
        };
        let mut known_regions = Vec::new();
        for region in KNOWN_REGIONS {
            if partition::partition_of(region).name == partition_in_use.name {
                known_regions.push(Region::from_trusted_name(*region));
            }
        }
        ProfileRegions {
            own_region,
            known_regions,
        }
    }

    fn list(
        &self,
        regions: &[Region],
        progress: &(dyn Fn(CatalogStep) + Sync),
    ) -> InspectionResult<CatalogAnswer> {
        let own_region = self.own_region();
        let home = match &own_region {
            Some(own_region) => Some(own_region),
            None => regions.first(),
        };
        self.client.with_credentials(home, async |client, home| {
            listing::list_regions(client, home, regions, progress).await
        })
    }
}
