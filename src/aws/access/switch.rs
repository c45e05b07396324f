//! Makes the command that the user types so that a server of RDS takes tokens: RDS has a switch for
//! that. It is pure.

use crate::authority::FoundDatabase;
use crate::aws::api::{RdsName, parse_rds_host};
use crate::text::quote;

/// What has the switch.
#[derive(Clone, Copy)]
pub(super) enum SwitchOwner<'a> {
    Instance(&'a str),
    Cluster(&'a str),
}

/// Returns the command for an instance or a cluster, with the options that name region and profile.
pub(super) fn command_of_owner(switched: SwitchOwner<'_>, options: &str) -> Option<String> {
    let (kind, name) = match switched {
        SwitchOwner::Instance(name) => ("instance", name),
        SwitchOwner::Cluster(name) => ("cluster", name),
    };
    if !is_identifier(name) {
        return None;
    }
    Some(format!(
        "aws rds modify-db-{kind} --db-{kind}-identifier {name} \
         --enable-iam-database-authentication --apply-immediately{options}"
    ))
}

/// Returns the command for a database that was listed. A proxy has a switch for each of its
/// secrets, and the host of a custom endpoint does not tell its cluster.
pub(in crate::aws) fn switch_of_database(
    database: &FoundDatabase,
    profile: Option<&str>,
) -> Option<String> {
    let switched = match parse_rds_host(database.host.as_deref()?)? {
        RdsName::Instance(name) => SwitchOwner::Instance(name),
        RdsName::Cluster(name) => SwitchOwner::Cluster(name),
        RdsName::CustomEndpoint | RdsName::Proxy(_) | RdsName::ProxyEndpoint(_) => return None,
    };
    let region = quote::typed(database.region.as_str());
    let options = match profile {
        Some(profile) => format!(" --region {region} --profile {}", quote::typed(profile)),
        None => format!(" --region {region}"),
    };
    command_of_owner(switched, &options)
}

fn is_identifier(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_of_name)
}
