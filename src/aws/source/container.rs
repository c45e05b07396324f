//! Gets container credentials: those of ECS, EKS Pod Identity, CloudShell and any other environment
//! that sets `AWS_CONTAINER_CREDENTIALS_*`. AWS describes the protocol under "Container credential
//! provider" in its SDKs and Tools Reference Guide.
//!
//! 1. The address is the path in `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` at 169.254.170.2, or the
//!    whole address in `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
//! 2. The token for the header `authorization` is read from the file that
//!    `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names, or from `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
//!    There may be none.
//! 3. GET asks for the credentials, as JSON: up to three times, with a second between them, but
//!    only once if the service refuses with a status below 500.
//!
//! A proxy is never asked, and plain HTTP goes to this machine and to AWS's own addresses alone:
//! the answer is a secret. No error repeats an answer, except for a code and a message in their
//! usual form. Nothing is cached here.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::credentials::Credentials;
use crate::aws::credentials::FieldNames;
use crate::aws::plan::{ContainerEndpoint, FULL, RELATIVE};
use crate::aws::resolution::CredentialResolution;
use crate::error::{Error, Result};
use crate::http::RequestError;
use crate::sys::fs;
use crate::text::{backquoted, host, safe_excerpt};

/// The server that relative addresses belong to. It is AWS's own.
const SERVER_OF_AWS: &str = "http://169.254.170.2";
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
const TOKEN_FILE_VARIABLE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const TOKEN_VARIABLE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

