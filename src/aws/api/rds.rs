//! RDS: its instances, clusters and proxies.
//!
//! One [`Listing`] for each kind of thing; `all` asks for every page of it, until the deadline of
//! the client. `describe`, which makes a request, and `read_page` with the other `read_...`, which
//! take values out of XML, are pure. Which thing a host belongs to is decided in `server.rs`, the
//! caller.

use roxmltree::Node;

use super::client::ApiClient;
use super::pages::Pages;
use super::request::ApiRequest;
use super::xml::{self, flag, text};
use crate::authority::{Inspected, NoAnswer, WhyNot};
use crate::aws::service::endpoints::RDS;
use crate::aws::service::refusal::not_understood;

/// An operation that describes all things of a kind, or one by its name.
pub(super) struct Listing {
    operation: &'static str,
    /// The parameter that names one thing.
    by_name: &'static str,
    result: &'static str,
    list: &'static str,
}

pub(super) const INSTANCES: Listing = Listing {
    operation: "DescribeDBInstances",
    by_name: "DBInstanceIdentifier",
    result: "DescribeDBInstancesResult",
    list: "DBInstances",
};
pub(super) const CLUSTERS: Listing = Listing {
    operation: "DescribeDBClusters",
    by_name: "DBClusterIdentifier",
    result: "DescribeDBClustersResult",
    list: "DBClusters",
};
pub(super) const PROXIES: Listing = Listing {
    operation: "DescribeDBProxies",
    by_name: "DBProxyName",
    result: "DescribeDBProxiesResult",
    list: "DBProxies",
};
pub(super) const PROXY_ENDPOINTS: Listing = Listing {
    operation: "DescribeDBProxyEndpoints",
    by_name: "DBProxyEndpointName",
    result: "DescribeDBProxyEndpointsResult",
    list: "DBProxyEndpoints",
};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsInstance {
    pub(super) identifier: String,
    pub(super) arn: String,
    /// `db-...`, as policies name it.
    pub(super) resource_id: String,
    pub(super) status: String,
    /// None while the instance is being created.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    /// The cluster that the instance is a member of.
    pub(super) cluster: Option<String>,
    pub(super) takes_tokens: Option<bool>,
    pub(super) is_public: Option<bool>,
    pub(super) certificate_authority: Option<String>,
    pub(super) master_user: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsCluster {
    pub(super) identifier: String,
    pub(super) arn: String,
    /// `cluster-...`, as policies name it.
    pub(super) resource_id: String,
    pub(super) status: String,
    /// The writer's, the readers' and the custom ones.
    pub(super) hosts: Vec<String>,
    pub(super) port: Option<u16>,
    pub(super) takes_tokens: Option<bool>,
    pub(super) is_public: Option<bool>,
    pub(super) certificate_authority: Option<String>,
    pub(super) master_user: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsProxy {
    pub(super) name: String,
    /// It ends in `prx-...`, as policies name the proxy.
    pub(super) arn: String,
    pub(super) status: String,
    pub(super) host: Option<String>,
    pub(super) takes_tokens: bool,
    pub(super) requires_tls: Option<bool>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsProxyEndpoint {
    pub(super) proxy: String,
    pub(super) status: String,
    pub(super) host: Option<String>,
}

/// Returns the request for one page: of all, or of the one with this name.
pub(super) fn describe(listing: &Listing, name: Option<&str>, mark: Option<&str>) -> ApiRequest {
    let mut parameters = Vec::new();
    if let Some(name) = name {
        parameters.push((listing.by_name, name));
    }
    if let Some(mark) = mark {
        parameters.push(("Marker", mark));
    }
    ApiRequest::query(RDS, "2014-10-31", listing.operation, &parameters)
}

/// Returns all things of a kind in a region, or the one with this name.
pub(super) async fn list_all<T>(
    client: &ApiClient<'_>,
    region: &str,
    listing: &Listing,
    name: Option<&str>,
    read: fn(Node) -> Option<T>,
) -> Inspected<Vec<T>> {
    let (mut pages, mut all) = (Pages::default(), Vec::new());
    loop {
        let request = describe(listing, name, pages.mark());
        let page = client.ask(&request, region, |body| read_page(body, listing, read));
        let (found, next) = page.await?;
        all.extend(found);
        match pages.go_on(next) {
            Some(true) => {}
            Some(false) => return Ok(all),
            None => {
                let what = format!("{} does not end", listing.operation);
                let error = not_understood(&what, RDS.name, None);
                return Err(NoAnswer::new(WhyNot::NotUnderstood, error));
            }
        }
    }
}

/// Returns the things of a page and the mark of the next one. `None` if one of them lacks what each
/// has.
fn read_page<T>(
    body: &[u8],
    listing: &Listing,
    read: fn(Node) -> Option<T>,
) -> Option<(Vec<T>, Option<String>)> {
    let page = xml::read(body, |root| {
        let result = xml::child(root, listing.result)?;
        xml::child(result, listing.list)?;
        let mut found = Vec::new();
        for member in xml::members(result, &[listing.list]) {
            found.push(read(member)?);
        }
        Some((found, text(result, &["Marker"])))
    });
    page?
}

pub(super) fn read_instance(node: Node) -> Option<RdsInstance> {
    Some(RdsInstance {
        identifier: text(node, &["DBInstanceIdentifier"])?,
        arn: text(node, &["DBInstanceArn"])?,
        resource_id: text(node, &["DbiResourceId"])?,
        status: text(node, &["DBInstanceStatus"])?,
        host: text(node, &["Endpoint", "Address"]),
        port: port(node, &["Endpoint", "Port"]),
        cluster: text(node, &["DBClusterIdentifier"]),
        takes_tokens: flag(node, &["IAMDatabaseAuthenticationEnabled"]),
        is_public: flag(node, &["PubliclyAccessible"]),
        certificate_authority: text(node, &["CACertificateIdentifier"]),
        master_user: text(node, &["MasterUsername"]),
    })
}

pub(super) fn read_cluster(node: Node) -> Option<RdsCluster> {
    let mut hosts = Vec::new();
    for name in ["Endpoint", "ReaderEndpoint"] {
        if let Some(host) = text(node, &[name]) {
            hosts.push(host);
        }
    }
    for custom in xml::members(node, &["CustomEndpoints"]) {
        if let Some(host) = text(custom, &[]) {
            hosts.push(host);
        }
    }
    Some(RdsCluster {
        identifier: text(node, &["DBClusterIdentifier"])?,
        arn: text(node, &["DBClusterArn"])?,
        resource_id: text(node, &["DbClusterResourceId"])?,
        status: text(node, &["Status"])?,
        hosts,
        port: port(node, &["Port"]),
        takes_tokens: flag(node, &["IAMDatabaseAuthenticationEnabled"]),
        is_public: flag(node, &["PubliclyAccessible"]),
        certificate_authority: text(node, &["CertificateDetails", "CAIdentifier"]),
        master_user: text(node, &["MasterUsername"]),
    })
}

pub(super) fn read_proxy(node: Node) -> Option<RdsProxy> {
    let mut takes_tokens = text(node, &["DefaultAuthScheme"]).as_deref() == Some("IAM_AUTH");
    for auth in xml::members(node, &["Auth"]) {
        let iam = text(auth, &["IAMAuth"]);
        takes_tokens |= matches!(iam.as_deref(), Some("REQUIRED" | "ENABLED"));
    }
    Some(RdsProxy {
        name: text(node, &["DBProxyName"])?,
        arn: text(node, &["DBProxyArn"])?,
        status: text(node, &["Status"])?,
        host: text(node, &["Endpoint"]),
        takes_tokens,
        requires_tls: flag(node, &["RequireTLS"]),
    })
}

pub(super) fn read_proxy_endpoint(node: Node) -> Option<RdsProxyEndpoint> {
    Some(RdsProxyEndpoint {
        proxy: text(node, &["DBProxyName"])?,
        status: text(node, &["Status"])?,
        host: text(node, &["Endpoint"]),
    })
}

fn port(node: Node, path: &[&str]) -> Option<u16> {
    text(node, path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page<T>(listing: &Listing, members: &str, read: fn(Node) -> Option<T>) -> Vec<T> {
        let (result, list) = (listing.result, listing.list);
        let body = format!(
            "<R xmlns='http://rds.amazonaws.com/doc/2014-10-31/'><{result}><{list}>{members}\
             </{list}><Marker>m</Marker></{result}></R>"
        );
        let (found, next) = read_page(body.as_bytes(), listing, read).unwrap();
        assert_eq!(next.as_deref(), Some("m"));
        found
    }

    #[test]
    fn instances_are_read() {
        let found = page(
            &INSTANCES,
            "<DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier>\
             <DBInstanceArn>arn</DBInstanceArn><DbiResourceId>db-X</DbiResourceId>\
             <DBInstanceStatus>available</DBInstanceStatus><Endpoint><Port>5433</Port>\
             <Address>db.h.r.rds.amazonaws.com</Address></Endpoint>\
             <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>\
             <PubliclyAccessible>false</PubliclyAccessible>\
             <CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier></DBInstance>",
            read_instance,
        );
        let instance = &found[0];
        assert_eq!(instance.port, Some(5433));
        assert_eq!(
            (instance.takes_tokens, instance.is_public),
            (Some(true), Some(false))
        );
        assert_eq!(instance.host.as_deref(), Some("db.h.r.rds.amazonaws.com"));
        assert_eq!(
            instance.certificate_authority.as_deref(),
            Some("rds-ca-rsa2048-g1")
        );
        assert_eq!(instance.cluster, None);
    }

    #[test]
    fn clusters_are_read_with_all_their_hosts() {
        let found = page(
            &CLUSTERS,
            "<DBCluster><DBClusterIdentifier>c</DBClusterIdentifier>\
             <DBClusterArn>arn</DBClusterArn>\
             <DbClusterResourceId>cluster-X</DbClusterResourceId><Status>stopped</Status>\
             <Endpoint>w</Endpoint><ReaderEndpoint>r</ReaderEndpoint><Port>5432</Port>\
             <CustomEndpoints><member>x</member><member>y</member></CustomEndpoints></DBCluster>",
            read_cluster,
        );
        assert_eq!(found[0].hosts, ["w", "r", "x", "y"]);
        assert_eq!((found[0].port, found[0].takes_tokens), (Some(5432), None));
    }

    #[test]
    fn proxies_are_read() {
        let proxy = |inside: &str| {
            let member = format!(
                "<member><DBProxyName>p</DBProxyName><DBProxyArn>arn</DBProxyArn>\
                 <Status>available</Status><RequireTLS>true</RequireTLS>{inside}</member>"
            );
            page(&PROXIES, &member, read_proxy).remove(0)
        };
        for (inside, takes_tokens) in [
            ("", false),
            (
                "<Auth><member><IAMAuth>DISABLED</IAMAuth></member></Auth>",
                false,
            ),
            (
                "<Auth><member/><member><IAMAuth>REQUIRED</IAMAuth></member></Auth>",
                true,
            ),
            ("<DefaultAuthScheme>IAM_AUTH</DefaultAuthScheme>", true),
            ("<DefaultAuthScheme>NONE</DefaultAuthScheme>", false),
        ] {
            let found = proxy(inside);
            assert_eq!(
                (found.takes_tokens, found.requires_tls),
                (takes_tokens, Some(true))
            );
        }
    }

    #[test]
    fn an_answer_of_another_kind_is_refused() {
        for body in [
            "<DescribeDBInstancesResponse/>",
            "<R><DescribeDBInstancesResult/></R>",
            "<R><DescribeDBInstancesResult><DBInstances><DBInstance/></DBInstances>\
             </DescribeDBInstancesResult></R>",
            "{}",
        ] {
            assert_eq!(
                read_page(body.as_bytes(), &INSTANCES, read_instance),
                None,
                "{body}"
            );
        }
    }
}
