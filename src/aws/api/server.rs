//! Describes the server behind a host name, as the control plane of its service does.
//!
//! `server_state` asks as many questions as the host needs, one after the other: an instance may be
//! a member of a cluster, and then the cluster decides; an endpoint of a proxy leads to the proxy.
//! What comes out is one value for both services. The states in which a server takes connections
//! are the two lists at the top. `inspector.rs` calls it.

use roxmltree::Node;

use super::client::ApiClient;
use super::rds::RdsFilter;
use super::rds_host::{self, RdsName};
use super::{dsql, rds, rds_resources};
use crate::authority::{InspectionResult, NoAnswer, NoAnswerReason, ServerState, TokenScope};
use crate::aws::known_service::KnownService;
use crate::aws::service::endpoints::RDS;
use crate::error::Error;
use crate::text::arn::Arn;

/// The states in which a server takes connections, in lower case.
#[rustfmt::skip]
const READY: &[&str] = &[
    // Aurora DSQL wakes up an idle or inactive cluster at the first connection.
    "active", "idle", "inactive", "updating",
    "available", "backing-up", "backtracking", "configuring-enhanced-monitoring",
    "configuring-iam-database-auth", "configuring-log-exports", "modifying",
    "resetting-master-credentials", "storage-config-upgrade", "storage-initialization",
    "storage-optimization", "update-iam-db-auth",
];
/// How the states begin in which it takes none.
#[rustfmt::skip]
const NOT_READY: &[&str] = &[
    "creating", "deleted", "deleting", "failed", "pending_setup",
    "cloning-failed", "inaccessible-encryption-credentials", "incompatible-",
    "insufficient-", "migration-failed", "reactivating", "rebooting", "restore-error",
    "starting", "stopped", "stopping", "storage-full", "suspended", "suspending",
];

/// Tells whether a server takes connections; none for a state that pgcred does not know, or in
/// which it may or may not.
pub(super) fn is_ready(status: &str) -> Option<bool> {
    let status = status.to_ascii_lowercase();
    if READY.contains(&status.as_str()) {
        return Some(true);
    }
    if NOT_READY.iter().any(|begin| status.starts_with(begin)) {
        return Some(false);
    }
    None
}

/// Returns what AWS knows of the server that a token with this scope is for.
pub(super) async fn server_state(
    client: &ApiClient<'_>,
    scope: &TokenScope<'_>,
    region: &str,
) -> InspectionResult<ServerState> {
    match KnownService::from_scope(scope) {
        Some(KnownService::Dsql) => state_of_dsql(client, scope.host, region).await,
        Some(KnownService::Rds) => state_of_rds(client, scope, region).await,
        None => Err(unknown_service(scope.service)),
    }
}

async fn state_of_rds(
    client: &ApiClient<'_>,
    scope: &TokenScope<'_>,
    region: &str,
) -> InspectionResult<ServerState> {
    let lookup = RdsLookup {
        client,
        region,
        host: scope.host,
        user: scope.user.unwrap_or("*"),
    };
    match rds_host::parse_rds_host(scope.host) {
        Some(RdsName::Instance(name)) => lookup.instance(name).await,
        Some(RdsName::Cluster(name)) => lookup.cluster(Some(name)).await,
        Some(RdsName::CustomEndpoint) => lookup.cluster(None).await,
        Some(RdsName::Proxy(name)) => lookup.proxy(name).await,
        Some(RdsName::ProxyEndpoint(name)) => lookup.proxy_endpoint(name).await,
        None => Err(not_askable(scope.host)),
    }
}

/// Returns the ID of a cluster of Aurora DSQL, which its host begins with.
pub(in crate::aws) fn cluster_id(host: &str) -> &str {
    match host.split_once('.') {
        Some((id, _)) => id,
        None => host,
    }
}

