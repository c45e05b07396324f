//! Instance metadata (EC2, IMDSv2): asked last, and for no longer than about a second where there is none.

use std::time::Duration;

use aws_config::imds::client::error::ImdsError;
use aws_config::imds::client::{Client, EndpointMode};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use serde_json::Value;

use super::process::Names;
use super::session::Session;
use crate::env;
use crate::error::{Error, Result};
use crate::time::{Time, spoken};

const ROLE: &str = "/latest/meta-data/iam/security-credentials/";
const VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// What expired credentials are given, in seconds: AWS lets them live on while it cannot renew them.
const EXTENSION: u32 = 900;

/// Returns the credentials of the instance's role; none away from EC2 or without a role.
pub(super) async fn credentials(session: &Session<'_>) -> Result<Option<Credentials>> {
    let Some(client) = client(session)? else { return Ok(None) };
    let Some(role) = get(session, &client, ROLE).await? else { return Ok(None) };
    let role = role.lines().next().unwrap_or_default().trim();
    if role.is_empty() {
        return Ok(None);
    }
    let broken = |what: &str| {
        Error::failure(format!("the instance metadata gave {what}"))
            .hint("retry; if it stays, detach and attach the instance's role")
    };
    let text = get(session, &client, &format!("{ROLE}{role}")).await?;
    let text = text.ok_or_else(|| broken("a role without credentials"))?;
    let answer: Value = serde_json::from_str(&text).map_err(|_| broken("credentials that are no JSON"))?;
    if let Some(code) = answer.get("Code").and_then(Value::as_str).filter(|code| *code != "Success") {
        return Err(broken(&format!("{code} instead of credentials")));
    }
    let names = Names { key: "AccessKeyId", secret: "SecretAccessKey", token: "Token", end: "Expiration" };
    let fields = answer.as_object().cloned().unwrap_or_default();
    let found = names.credentials(&fields, "instance metadata").map_err(|what| broken(&what))?;
    let now = Time::now();
    match found.expiry().map(Time::from_system).filter(|end| *end <= now) {
        None => Ok(Some(found)),
        Some(end) => {
            session.warn(format!(
                "the instance's credentials ended {} ago and AWS has not renewed them; they may still be taken",
                spoken(end.until(now))
            ));
            let (key, secret) = (found.access_key_id().to_owned(), found.secret_access_key().to_owned());
            let token = found.session_token().map(str::to_owned);
            Ok(Some(Credentials::new(key, secret, token, Some(now.plus(EXTENSION).to_system()), "instance metadata")))
        }
    }
}

/// Returns the region that the instance is in.
pub(super) async fn region(session: &Session<'_>) -> Result<Option<String>> {
    let Some(client) = client(session)? else { return Ok(None) };
    get(session, &client, "/latest/meta-data/placement/region").await
}

fn client(session: &Session) -> Result<Option<Client>> {
    if env::var("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        session.step("instance metadata: switched off by AWS_EC2_METADATA_DISABLED");
        return Ok(None);
    }
    let number = |variable: &str, key: &str| session.setting(variable, key).and_then(|text| text.parse::<u32>().ok());
    let seconds = number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout").unwrap_or(1).max(1);
    let attempts = number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts").unwrap_or(1).max(1);
    let pause = Duration::from_secs(seconds.into());
    let config = ProviderConfig::empty().with_http_client(session.http()).with_sleep_impl(TokioSleep::new());
    let mut builder =
        Client::builder().configure(&config).max_attempts(attempts).connect_timeout(pause).read_timeout(pause);
    let mode = session.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    let six = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    builder = builder.endpoint_mode(if six { EndpointMode::IpV6 } else { EndpointMode::IpV4 });
    let address = session.setting(VARIABLE, "ec2_metadata_service_endpoint");
    let usual = if six { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
    let builder = builder.endpoint(address.as_deref().unwrap_or(usual)).map_err(|error| {
        Error::usage(format!("{VARIABLE} is not an address"))
            .caused_by(error.as_ref())
            .hint(format!("correct or unset {VARIABLE}"))
    })?;
    session.step("instance metadata: asking");
    Ok(Some(builder.build()))
}

/// Returns a text; none where there is no such text or nobody who answers.
async fn get(session: &Session<'_>, client: &Client, path: &str) -> Result<Option<String>> {
    match session.wait("the instance metadata", client.get(path)).await? {
        Ok(text) => Ok(Some(text.as_ref().to_owned())),
        Err(ImdsError::ErrorResponse(answer)) if answer.response().status().as_u16() == 404 => Ok(None),
        Err(ImdsError::ErrorResponse(answer)) => {
            let status = answer.response().status().as_u16();
            Err(Error::failure(format!("the instance metadata refused (HTTP {status})"))
                .hint("retry, or name a profile"))
        }
        Err(error) => {
            session.step(Error::failure("instance metadata: no answer").caused_by(&error).to_string());
            Ok(None)
        }
    }
}
