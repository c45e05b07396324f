//! Makes what a policy names for a server of RDS: its resource ID, which is not its name. It also
//! tells the command with which the server takes tokens.

use super::PolicySubject;
use super::document::literal_user;
use super::switch::{self, SwitchOwner};
use crate::authority::{
    AccessPolicy, InspectionResult, Inspector, NoAnswerReason, ServerState, TokenScope,
};
use crate::aws::api::{RdsName, parse_rds_host};
use crate::aws::region::may_be_region;
use crate::error::Error;
use crate::text::arn::{Arn, is_account};
use crate::text::{backquoted, quote};

const PROXY_NOTE: &str = "The proxy has to demand IAM authentication for the secret of this user.";

/// The part of the ARN that AWS has to be asked for.
struct RdsResource {
    region: String,
    account: String,
    id: String,
}

/// Returns what a policy has to name, so that a token of this scope is taken.
pub(super) fn policy_resource(
    subject: &PolicySubject<'_>,
    scope: &TokenScope<'_>,
    access: &mut AccessPolicy,
) -> String {
    let host = parse_rds_host(scope.host);
    let user = scope.user.unwrap_or_default();
    let state = subject.inspector.server(scope, subject.region.as_ref());
    let resource = match &state {
        Ok(state) => resource_of_state(subject, state),
        Err(no_answer) => Err(no_answer.error.clone()),
    };
    access.enabling = command_that_enables_tokens(subject, host.as_ref(), state.as_ref().ok());
    if let Ok(state) = &state {
        access.is_master_user = state.master_user.as_deref() == Some(user);
    }
    let resource = match resource {
        Ok(resource) => resource,
        Err(error) => {
            access.add_failure(error);
            if let Some(note) = reading_hint(host.as_ref()) {
                access.notes.push(note.to_owned());
            }
            let command = command_that_shows_resource(subject, host.as_ref());
            let is_elsewhere = is_not_found(&state);
            RdsResource {
                region: subject.region(access),
                account: match subject.account {
                    None if is_elsewhere => subject.no_account(access),
                    _ => subject.account(access),
                },
                id: access.add_placeholder("RESOURCE_ID", command),
            }
        }
    };
    if let Some(RdsName::Proxy(_) | RdsName::ProxyEndpoint(_)) = host {
        access.notes.push(PROXY_NOTE.to_owned());
    }
    note_limits(subject, &resource, access);
    let RdsResource {
        region,
        account,
        id,
    } = resource;
    let partition = subject.partition;
    format!(
        "arn:{partition}:rds-db:{region}:{account}:dbuser:{id}/{}",
        literal_user(user)
    )
}

/// Tells whether the account of the caller does not have the server.
fn is_not_found(state: &InspectionResult<ServerState>) -> bool {
    matches!(state, Err(no_answer) if no_answer.reason == NoAnswerReason::NotFound)
}

/// Returns the parts of the ARN that AWS has given, if they have the form of such parts.
fn resource_of_state(
    subject: &PolicySubject<'_>,
    state: &ServerState,
) -> Result<RdsResource, Error> {
    let invalid_resource = || {
        let answer = backquoted(state.resource.as_deref().unwrap_or_default());
        let error = format!("RDS described the server with {answer}, which is not an ARN of RDS");
        Error::failure(error).hint(
            "compare it with the resource ID that `aws rds describe-db-instances` or `aws rds \
             describe-db-clusters` shows",
        )
    };
    let Some(arn) = state.resource.as_deref().and_then(Arn::parse) else {
        return Err(invalid_resource());
    };
    let Some(rest) = arn.resource.strip_prefix("dbuser:") else {
        return Err(invalid_resource());
    };
    let (id, _) = rest.split_once('/').unwrap_or((rest, ""));
    let is_whole = arn.partition == subject.partition
        && may_be_region(arn.region)
        && is_account(arn.account)
        && is_resource_id(id);
    if !is_whole {
        return Err(invalid_resource());
    }
    Ok(RdsResource {
        region: arn.region.to_owned(),
        account: arn.account.to_owned(),
        id: id.to_owned(),
    })
}

