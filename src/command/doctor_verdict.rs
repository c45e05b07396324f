//! Logs in once as `pgcred doctor` does, in a process of its own, and returns the verdict. The
//! process asks nobody and ends at a deadline.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sys::child;

/// What doctor has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DoctorVerdict {
    /// The server has accepted the token; who is logged in, and how long it took.
    Accepted(String),
    /// The first cause that keeps the login from working, and what to type.
    Refused(String),
    /// Doctor has come to no end.
    Unknown,
}

/// Logs in to the target that these words name. `config` is the file that `--config` names.
pub(super) fn try_server_login(
    target: &[String],
    config: Option<&Path>,
    timeout: Duration,
) -> DoctorVerdict {
    const REPORT_TIME: Duration = Duration::from_millis(500);
    let seconds = format!("{}s", timeout.as_secs());
    let mut arguments: Vec<OsString> = Vec::new();
    for word in [
        "doctor",
        "--check",
        "login",
        "--format",
        "json",
        "--timeout",
    ] {
        arguments.push(word.into());
    }
    arguments.push(seconds.into());
    if let Some(config) = config {
        arguments.extend(["--config".into(), config.into()]);
    }
    arguments.extend(target.iter().map(OsString::from));
    let deadline = Instant::now() + timeout + REPORT_TIME;
    match child::own_output(&arguments, deadline, || false) {
        Ok(output) => parse_verdict(&output.stdout),
        Err(_) => DoctorVerdict::Unknown,
    }
}

/// Reads doctor's JSON.
fn parse_verdict(answer: &[u8]) -> DoctorVerdict {
    let Ok(report) = serde_json::from_slice::<Value>(answer) else {
        return DoctorVerdict::Unknown;
    };
    if let Some(cause) = first_cause(&report) {
        return DoctorVerdict::Refused(cause);
    }
    match server_login_detail(&report) {
        Some(detail) => DoctorVerdict::Accepted(detail),
        None => DoctorVerdict::Unknown,
    }
}

/// Returns the detail of the first check that failed, and what to type.
fn first_cause(report: &Value) -> Option<String> {
    let first = report["first_check"].as_str()?;
    for check in report["checks"].as_array()? {
        if check["id"] == first && check["status"] == "fail" {
            let detail = check["detail"].as_str()?;
            return Some(match check["fix"]["commands"][0].as_str() {
                Some(command) => format!("{detail}: {command}"),
                None => detail.to_owned(),
            });
        }
    }
    None
}

/// Returns what the check of the login says, if the server has accepted it.
fn server_login_detail(report: &Value) -> Option<String> {
    for check in report["checks"].as_array()? {
        if check["id"] == "login.accepted" && check["status"] == "ok" {
            return Some(check["detail"].as_str()?.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_of_the_report_is_the_cause() {
        let report = br#"{"first_check": "net.dns", "checks": [
            {"id": "net.dns", "status": "ok", "detail": "of another target"},
            {"id": "net.dns", "status": "fail", "detail": "no such host",
             "fix": {"commands": ["getent ahosts db"]}}]}"#;
        let cause = "no such host: getent ahosts db".to_owned();
        assert_eq!(parse_verdict(report), DoctorVerdict::Refused(cause));
        for nothing in [&b""[..], b"{}", br#"{"first_check": null, "checks": []}"#] {
            assert_eq!(parse_verdict(nothing), DoctorVerdict::Unknown);
        }
    }

    #[test]
    fn only_the_check_of_the_login_says_that_it_works() {
        let report = br#"{"first_check": null, "checks": [
            {"id": "net.dns", "status": "ok", "detail": "127.0.0.1"},
            {"id": "login.accepted", "status": "STATUS", "detail": "ann is logged in"}]}"#;
        let of = |status: &str| String::from_utf8_lossy(report).replace("STATUS", status);
        let detail = "ann is logged in".to_owned();
        assert_eq!(
            parse_verdict(of("ok").as_bytes()),
            DoctorVerdict::Accepted(detail)
        );
        assert_eq!(parse_verdict(of("skip").as_bytes()), DoctorVerdict::Unknown);
    }
}
