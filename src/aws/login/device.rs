//! Logs in to SSO without the AWS CLI, by the device authorization of OAuth (RFC 8628). The result
//! is stored where every AWS tool finds it.
//!
//! There are three questions to the login service: pgcred registers as a client, asks for a code,
//! and then asks again and again whether the user has confirmed it.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use aws_sdk_ssooidc::Client;
use aws_sdk_ssooidc::operation::create_token::CreateTokenOutput;
use aws_sdk_ssooidc::operation::create_token::builders::CreateTokenFluentBuilder;
use aws_sdk_ssooidc::operation::register_client::RegisterClientOutput;
use aws_sdk_ssooidc::operation::start_device_authorization::StartDeviceAuthorizationOutput;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::cli_cache::sso::{LoginResult, RefreshGrant};
use crate::aws::plan::SsoSession;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::SSO_OIDC;
use crate::aws::service::refusal;
use crate::error::{Error, Result};
use crate::time::Time;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SETTINGS: &str =
    "try again; if it fails again, check sso_start_url and sso_region of the profile";
/// What the standard adds to the interval when the service asks for patience.
const ADDED_INTERVAL: Duration = Duration::from_secs(5);
/// The limits that hold whatever the service asks for. AWS asks for 1 s and gives 10 min.
const MAX_INTERVAL: Duration = Duration::from_mins(1);
const MAX_WAIT: Duration = Duration::from_mins(15);

fn not_negative(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn seconds_or_zero(number: i32) -> Duration {
    Duration::from_secs(not_negative(number).into())
}

/// Asks for an authorization, calls `show` with the address (which contains the code) and the code,
/// and waits for the user.
pub(crate) async fn log_in(
    resolution: &CredentialResolution<'_>,
    session: &SsoSession,
    show: impl FnOnce(&str, &str),
) -> Result<()> {
    let client = Client::new(&resolution.client(SSO_OIDC, &session.region, None));
    let registered = register_client(resolution, &client, session).await?;
    let id = or_empty(registered.client_id());
    let secret = or_empty(registered.client_secret());
    let authorize = client
        .start_device_authorization()
        .client_id(id)
        .client_secret(secret)
        .start_url(&session.url);
    let authorized = match resolution.wait(SSO_OIDC.name, authorize.send()).await? {
        Ok(authorized) => authorized,
        Err(error) => return Err(login_error(resolution, &error)),
    };
    let address = match authorized.verification_uri_complete() {
        Some(address) => address,
        None => or_empty(authorized.verification_uri()),
    };
    show(address, or_empty(authorized.user_code()));
    let call = client
        .create_token()
        .grant_type(GRANT)
        .client_id(id)
        .client_secret(secret)
        .set_device_code(authorized.device_code().map(str::to_owned));
    let answer = wait_for_confirmation(resolution, &authorized, &call).await?;
    let Some(token) = answer.access_token() else {
        let error = Error::failure("cannot log in to SSO: the login service did not give a token");
        return Err(error.hint(SETTINGS));
    };
    session.store_login(&LoginResult {
        token,
        expires_at: Time::now().plus(not_negative(answer.expires_in())),
        grant: RefreshGrant {
            client_id: id,
            client_secret: secret,
            refresh_token: or_empty(answer.refresh_token()),
        },
        registered_until: Time::from_unix(registered.client_secret_expires_at()),
    })
}

/// Registers pgcred as a client of the login service.
async fn register_client(
    resolution: &CredentialResolution<'_>,
    client: &Client,
    session: &SsoSession,
) -> Result<RegisterClientOutput> {
    let scopes = match session.scopes.as_slice() {
        [] => None,
        scopes => Some(scopes.to_vec()),
    };
    let register = client
        .register_client()
        .client_name(format!("pgcred-{}", Time::now().unix()))
        .client_type("public")
        .set_scopes(scopes);
    match resolution.wait(SSO_OIDC.name, register.send()).await? {
        Ok(registered) => Ok(registered),
        Err(error) => Err(login_error(resolution, &error)),
    }
}

/// Returns a text of an answer. The service refuses the next request if one is missing.
fn or_empty(text: Option<&str>) -> &str {
    text.unwrap_or_default()
}

/// Asks until the user has confirmed the login, or its time is over.
async fn wait_for_confirmation(
    resolution: &CredentialResolution<'_>,
    authorized: &StartDeviceAuthorizationOutput,
    call: &CreateTokenFluentBuilder,
) -> Result<CreateTokenOutput> {
    let mut interval =
        seconds_or_zero(authorized.interval()).clamp(Duration::from_secs(1), MAX_INTERVAL);
    let deadline = Instant::now() + seconds_or_zero(authorized.expires_in()).min(MAX_WAIT);
    loop {
        let time_left = deadline.saturating_duration_since(Instant::now());
        tokio::time::sleep(interval.min(time_left)).await;
        let answer = tokio::time::timeout(resolution.ask_policy.timeout, call.clone().send()).await;
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(_) => return Err(resolution.timeout_error(SSO_OIDC.name)),
        };
        let message = match refusal::refusal_code(&error) {
            Some("AuthorizationPendingException") if Instant::now() < deadline => continue,
            Some("SlowDownException") if Instant::now() < deadline => {
                interval = (interval + ADDED_INTERVAL).min(MAX_INTERVAL);
                continue;
            }
            Some(
                "AuthorizationPendingException" | "SlowDownException" | "ExpiredTokenException",
            ) => "the SSO login was not confirmed in time",
            Some("AccessDeniedException") => "the SSO login was declined",
            _ => return Err(login_error(resolution, &error)),
        };
        return Err(Error::login(message).hint("try again, and confirm the login in the browser"));
    }
}

fn login_error<E>(resolution: &CredentialResolution, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    resolution
        .call_error("cannot log in to SSO", SSO_OIDC, error)
        .or_hint(SETTINGS)
}
