//! The sources of credentials, one file each. Here a part of the plan is handed to the file that
//! knows it.
//!
//! ```text
//! keys          variables, or one of the two shared files
//! web_identity  the role of a workload: a token in a file, exchanged by STS
//! sso           a role of IAM Identity Center: the token of a login, exchanged by the SSO portal
//! sign_in       `aws login`: the session of a console login, renewed by AWS sign-in
//! process       the program of a `credential_process`
//! container     the credential service of ECS, EKS or CloudShell
//! imds          the instance metadata of EC2
//! legacy_files  the credentials files that came before profiles
//! role, mfa     no source: roles that are assumed with the credentials of a source
//! ```

mod container;
pub(crate) mod imds;
pub(crate) mod keys;
mod legacy_files;
mod mfa;
mod process;
mod role;
mod sign_in;
mod sso;
mod web_identity;

use std::path::PathBuf;

use crate::aws::credentials::Credentials;

use crate::aws::cli_cache;
use crate::aws::login::missing::Unresolved;
use crate::aws::plan::{MachineService, Source};
use crate::aws::resolution::Resolution;

/// Returns the credentials of a source; none where a service of this machine has none.
pub(crate) async fn credentials(
    resolution: &Resolution<'_>,
    source: &Source,
) -> Result<Option<Credentials>, Unresolved> {
    let found = match source {
        Source::Environment(keys) => keys::of_environment(resolution, keys)?,
        Source::File(keys, file, profile) => {
            resolution.step(format!("profile {profile}: keys in the {file}"));
            keys::of_file(keys)
        }
        Source::WebIdentity(identity) => identity.assume(resolution).await?,
        Source::Sso(sso) => sso.credentials(resolution).await?,
        Source::SignIn(login) => login.credentials(resolution).await?,
        Source::Process(command) => process::credentials(resolution, command)?,
        Source::Container(container) => container.credentials(resolution).await?,
        Source::InstanceMetadata(_) => return Ok(imds::credentials(resolution).await?),
        Source::Fallback(old, service) => {
            resolution.step(format!("profile {}: nothing", resolution.profile_name()));
            if let Some(found) = old.credentials(resolution)? {
                return Ok(Some(found));
            }
            match service {
                MachineService::Container(container) => container.credentials(resolution).await?,
                MachineService::InstanceMetadata(_) => {
                    return Ok(imds::credentials(resolution).await?);
                }
            }
        }
    };
    Ok(Some(found))
}

/// Returns the files whose content decides which credentials a source gives, besides the two shared
/// files. They need not exist.
pub(crate) fn files(source: &Source) -> Vec<PathBuf> {
    match source {
        Source::Environment(_) | Source::File(..) | Source::InstanceMetadata(_) => Vec::new(),
        Source::WebIdentity(identity) => vec![PathBuf::from(&identity.token_file)],
        Source::Sso(sso) => Vec::from_iter(sso.session.path()),
        Source::SignIn(login) => Vec::from_iter(cli_cache::sign_in::path(&login.session)),
        Source::Process(command) => process::files(command),
        Source::Container(container) => container.files(),
        Source::Fallback(old, service) => {
            let mut files = old.files();
            if let MachineService::Container(container) = service {
                files.extend(container.files());
            }
            files
        }
    }
}