impl CredentialSource for ContainerEndpoint {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(self.fetch(resolution).await?)) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        self.token_file.iter().map(PathBuf::from).collect()
    }

    fn describe(&self, origin: &str) -> String {
        format!("container ({origin})")
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::Variable(self.variable)
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

impl ContainerEndpoint {
    /// Returns the credentials that the service gives.
    async fn fetch(&self, resolution: &CredentialResolution<'_>) -> Result<Credentials> {
        let variable = self.variable;
        let address = self.whole_address()?;
        let token = self.authorization(resolution)?;
        resolution.step(format!("container: asking {variable}"));
        let answer = resolution
            .wait(
                "the container's credential service",
                request_credentials(resolution, &address, token.as_deref()),
            )
            .await?;
        let reason = match answer {
            Ok(answer) => match parse_credentials(&answer) {
                Ok(credentials) => {
                    return resolution.require_unexpired(
                        credentials,
                        "the container's credential service",
                        "try again; if it fails again, restart the service",
                    );
                }
                Err(reason) => reason,
            },
            Err(RequestError::Local(error)) => {
                return Err(error.about(&format!("container credentials from {variable}")));
            }
            Err(RequestError::Failed(reason) | RequestError::Untrusted(reason)) => reason,
        };
        Err(Error::failure(format!(
            "cannot get container credentials from {variable}: {reason}"
        ))
        .hint(format!(
            "check that the service of {variable} is running, and that {TOKEN_VARIABLE} fits it"
        )))
    }

    fn whole_address(&self) -> Result<String> {
        if self.variable == FULL {
            check_address(&self.address)?;
            return Ok(self.address.clone());
        }
        if !self.address.starts_with('/') {
            return Err(Error::usage(format!("{RELATIVE} does not begin with `/`"))
                .hint(format!("correct or unset {RELATIVE}")));
        }
        Ok(format!("{SERVER_OF_AWS}{}", self.address))
    }

    /// Returns the token for the `authorization` header: one line, from a file or a variable.
    fn authorization(&self, resolution: &CredentialResolution) -> Result<Option<String>> {
        let (variable, token) = match (&self.token_file, &self.token) {
            (Some(path), _) => match fs::read_foreign_text(path.as_ref(), resolution.deadline()) {
                Ok(text) => (TOKEN_FILE_VARIABLE, text),
                Err(error) => {
                    let hint = format!("correct or unset {TOKEN_FILE_VARIABLE}");
                    return Err(error.about(TOKEN_FILE_VARIABLE).or_hint(&hint));
                }
            },
            (None, Some(token)) => (TOKEN_VARIABLE, token.clone()),
            (None, None) => return Ok(None),
        };
        let part = if token.contains(['\r', '\n']) {
            "line end"
        } else if token.contains(char::is_control) {
            "control character"
        } else {
            return Ok(Some(token));
        };
        Err(
            Error::usage(format!("{variable}: the token has a {part} in it"))
                .hint(format!("store the token without the {part}")),
        )
    }
}

/// Returns the credentials in an answer, or what is wrong with it.
fn parse_credentials(answer: &[u8]) -> Result<Credentials, String> {
    const NAMES: FieldNames = FieldNames::OF_METADATA;
    let answer: Value = match serde_json::from_slice(answer) {
        Ok(answer) => answer,
        Err(_) => return Err("the answer is not JSON".to_owned()),
    };
    let none = Map::new();
    let fields = answer.as_object().unwrap_or(&none);
    // Credentials of a container always have both. AWS's own tools refuse an answer without them.
    for name in [NAMES.token, NAMES.expiration] {
        if !fields.contains_key(name) {
            return Err(format!("the answer has no {name}"));
        }
    }
    match NAMES.credentials(fields, "container") {
        Ok(credentials) => Ok(credentials),
        Err(reason) => Err(format!("the answer has {reason}")),
    }
}

/// Asks up to three times, as the AWS CLI does, but not again where the answer would be the same.
async fn request_credentials(
    resolution: &CredentialResolution<'_>,
    address: &str,
    token: Option<&str>,
) -> Result<Vec<u8>, RequestError> {
    let mut headers = vec![("accept", "application/json")];
    headers.extend(token.map(|token| ("authorization", token)));
    let mut attempt = 1;
    loop {
        let (may_change, failure) =
            match resolution.direct().ask("GET", address, &headers, "").await {
                Ok((200, text)) => return Ok(text),
                Ok((status, text)) => (
                    status >= 500,
                    RequestError::Failed(describe_refusal(status, &text)),
                ),
                Err(RequestError::Local(error)) => (false, RequestError::Local(error)),
                Err(failure) => (true, failure),
            };
        if !may_change || attempt == ATTEMPTS {
            return Err(failure);
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Repeats the code and the message of a refusal, if it has the usual form. Any other text may hold
/// a secret.
fn describe_refusal(status: u16, text: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    let mut message = format!("it refused (HTTP {status})");
    for name in ["code", "message"] {
        if let Some(Value::String(text)) = answer.get(name) {
            message = format!("{message}: {}", safe_excerpt(text));
        }
    }
    message
}

/// Plain HTTP goes to this machine and to AWS's own addresses only: the answer is a secret.
fn check_address(address: &str) -> Result<()> {
    const ALLOWED: [&str; 4] = [
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "localhost",
    ];
    let address_error = |reason: String| {
        Error::usage(format!("{FULL}: {reason}"))
            .hint("use an https address, a loopback address, or an address of AWS's own")
    };
    if address.starts_with("https://") {
        return Ok(());
    }
    if !address.starts_with("http://") {
        return Err(address_error("neither http nor https".to_owned()));
    }
    let name = &*host::host_of(host::server_of_address(address)).to_ascii_lowercase();
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback || ALLOWED.contains(&name) {
        return Ok(());
    }
    Err(address_error(format!(
        "the host {} may not be asked",
        backquoted(name)
    )))
}

/// What looks like this machine and is another one. The client of HTTP takes no address with a
/// backslash or a space.
#[test]
fn only_this_machine_and_addresses_of_aws_are_asked() {
    for address in [
        "http://evil.example.com/",
        "http://localhost@evil.example.com/",
        "http://localhost:80@evil.example.com/",
        "http://evil.example.com#@localhost/",
        "http://evil.example.com/@localhost/",
        "http://evil.example.com?@localhost/",
        "http://localhost\\@evil.example.com/",
        "http://127.0.0.1.evil.example.com/",
        "http://169.254.170.2.evil.example.com/",
        "http://localhost.evil.example.com/",
        "http://169.254.169.254/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://[::ffff:8.8.8.8]/",
        "http://[fe80::1]/",
        "http://",
        "//localhost/",
        "file:///etc/passwd",
        "HTTP ://localhost/",
    ] {
        assert!(check_address(address).is_err(), "{address}");
    }
    for address in [
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "http://[::1]:80/",
        "http://169.254.170.23/v1",
        "https://x/",
    ] {
        assert!(check_address(address).is_ok(), "{address}");
    }
}
