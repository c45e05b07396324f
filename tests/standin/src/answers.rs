//! What a server may say to a proper token: every text of DSQL, RDS and RDS Proxy by which a
//! failing login is recognised.
//!
//! The token is verified first, so a test says: a right token, and the server answers this. A wrong
//! token is refused as ever. The texts are from AWS's pages, from logs that users have shown and
//! from PostgreSQL's source; those of DSQL and RDS Proxy that came without a SQLSTATE have a likely
//! one.

use crate::Kind;
use crate::refusal::NO_HBA_ENTRY;
use crate::table::table;
use crate::visit::Visit;
use crate::wire::error_response;

/// When the answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Instead of a request for the password, encrypted or not. No token is seen.
    AtOnce,
    /// After a token that was verified.
    Token,
    /// After SCRAM-SHA-256, which the server asks for instead of the token. No token is seen.
    Scram,
    /// After MD5, which the server asks for instead of the token. No token is seen.
    Md5,
}

/// A row of the table. Names in braces are filled in: see `Visit::fill`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) name: &'static str,
    kind: Kind,
    when: When,
    sqlstate: &'static str,
    text: &'static str,
    hint: &'static str,
}

const fn words(
    name: &'static str,
    kind: Kind,
    when: When,
    sqlstate: &'static str,
    text: &'static str,
) -> Words {
    Words {
        name,
        kind,
        when,
        sqlstate,
        text,
        hint: "",
    }
}

/// DSQL tells the reason of a refusal in the hint.
const fn denied(name: &'static str, hint: &'static str) -> Words {
    Words {
        name,
        kind: Kind::Dsql,
        when: When::Token,
        sqlstate: "08006",
        text: "unable to accept connection, access denied",
        hint,
    }
}

const fn dsql(name: &'static str, sqlstate: &'static str, text: &'static str) -> Words {
    words(name, Kind::Dsql, When::Token, sqlstate, text)
}

const fn rds(name: &'static str, sqlstate: &'static str, text: &'static str) -> Words {
    words(name, Kind::Rds, When::Token, sqlstate, text)
}

const fn proxy(name: &'static str, sqlstate: &'static str, text: &'static str) -> Words {
    words(name, Kind::RdsProxy, When::Token, sqlstate, text)
}

const PASSWORD_FAILED: &str = "password authentication failed for user \"{user}\"";
const ROLE_MISSING: &str = "role \"{user}\" does not exist";

