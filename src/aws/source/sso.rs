//! Gets the credentials of a role of IAM Identity Center (SSO): the portal exchanges the token of a
//! login for them (`GetRoleCredentials` in the API reference of the SSO portal).
//!
//! These are tried in order: the AWS CLI's cached credentials of the role; the token in the login's
//! file; a renewal of that token if it has less than 15 minutes left, by one process at a time; a
//! login.

use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sso::types::RoleCredentials;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::cli_cache;
use crate::aws::cli_cache::sso::CachedSsoToken;
use crate::aws::credentials::Credentials;
use crate::aws::credentials::seconds_left;
use crate::aws::login::kinds::LoginKind;
use crate::aws::login::missing::{MissingLogin, UnresolvedCredentials};
use crate::aws::plan::{SsoRole, SsoSession};
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::{SSO, SSO_OIDC};
use crate::aws::service::refusal;
use crate::error::{Error, Result};
use crate::sys::session_locks::session_lock;
use crate::text::host;
use crate::time::Time;

/// A token with less left is renewed first, as in the AWS CLI; in seconds.
const MIN_LIFETIME_SECONDS: u32 = 15 * 60;
/// How long to wait for another process that renews the same token.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a login is missing: that it has left no file, or that the token in it has expired.
const NO_LOGIN: &str = "nobody has logged in to SSO yet";
const EXPIRED: &str = "the SSO session has expired";

impl CredentialSource for SsoRole {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(self.resolve(resolution).await?)) })
    }

    /// Returns the credentials that the AWS CLI has cached for this role, if they last long enough.
    fn cached_credentials(&self, resolution: &CredentialResolution) -> Option<Credentials> {
        let credentials = cli_cache::role::read_sso_credentials(self)?;
        if seconds_left(&credentials)? < resolution.min_lifetime.max(MIN_LIFETIME_SECONDS) {
            return None;
        }
        resolution.step(format!(
            "SSO profile {}: cached by the AWS CLI",
            self.profile
        ));
        Some(credentials)
    }

    fn files(&self) -> Vec<PathBuf> {
        self.session.path().into_iter().collect()
    }

    fn describe(&self, origin: &str) -> String {
        let session = match &self.session.name {
            Some(name) => format!("SSO session `{name}`"),
            // The address may hold a password.
            None => format!(
                "SSO start URL at {}",
                host::server_of_address(&self.session.url)
            ),
        };
        format!(
            "{session} ({origin}), role {} of account {}",
            self.role, self.account
        )
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        match &self.session.name {
            Some(name) => ChosenBy::KeyOfSsoSession(name, "sso_start_url"),
            None => ChosenBy::Key("sso_start_url"),
        }
    }

    fn private_names(&self) -> Vec<String> {
        let mut names = vec![self.role.clone()];
        names.push(host::server_of_address(&self.session.url).to_owned());
        names.extend(self.session.name.clone());
        names
    }

    fn login_state(&self) -> LoginState {
        let cached_until = cli_cache::role::read_sso_credentials(self)
            .as_ref()
            .and_then(Credentials::expires_at);
        if let Some(expires_at) = cached_until
            && Time::now().until(expires_at) >= MIN_LIFETIME_SECONDS
        {
            return LoginState::Good(expires_at);
        }
        let Some(token) = CachedSsoToken::read(&self.session) else {
            let file = file_in_words(&self.session);
            let reason = format!("{NO_LOGIN}: {file} holds no login");
            return self.missing_login(&reason, None).into();
        };
        match token.expires_at() {
            Some(expires_at) if expires_at > Time::now() => LoginState::Good(expires_at),
            expires_at if self.session.name.is_some() && token.refresh_grant().is_some() => {
                LoginState::Renewable(expires_at)
            }
            _ => self.missing_login(EXPIRED, None).into(),
        }
    }

    fn login_in_words(&self) -> Option<String> {
        let cached = CachedSsoToken::read(&self.session);
        Some(login_in_words(&self.session, cached.as_ref()))
    }
}

impl SsoRole {
    async fn resolve(
        &self,
        resolution: &CredentialResolution<'_>,
    ) -> Result<Credentials, UnresolvedCredentials> {
        if let Some(credentials) = self.cached_credentials(resolution) {
            return Ok(credentials);
        }
        let token = self.valid_token(resolution).await?;
        resolution.step(format!(
            "SSO profile {}: asking the portal in {}",
            self.profile, self.session.region
        ));
        let config = resolution.client(SSO, &self.session.region, None);
        let call = aws_sdk_sso::Client::new(&config)
            .get_role_credentials()
            .role_name(&self.role)
            .account_id(&self.account)
            .access_token(&token);
        match resolution.wait(SSO.name, call.send()).await? {
            Ok(answer) => Ok(self.unexpired_credentials(resolution, answer.role_credentials())?),
            Err(error) => Err(self.portal_error(resolution, &error, token)),
        }
    }

    /// Says what the portal was asked for, for an error.
    fn purpose(&self) -> String {
        format!("cannot get credentials of the SSO role {}", self.role)
    }

    /// Returns the credentials of an answer, unless they have expired.
    fn unexpired_credentials(
        &self,
        resolution: &CredentialResolution<'_>,
        answer: Option<&RoleCredentials>,
    ) -> Result<Credentials> {
        let Some(credentials) = answer.and_then(parse_credentials) else {
            let purpose = self.purpose();
            return Err(Error::failure(format!(
                "{purpose}: the SSO portal returned no credentials"
            ))
            .hint(refusal::TRY_AGAIN));
        };
        resolution.require_unexpired(
            credentials,
            "the SSO portal",
            "try again; if it fails again, check this machine's clock",
        )
    }

