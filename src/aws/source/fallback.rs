//! Gets credentials where nothing names a source: from the old files of keys, then from the service
//! of this machine that gives credentials.

use std::path::PathBuf;

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::credentials::Credentials;
use crate::aws::plan::{FallbackSources, MachineService};
use crate::aws::resolution::CredentialResolution;

impl CredentialSource for FallbackSources {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        resolution.step(format!("profile {}: nothing", resolution.profile_name()));
        Box::pin(async {
            match self.legacy_files.credentials(resolution)? {
                Some(credentials) => Ok(Some(credentials)),
                None => self.service.implementation().credentials(resolution).await,
            }
        })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.legacy_files.files();
        files.extend(self.service.implementation().files());
        files
    }

    fn describe(&self, _: &str) -> String {
        match &self.service {
            MachineService::Container(container) => {
                format!("none named; container ({})", container.variable)
            }
            MachineService::InstanceMetadata(_) => {
                "none named; instance metadata (default)".to_owned()
            }
        }
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::CredentialSource
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

impl MachineService {
    fn implementation(&self) -> &dyn CredentialSource {
        match self {
            Self::Container(container) => container,
            Self::InstanceMetadata(metadata) => metadata,
        }
    }
}
