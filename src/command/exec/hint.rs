//! Makes the hint that `pgcred exec` gives after a program that could not log in. It comes after
//! the program's own output, which is neither read nor delayed.
//!
//! If a user sits at the terminal, doctor logs in once more, in a process of its own, and the hint
//! says what it has found. Otherwise the hint names doctor.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use crate::command::doctor_verdict::{DoctorVerdict, try_server_login};
use crate::provider;
use crate::request::Request;
use crate::text::quote::typed;

/// psql ends with this code if there is no connection, or if it broke.
const BAD_CONNECTION: i32 = 2;

/// Tells whether a program has ended because it had no connection to the server.
pub(super) fn is_login_failure(program: &OsStr, status: ExitStatus) -> bool {
    let is_psql = Path::new(program).file_stem() == Some(OsStr::new("psql"));
    is_psql && status.code() == Some(BAD_CONNECTION)
}

/// What was asked of `pgcred exec`.
pub(super) struct ExecRequest<'a> {
    pub(super) request: &'a Request,
    /// The file that `--config` names.
    pub(super) config: Option<&'a Path>,
    /// A user sits at the terminal.
    pub(super) is_attended: bool,
}

/// Returns why the login failed, or the command that finds it out.
pub(super) fn hint_after_failed_login(exec_request: &ExecRequest<'_>) -> String {
    let target: Vec<String> = target_of(exec_request.request)
        .iter()
        .map(|word| typed(word))
        .collect();
    let doctor = format!("pgcred doctor {}", target.join(" "));
    if exec_request.is_attended
        && let Some(cause) = ask_doctor(exec_request)
    {
        return format!("{cause}; `{doctor}` says more");
    }
    format!("{doctor} finds out why the login failed")
}

/// Returns what doctor finds first. Its own login may succeed, because it uses another way than the
/// program, or because it comes later.
fn ask_doctor(exec_request: &ExecRequest<'_>) -> Option<String> {
    const MAX_SERVER_LOGIN_TIME: Duration = Duration::from_secs(3);
    match try_server_login(
        &target_of(exec_request.request),
        exec_request.config,
        MAX_SERVER_LOGIN_TIME,
    ) {
        DoctorVerdict::Refused(cause) => Some(cause),
        DoctorVerdict::Accepted(_) | DoctorVerdict::Unknown => None,
    }
}

/// Returns what a user types to name the same target. What was typed first may hold a password.
fn target_of(request: &Request) -> Vec<String> {
    if let Some(name) = &request.connection {
        return vec![name.clone()];
    }
    let mut arguments = vec![request.host.clone()];
    let mut add_option = |option: &str, value: &str| {
        arguments.extend([option.to_owned(), value.to_owned()]);
    };
    if request.port != request.provider.default_port {
        add_option("--port", &request.port.to_string());
    }
    if request.sign_host != request.host {
        add_option("--sign-host", &request.sign_host);
    }
    let is_known = provider::find_by_host(&request.sign_host)
        .is_some_and(|provider| provider.name == request.provider.name);
    if !is_known {
        add_option("--provider", request.provider.name);
    }
    if let Some(region) = &request.region
        && (request.provider.region_of)(&request.sign_host).is_none()
    {
        add_option("--region", region.as_str());
    }
    if request.provider.user != Some(&request.user) {
        add_option("--user", &request.user);
    }
    if let Some(profile) = &request.profile {
        add_option("--profile", profile);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_same_target() {
        let mut request = Request {
            connection: Some("my prod".to_owned()),
            provider: provider::from_name("dsql").unwrap(),
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
            vars: Vec::new(),
            lifetime_seconds: 900,
        };
        let hint_of = |request: &Request| {
            hint_after_failed_login(&ExecRequest {
                request,
                config: None,
                is_attended: false,
            })
        };
        assert_eq!(
            hint_of(&request),
            format!(
                "pgcred doctor {} finds out why the login failed",
                typed("my prod")
            )
        );
        request.connection = None;
        request.user = "ann smith".to_owned();
        request.sign_host = "db.example.com".to_owned();
        assert_eq!(
            hint_of(&request),
            format!(
                "pgcred doctor localhost --sign-host db.example.com --provider dsql --user {} \
                 --profile dev finds out why the login failed",
                typed("ann smith")
            )
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