table! {
    /// What the server answers to a proper token, instead of letting the client in.
    Answer of Words {
        DsqlAccessDenied => denied("dsql-access-denied", "");
        DsqlExpired => denied("dsql-expired", "Signature expired: {20 minutes ago} is now earlier \
            than {15 minutes ago} ({now} - 15 min.)");
        DsqlNotYetCurrent => denied("dsql-not-yet-current", "Signature not yet current: \
            {10 minutes ahead} is still later than {5 minutes ahead} ({now} + 5 min.)");
        DsqlWrongAction => denied("dsql-wrong-action",
            "Wrong user to action mapping. user: {user}, action: {other action}");
        DsqlNotAuthorized => denied("dsql-not-authorized", "User: \
            arn:aws:sts::111122223333:assumed-role/Developer/jane is not authorized to perform: \
            dsql:{action}");
        DsqlDeniedByOrganization => denied("dsql-denied-by-organization", "User: \
            arn:aws:sts::111122223333:assumed-role/Developer/jane is not authorized to perform: \
            dsql:{action} with an explicit deny in a service control policy");
        DsqlResourceDenied => denied("dsql-resource-denied", "User: \
            arn:aws:sts::111122223333:assumed-role/Developer/jane is not authorized to access this \
            resource");
        DsqlKeyUnknown => denied("dsql-key-unknown",
            "The security token included in the request is invalid.");
        DsqlKeyExpired => denied("dsql-key-expired",
            "The security token included in the request is expired");
        DsqlIamFailed => dsql("dsql-iam-failed", "08006",
            "IAM authentication failed for user \"{user}\"");
        DsqlRoleMissing => dsql("dsql-role-missing", "28000", ROLE_MISSING);
        DsqlRoleNoLogin => dsql("dsql-role-no-login", "28000",
            "role \"{user}\" must have the LOGIN attribute");
        DsqlWakingUp => dsql("dsql-waking-up", "08006",
            "unable to accept connection, waking up cluster, please retry later");
        DsqlTooMany => dsql("dsql-too-many", "53300",
            "Unable to accept connection, too many open connections.");
        DsqlRateExceeded => dsql("dsql-rate-exceeded", "53400",
            "Unable to accept connection, rate exceeded.");
        DsqlNoSni => words("dsql-no-sni", Kind::Dsql, When::AtOnce, "08006",
            "unable to accept connection, sni was not received");

        RdsPamFailed => rds("rds-pam-failed", "28000",
            "PAM authentication failed for user \"{user}\"");
        RdsPasswordFailed => rds("rds-password-failed", "28P01", PASSWORD_FAILED);
        /// IAM authentication is off, or the role has no `rds_iam`.
        RdsAsksScram => words("rds-asks-scram", Kind::Rds, When::Scram, "28P01", PASSWORD_FAILED);
        /// The same on a server with older passwords.
        RdsAsksMd5 => words("rds-asks-md5", Kind::Rds, When::Md5, "28P01", PASSWORD_FAILED);
        RdsNoHbaEntry => words("rds-no-hba-entry", Kind::Rds, When::AtOnce, "28000", NO_HBA_ENTRY);
        /// PostgreSQL before 14.
        RdsNoHbaEntryOld => words("rds-no-hba-entry-old", Kind::Rds, When::AtOnce, "28000",
            "no pg_hba.conf entry for host \"{client}\", user \"{user}\", database \"{database}\", \
             {old encryption}");
        RdsHbaRejects => words("rds-hba-rejects", Kind::Rds, When::AtOnce, "28000",
            "pg_hba.conf rejects connection for host \"{client}\", user \"{user}\", database \
             \"{database}\", {encryption}");
        RdsRoleMissing => rds("rds-role-missing", "28000", ROLE_MISSING);
        RdsRoleNoLogin => rds("rds-role-no-login", "28000",
            "role \"{user}\" is not permitted to log in");
        RdsDatabaseMissing => rds("rds-database-missing", "3D000",
            "database \"{database}\" does not exist");
        RdsConnectDenied => rds("rds-connect-denied", "42501",
            "permission denied for database \"{database}\"");
        RdsTimedOut => rds("rds-timed-out", "57014", "canceling authentication due to timeout");
        RdsTooMany => rds("rds-too-many", "53300", "sorry, too many clients already");
        RdsSlotsReserved => rds("rds-slots-reserved", "53300",
            "remaining connection slots are reserved for roles with the SUPERUSER attribute");
        RdsStartingUp => words("rds-starting-up", Kind::Rds, When::AtOnce, "57P03",
            "the database system is starting up");
        RdsShuttingDown => words("rds-shutting-down", Kind::Rds, When::AtOnce, "57P03",
            "the database system is shutting down");

        ProxyIamFailed => proxy("proxy-iam-failed", "28P01",
            "IAM authentication failed for user {user}. Check the IAM token for this user and try \
             again.");
        ProxyRoleFailed => proxy("proxy-role-failed", "28P01",
            "The IAM authentication failed for the role {user}. Check the IAM token for this role \
             and try again.");
        ProxyNoCredentials => proxy("proxy-no-credentials", "28P01",
            "This RDS proxy has no credentials for the role {user}. Check the credentials for this \
             role and try again.");
        ProxyMethod => proxy("proxy-method", "28000",
            "RDS Proxy supports only IAM, MD5, or SCRAM authentication.");
        ProxyNeedsTls => words("proxy-needs-tls", Kind::RdsProxy, When::AtOnce, "28000",
            "This RDS Proxy requires TLS connections.");
        ProxyIamNeedsTls => words("proxy-iam-needs-tls", Kind::RdsProxy, When::AtOnce, "28000",
            "IAM authentication is allowed only with SSL connections.");
        ProxyAsksScram => words("proxy-asks-scram", Kind::RdsProxy, When::Scram, "28P01",
            PASSWORD_FAILED);
    }
}

impl Answer {
    /// The service whose words these are. Any host of the stand-in can be made to say them.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// The server's text and hint, with names in braces where it names the client, the user and so
    /// on.
    #[must_use]
    pub fn text(self) -> (&'static str, &'static str) {
        let row = self.row();
        (row.text, row.hint)
    }

    pub(crate) fn when(self) -> When {
        self.row().when
    }

    pub(crate) fn response(self, visit: &Visit<'_>) -> Vec<u8> {
        let row = self.row();
        let hint = visit.fill(row.hint);
        let hint = if hint.is_empty() {
            None
        } else {
            Some(hint.as_str())
        };
        error_response("FATAL", row.sqlstate, &visit.fill(row.text), hint)
    }
}