fn is_resource_id(text: &str) -> bool {
    let Some((kind, id)) = text.split_once('-') else {
        return false;
    };
    matches!(kind, "db" | "cluster" | "prx")
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn note_limits(subject: &PolicySubject<'_>, resource: &RdsResource, access: &mut AccessPolicy) {
    if let Some(account) = subject.account
        && is_account(&resource.account)
        && account != resource.account
    {
        access.notes.push(format!(
            "AWS says that the database belongs to the account {}, not to {account}.",
            resource.account
        ));
    }
    access.notes.push(
        "The policy works only in the account of the database. Who signs in another account has \
         to assume a role of this account, and that role gets the policy."
            .to_owned(),
    );
}

/// Returns the command that shows the resource ID, chosen by what the host is.
fn command_that_shows_resource(subject: &PolicySubject<'_>, host: Option<&RdsName<'_>>) -> String {
    let (arguments, query) = match host {
        Some(RdsName::Instance(name)) => (
            format!(
                "describe-db-instances --db-instance-identifier {}",
                quote::typed(name)
            ),
            // A member of a cluster is covered by the ID of the cluster.
            "DBInstances[].[DbiResourceId,DBClusterIdentifier]",
        ),
        Some(RdsName::Cluster(name)) => (
            format!(
                "describe-db-clusters --db-cluster-identifier {}",
                quote::typed(name)
            ),
            "DBClusters[].DbClusterResourceId",
        ),
        Some(RdsName::CustomEndpoint) => (
            "describe-db-clusters".to_owned(),
            "DBClusters[].[DbClusterResourceId,CustomEndpoints]",
        ),
        Some(RdsName::Proxy(name)) => (
            format!("describe-db-proxies --db-proxy-name {}", quote::typed(name)),
            "DBProxies[].DBProxyArn",
        ),
        Some(RdsName::ProxyEndpoint(name)) => (
            format!(
                "describe-db-proxy-endpoints --db-proxy-endpoint-name {}",
                quote::typed(name)
            ),
            "DBProxyEndpoints[].DBProxyName",
        ),
        None => (
            "describe-db-clusters".to_owned(),
            "DBClusters[].[DBClusterIdentifier,DbClusterResourceId]",
        ),
    };
    format!("aws rds {arguments} --query '{query}'{}", subject.options())
}

/// Returns how to read what that command prints, where it is not the resource ID alone.
fn reading_hint(host: Option<&RdsName<'_>>) -> Option<&'static str> {
    match host {
        Some(RdsName::Instance(_)) => Some(
            "The command for RESOURCE_ID also prints the cluster that the database is a member of. \
             If there is one, its ID counts: aws rds describe-db-clusters --query \
             'DBClusters[].[DBClusterIdentifier,DbClusterResourceId]'.",
        ),
        Some(RdsName::Proxy(_)) => Some("RESOURCE_ID is the end of the proxy's ARN: prx-..."),
        Some(RdsName::ProxyEndpoint(_)) => Some(
            "The command prints the name of the proxy. RESOURCE_ID is the end of its ARN, prx-...: \
             aws rds describe-db-proxies --query 'DBProxies[].[DBProxyName,DBProxyArn]'.",
        ),
        Some(RdsName::Cluster(_) | RdsName::CustomEndpoint) => None,
        None => Some(
            "The name of the host does not say what it belongs to. An instance that is in no \
             cluster has its ID in: aws rds describe-db-instances.",
        ),
    }
}

/// Returns the command with which the server takes tokens, unless it does.
fn command_that_enables_tokens(
    subject: &PolicySubject<'_>,
    host: Option<&RdsName<'_>>,
    state: Option<&ServerState>,
) -> Option<String> {
    if state.and_then(|state| state.takes_tokens) == Some(true) {
        return None;
    }
    // A member of a cluster has the switch of its cluster.
    let cluster = state.and_then(|state| state.cluster.as_deref());
    let owner = match (host?, cluster) {
        (RdsName::Instance(_), Some(cluster)) => SwitchOwner::Cluster(cluster),
        (RdsName::Instance(name), None) => SwitchOwner::Instance(name),
        (RdsName::Cluster(name), _) => SwitchOwner::Cluster(name),
        (RdsName::CustomEndpoint, _) => SwitchOwner::Cluster(state?.identifier.as_str()),
        // Each secret of a proxy has a switch of its own.
        (RdsName::Proxy(_) | RdsName::ProxyEndpoint(_), _) => return None,
    };
    switch::command_of_owner(owner, &subject.options())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_resource_ids_are_believed() {
        for id in ["db-ABCDEFGHIJKL01234", "cluster-ABC", "prx-0a1b2c"] {
            assert!(is_resource_id(id), "{id}");
        }
        for wrong in [
            "", "db-", "*", "db-*", "db-A/b", "x-ABC", "db-A\n", "db-A:b",
        ] {
            assert!(!is_resource_id(wrong), "{wrong}");
        }
    }
}
