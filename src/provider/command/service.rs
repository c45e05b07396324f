//! Lists what is known of the services of the presets, besides their commands: hosts, users,
//! databases and root certificates. It is pure.

use super::super::amazon_roots;
use crate::authority::Region;
use crate::provider::{DEFAULT_PORT, RequiredRoots, RootSet};

/// What a kind of host needs. Each field but those with a comment is that of `Provider` with the
/// same name.
pub(super) struct PresetService {
    pub(super) owns: Option<fn(host: &str) -> bool>,
    pub(super) host_warning: fn(host: &str) -> Option<String>,
    pub(super) who_logs_in: Option<&'static str>,
    pub(super) right_user: fn(user: &str) -> Option<&str>,
    pub(super) users_are_addresses: bool,
    pub(super) is_foreign_audience: fn(audience: &str) -> bool,
    /// What its servers say to a token that has expired, if that tells it from other refusals.
    pub(super) expired_token: Option<&'static str>,
    /// Whether every token is a JWT.
    pub(super) has_only_jwts: bool,
    pub(super) dbname: &'static str,
    pub(super) default_port: u16,
    pub(super) roots_of: fn(host: &str, region: Option<&Region>) -> RequiredRoots,
}

impl PresetService {
    /// A service of which nothing is known: whoever defines a command has named it.
    pub(super) const UNKNOWN: Self = Self {
        owns: None,
        host_warning: |_| None,
        who_logs_in: None,
        right_user: |_| None,
        users_are_addresses: false,
        is_foreign_audience: |_| false,
        expired_token: None,
        has_only_jwts: false,
        dbname: "postgres",
        default_port: DEFAULT_PORT,
        roots_of: |_, _| RequiredRoots::Public(None),
    };
}

pub(super) const AZURE: PresetService = PresetService {
    owns: Some(is_of_azure),
    who_logs_in: Some(
        "your user principal name (ann@example.com), or the display name of a group or a service \
         principal, exactly as the database has it",
    ),
    users_are_addresses: true,
    // An audience may also be an ID, of which nobody can tell.
    is_foreign_audience: |audience| {
        audience.starts_with("https://") && !audience.starts_with("https://ossrdbms-aad.database.")
    },
    expired_token: Some("access token has expired"),
    has_only_jwts: true,
    ..PresetService::UNKNOWN
};

pub(super) const LAKEBASE: PresetService = PresetService {
    owns: Some(is_of_lakebase),
    host_warning: warning_about_pooler,
    who_logs_in: Some("your e-mail address at Databricks, or the ID of a service principal"),
    users_are_addresses: true,
    expired_token: Some("JWT token has expired"),
    dbname: "databricks_postgres",
    ..PresetService::UNKNOWN
};

/// Its hosts are addresses, or names of the user's own.
pub(super) const GOOGLE: PresetService = PresetService {
    who_logs_in: Some(
        "your e-mail address, or that of a service account without `.gserviceaccount.com`",
    ),
    // The name of a user is cut at 63 characters, so Google leaves the end out.
    right_user: |user| user.strip_suffix(".gserviceaccount.com"),
    users_are_addresses: true,
    roots_of: |_, _| {
        private_roots(
            "google-cloud.pem",
            "this instance of Cloud SQL or AlloyDB, which has an authority of its own",
            "server-ca.pem of the instance (Cloud SQL: gcloud sql instances describe INSTANCE \
             --format=\"value(serverCaCert.cert)\")",
        )
    },
    ..PresetService::UNKNOWN
};

pub(super) const SNOWFLAKE: PresetService = PresetService {
    owns: Some(|host| has_name_before(host, ".postgres.snowflake.app")),
    who_logs_in: Some("the PostgreSQL user to whom your Snowflake user is mapped"),
    roots_of: |_, _| {
        private_roots(
            "snowflake.pem",
            "this Snowflake account, which has an authority of its own",
            "the field `certificate` of DESCRIBE POSTGRES INSTANCE",
        )
    },
    ..PresetService::UNKNOWN
};

pub(super) const REDSHIFT: PresetService = PresetService {
    owns: Some(|host| is_of_redshift(host, ".redshift.amazonaws.com")),
    expired_token: Some("IAM Authentication token has expired"),
    dbname: "dev",
    default_port: 5439,
    roots_of: |_, _| amazon_roots::public_roots(),
    ..PresetService::UNKNOWN
};

pub(super) const REDSHIFT_SERVERLESS: PresetService = PresetService {
    owns: Some(|host| is_of_redshift(host, ".redshift-serverless.amazonaws.com")),
    ..REDSHIFT
};

/// Tells whether something stands in front of the suffix.
fn has_name_before(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|name| !name.is_empty())
}

/// `NAME.postgres.database.azure.com`, and the same in the clouds of the United States, China and
/// France.
fn is_of_azure(host: &str) -> bool {
    [
        ".postgres.database.azure.com",
        ".postgres.database.usgovcloudapi.net",
        ".postgres.database.chinacloudapi.cn",
        ".postgres.database.sovcloud-api.fr",
    ]
    .iter()
    .any(|suffix| has_name_before(host, suffix))
}

/// `NAME.database[.REGION].cloud.databricks.com`, on Azure `.azuredatabricks.net`.
fn is_of_lakebase(host: &str) -> bool {
    let suffixes = [".cloud.databricks.com", ".azuredatabricks.net"];
    let Some(rest) = suffixes.iter().find_map(|suffix| host.strip_suffix(suffix)) else {
        return false;
    };
    let mut labels = rest.split('.');
    let (name, service) = (labels.next(), labels.next());
    name.is_some_and(|name| !name.is_empty()) && service == Some("database")
}

/// `NAME.ACCOUNT.REGION` and the suffix.
fn is_of_redshift(host: &str, suffix: &str) -> bool {
    let Some(rest) = host.strip_suffix(suffix) else {
        return false;
    };
    let labels = rest.split('.').filter(|label| !label.is_empty());
    labels.count() == 3
}

fn warning_about_pooler(host: &str) -> Option<String> {
    let (name, rest) = host.split_once('.')?;
    let direct = name.strip_suffix("-pooler")?;
    Some(format!(
        "{host}: the pooler of Databricks Lakebase refuses tokens; use {direct}.{rest}"
    ))
}

/// Returns roots that the user has to save.
fn private_roots(file_name: &str, title: &str, manual_source: &'static str) -> RequiredRoots {
    RequiredRoots::Private(RootSet {
        file_name: file_name.to_owned(),
        title: title.to_owned(),
        bundled: None,
        address: None,
        issuer: None,
        cause: "tls.roots.unknown",
        manual_source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pooler_of_lakebase_takes_no_token() {
        let warning = (LAKEBASE.host_warning)("ep-a-pooler.database.r.cloud.databricks.com");
        assert!(
            warning
                .unwrap()
                .ends_with("use ep-a.database.r.cloud.databricks.com")
        );
        assert_eq!(
            (LAKEBASE.host_warning)("ep-a.database.r.cloud.databricks.com"),
            None
        );
    }

    #[test]
    fn a_service_account_has_a_shorter_name_in_the_database() {
        let right = (GOOGLE.right_user)("app@p.iam.gserviceaccount.com");
        assert_eq!(right, Some("app@p.iam"));
        for right in ["app@p.iam", "ann@example.com", "gserviceaccount.com"] {
            assert_eq!((GOOGLE.right_user)(right), None);
        }
    }
}