    /// Explains a refusal of the portal. If AWS has ended the session of the token, a login is
    /// missing.
    fn portal_error(
        &self,
        resolution: &CredentialResolution<'_>,
        error: &SdkError<GetRoleCredentialsError, HttpResponse>,
        token: String,
    ) -> UnresolvedCredentials {
        let error_of_call = resolution.call_error(&self.purpose(), SSO, error);
        match refusal::refusal_code(error) {
            Some("UnauthorizedException") => self
                .missing_login("the SSO session was ended by AWS", Some(token))
                .into(),
            Some("ForbiddenException" | "ResourceNotFoundException") => error_of_call
                .hint(
                    "check sso_role_name and sso_account_id of the profile: this user has no such \
                     role there",
                )
                .into(),
            _ => error_of_call
                .or_hint(
                    "try again; if it fails again, check sso_region, sso_account_id and \
                     sso_role_name of the profile",
                )
                .into(),
        }
    }

    fn missing_login(&self, reason: &str, revoked: Option<String>) -> MissingLogin {
        MissingLogin {
            kind: LoginKind::Sso(self.session.clone()),
            profile: self.profile.clone(),
            reason: reason.to_owned(),
            revoked,
        }
    }

    /// Returns a token for the portal that has not expired.
    async fn valid_token(
        &self,
        resolution: &CredentialResolution<'_>,
    ) -> Result<String, UnresolvedCredentials> {
        let Some(mut cached) = CachedSsoToken::read(&self.session) else {
            return Err(self.missing_login(NO_LOGIN, None).into());
        };
        let mut failure = None;
        if cached.seconds_left() < MIN_LIFETIME_SECONDS && self.session.name.is_some() {
            // A renewal makes the refresh token of other processes worthless, so only one renews.
            let _lock = session_lock(&self.session.id(), LOCK_TIMEOUT);
            if let Some(newer) = CachedSsoToken::read(&self.session) {
                cached = newer;
            }
            if cached.seconds_left() < MIN_LIFETIME_SECONDS {
                match renew_token(&cached, resolution, &self.session).await {
                    Ok(Some(token)) => return Ok(token),
                    Ok(None) => {}
                    Err(error) => failure = Some(error),
                }
            }
        }
        if let Some(token) = cached.unexpired() {
            return Ok(token.to_owned());
        }
        match failure {
            Some(error) => Err(error.into()),
            None => Err(self.missing_login(EXPIRED, None).into()),
        }
    }
}

/// Returns the file of a session's login. A login to another session has another file.
fn file_in_words(session: &SsoSession) -> String {
    match session.path() {
        Some(path) => path.display().to_string(),
        None => "the cache of the AWS CLI".to_owned(),
    }
}

/// Says which file the login is in, and until when it is good.
fn login_in_words(session: &SsoSession, cached: Option<&CachedSsoToken>) -> String {
    let file = file_in_words(session);
    let Some(cached) = cached else {
        return format!("SSO login: {file} holds none");
    };
    let expiry_text = match cached.expires_at() {
        Some(expires_at) if expires_at <= Time::now() => {
            format!("expired at {}", expires_at.rfc3339())
        }
        Some(expires_at) => format!("is good until {}", expires_at.rfc3339()),
        None => "has no readable time of expiry".to_owned(),
    };
    let renewal = match cached.refresh_grant() {
        Some(_) => "can be renewed",
        None => "cannot be renewed without a new login",
    };
    format!("SSO login: that of {file} {expiry_text}, and {renewal}")
}

fn parse_credentials(parts: &RoleCredentials) -> Option<Credentials> {
    let expires_at = Time::from_unix(parts.expiration() / 1000);
    Some(Credentials::new(
        parts.access_key_id()?,
        parts.secret_access_key()?,
        parts.session_token(),
        Some(expires_at),
        "SSO",
    ))
}

/// Returns a new token, which is stored too; none where only a login gives one.
async fn renew_token(
    cached: &CachedSsoToken,
    resolution: &CredentialResolution<'_>,
    session: &SsoSession,
) -> Result<Option<String>> {
    let Some(grant) = cached.refresh_grant() else {
        return Ok(None);
    };
    let region = &session.region;
    resolution.step(format!("SSO: renewing the session in {region}"));
    let config = resolution.client(SSO_OIDC, region, None);
    let call = aws_sdk_ssooidc::Client::new(&config)
        .create_token()
        .grant_type("refresh_token")
        .client_id(grant.client_id)
        .client_secret(grant.client_secret)
        .refresh_token(grant.refresh_token);
    let answer = match resolution.wait(SSO_OIDC.name, call.send()).await? {
        Ok(answer) => answer,
        Err(error) => {
            let error_of_call =
                resolution.call_error("cannot renew the SSO session", SSO_OIDC, &error);
            resolution.step(error_of_call.to_string());
            if refusal::refusal_code(&error).is_some() {
                return Ok(None); // the service was there, so only a login helps
            }
            return Err(error_of_call);
        }
    };
    let Some(token) = answer.access_token() else {
        return Ok(None);
    };
    let lifetime_seconds = u32::try_from(answer.expires_in()).unwrap_or_default();
    resolution.note_changed_files();
    if let Err(error) =
        session.store(cached.renewed(token, lifetime_seconds, answer.refresh_token()))
    {
        resolution.warn(format!("{error}; the next renewal needs a login"));
    }
    Ok(Some(token.to_owned()))
}
