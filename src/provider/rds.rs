//! RDS and Aurora IAM authentication: user and port are part of what is signed.

use super::{Endpoint, Provider, Signable, is_region};
use crate::encode::percent;

pub(super) static PROVIDER: Provider = Provider {
    name: "rds",
    region,
    expand: |_, _| None,
    user: None,
    dbname: "postgres",
    max_life: 900, // fixed by the service
    signable,
};

/// `NAME[.HASH].REGION.rds.amazonaws.com`, in China `.com.cn`.
fn region(host: &str) -> Option<&str> {
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
