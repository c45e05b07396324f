//! Writes the SQL that lets a user log in with a token: what a kind of host says of its own, in one
//! form. It is pure.
//!
//! Nothing here is sent to a server. `pgcred policy` prints it.

/// The longest name that PostgreSQL keeps, in bytes.
pub(crate) const MAX_NAME_LENGTH: usize = 63;

/// The SQL of a kind of host.
pub(crate) struct ServerLoginSql {
    /// The user that every server has, and that types it; `None` if each server has another.
    pub(crate) administrator: Option<&'static str>,
    /// Whether a statement names who signs.
    pub(crate) names_principal: bool,
    pub(crate) steps: fn(&SqlSubject<'_>) -> Vec<SqlStep>,
    /// What stays to be done in the database, in sentences.
    pub(crate) remark: &'static str,
}

/// Whom the SQL is for.
pub(crate) struct SqlSubject<'a> {
    /// The name that is signed.
    pub(crate) host: &'a str,
    pub(crate) user: &'a str,
    /// The authority's whole name of who signs; empty if no statement names it.
    pub(crate) principal: &'a str,
}

/// One statement, and what it is for.
pub(crate) struct SqlStep {
    /// A sentence.
    pub(crate) purpose: &'static str,
    /// With its semicolon.
    pub(crate) statement: String,
}

impl SqlStep {
    pub(super) fn new(purpose: &'static str, statement: String) -> Self {
        Self { purpose, statement }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PROVIDERS, fake};
    use super::*;

    const PRINCIPAL: &str = "arn:aws:iam::123456789012:role/o'brien/dba";

    fn statements(provider: &str, host: &str, user: &str) -> Vec<String> {
        let provider = PROVIDERS.iter().find(|row| row.name == provider);
        let sql = provider.unwrap().server_login_sql.as_ref().unwrap();
        let subject = SqlSubject {
            host,
            user,
            principal: PRINCIPAL,
        };
        let steps = (sql.steps)(&subject);
        steps.into_iter().map(|step| step.statement).collect()
    }

    #[test]
    fn names_and_texts_are_quoted() {
        let host = "x.dsql.eu-west-1.on.aws";
        assert_eq!(
            statements("dsql", host, "O'Hara \"x\"; drop"),
            [
                "CREATE ROLE \"O'Hara \"\"x\"\"; drop\" WITH LOGIN;",
                "AWS IAM GRANT \"O'Hara \"\"x\"\"; drop\" TO \
                 'arn:aws:iam::123456789012:role/o''brien/dba';",
                "SELECT arn FROM sys.iam_pg_role_mappings WHERE pg_role_name = \
                 'O''Hara \"x\"; drop';",
            ]
        );
        let host = "db.c1a2b3.eu-west-1.rds.amazonaws.com";
        assert_eq!(
            statements("rds", host, "B\u{fc}ro"),
            [
                "CREATE USER \"B\u{fc}ro\";",
                "GRANT rds_iam TO \"B\u{fc}ro\";",
                "SELECT pg_has_role('B\u{fc}ro', 'rds_iam', 'member');",
            ]
        );
    }

    /// A proxy logs in with the password of the secret, which `rds_iam` would make useless.
    #[test]
    fn a_user_behind_a_proxy_keeps_its_password() {
        let host = "p.proxy-c1a2b3.eu-west-1.rds.amazonaws.com";
        let all = statements("rds", host, "app").join(" ");
        assert!(all.contains("CREATE USER \"app\""), "{all}");
        assert!(!all.contains("GRANT rds_iam"), "{all}");
    }

    #[test]
    fn a_provider_needs_no_sql() {
        assert!(fake::PROVIDER.server_login_sql.is_none());
    }
}
