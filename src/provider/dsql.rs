//! Defines Aurora DSQL: the user `admin` signs another action than every other user. The token
//! names no user and no port.

use super::server_login_sql::{ServerLoginSql, SqlStep, SqlSubject};
use super::{Provider, amazon_roots};
use crate::authority::Region;
use crate::aws::{self, may_be_region};
use crate::text::quote::{sql_name, sql_text};

const ID_LENGTH: usize = 26;

/// The user of every cluster.
const ADMIN: &str = "admin";

pub(super) static PROVIDER: Provider = Provider {
    service: "dsql",
    action_of: action_of_user,
    owns: Some(|host| region_of_host(host).is_some()),
    region_of: region_of_host,
    host_of_id,
    id_mistake,
    count_of_name_labels,
    host_warning,
    user: Some(ADMIN),
    max_lifetime_seconds: 604_800,
    roots_of: |_, _| amazon_roots::public_roots(),
    needs_sni: true,
    takes_direct_tls: true,
    cause_of_settings: Some("dsql.param"),
    cause_of_replication: Some("rds.replication"),
    server_login_sql: Some(ServerLoginSql {
        administrator: Some(ADMIN),
        names_principal: true,
        steps: server_login_sql,
        remark: "What the role may read and write is said by further GRANTs. Type one statement at \
                 a time, and not in one transaction.",
    }),
    ..Provider::new("dsql", "Aurora DSQL", &aws::AUTHORITY)
};

fn action_of_user(user: &str) -> &'static str {
    if user == ADMIN {
        "DbConnectAdmin"
    } else {
        "DbConnect"
    }
}

/// Reads `CLUSTER.dsql.REGION.on.aws`; PrivateLink hosts have `dsql-SUFFIX`.
fn region_of_host(host: &str) -> Option<Region> {
    let (cluster, rest) = host.strip_suffix(".on.aws")?.split_once('.')?;
    let (service, region) = rest.split_once('.')?;
    if cluster.is_empty() || !service.starts_with("dsql") || !may_be_region(region) {
        return None;
    }
    Some(Region::from_trusted_name(region))
}

/// Leaves out PrivateLink hosts, whose second label is of the user's own.
fn count_of_name_labels(host: &str) -> Option<usize> {
    if host.split('.').nth(1)? == "dsql" {
        Some(1)
    } else {
        None
    }
}

/// Returns a warning if the first label of a host is not a cluster ID.
fn host_warning(host: &str) -> Option<String> {
    let length = host.split('.').next()?.len();
    if length == ID_LENGTH {
        return None;
    }
    Some(format!(
        "{host}: a cluster ID of Aurora DSQL has {ID_LENGTH} characters; this one has {length}"
    ))
}

/// Returns what is wrong with an ID from which a character was lost, or to which one was added.
fn id_mistake(text: &str) -> Option<String> {
    let length = text.len();
    let is_near = length.abs_diff(ID_LENGTH) <= 2 && length != ID_LENGTH;
    if !is_near || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Some(format!(
        "a cluster ID of Aurora DSQL has {ID_LENGTH} characters; this one has {length}"
    ))
}

fn host_of_id(id: &str, region: &str) -> Option<String> {
    let has_letters_of_id = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if id.len() != ID_LENGTH || !has_letters_of_id {
        return None;
    }
    Some(format!("{id}.dsql.{region}.on.aws"))
}

fn server_login_sql(subject: &SqlSubject<'_>) -> Vec<SqlStep> {
    let (role, arn) = (sql_name(subject.user), sql_text(subject.principal));
    vec![
        SqlStep::new(
            "Makes the role. Leave this out if the role exists and may log in.",
            format!("CREATE ROLE {role} WITH LOGIN;"),
        ),
        SqlStep::new(
            "Links the role to the IAM role or user that signs the tokens.",
            format!("AWS IAM GRANT {role} TO {arn};"),
        ),
        SqlStep::new(
            "Shows to whom the role is linked.",
            format!(
                "SELECT arn FROM sys.iam_pg_role_mappings WHERE pg_role_name = {};",
                sql_text(subject.user)
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_by_their_form() {
        for (host, region) in [
            ("abc.dsql.eu-west-1.on.aws", Some("eu-west-1")),
            ("abc.dsql-x9y.us-east-1.on.aws", Some("us-east-1")),
            ("abc.dsql.on.aws", None),
            (".dsql.eu-west-1.on.aws", None),
            ("abc.rds.eu-west-1.on.aws", None),
            ("abc.dsql.eu-west-1.amazonaws.com", None),
        ] {
            let found_region = region_of_host(host);
            assert_eq!(found_region.as_ref().map(Region::as_str), region, "{host}");
        }
    }

    #[test]
    fn only_an_id_stands_for_a_host() {
        let id = "a".repeat(ID_LENGTH);
        let host = format!("{id}.dsql.eu-west-1.on.aws");
        assert_eq!(host_of_id(&id, "eu-west-1"), Some(host));
        assert_eq!(host_of_id(&id.to_uppercase(), "eu-west-1"), None);
        assert_eq!(host_of_id(&id[1..], "eu-west-1"), None);
        assert!(id_mistake(&id).is_none() && id_mistake(&id[1..]).is_some());
    }
}
