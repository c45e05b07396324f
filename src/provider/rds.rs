//! Defines RDS and Aurora IAM authentication: user and port are part of what is signed.
//!
//! A host is `NAME[.HASH].REGION.rds.amazonaws.com`, or ends in `.com.cn` or `.eu` for China and
//! the European Sovereign Cloud. The writer endpoint of a global database names no region, so that
//! the user has to. Servers have certificates of Amazon's private authorities, one set for each
//! region; a proxy has a public one.

use super::server_login_sql::{ServerLoginSql, SqlStep, SqlSubject};
use super::{NoTokenReason, Provider, RequiredRoots, amazon_roots};
use crate::authority::Region;
use crate::aws::{self, may_be_region};
use crate::text::quote::{sql_name, sql_text};

pub(super) static PROVIDER: Provider = Provider {
    service: "rds-db",
    action_of: |_| "connect",
    signs_port: true,
    signs_user: true,
    owns: Some(|host| split_host(host).is_some()),
    region_of: region_of_host,
    count_of_name_labels,
    max_lifetime_seconds: 900, // fixed by the service
    roots_of: roots_of_host,
    cause_of_replication: Some("rds.replication"),
    no_token_reason,
    server_login_sql: Some(ServerLoginSql {
        administrator: None,
        names_principal: false,
        steps: server_login_sql,
        remark: "What the user may read and write is said by further GRANTs.",
    }),
    ..Provider::new("rds", "RDS", &aws::AUTHORITY)
};

/// Returns the region in a host. The writer endpoint of a global database has `global` there, which
/// is not a region, so the user has to name one.
fn region_of_host(host: &str) -> Option<Region> {
    match split_host(host)? {
        (_, "global") => None,
        (_, region) => Some(Region::from_trusted_name(region)),
    }
}

/// Splits `NAME[.HASH].REGION.rds.amazonaws.com`, in China `.com.cn`, in the European Sovereign
/// Cloud `.rds.amazonaws.eu`.
fn split_host(host: &str) -> Option<(&str, &str)> {
    const SUFFIXES: [&str; 3] = [
        ".rds.amazonaws.com",
        ".rds.amazonaws.com.cn",
        ".rds.amazonaws.eu",
    ];
    for suffix in SUFFIXES {
        if let Some(rest) = host.strip_suffix(suffix) {
            let (name, region) = rest.rsplit_once('.')?;
            if name.is_empty() || !may_be_region(region) {
                return None;
            }
            return Some((name, region));
        }
    }
    None
}

/// The name of a server is `NAME.HASH`.
fn count_of_name_labels(host: &str) -> Option<usize> {
    if host.split('.').nth(3)? == "rds" {
        Some(2)
    } else {
        None
    }
}

/// Returns the roots of the region that the host names. A host that leads to more than one region,
/// as the writer of a global database does, needs the roots of all regions.
/// `request_region` counts for a name of the user's own.
fn roots_of_host(host: &str, request_region: Option<&Region>) -> RequiredRoots {
    if is_proxy(host) {
        return amazon_roots::public_roots();
    }
    match (region_of_host(host), request_region) {
        (Some(host_region), _) => amazon_roots::roots_of_rds(Some(&host_region)),
        (None, Some(request_region)) if split_host(host).is_none() => {
            amazon_roots::roots_of_rds(Some(request_region))
        }
        _ => amazon_roots::roots_of_rds(None),
    }
}

/// Of RDS, only a proxy has a public certificate.
fn no_token_reason(roots: &RequiredRoots) -> NoTokenReason {
    match roots {
        RequiredRoots::Public(_) => NoTokenReason {
            cause: Some("rds.proxy.method"),
            advice: None,
        },
        RequiredRoots::Private(_) => NoTokenReason {
            cause: Some("role.rds_iam.missing"),
            advice: Some(
                "if the role has rds_iam, IAM authentication is off: add --aws to be told",
            ),
        },
    }
}

/// An RDS Proxy, `NAME.proxy-HASH`, has a certificate of AWS Certificate Manager, which chains to
/// public roots.
fn is_proxy(host: &str) -> bool {
    if let Some((name, _)) = split_host(host)
        && let Some((_, hash)) = name.rsplit_once('.')
    {
        return hash.starts_with("proxy-");
    }
    false
}

fn server_login_sql(subject: &SqlSubject<'_>) -> Vec<SqlStep> {
    let (user, name) = (sql_name(subject.user), sql_text(subject.user));
    if is_proxy(subject.host) {
        return vec![
            SqlStep::new(
                "Makes the user. The proxy logs in with the password that its secret has: set that \
                 with \\password in psql. Only if the proxy logs in by IAM itself (IAM_AUTH), type \
                 no password, and grant rds_iam to the user.",
                format!("CREATE USER {user};"),
            ),
            SqlStep::new(
                "Shows whether the user may log in.",
                format!("SELECT rolcanlogin FROM pg_roles WHERE rolname = {name};"),
            ),
        ];
    }
    vec![
        SqlStep::new(
            "Makes the user. Leave this out if the user exists.",
            format!("CREATE USER {user};"),
        ),
        SqlStep::new(
            "Lets the user log in with tokens, and no longer with a password. Not for the master \
             user, and not together with rds_ad.",
            format!("GRANT rds_iam TO {user};"),
        ),
        SqlStep::new(
            "Shows whether the user has rds_iam.",
            format!("SELECT pg_has_role({name}, 'rds_iam', 'member');"),
        ),
    ]
}
