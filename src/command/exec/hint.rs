//! What `pgcred exec` says after a program that could not log in. It comes after the program's own
//! output, which is neither read nor delayed.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitStatus;

use crate::request::Request;
use crate::text::quote::typed;

/// psql ends with this code if there is no connection, or if it broke.
const BAD_CONNECTION: i32 = 2;

/// Tells whether a program has ended because it had no connection to the server.
pub(super) fn is_login_failure(program: &OsStr, status: ExitStatus) -> bool {
    let is_psql = Path::new(program).file_stem() == Some(OsStr::new("psql"));
    is_psql && status.code() == Some(BAD_CONNECTION)
}

/// Returns the command that finds out why.
pub(super) fn to_doctor(request: &Request) -> String {
    format!(
        "pgcred doctor {} finds out why the login failed",
        target_of(request)
    )
}

/// Returns what a user types to name the same target. What was typed first may hold a password.
fn target_of(request: &Request) -> String {
    if let Some(name) = &request.connection {
        return typed(name);
    }
    let mut words = vec![typed(&request.host)];
    let mut add = |option: &str, value: &str| {
        words.extend([option.to_owned(), typed(value)]);
    };
    if request.sign_host != request.host {
        add("--sign-host", &request.sign_host);
    }
    if request.provider.user != Some(&request.user) {
        add("--user", &request.user);
    }
    if let Some(profile) = &request.profile {
        add("--profile", profile);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    #[test]
    fn the_hint_names_the_same_target() {
        let mut request = Request {
            connection: Some("my prod".to_owned()),
            provider: provider::named("dsql").unwrap(),
            host: "localhost".to_owned(),
            sign_host: "localhost".to_owned(),
            sign_port: 5432,
            port: 5432,
            user: "admin".to_owned(),
            dbname: "postgres".to_owned(),
            keywords: Vec::new(),
            target_has_address: false,
            roots: None,
            region: None,
            profile: Some("dev".to_owned()),
            aliases: Vec::new(),
            lines_of_others: Vec::new(),
            life: 900,
        };
        assert_eq!(
            to_doctor(&request),
            "pgcred doctor 'my prod' finds out why the login failed"
        );
        request.connection = None;
        request.user = "ann smith".to_owned();
        request.sign_host = "db.example.com".to_owned();
        assert_eq!(
            target_of(&request),
            "localhost --sign-host db.example.com --user 'ann smith' --profile dev"
        );
    }

    #[test]
    #[cfg(unix)]
    fn only_the_code_of_psql_for_no_connection_counts() {
        use std::os::unix::process::ExitStatusExt;
        let failed = |program: &str, code: i32| {
            is_login_failure(OsStr::new(program), ExitStatus::from_raw(code << 8))
        };
        assert!(failed("psql", 2) && failed("/usr/bin/psql", 2));
        assert!(!failed("psql", 0) && !failed("psql", 1) && !failed("psql", 3));
        assert!(!failed("pg_dump", 2) && !failed("psql-wrapper", 2));
    }
}
