//! Reads what RDS says of an instance, a cluster or a proxy: values out of the XML of one entry of
//! a list. It is pure.
//!
//! The names of the fields are those of AWS's API reference (`DBInstance`, `DBCluster`, `DBProxy`,
//! `DBProxyEndpoint`). A value that is missing or has another form than AWS documents is none; an
//! entry without the fields that name it is left out.

use roxmltree::Node;

use super::xml::{self, flag_at, text_at};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsInstance {
    pub(super) identifier: String,
    pub(super) arn: String,
    /// `db-...`, as policies name it.
    pub(super) resource_id: String,
    pub(super) status: String,
    pub(super) engine: Option<String>,
    /// None while the instance is being created.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) dbname: Option<String>,
    /// The user that was made with the instance.
    pub(super) master_user: Option<String>,
    /// The cluster that the instance is a member of.
    pub(super) cluster: Option<String>,
    pub(super) takes_tokens: Option<bool>,
    pub(super) is_public: Option<bool>,
    pub(super) certificate_authority: Option<String>,
    /// The tag `Name`.
    pub(super) label: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsCluster {
    pub(super) identifier: String,
    pub(super) arn: String,
    /// `cluster-...`, as policies name it.
    pub(super) resource_id: String,
    pub(super) status: String,
    pub(super) engine: Option<String>,
    /// The writer's host.
    pub(super) host: Option<String>,
    /// The readers' host. It is there also where the writer is alone.
    pub(super) reader: Option<String>,
    /// How many members are readers; none where AWS does not list the members.
    pub(super) readers: Option<usize>,
    /// The hosts that the user has made for some of the instances.
    pub(super) custom: Vec<String>,
    pub(super) port: Option<u16>,
    pub(super) dbname: Option<String>,
    /// The user that was made with the cluster.
    pub(super) master_user: Option<String>,
    /// Whether the cluster has no private network and is reached over the internet: Aurora's
    /// express configuration, where every user logs in with a token.
    pub(super) is_express: bool,
    pub(super) takes_tokens: Option<bool>,
    pub(super) is_public: Option<bool>,
    pub(super) certificate_authority: Option<String>,
    /// The tag `Name`.
    pub(super) label: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsProxy {
    pub(super) name: String,
    /// It ends in `prx-...`, as policies name the proxy.
    pub(super) arn: String,
    pub(super) status: String,
    /// `POSTGRESQL`, `MYSQL` or `SQLSERVER`.
    pub(super) family: Option<String>,
    pub(super) host: Option<String>,
    pub(super) takes_tokens: bool,
    pub(super) requires_tls: Option<bool>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdsProxyEndpoint {
    pub(super) name: String,
    pub(super) proxy: String,
    pub(super) status: String,
    pub(super) host: Option<String>,
    /// Whether it is the one that the proxy itself has.
    pub(super) is_default: bool,
}

impl RdsCluster {
    /// Returns the writer's host, the readers' and the custom ones.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &String> {
        self.host.iter().chain(&self.reader).chain(&self.custom)
    }
}

impl RdsProxy {
    /// Returns `prx-...`; an empty text if the ARN has no such end.
    pub(super) fn resource_id(&self) -> &str {
        match self.arn.rsplit_once(':') {
            Some((_, id)) => id,
            None => "",
        }
    }
}

pub(super) fn parse_instance(node: Node) -> Option<RdsInstance> {
    Some(RdsInstance {
        identifier: text_at(node, &["DBInstanceIdentifier"])?,
        arn: text_at(node, &["DBInstanceArn"])?,
        resource_id: text_at(node, &["DbiResourceId"])?,
        status: text_at(node, &["DBInstanceStatus"])?,
        engine: text_at(node, &["Engine"]),
        host: text_at(node, &["Endpoint", "Address"]),
        port: port_at(node, &["Endpoint", "Port"]),
        dbname: text_at(node, &["DBName"]),
        master_user: text_at(node, &["MasterUsername"]),
        cluster: text_at(node, &["DBClusterIdentifier"]),
        takes_tokens: flag_at(node, &["IAMDatabaseAuthenticationEnabled"]),
        is_public: flag_at(node, &["PubliclyAccessible"]),
        certificate_authority: text_at(node, &["CACertificateIdentifier"]),
        label: name_tag(node),
    })
}

pub(super) fn parse_cluster(node: Node) -> Option<RdsCluster> {
    let mut custom = Vec::new();
    for endpoint in xml::list_members(node, &["CustomEndpoints"]) {
        if let Some(host) = text_at(endpoint, &[]) {
            custom.push(host);
        }
    }
    let has_gateway = flag_at(node, &["InternetAccessGatewayEnabled"]) == Some(true);
    let has_network = flag_at(node, &["VPCNetworkingEnabled"]) != Some(false);
    Some(RdsCluster {
        identifier: text_at(node, &["DBClusterIdentifier"])?,
        arn: text_at(node, &["DBClusterArn"])?,
        resource_id: text_at(node, &["DbClusterResourceId"])?,
        status: text_at(node, &["Status"])?,
        engine: text_at(node, &["Engine"]),
        host: text_at(node, &["Endpoint"]),
        reader: text_at(node, &["ReaderEndpoint"]),
        readers: count_readers(node),
        custom,
        port: port_at(node, &["Port"]),
        dbname: text_at(node, &["DatabaseName"]),
        master_user: text_at(node, &["MasterUsername"]),
        is_express: has_gateway && !has_network,
        takes_tokens: flag_at(node, &["IAMDatabaseAuthenticationEnabled"]),
        is_public: flag_at(node, &["PubliclyAccessible"]),
        certificate_authority: text_at(node, &["CertificateDetails", "CAIdentifier"]),
        label: name_tag(node),
    })
}

/// Returns how many members of a cluster are readers.
fn count_readers(cluster: Node) -> Option<usize> {
    xml::child_element(cluster, "DBClusterMembers")?;
    let mut readers = 0;
    for member in xml::list_members(cluster, &["DBClusterMembers"]) {
        if flag_at(member, &["IsClusterWriter"]) == Some(false) {
            readers += 1;
        }
    }
    Some(readers)
}

pub(super) fn parse_gateway(node: Node) -> Option<RdsProxy> {
    let mut takes_tokens = text_at(node, &["DefaultAuthScheme"]).as_deref() == Some("IAM_AUTH");
    for auth in xml::list_members(node, &["Auth"]) {
        let iam = text_at(auth, &["IAMAuth"]);
        takes_tokens |= matches!(iam.as_deref(), Some("REQUIRED" | "ENABLED"));
    }
    Some(RdsProxy {
        name: text_at(node, &["DBProxyName"])?,
        arn: text_at(node, &["DBProxyArn"])?,
        status: text_at(node, &["Status"])?,
        family: text_at(node, &["EngineFamily"]),
        host: text_at(node, &["Endpoint"]),
        takes_tokens,
        requires_tls: flag_at(node, &["RequireTLS"]),
    })
}

pub(super) fn parse_proxy_endpoint(node: Node) -> Option<RdsProxyEndpoint> {
    Some(RdsProxyEndpoint {
        name: text_at(node, &["DBProxyEndpointName"])?,
        proxy: text_at(node, &["DBProxyName"])?,
        status: text_at(node, &["Status"])?,
        host: text_at(node, &["Endpoint"]),
        is_default: flag_at(node, &["IsDefault"]) == Some(true),
    })
}

/// Returns the tag `Name`.
fn name_tag(node: Node) -> Option<String> {
    for tag in xml::list_members(node, &["TagList"]) {
        if text_at(tag, &["Key"]).as_deref() == Some("Name") {
            return text_at(tag, &["Value"]);
        }
    }
    None
}

fn port_at(node: Node, path: &[&str]) -> Option<u16> {
    text_at(node, path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an element with these children.
    fn read<T>(inside: &str, read: fn(Node) -> Option<T>) -> T {
        let body = format!("<DB xmlns='http://rds.amazonaws.com/doc/2014-10-31/'>{inside}</DB>");
        xml::read_document(body.as_bytes(), read).unwrap().unwrap()
    }

    const TAGS: &str = "<TagList><Tag><Key>Owner</Key><Value>x</Value></Tag><Tag><Key>Name</Key>\
        <Value>Main &lt;1&gt;</Value></Tag></TagList>";

    #[test]
    fn instances_are_read() {
        let inside = format!(
            "<DBInstanceIdentifier>db</DBInstanceIdentifier>\
             <DBInstanceArn>arn</DBInstanceArn><DbiResourceId>db-X</DbiResourceId>\
             <DBInstanceStatus>available</DBInstanceStatus><Endpoint><Port>5433</Port>\
             <Address>db.h.r.rds.amazonaws.com</Address></Endpoint><DBName>app</DBName>\
             <MasterUsername>dba</MasterUsername>\
             <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>\
             <PubliclyAccessible>false</PubliclyAccessible><Engine>postgres</Engine>{TAGS}\
             <CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>"
        );
        let instance = read(&inside, parse_instance);
        let expected = RdsInstance {
            identifier: "db".to_owned(),
            arn: "arn".to_owned(),
            resource_id: "db-X".to_owned(),
            status: "available".to_owned(),
            engine: Some("postgres".to_owned()),
            host: Some("db.h.r.rds.amazonaws.com".to_owned()),
            port: Some(5433),
            dbname: Some("app".to_owned()),
            master_user: Some("dba".to_owned()),
            cluster: None,
            takes_tokens: Some(true),
            is_public: Some(false),
            certificate_authority: Some("rds-ca-rsa2048-g1".to_owned()),
            label: Some("Main <1>".to_owned()),
        };
        assert_eq!(instance, expected);
    }

    fn cluster(inside: &str) -> RdsCluster {
        let inside = format!(
            "<DBClusterIdentifier>c</DBClusterIdentifier><DBClusterArn>arn</DBClusterArn>\
             <DbClusterResourceId>cluster-X</DbClusterResourceId><Status>stopped</Status>{inside}"
        );
        read(&inside, parse_cluster)
    }

    #[test]
    fn clusters_are_read_with_all_their_hosts() {
        let found = cluster(
            "<Endpoint>w</Endpoint><ReaderEndpoint>r</ReaderEndpoint><Port>5432</Port>\
             <CustomEndpoints><member>x</member><member>y</member></CustomEndpoints>",
        );
        let hosts: Vec<&String> = found.hosts().collect();
        assert_eq!(hosts, ["w", "r", "x", "y"]);
        assert_eq!((found.port, found.takes_tokens), (Some(5432), None));
        assert_eq!((found.readers, found.label), (None, None));
    }

    #[test]
    fn readers_are_counted() {
        let member = |is_writer: bool| {
            format!(
                "<DBClusterMember><IsClusterWriter>{is_writer}</IsClusterWriter></DBClusterMember>"
            )
        };
        for (members, readers) in [
            (String::new(), 0),
            (member(true), 0),
            (member(true) + &member(false) + &member(false), 2),
        ] {
            let list = format!("<DBClusterMembers>{members}</DBClusterMembers>");
            assert_eq!(cluster(&list).readers, Some(readers), "{list}");
        }
    }

    /// Both marks have to be there: a cluster in a network may have a gateway, too.
    #[test]
    fn an_express_cluster_has_a_gateway_and_no_network() {
        for (gateway, network, is_express) in [
            ("true", "false", true),
            ("true", "true", false),
            ("false", "false", false),
            ("", "", false),
            ("true", "", false),
        ] {
            let found = cluster(&format!(
                "<InternetAccessGatewayEnabled>{gateway}</InternetAccessGatewayEnabled>\
                 <VPCNetworkingEnabled>{network}</VPCNetworkingEnabled>"
            ));
            assert_eq!(found.is_express, is_express, "{gateway} {network}");
        }
    }

    #[test]
    fn proxies_are_read() {
        let proxy = |inside: &str| {
            let member = format!(
                "<DBProxyName>p</DBProxyName><DBProxyArn>a:prx-1</DBProxyArn>\
                 <Status>available</Status><RequireTLS>true</RequireTLS>{inside}"
            );
            read(&member, parse_gateway)
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
            assert_eq!(found.resource_id(), "prx-1");
        }
    }
}
