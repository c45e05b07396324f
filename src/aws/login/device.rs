//! An SSO login without the AWS CLI: the device authorization of OAuth, whose result every AWS tool
//! finds.

use std::time::{Duration, Instant};

use aws_sdk_ssooidc::Client;
use serde_json::{Map, json};

use crate::aws::plan::SsoSession;
use crate::aws::resolution::Resolution;
use crate::aws::service::endpoints::SSO_OIDC;
use crate::aws::service::refusal;
use crate::error::{Error, Result};
use crate::time::Time;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SETTINGS: &str = "retry; if it stays, check sso_start_url and sso_region of the profile";
/// What the standard adds to the interval when the service asks for patience.
const SLOWER: Duration = Duration::from_secs(5);
/// Whatever the service asks for: AWS asks for 1 s and gives 10 min, and others wait meanwhile.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);

fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or_default())
}

/// Asks for an authorization, has `show` present the address (with the code in it) and the code,
/// and waits for the person.
pub(crate) async fn log_in(
    resolution: &Resolution<'_>,
    start: &SsoSession,
    show: impl FnOnce(&str, &str),
) -> Result<()> {
    let what = "cannot log in to SSO";
    let client = Client::new(&resolution.client(SSO_OIDC, &start.region, None));
    let register = client
        .register_client()
        .client_name(format!("pgcred-{}", Time::now().unix()))
        .client_type("public")
        .set_scopes((!start.scopes.is_empty()).then(|| start.scopes.clone()));
    let registered = resolution.wait(SSO_OIDC.name, register.send()).await?;
    let registered =
        registered.map_err(|error| resolution.refused(what, SSO_OIDC, &error).or_hint(SETTINGS))?;
    let (id, secret) = (
        registered.client_id().unwrap_or_default(),
        registered.client_secret().unwrap_or_default(),
    );

    let authorize = client
        .start_device_authorization()
        .client_id(id)
        .client_secret(secret)
        .start_url(&start.url);
    let authorized = resolution.wait(SSO_OIDC.name, authorize.send()).await?;
    let authorized =
        authorized.map_err(|error| resolution.refused(what, SSO_OIDC, &error).or_hint(SETTINGS))?;
    let address = authorized
        .verification_uri_complete()
        .or(authorized.verification_uri())
        .unwrap_or_default();
    show(address, authorized.user_code().unwrap_or_default());

    let mut interval =
        seconds(authorized.interval()).clamp(Duration::from_secs(1), LONGEST_INTERVAL);
    let until = Instant::now() + seconds(authorized.expires_in()).min(LONGEST_WAIT);
    let call = client
        .create_token()
        .grant_type(GRANT)
        .client_id(id)
        .client_secret(secret)
        .set_device_code(authorized.device_code().map(str::to_owned));
    let answer = loop {
        let left = until.saturating_duration_since(Instant::now());
        tokio::time::sleep(interval.min(left)).await;
        let answer = tokio::time::timeout(resolution.ask.timeout, call.clone().send()).await;
        let answer = answer.map_err(|_| resolution.too_late(SSO_OIDC.name))?;
        match answer {
            Ok(answer) => break answer,
            Err(error) => match refusal::code(&error) {
                Some("AuthorizationPendingException") if Instant::now() < until => {}
                Some("SlowDownException") if Instant::now() < until => {
                    interval = (interval + SLOWER).min(LONGEST_INTERVAL);
                }
                Some(
                    "AuthorizationPendingException" | "SlowDownException" | "ExpiredTokenException",
                ) => {
                    return Err(Error::login("nobody confirmed the SSO login in time")
                        .hint("run the same command again"));
                }
                Some("AccessDeniedException") => {
                    return Err(Error::login("the SSO login was declined")
                        .hint("run the same command again"));
                }
                _ => return Err(resolution.refused(what, SSO_OIDC, &error).or_hint(SETTINGS)),
            },
        }
    };
    let life = u32::try_from(answer.expires_in()).unwrap_or_default();
    let mut fields = Map::new();
    let mut put =
        |name: &str, value: serde_json::Value| drop(fields.insert(name.to_owned(), value));
    put("startUrl", json!(start.url));
    put("region", json!(start.region));
    put("accessToken", json!(answer.access_token()));
    put("expiresAt", json!(Time::now().plus(life).rfc3339()));
    put("clientId", json!(id));
    put("clientSecret", json!(secret));
    put(
        "registrationExpiresAt",
        json!(Time::from_unix(registered.client_secret_expires_at()).rfc3339()),
    );
    if let Some(next) = answer.refresh_token() {
        put("refreshToken", json!(next));
    }
    start.store(fields)
}
