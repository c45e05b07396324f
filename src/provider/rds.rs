//! RDS and Aurora IAM authentication: user and port are part of what is signed.

use super::{Endpoint, Provider, Roots, Signable, is_region};
use crate::text::quote::percent;

pub(super) static PROVIDER: Provider = Provider {
    name: "rds",
    title: "RDS",
    owns: |host| split(host).is_some(),
    region,
    expand: |_, _| None,
    user: None,
    dbname: "postgres",
    signs_port: true,
    max_life: 900, // fixed by the service
    signable,
    roots,
};

/// A global database's writer endpoint has `global` there, which is no region: the user has to name
/// one.
fn region(host: &str) -> Option<&str> {
    split(host)
        .map(|(_, region)| region)
        .filter(|region| *region != "global")
}

/// `NAME[.HASH].REGION.rds.amazonaws.com`, in China `.com.cn`, in the European Sovereign Cloud
/// `.rds.amazonaws.eu`.
fn split(host: &str) -> Option<(&str, &str)> {
    const SUFFIXES: [&str; 3] = [
        ".rds.amazonaws.com",
        ".rds.amazonaws.com.cn",
        ".rds.amazonaws.eu",
    ];
    let rest = SUFFIXES
        .iter()
        .find_map(|suffix| host.strip_suffix(suffix))?;
    let (name, region) = rest.rsplit_once('.')?;
    (!name.is_empty() && is_region(region)).then_some((name, region))
}

/// An RDS Proxy, `NAME.proxy-HASH`, has a certificate of AWS Certificate Manager, which chains to
/// public roots.
fn roots(host: &str) -> Roots {
    let hash = split(host)
        .and_then(|(name, _)| name.rsplit_once('.'))
        .map(|(_, hash)| hash);
    if hash.is_some_and(|hash| hash.starts_with("proxy-")) {
        Roots::Public
    } else {
        Roots::AmazonRds
    }
}

fn signable(endpoint: &Endpoint<'_>) -> Signable {
    Signable {
        service: "rds-db",
        action: "connect",
        authority: format!("{}:{}", endpoint.host, endpoint.port),
        query: format!("Action=connect&DBUser={}", percent(endpoint.user)),
    }
}
