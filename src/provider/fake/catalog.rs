//! Lists for a profile of the fake authority what a test has put there.

use super::PROVIDER;
use crate::authority::{
    CatalogAnswer, CatalogStep, CompleteListing, DatabaseCatalog, EndpointRole, FailedListing,
    FoundDatabase, InspectionResult, NoAnswer, NoAnswerReason, ProfileRegions, Region,
};
use crate::error::Error;

/// The databases and failures of one profile, in all its regions.
#[derive(Clone, Default)]
pub(crate) struct FakeCatalog {
    pub(crate) regions: ProfileRegions,
    pub(crate) databases: Vec<FoundDatabase>,
    pub(crate) failures: Vec<FailedListing>,
    /// Nothing can be asked until somebody has logged in.
    pub(crate) needs_login: bool,
}

impl DatabaseCatalog for FakeCatalog {
    fn regions(&self) -> ProfileRegions {
        self.regions.clone()
    }

    fn list(
        &self,
        regions: &[Region],
        progress: &(dyn Fn(CatalogStep) + Sync),
    ) -> InspectionResult<CatalogAnswer> {
        if self.needs_login {
            let error = Error::login("nobody has logged in").hint("log in, then try again");
            return Err(NoAnswer::new(NoAnswerReason::LoginNeeded, error));
        }
        let mut answer = CatalogAnswer::default();
        for region in regions {
            progress(CatalogStep::Planned);
            for database in &self.databases {
                if database.region == *region {
                    answer.databases.push(database.clone());
                }
            }
            for failure in &self.failures {
                if failure.region == *region {
                    answer.failures.push(failure.clone());
                }
            }
            if self
                .failures
                .iter()
                .all(|failure| failure.region != *region)
            {
                answer.complete_listings.push(CompleteListing {
                    region: region.clone(),
                    service: PROVIDER.service,
                });
            }
            progress(CatalogStep::Done);
        }
        Ok(answer)
    }
}

impl FakeCatalog {
    /// Returns one with regions, and nothing in them.
    pub(crate) fn in_regions(own_region: Option<&str>, names: &[&str]) -> Self {
        let mut catalog = Self::default();
        catalog.regions.own_region = own_region.map(Region::from_trusted_name);
        for region in names {
            catalog
                .regions
                .known_regions
                .push(Region::from_trusted_name(*region));
        }
        catalog
    }
}

/// Returns a database that is ready and takes tokens.
pub(crate) fn database(identifier: &str, region: &str, host: &str) -> FoundDatabase {
    FoundDatabase {
        kind: "fake cluster",
        role: EndpointRole::Main,
        identifier: identifier.to_owned(),
        label: None,
        region: Region::from_trusted_name(region),
        host: Some(host.to_owned()),
        port: None,
        dbname: None,
        user: None,
        engine: None,
        status: "up".to_owned(),
        is_ready: Some(true),
        takes_tokens: Some(true),
        resource_id: None,
        is_public: None,
    }
}
