//! Tells which thing of RDS a host name belongs to, as the name itself says it. It is pure.
//!
//! ```text
//! NAME.HASH.REGION.rds.amazonaws.com                  instance
//! NAME.cluster-HASH...   NAME.cluster-ro-HASH...      cluster, its writer and its readers
//! NAME.cluster-custom-HASH...                         custom endpoint of some cluster
//! NAME.proxy-HASH...                                  proxy
//! NAME.endpoint.proxy-HASH...                         endpoint of some proxy
//! ```

/// What a host name belongs to, by its name in RDS.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::aws) enum RdsName<'a> {
    Instance(&'a str),
    Cluster(&'a str),
    /// One of the custom endpoints: only the list of all clusters says of which.
    CustomEndpoint,
    Proxy(&'a str),
    ProxyEndpoint(&'a str),
}

/// Reads the name of a host. `None` if it has another form: global and Limitless endpoints, and
/// names of the user's own.
pub(in crate::aws) fn parse_rds_host(host: &str) -> Option<RdsName<'_>> {
    let labels: Vec<&str> = host.split('.').collect();
    let rds = labels.iter().rposition(|label| *label == "rds")?;
    match &labels[..rds] {
        [name, "endpoint", hash, _] if hash.starts_with("proxy-") => {
            Some(RdsName::ProxyEndpoint(name))
        }
        [name, hash, _] => parse_two(name, hash),
        _ => None,
    }
}

fn parse_two<'a>(name: &'a str, hash: &str) -> Option<RdsName<'a>> {
    if name.is_empty() {
        return None;
    }
    if hash.starts_with("cluster-custom-") {
        return Some(RdsName::CustomEndpoint);
    }
    if hash.starts_with("cluster-") {
        return Some(RdsName::Cluster(name));
    }
    if hash.starts_with("proxy-") {
        return Some(RdsName::Proxy(name));
    }
    if hash.is_empty() || hash.contains('-') {
        return None;
    }
    Some(RdsName::Instance(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_it_is() {
        for (name, found) in [
            ("db-1.c1a2b3", Some(RdsName::Instance("db-1"))),
            ("c.cluster-c1a2b3", Some(RdsName::Cluster("c"))),
            ("c.cluster-ro-c1a2b3", Some(RdsName::Cluster("c"))),
            ("e.cluster-custom-c1a2b3", Some(RdsName::CustomEndpoint)),
            ("p.proxy-c1a2b3", Some(RdsName::Proxy("p"))),
            (
                "ro.endpoint.proxy-c1a2b3",
                Some(RdsName::ProxyEndpoint("ro")),
            ),
            ("l.shardgrp-c1a2b3", None),
            ("g.global-c1a2b3", None),
            ("db-1", None),
            ("a.b.c1a2b3", None),
            (".c1a2b3", None),
        ] {
            for suffix in [
                "eu-west-1.rds.amazonaws.com",
                "cn-north-1.rds.amazonaws.com.cn",
            ] {
                let host = format!("{name}.{suffix}");
                assert_eq!(parse_rds_host(&host), found, "{host}");
            }
        }
        assert_eq!(parse_rds_host("db.example.com"), None);
        assert_eq!(parse_rds_host(""), None);
    }
}
