//! Plans the sources that no profile names: old files of keys, and the metadata services of a
//! container or an instance. `mod` asks here last, when neither variables nor the profile have
//! given a source.

use super::{
    ContainerEndpoint, FULL, FallbackSources, InstanceMetadata, LegacyFiles, MachineService,
    PlannedSource, RELATIVE,
};
use crate::aws::environment::AwsVariables;
use crate::aws::settings::AwsSettings;

/// Returns the source where neither variables nor the profile name one.
pub(super) fn fallback_source(settings: &AwsSettings) -> PlannedSource {
    let service = match ContainerEndpoint::read(&settings.variables) {
        Some(container) => MachineService::Container(container),
        None => MachineService::InstanceMetadata(InstanceMetadata::read(settings)),
    };
    PlannedSource::Fallback(FallbackSources {
        legacy_files: LegacyFiles::read(&settings.variables),
        service,
    })
}

impl ContainerEndpoint {
    /// Returns the service that the environment names.
    pub(super) fn read(variables: &AwsVariables) -> Option<Self> {
        let (variable, address) = match variables.get_or_empty(RELATIVE) {
            Some(address) => (RELATIVE, address),
            None => (FULL, variables.get_or_empty(FULL)?),
        };
        let token_file = variables.get_or_empty("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let token = match token_file {
            None => variables.get_or_empty("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            Some(_) => None,
        };
        Some(Self {
            variable,
            address,
            token,
            token_file,
        })
    }
}

impl InstanceMetadata {
    pub(crate) fn read(settings: &AwsSettings) -> Self {
        let is_off = settings
            .variables
            .get("AWS_EC2_METADATA_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self {
            is_off,
            endpoint: settings.setting(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                "ec2_metadata_service_endpoint",
            ),
            mode: settings.setting(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                "ec2_metadata_service_endpoint_mode",
            ),
        }
    }
}

impl LegacyFiles {
    fn read(variables: &AwsVariables) -> Self {
        let boto_files = match variables.get("BOTO_CONFIG") {
            Some(path) => vec![path],
            None => vec!["/etc/boto.cfg".to_owned(), "~/.boto".to_owned()],
        };
        Self {
            ec2_file: variables.get("AWS_CREDENTIAL_FILE"),
            boto_files,
        }
    }
}
