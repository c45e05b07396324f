//! Gets the credentials of an EC2 instance's role from the instance metadata service, and the
//! instance's region. It is the last source. AWS describes the protocol under "Use the Instance
//! Metadata Service" in the EC2 User Guide.
//!
//! 1. PUT `latest/api/token` asks for a token of version 2 that is good for six hours (21,600 s).
//!    If the service refuses with 403, 404 or 405, it is asked without one, as version 1, unless
//!    the user has switched that off.
//! 2. GET `latest/meta-data/iam/security-credentials/` gives the name of the role, and the same
//!    path with the role's name the credentials, as JSON.
//!
//! The service is at `http://169.254.169.254`, or where `AWS_EC2_METADATA_SERVICE_ENDPOINT` says.
//! Each request is made once and waits 1 s, or as the variables `AWS_METADATA_SERVICE_NUM_ATTEMPTS`
//! and `AWS_METADATA_SERVICE_TIMEOUT` say, so that outside EC2 this source gives up after about a
//! second: without an answer, or without a role, there are no credentials, which is no error. At
//! most 64 KiB of an answer are read. Credentials that AWS has not renewed in time are used for 15
//! more minutes, with a warning. Nothing is cached here.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::credentials::Credentials;
use crate::aws::credentials::FieldNames;
use crate::aws::plan::InstanceMetadata;
use crate::aws::resolution::CredentialResolution;
use crate::error::{Error, Result};
use crate::http::{HttpClient, RequestError};
use crate::text::{host, safe_excerpt};
use crate::time::{Time, spoken_duration};

const TOKEN: &str = "latest/api/token";
const ROLE: &str = "latest/meta-data/iam/security-credentials/";
const REGION: &str = "latest/meta-data/placement/region";
/// The region and a letter. Emulators of EC2 may know this path alone, which the AWS CLI asks for.
const ZONE: &str = "latest/meta-data/placement/availability-zone";
/// The longest answer that is read, in bytes.
const MAX_ANSWER_LENGTH: usize = 64 << 10;
const ENDPOINT_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const SOURCE: &str = "instance metadata";
/// How long expired credentials are taken to last, in seconds: AWS accepts them while it cannot
/// renew them.
const EXTENSION_SECONDS: u32 = 900;

impl CredentialSource for InstanceMetadata {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(role_credentials(resolution).await?) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn describe(&self, origin: &str) -> String {
        format!("instance metadata ({origin})")
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::CredentialSource
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

/// Returns the credentials of the instance's role; none away from EC2 or without a role.
async fn role_credentials(resolution: &CredentialResolution<'_>) -> Result<Option<Credentials>> {
    let Some(service) = MetadataService::find(resolution).await? else {
        return Ok(None);
    };
    let Some(roles) = service.get(resolution, ROLE).await? else {
        return Ok(None);
    };
    let role = match roles.lines().next() {
        Some(first) => first.trim(),
        None => "",
    };
    if role.is_empty() {
        return Ok(None);
    }
    let answer = service.get(resolution, &format!("{ROLE}{role}")).await?;
    let credentials = parse_credentials(answer.as_deref())?;
    Ok(Some(extend_expired(resolution, credentials)))
}

/// Returns the credentials in an answer.
fn parse_credentials(answer: Option<&str>) -> Result<Credentials> {
    let Some(text) = answer else {
        return Err(wrong_answer("a role without credentials"));
    };
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return Err(wrong_answer("credentials that are not valid JSON"));
    };
    if let Some(Value::String(code)) = answer.get("Code")
        && code != "Success"
    {
        let code = safe_excerpt(code);
        return Err(wrong_answer(&format!("{code} instead of credentials")));
    }
    let fields = answer.as_object().cloned().unwrap_or_default();
    match FieldNames::OF_METADATA.credentials(&fields, SOURCE) {
        Ok(credentials) => Ok(credentials),
        Err(reason) => Err(wrong_answer(&reason)),
    }
}

/// Returns the error about an answer without credentials. `content` is what it has instead.
fn wrong_answer(content: &str) -> Error {
    Error::failure(format!("the instance metadata returned {content}"))
        .hint("try again; if it fails again, detach and attach the instance's role")
}

/// Returns the credentials, or if they have expired the same ones with a little more time.
fn extend_expired(resolution: &CredentialResolution, credentials: Credentials) -> Credentials {
    let now = Time::now();
    let expires_at = match credentials.expires_at() {
        Some(expires_at) if expires_at <= now => expires_at,
        _ => return credentials,
    };
    resolution.warn(format!(
        "the instance's credentials expired {} ago and AWS has not renewed them; servers may still \
         accept them",
        spoken_duration(expires_at.until(now))
    ));
    Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        credentials.session_token(),
        Some(now.plus(EXTENSION_SECONDS)),
        SOURCE,
    )
}

/// Returns the region that the instance is in.
pub(crate) async fn instance_region(
    resolution: &CredentialResolution<'_>,
) -> Result<Option<String>> {
    let Some(service) = MetadataService::find(resolution).await? else {
        return Ok(None);
    };
    if let Some(region) = service.get(resolution, REGION).await? {
        return Ok(Some(region));
    }
    let Some(zone) = service.get(resolution, ZONE).await? else {
        return Ok(None);
    };
    let region = zone.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    Ok(Some(region.to_owned()))
}

