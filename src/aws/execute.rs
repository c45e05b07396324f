//! Carries out a plan: gets the credentials of its source and assumes its roles with them; and
//! finds the region.
//!
//! The AWS CLI's cache of roles is searched from the role that signs downwards. The first cached
//! role ends the search: the roles below it and the source are not asked, and only the roles above
//! it are assumed.

use crate::aws::credentials::Credentials;

use super::login::missing::UnresolvedCredentials;
use super::plan::{AccessKeys, CredentialPlan};
use super::profile::files;
use super::region::is_accepted_by_cli;
use super::resolution::CredentialResolution;
use super::source;
use crate::error::{Error, ErrorReason, Result};
use crate::text::backquoted;

/// Returns the keys in variables, where they are all of the plan. This needs no network.
pub(super) fn credentials_in_variables(
    resolution: &CredentialResolution,
    keys: &AccessKeys,
) -> Result<Credentials> {
    source::keys::unexpired_credentials(resolution, keys)
}

/// Returns the credentials that sign.
pub(super) async fn resolve_credentials(
    resolution: &CredentialResolution<'_>,
    plan: &CredentialPlan,
) -> Result<Credentials, UnresolvedCredentials> {
    resolution.restrict_to(plan.services());
    let mut cached = None;
    let mut to_assume = Vec::new();
    for role in &plan.roles {
        cached = role.cached_credentials(resolution);
        if cached.is_some() {
            break;
        }
        to_assume.push(role);
    }
    let mut credentials = match cached {
        Some(credentials) => credentials,
        None => credentials_of_source(resolution, plan).await?,
    };
    for role in to_assume.into_iter().rev() {
        credentials = role.assume(resolution, credentials).await?;
    }
    Ok(credentials)
}

async fn credentials_of_source(
    resolution: &CredentialResolution<'_>,
    plan: &CredentialPlan,
) -> Result<Credentials, UnresolvedCredentials> {
    let source = match &plan.source {
        Ok(source) => source,
        Err(error) => return Err(error.clone().into()),
    };
    if let Some(credentials) = source.implementation().credentials(resolution).await? {
        return Ok(credentials);
    }
    match plan.roles.last() {
        Some(role) => Err(role.no_source_credentials().into()),
        None => Err(no_credentials(resolution).into()),
    }
}

/// Returns the credentials that the AWS CLI has cached for the role that signs.
pub(super) fn cached_credentials(
    resolution: &CredentialResolution,
    plan: &CredentialPlan,
) -> Option<Credentials> {
    match (plan.roles.first(), &plan.source) {
        (Some(role), _) => role.cached_credentials(resolution),
        (None, Ok(source)) => source.implementation().cached_credentials(resolution),
        (None, Err(_)) => None,
    }
}

/// Returns the region in AWS's own order: environment, profile, instance metadata.
pub(super) async fn default_region(
    resolution: &CredentialResolution<'_>,
) -> Result<Option<String>> {
    let Some(region) = resolution.settings.region() else {
        return source::imds::instance_region(resolution).await;
    };
    if is_accepted_by_cli(region.trim()) {
        return Ok(Some(region));
    }
    let region = backquoted(&region);
    Err(
        Error::usage(format!("{region} is not the name of a region")).hint(
            "correct AWS_REGION, AWS_DEFAULT_REGION or `region` in the profile: it looks like \
             us-east-1",
        ),
    )
}

fn no_credentials(resolution: &CredentialResolution) -> Error {
    let message = match &resolution.settings.named_profile {
        Some(name) => format!(
            "no AWS credentials in profile `{name}`, the environment, container or instance \
             metadata"
        ),
        None => "no AWS credentials in the environment, default profile, container or instance \
                 metadata"
            .to_owned(),
    };
    Error::login(message)
        .because(ErrorReason::NoCredentials)
        .hint(files::profiles_hint(None))
}