async fn state_of_dsql(
    client: &ApiClient<'_>,
    host: &str,
    region: &str,
) -> InspectionResult<ServerState> {
    let cluster = dsql::fetch_cluster(client, region, cluster_id(host)).await?;
    Ok(ServerState {
        kind: "Aurora DSQL cluster",
        is_ready: is_ready_dsql(&cluster),
        can_use_key: cluster.can_use_key(),
        identifier: cluster.identifier,
        status: cluster.status,
        takes_tokens: Some(true),
        requires_tls: Some(true),
        resource: Some(cluster.arn),
        peers: cluster.peers,
        ..ServerState::default()
    })
}

/// Tells whether a cluster of Aurora DSQL takes connections. Without its key it is useless,
/// whatever its status says.
pub(super) fn is_ready_dsql(cluster: &dsql::DsqlCluster) -> Option<bool> {
    match cluster.can_use_key() {
        Some(false) => Some(false),
        _ => is_ready(&cluster.status),
    }
}

/// What the host of a request belongs to in RDS.
struct RdsLookup<'a> {
    client: &'a ApiClient<'a>,
    region: &'a str,
    host: &'a str,
    user: &'a str,
}

impl RdsLookup<'_> {
    async fn instance(&self, name: &str) -> InspectionResult<ServerState> {
        let read = rds_resources::parse_instance;
        let instances = self
            .list(&rds::INSTANCES, RdsFilter::Named(name), read)
            .await?;
        let is_this =
            |instance: &rds_resources::RdsInstance| self.is_host(instance.host.as_deref());
        let Some(instance) = instances.into_iter().find(is_this) else {
            return Err(self.not_found("DB instance"));
        };
        let mut state = ServerState {
            kind: "DB instance",
            is_ready: is_ready(&instance.status),
            status: instance.status,
            takes_tokens: instance.takes_tokens,
            port: instance.port,
            is_public: instance.is_public,
            certificate_authority: instance.certificate_authority,
            master_user: instance.master_user,
            resource: self.resource(&instance.arn, &instance.resource_id),
            identifier: instance.identifier,
            ..ServerState::default()
        };
        if let Some(cluster) = &instance.cluster {
            // The cluster decides for its members: it has the switch, and policies name it.
            let read = rds_resources::parse_cluster;
            let clusters = self
                .list(&rds::CLUSTERS, RdsFilter::Named(cluster), read)
                .await?;
            if let Some(cluster) = clusters.into_iter().next() {
                state.takes_tokens = cluster.takes_tokens;
                state.resource = self.resource(&cluster.arn, &cluster.resource_id);
                state.cluster = Some(cluster.identifier);
            }
        }
        Ok(state)
    }

    /// Looks for a cluster by its name or, for a custom endpoint, among all of them.
    async fn cluster(&self, name: Option<&str>) -> InspectionResult<ServerState> {
        let read = rds_resources::parse_cluster;
        let filter = match name {
            Some(name) => RdsFilter::Named(name),
            None => RdsFilter::All,
        };
        for cluster in self.list(&rds::CLUSTERS, filter, read).await? {
            if !cluster.hosts().any(|host| self.is_host(Some(host))) {
                continue;
            }
            return Ok(ServerState {
                kind: "DB cluster",
                is_ready: is_ready(&cluster.status),
                status: cluster.status,
                takes_tokens: cluster.takes_tokens,
                port: cluster.port,
                is_public: cluster.is_public,
                certificate_authority: cluster.certificate_authority,
                master_user: cluster.master_user,
                resource: self.resource(&cluster.arn, &cluster.resource_id),
                identifier: cluster.identifier,
                ..ServerState::default()
            });
        }
        Err(self.not_found("DB cluster"))
    }

    async fn proxy(&self, name: &str) -> InspectionResult<ServerState> {
        let proxy = self.proxy_named(name).await?;
        if !self.is_host(proxy.host.as_deref()) {
            return Err(self.not_found("RDS proxy"));
        }
        Ok(self.state_of_proxy(proxy))
    }

    async fn proxy_endpoint(&self, name: &str) -> InspectionResult<ServerState> {
        let read = rds_resources::parse_proxy_endpoint;
        let endpoints = self
            .list(&rds::PROXY_ENDPOINTS, RdsFilter::Named(name), read)
            .await?;
        let is_this =
            |endpoint: &rds_resources::RdsProxyEndpoint| self.is_host(endpoint.host.as_deref());
        let Some(endpoint) = endpoints.into_iter().find(is_this) else {
            return Err(self.not_found("RDS proxy endpoint"));
        };
        let mut state = self.state_of_proxy(self.proxy_named(&endpoint.proxy).await?);
        if is_ready(&endpoint.status) != Some(true) {
            state.is_ready = is_ready(&endpoint.status);
            state.status = endpoint.status;
        }
        Ok(state)
    }

    async fn proxy_named(&self, name: &str) -> InspectionResult<rds_resources::RdsProxy> {
        let read = rds_resources::parse_gateway;
        let proxies = self
            .list(&rds::PROXIES, RdsFilter::Named(name), read)
            .await?;
        match proxies.into_iter().next() {
            Some(proxy) => Ok(proxy),
            None => Err(self.not_found("RDS proxy")),
        }
    }

    fn state_of_proxy(&self, proxy: rds_resources::RdsProxy) -> ServerState {
        let resource = self.resource(&proxy.arn, proxy.resource_id());
        ServerState {
            kind: "RDS proxy",
            is_proxy: true,
            is_ready: is_ready(&proxy.status),
            status: proxy.status,
            takes_tokens: Some(proxy.takes_tokens),
            requires_tls: proxy.requires_tls,
            resource,
            identifier: proxy.name,
            ..ServerState::default()
        }
    }

    async fn list<T>(
        &self,
        listing: &rds::DescribeOperation,
        filter: RdsFilter<'_>,
        read: fn(Node) -> Option<T>,
    ) -> InspectionResult<Vec<T>> {
        let list = rds::describe_all(self.client, self.region, listing, filter, read);
        list.await.require_complete()
    }

    /// Tells whether an address of RDS is that of the request. What is being created has none yet.
    fn is_host(&self, address: Option<&str>) -> bool {
        match address {
            Some(address) => address.eq_ignore_ascii_case(self.host),
            None => true,
        }
    }

    fn resource(&self, arn: &str, resource_id: &str) -> Option<String> {
        let arn = Arn::parse(arn)?;
        Some(arn.dbuser(resource_id, self.user))
    }

    fn not_found(&self, kind: &str) -> NoAnswer {
        let error = Error::failure(format!(
            "{} has no {kind} with the host {} in {}",
            RDS.name, self.host, self.region
        ))
        .hint(
            "compare the host with the endpoint in the console: renaming the database changes it",
        );
        NoAnswer::new(NoAnswerReason::NotFound, error)
    }
}

fn unknown_service(service: &str) -> NoAnswer {
    let error = Error::failure(format!(
        "pgcred cannot ask AWS about servers of the service {service}"
    ))
    .hint("look at the server's state in the console");
    NoAnswer::new(NoAnswerReason::NotAskable, error)
}

fn not_askable(host: &str) -> NoAnswer {
    let error = Error::failure(format!(
        "the name {host} does not say which instance, cluster or proxy it belongs to"
    ))
    .hint("name the endpoint that the console shows, with --sign-host");
    NoAnswer::new(NoAnswerReason::NotAskable, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known() {
        for (status, ready) in [
            ("ACTIVE", Some(true)),
            ("IDLE", Some(true)),
            ("INACTIVE", Some(true)),
            ("PENDING_SETUP", Some(false)),
            ("PENDING_DELETE", None),
            ("available", Some(true)),
            ("stopped", Some(false)),
            ("incompatible-network", Some(false)),
            ("insufficient-resource-limits", Some(false)),
            ("upgrading", None),
            ("", None),
        ] {
            assert_eq!(is_ready(status), ready, "{status}");
        }
    }
}