/// The service, once it has answered.
struct MetadataService {
    /// Ends with a slash.
    address: String,
    /// The token of version 2; none where the service knows version 1 alone.
    token: Option<String>,
    attempts: u32,
    pause: Duration,
    http: HttpClient,
}

impl MetadataService {
    async fn find(resolution: &CredentialResolution<'_>) -> Result<Option<Self>> {
        let metadata = InstanceMetadata::read(resolution.settings);
        if metadata.is_off {
            resolution.step("instance metadata: switched off by AWS_EC2_METADATA_DISABLED");
            return Ok(None);
        }
        let seconds = positive_setting(
            resolution,
            "AWS_METADATA_SERVICE_TIMEOUT",
            "metadata_service_timeout",
        );
        let pause = Duration::from_secs(seconds.into());
        let mut service = Self {
            address: service_address(metadata)?,
            token: None,
            attempts: positive_setting(
                resolution,
                "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
                "metadata_service_num_attempts",
            ),
            pause,
            http: resolution.http().with_limits(MAX_ANSWER_LENGTH, pause),
        };
        resolution.step(format!(
            "instance metadata: asking {}",
            host::server_of_address(&service.address)
        ));
        let lifetime_header = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
        match service
            .ask(resolution, "PUT", TOKEN, lifetime_header)
            .await?
        {
            Some((200, token)) => service.token = Some(token),
            Some((403..=405, _))
                if !resolution
                    .is_enabled("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled") =>
            {
                resolution.step("instance metadata: version 1");
            }
            Some((status, _)) => return Err(status_error(status)),
            None => return Ok(None),
        }
        Ok(Some(service))
    }

    /// Returns the text at a path; none if there is none.
    async fn get(
        &self,
        resolution: &CredentialResolution<'_>,
        path: &str,
    ) -> Result<Option<String>> {
        let token = self.token.as_deref().unwrap_or_default();
        let header = ("x-aws-ec2-metadata-token", token);
        match self.ask(resolution, "GET", path, header).await? {
            Some((200, text)) if text.trim().is_empty() => Ok(None),
            Some((200, text)) => Ok(Some(text.trim().to_owned())),
            Some((404, _)) | None => Ok(None),
            Some((status, _)) => Err(status_error(status)),
        }
    }

    /// Returns status and text of an answer; none if the service gives none.
    async fn ask(
        &self,
        resolution: &CredentialResolution<'_>,
        method: &str,
        path: &str,
        header: (&'static str, &str),
    ) -> Result<Option<(u16, String)>> {
        let address = format!("{}{path}", self.address);
        for _ in 0..self.attempts {
            let headers = [header];
            let answer =
                tokio::time::timeout(self.pause, self.http.ask(method, &address, &headers, ""));
            let reason = match resolution.wait("the instance metadata", answer).await? {
                Ok(Ok((status, text))) => {
                    return Ok(Some((status, String::from_utf8_lossy(&text).into_owned())));
                }
                Ok(Err(RequestError::Local(error))) => return Err(error.about(SOURCE)),
                Ok(Err(RequestError::Failed(reason) | RequestError::Untrusted(reason))) => reason,
                Err(_) => "no answer".to_owned(),
            };
            resolution.step(format!("instance metadata: {reason}"));
        }
        Ok(None)
    }
}

/// Returns a setting that is a whole number. Anything else, and zero, counts as 1.
fn positive_setting(
    resolution: &CredentialResolution,
    variable: &'static str,
    key: &'static str,
) -> u32 {
    match resolution.setting(variable, key) {
        Some(text) => text.parse().unwrap_or(1).max(1),
        None => 1,
    }
}

/// Returns the address of the service, with a slash at its end.
fn service_address(metadata: InstanceMetadata) -> Result<String> {
    let mut address = match (metadata.endpoint, metadata.mode) {
        (Some(endpoint), _) => endpoint,
        (None, Some(mode)) if mode.eq_ignore_ascii_case("ipv6") => {
            "http://[fd00:ec2::254]".to_owned()
        }
        (None, _) => "http://169.254.169.254".to_owned(),
    };
    if !address.starts_with("http://") {
        return Err(
            Error::usage(format!("{ENDPOINT_VARIABLE} is not an http:// address"))
                .hint(format!("correct or unset {ENDPOINT_VARIABLE}")),
        );
    }
    if !address.ends_with('/') {
        address.push('/');
    }
    Ok(address)
}

fn status_error(status: u16) -> Error {
    Error::failure(format!("the instance metadata refused (HTTP {status})"))
        .hint("try again, or name a profile with --profile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_credentials_says_what_it_has_instead() {
        for (answer, part) in [
            (None, "a role without credentials"),
            (Some("<html>"), "not valid JSON"),
            (
                Some(r#"{"Code": "Failed"}"#),
                "Failed instead of credentials",
            ),
        ] {
            let error = parse_credentials(answer).err().unwrap();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn credentials_of_an_instance_have_an_end() {
        let answer = r#"{"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s",
            "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}"#;
        let found = parse_credentials(Some(answer)).ok().unwrap();
        assert_eq!(found.access_key_id(), "ASIA");
        assert_eq!(found.session_token(), Some("t"));
        assert_eq!(
            found.expires_at().unwrap().rfc3339(),
            "2030-01-01T00:00:00Z"
        );
    }
}
