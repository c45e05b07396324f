//! Implements the seam for inspecting: it knows which questions lead to the answer. Each runs to
//! its end with the credentials of the profile.

use std::time::Instant;

use super::arn::Principal;
use super::client::ApiClient;
use super::profile_client::ProfileClient;
use super::{iam, server, sts};
use crate::authority::{
    AskPolicy, CallerIdentity, InspectionResult, Inspector, NoAnswer, NoAnswerReason, Region,
    ServerLoginPermission, ServerState, TokenScope,
};
use crate::aws::known_service::KnownService;
use crate::aws::partition;
use crate::error::Error;
use crate::text::arn::Arn;

/// Asks AWS with the credentials of one profile.
pub(crate) struct AwsInspector {
    client: ProfileClient,
}

impl AwsInspector {
    pub(crate) fn new(profile: Option<&str>, ask_policy: &AskPolicy, deadline: Instant) -> Self {
        Self::from_client(ProfileClient::new(profile, ask_policy, deadline))
    }

    pub(super) fn from_client(client: ProfileClient) -> Self {
        Self { client }
    }

    /// Returns the ARN of a role, with its path.
    pub(in crate::aws) fn role_arn(
        &self,
        name: &str,
        region: Option<&Region>,
    ) -> InspectionResult<String> {
        self.client
            .with_credentials(region, async |client, region| {
                iam::role_arn(client, region, name).await
            })
    }
}

impl Inspector for AwsInspector {
    fn clock_offset(&self, region: Option<&Region>) -> InspectionResult<i64> {
        self.client
            .without_credentials(region, async |resolution, region| {
                sts::clock_offset(resolution, region).await
            })
    }

    fn caller(&self, region: Option<&Region>) -> InspectionResult<CallerIdentity> {
        self.client
            .with_credentials(region, async |client, region| {
                sts::caller_identity(client, region).await
            })
    }

    fn server(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
    ) -> InspectionResult<ServerState> {
        self.client
            .with_credentials(region, async |client, region| {
                server::server_state(client, scope, region).await
            })
    }

    fn permission(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
        resource: Option<&str>,
    ) -> InspectionResult<ServerLoginPermission> {
        self.client
            .with_credentials(region, async |client, region| {
                server_login_permission(client, scope, region, resource).await
            })
    }
}

async fn server_login_permission(
    client: &ApiClient<'_>,
    scope: &TokenScope<'_>,
    region: &str,
    resource: Option<&str>,
) -> InspectionResult<ServerLoginPermission> {
    let caller = sts::caller_identity(client, region).await?;
    let Some(arn) = Arn::parse(&caller.name) else {
        return Err(not_askable("AWS does not say who the caller is"));
    };
    let resource = match resource {
        Some(resource) => resource.to_owned(),
        None => resource_of(client, scope, region, &caller).await?,
    };
    let action = format!("{}:{}", scope.service, scope.action);
    match arn.principal() {
        Principal::User => {
            iam::simulate_policies(client, region, &caller.name, &action, &resource).await
        }
        Principal::Role(name) => {
            let role = iam::role_arn(client, region, name).await;
            let path = match &role {
                Ok(role) => role.clone(),
                // Most roles have no path, so it is worth a try.
                Err(error) if error.reason == NoAnswerReason::NotAllowed => arn.role(name),
                Err(error) => return Err(error.clone()),
            };
            let permission =
                iam::simulate_policies(client, region, &path, &action, &resource).await;
            if let Err(error) = &permission
                && error.reason == NoAnswerReason::NotFound
                && let Err(denied) = role
            {
                return Err(denied); // the role has a path, which the caller may not see
            }
            permission
        }
        Principal::Other => Err(not_askable(
            "AWS simulates no policies for root and for federated users",
        )),
    }
}

/// Returns what a policy names for the server of a scope.
async fn resource_of(
    client: &ApiClient<'_>,
    scope: &TokenScope<'_>,
    region: &str,
    caller: &CallerIdentity,
) -> InspectionResult<String> {
    match KnownService::from_scope(scope) {
        Some(KnownService::Dsql) => {
            let partition = partition::partition_of(region).name;
            let (account, id) = (&caller.account, server::cluster_id(scope.host));
            Ok(format!(
                "arn:{partition}:dsql:{region}:{account}:cluster/{id}"
            ))
        }
        Some(KnownService::Rds) | None => {
            let state = server::server_state(client, scope, region).await?;
            Ok(state.resource.unwrap_or_else(|| "*".to_owned()))
        }
    }
}

fn not_askable(reason: &str) -> NoAnswer {
    // No hint: nothing that the user types would make AWS answer.
    NoAnswer::new(NoAnswerReason::NotAskable, Error::failure(reason))
}
