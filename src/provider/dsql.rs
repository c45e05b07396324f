//! Aurora DSQL: the user `admin` signs another action than everybody else; no user name is signed.

use super::{Endpoint, Provider, Roots, Signable, is_region};

const ID_LENGTH: usize = 26;

pub(super) static PROVIDER: Provider = Provider {
    name: "dsql",
    title: "Aurora DSQL",
    owns: |host| region(host).is_some(),
    region,
    expand,
    user: Some("admin"),
    dbname: "postgres",
    signs_port: false,
    max_life: 604_800,
    signable,
    roots: |_| Roots::Public,
};

/// `CLUSTER.dsql.REGION.on.aws`; PrivateLink hosts have `dsql-SUFFIX`.
fn region(host: &str) -> Option<&str> {
    let (cluster, rest) = host.strip_suffix(".on.aws")?.split_once('.')?;
    let (service, region) = rest.split_once('.')?;
    (!cluster.is_empty() && service.starts_with("dsql") && is_region(region)).then_some(region)
}

/// Says what is odd about a host: what stands in the place of the cluster ID is none.
pub(crate) fn doubt(host: &str) -> Option<String> {
    region(host)?;
    let id = host.split('.').next()?;
    (id.len() != ID_LENGTH).then(|| {
        format!(
            "{host}: a cluster ID of Aurora DSQL has {ID_LENGTH} characters; this one has {}",
            id.len()
        )
    })
}

fn expand(id: &str, region: &str) -> Option<String> {
    let is_id = id.len() == ID_LENGTH
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_id.then(|| format!("{id}.dsql.{region}.on.aws"))
}

fn signable(endpoint: &Endpoint<'_>) -> Signable {
    let action = if endpoint.user == "admin" {
        "DbConnectAdmin"
    } else {
        "DbConnect"
    };
    Signable {
        service: "dsql",
        action,
        authority: endpoint.host.to_owned(),
        query: format!("Action={action}"),
    }
}
