//! Finds where the control plane of a service is asked, and for which region the request is signed.

use crate::aws::partition::{self, HostVariant};
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::{AwsService, IAM};
use crate::error::Result;

/// The address of a service.
pub(super) struct ServiceAddress {
    /// Scheme and host, without a slash at the end.
    pub(super) base: String,
    /// The region that requests are signed for.
    pub(super) region: String,
}

/// Returns the address of a service in a region: the one that the user has set, else AWS's own.
pub(super) fn address_for(
    resolution: &CredentialResolution,
    service: AwsService,
    region: &str,
) -> Result<ServiceAddress> {
    resolution.check_endpoint(service)?;
    let partition = partition::partition_of(region);
    let is_iam = service.key == IAM.key;
    let base = match resolution.settings.endpoint(service) {
        Some(user_address) => user_address.trim_end_matches('/').to_owned(),
        None if is_iam => format!("https://{}", partition.iam_host(host_variant(resolution))),
        None => {
            let host = partition.host(service.key, region, host_variant(resolution));
            format!("https://{host}")
        }
    };
    let region = if is_iam {
        partition.iam_region()
    } else {
        region
    };
    Ok(ServiceAddress {
        base,
        region: region.to_owned(),
    })
}

fn host_variant(resolution: &CredentialResolution) -> HostVariant {
    HostVariant {
        uses_fips: resolution.is_enabled("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        uses_dual: resolution.is_enabled("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    }
}
