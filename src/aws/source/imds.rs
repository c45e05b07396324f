//! Instance metadata (EC2): asked last, and for no longer than about a second where there is none.

use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::Value;

use crate::aws::plan::InstanceMetadata;
use crate::aws::resolution::Resolution;
use crate::aws::service::http::{Http, Unanswered};
use crate::aws::source::process::FieldNames;
use crate::error::{Error, Result};
use crate::text::foreign;
use crate::text::host;
use crate::time::{Time, spoken};

const TOKEN: &str = "latest/api/token";
const ROLE: &str = "latest/meta-data/iam/security-credentials/";
const REGION: &str = "latest/meta-data/placement/region";
/// The region and a letter. Emulators of EC2 may know this alone, which is what the AWS CLI asks
/// for.
const ZONE: &str = "latest/meta-data/placement/availability-zone";
/// No answer is longer, in bytes.
const LONGEST: usize = 64 << 10;
const VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// What expired credentials are given, in seconds: AWS lets them live on while it cannot renew
/// them.
const EXTENSION: u32 = 900;

/// Returns the credentials of the instance's role; none away from EC2 or without a role.
pub(crate) async fn credentials(resolution: &Resolution<'_>) -> Result<Option<Credentials>> {
    let Some(service) = MetadataService::find(resolution).await? else {
        return Ok(None);
    };
    let Some(role) = service.get(resolution, ROLE).await? else {
        return Ok(None);
    };
    let role = role.lines().next().unwrap_or_default().trim();
    if role.is_empty() {
        return Ok(None);
    }
    let broken = |what: &str| {
        Error::failure(format!("the instance metadata gave {what}"))
            .hint("retry; if it stays, detach and attach the instance's role")
    };
    let text = service.get(resolution, &format!("{ROLE}{role}")).await?;
    let text = text.ok_or_else(|| broken("a role without credentials"))?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| broken("credentials that are no JSON"))?;
    if let Some(code) = answer
        .get("Code")
        .and_then(Value::as_str)
        .filter(|code| *code != "Success")
    {
        return Err(broken(&format!("{} instead of credentials", foreign(code))));
    }
    let names = FieldNames {
        key: "AccessKeyId",
        secret: "SecretAccessKey",
        token: "Token",
        end: "Expiration",
    };
    let fields = answer.as_object().cloned().unwrap_or_default();
    let found = names
        .credentials(&fields, "instance metadata")
        .map_err(|what| broken(&what))?;
    let now = Time::now();
    match found
        .expiry()
        .map(Time::from_system)
        .filter(|end| *end <= now)
    {
        None => Ok(Some(found)),
        Some(end) => {
            resolution.warn(format!(
                "the instance's credentials ended {} ago and AWS has not renewed them; they may still be taken",
                spoken(end.until(now))
            ));
            let (key, secret) = (
                found.access_key_id().to_owned(),
                found.secret_access_key().to_owned(),
            );
            let token = found.session_token().map(str::to_owned);
            Ok(Some(Credentials::new(
                key,
                secret,
                token,
                Some(now.plus(EXTENSION).to_system()),
                "instance metadata",
            )))
        }
    }
}

/// Returns the region that the instance is in.
pub(crate) async fn region(resolution: &Resolution<'_>) -> Result<Option<String>> {
    let Some(service) = MetadataService::find(resolution).await? else {
        return Ok(None);
    };
    if let Some(region) = service.get(resolution, REGION).await? {
        return Ok(Some(region));
    }
    let zone = service.get(resolution, ZONE).await?;
    Ok(zone.map(|zone| {
        zone.trim_end_matches(|letter: char| letter.is_ascii_alphabetic())
            .to_owned()
    }))
}

/// The service, once it has answered.
struct MetadataService {
    /// Ends with a slash.
    address: String,
    /// Of version 2; where the service knows only version 1, none.
    token: Option<String>,
    attempts: u32,
    pause: Duration,
    http: Http,
}

impl MetadataService {
    async fn find(resolution: &Resolution<'_>) -> Result<Option<Self>> {
        let InstanceMetadata {
            is_off,
            endpoint,
            mode,
        } = InstanceMetadata::of(resolution.settings);
        if is_off {
            resolution.step("instance metadata: switched off by AWS_EC2_METADATA_DISABLED");
            return Ok(None);
        }
        let number = |variable: &str, key: &str| {
            resolution
                .setting(variable, key)
                .and_then(|text| text.parse::<u32>().ok())
        };
        let seconds = number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout")
            .unwrap_or(1)
            .max(1);
        let attempts = number(
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
            "metadata_service_num_attempts",
        )
        .unwrap_or(1)
        .max(1);
        let six = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let usual = if six {
            "http://[fd00:ec2::254]"
        } else {
            "http://169.254.169.254"
        };
        let mut address = endpoint.unwrap_or_else(|| usual.to_owned());
        if !address.starts_with("http://") {
            return Err(
                Error::usage(format!("{VARIABLE} is not an http:// address"))
                    .hint(format!("correct or unset {VARIABLE}")),
            );
        }
        if !address.ends_with('/') {
            address.push('/');
        }
        let pause = Duration::from_secs(seconds.into());
        let http = resolution.http().small(LONGEST, pause);
        let mut service = Self {
            address,
            token: None,
            attempts,
            pause,
            http,
        };
        resolution.step(format!(
            "instance metadata: asking {}",
            host::place(&service.address)
        ));
        let life = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
        match service.ask(resolution, "PUT", TOKEN, life).await? {
            Some((200, token)) => service.token = Some(token),
            Some((403..=405, _))
                if !resolution.flag("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled") =>
            {
                resolution.step("instance metadata: version 1");
            }
            Some((status, _)) => return Err(refused(status)),
            None => return Ok(None),
        }
        Ok(Some(service))
    }

    /// Returns a text; none where there is no such text.
    async fn get(&self, resolution: &Resolution<'_>, path: &str) -> Result<Option<String>> {
        let token = self.token.as_deref().unwrap_or_default();
        match self
            .ask(resolution, "GET", path, ("x-aws-ec2-metadata-token", token))
            .await?
        {
            Some((200, text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some((404, _)) | None => Ok(None),
            Some((status, _)) => Err(refused(status)),
        }
    }

    /// Returns status and text of an answer; none if nobody gives one.
    async fn ask(
        &self,
        resolution: &Resolution<'_>,
        method: &str,
        path: &str,
        header: (&'static str, &str),
    ) -> Result<Option<(u16, String)>> {
        let address = format!("{}{path}", self.address);
        for _ in 0..self.attempts {
            let headers = [header];
            let answer =
                tokio::time::timeout(self.pause, self.http.ask(method, &address, &headers));
            let why = match resolution.wait("the instance metadata", answer).await? {
                Ok(Ok((status, text))) => {
                    return Ok(Some((status, String::from_utf8_lossy(&text).into_owned())));
                }
                Ok(Err(Unanswered::Own(error))) => return Err(error.about("instance metadata")),
                Ok(Err(Unanswered::Because(why))) => why,
                Err(_) => "no answer".to_owned(),
            };
            resolution.step(format!("instance metadata: {why}"));
        }
        Ok(None)
    }
}

fn refused(status: u16) -> Error {
    Error::failure(format!("the instance metadata refused (HTTP {status})"))
        .hint("retry, or name a profile")
}
