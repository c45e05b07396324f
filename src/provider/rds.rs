//! RDS and Aurora IAM authentication: user and port are part of what is signed.

use super::{Endpoint, Provider, Signable, is_region};
use crate::encode::percent;

pub(super) static PROVIDER: Provider = Provider {
    name: "rds",
    owns: |host| label_before_suffix(host).is_some(),
    region,
    expand: |_, _| None,
    user: None,
    dbname: "postgres",
    signs_port: true,
    max_life: 900, // fixed by the service
    signable,
};

/// A global database's writer endpoint has `global` there, which is no region: the user has to name one.
fn region(host: &str) -> Option<&str> {
    label_before_suffix(host).filter(|label| *label != "global")
}

/// `NAME[.HASH].REGION.rds.amazonaws.com`, in China `.com.cn`.
fn label_before_suffix(host: &str) -> Option<&str> {
    let rest = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".rds.amazonaws.com")?;
    let (name, region) = rest.rsplit_once('.')?;
    (!name.is_empty() && is_region(region)).then_some(region)
}

fn signable(endpoint: &Endpoint<'_>) -> Signable {
    Signable {
        service: "rds-db",
        action: "connect",
        authority: format!("{}:{}", endpoint.host, endpoint.port),
        query: format!("Action=connect&DBUser={}", percent(endpoint.user)),
    }
}
