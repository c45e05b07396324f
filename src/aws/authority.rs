//! AWS's side of the seam: what a provider names as the authority of its tokens.

use super::identity::AwsIdentities;
use super::region;
use crate::authority::{Authority, Identities, Region};

/// The authority of every provider of AWS: whatever services a profile signs for, its credentials
/// are resolved once.
pub(crate) static AUTHORITY: AwsAuthority = AwsAuthority;

pub(crate) struct AwsAuthority;

impl Authority for AwsAuthority {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(AwsIdentities::default())
    }

    fn region_warning(&self, region: &Region) -> Option<String> {
        region::warning(region.as_str())
    }
}
