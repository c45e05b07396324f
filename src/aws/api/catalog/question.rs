//! Holds what one listing asks, with whose credentials, and in which regions.

use crate::authority::{CatalogStep, Region};
use crate::aws::api::client::ApiClient;
use crate::aws::service::endpoints::AwsService;

pub(super) type CatalogProgress<'a> = &'a (dyn Fn(CatalogStep) + Sync);

/// Who asks, and where.
pub(super) struct RegionQuery<'a> {
    pub(super) client: &'a ApiClient<'a>,
    pub(super) region: &'a Region,
    pub(super) progress: CatalogProgress<'a>,
}

impl RegionQuery<'_> {
    /// Says that so many questions more will be asked.
    pub(super) fn expect_more(&self, questions: usize) {
        for _ in 0..questions {
            (self.progress)(CatalogStep::Planned);
        }
    }

    /// Says that a question has come to its end.
    pub(super) fn report_done(&self) {
        (self.progress)(CatalogStep::Done);
    }
}

/// What is asked, and where.
#[derive(Clone, Copy)]
pub(super) struct CatalogQuestion<'a> {
    pub(super) service: AwsService,
    pub(super) operation: &'static str,
    pub(super) region: &'a Region,
}
