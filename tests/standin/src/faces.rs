//! The services whose own programs mint the tokens: Microsoft Entra, Vault and others. The table
//! has how the server of each turns a login away.
//!
//! The texts are those that users have shown in public; some came without a SQLSTATE, and have a
//! likely one. Nobody has shown what Snowflake answers, nor how Lakebase refuses an old token or
//! another user: Snowflake has the text of PostgreSQL here, and Lakebase that of Neon's proxy, from
//! which it comes. A PostgreSQL with users of Vault asks for SCRAM; the stand-in asks for the
//! password itself, because it knows only digests.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::Refusal;
use crate::refusal::NO_HBA_ENTRY;
use crate::sigv4::hex;
use crate::table::table;
use crate::visit::Visit;
use crate::wire::error_response;

/// A row of the table. Names in braces are filled in: see `Visit::fill`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The provider of pgcred.
    pub(crate) name: &'static str,
    severity: &'static str,
    sqlstate: &'static str,
    not_minted: &'static str,
    wrong_user: &'static str,
    expired: &'static str,
    no_tls: &'static str,
}

/// What PostgreSQL itself says, whatever is wrong with a password.
const fn postgres(name: &'static str) -> Row {
    one_text(name, "password authentication failed for user \"{user}\"")
}

const fn one_text(name: &'static str, text: &'static str) -> Row {
    Row {
        name,
        severity: "FATAL",
        sqlstate: "28P01",
        not_minted: text,
        wrong_user: text,
        expired: text,
        no_tls: NO_HBA_ENTRY,
    }
}

const fn redshift(name: &'static str) -> Row {
    Row {
        sqlstate: "28000",
        expired: "IAM Authentication token has expired",
        ..postgres(name)
    }
}

table! {
    /// The service as which a host of the stand-in answers. Each has the name of pgcred's provider.
    Face of Row {
        Entra => Row {
            sqlstate: "28000",
            not_minted: "The access token has invalid format. Please ensure the token is passed \
                exactly as returned by the authentication endpoint and retry.",
            wrong_user: "Azure AD access token not valid for role {user} (does not contain group \
                ID 00000000-0000-0000-0000-000000000000)",
            expired: "The access token has expired. Please acquire a new token and retry.",
            ..postgres("entra")
        };
        Lakebase => Row {
            severity: "ERROR",
            sqlstate: "XX000",
            not_minted: "Provided authentication token is not a valid JWT encoding",
            wrong_user: "password authentication failed for user '{user}'",
            expired: "JWT token has expired",
            no_tls: "connection is insecure (try using `sslmode=require`)",
            ..postgres("lakebase")
        };
        Gcloud => Row {
            sqlstate: "28000",
            no_tls: "pg_hba.conf rejects connection for host \"{client}\", user \"{user}\", \
                database \"{database}\", {encryption}",
            ..one_text("gcloud", "Cloud SQL IAM user authentication failed for user \"{user}\"")
        };
        Snowflake => postgres("snowflake");
        Redshift => redshift("redshift");
        RedshiftServerless => redshift("redshift-serverless");
        /// The users that Vault makes are removed at their end.
        Vault => postgres("vault");
        VaultStatic => postgres("vault-static");
    }
}

impl Face {
    /// The answer to a client that is turned away.
    pub(crate) fn response(self, refusal: &Refusal, visit: &Visit<'_>) -> Vec<u8> {
        let row = self.row();
        let text = match refusal {
            Refusal::NoTls => row.no_tls,
            Refusal::WrongUser => row.wrong_user,
            Refusal::Ended => row.expired,
            _ => row.not_minted,
        };
        error_response(row.severity, row.sqlstate, &visit.fill(text), None)
    }
}

/// The hosts that have a face, and the tokens that were minted for them.
#[derive(Debug, Clone, Default)]
pub struct Minted {
    pub hosts: Vec<(String, Face)>,
    /// A file in which whoever mints adds a line for each token: the name of the face, the SHA-256
    /// of the token in lower-case hex, the Unix time of its end, and the user, with a blank between
    /// two. The user may have blanks.
    pub ledger: PathBuf,
}

impl Minted {
    pub(crate) fn face_of(&self, host: &str) -> Option<Face> {
        let (_, face) = self.hosts.iter().find(|(known, _)| known == host)?;
        Some(*face)
    }

    /// Whether the token was minted for this service and the visit's user, and has not ended.
    pub(crate) fn check(&self, face: Face, token: &str, visit: &Visit<'_>) -> Result<(), Refusal> {
        let ledger = fs::read_to_string(&self.ledger).unwrap_or_default();
        let start = format!("{} {} ", face.name(), hex(&Sha256::digest(token)));
        let Some(line) = ledger.lines().find_map(|line| line.strip_prefix(&start)) else {
            return Err(Refusal::NotMinted);
        };
        let (end, user) = line.split_once(' ').ok_or(Refusal::NotMinted)?;
        let end: u64 = end.parse().map_err(|_| Refusal::NotMinted)?;
        if end <= visit.now {
            Err(Refusal::Ended)
        } else if user != visit.startup.user() {
            Err(Refusal::WrongUser)
        } else {
            Ok(())
        }
    }
}
