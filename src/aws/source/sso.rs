//! IAM Identity Center (SSO): the token that a login left in AWS's cache, renewed while it can be,
//! for a role's credentials.

use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value, json};

use crate::aws::login::missing::{LoginKind, MissingLogin, Unresolved};
use crate::aws::plan::{Sso, SsoSession};
use crate::aws::resolution::{Resolution, SSO, SSO_OIDC};
use crate::aws::runtime::session_lock;
use crate::aws::service::refusal;
use crate::aws::source::role;
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::encode::hex;
use crate::time::Time;

/// A token that has less left is renewed first, as in the AWS CLI; in seconds.
const RENEW: u32 = 15 * 60;

impl Sso {
    pub(crate) async fn credentials(
        &self,
        resolution: &Resolution<'_>,
    ) -> std::result::Result<Credentials, Unresolved> {
        if let Some(found) = self.cached(resolution) {
            return Ok(found);
        }
        let token = self.token(resolution).await?;
        resolution.step(format!(
            "SSO profile {}: asking the portal in {}",
            self.profile, self.start.region
        ));
        let client = aws_sdk_sso::Client::new(&resolution.client(SSO, &self.start.region, None));
        let call = client
            .get_role_credentials()
            .role_name(&self.role)
            .account_id(&self.account)
            .access_token(&token);
        let what = format!("cannot get credentials of the SSO role {}", self.role);
        let answer = match resolution.wait(SSO.name, call.send()).await? {
            Ok(answer) => answer,
            Err(error) => {
                return Err(match refusal::code(&error) {
                    Some("UnauthorizedException") => self.log_in("the SSO session was ended by AWS", Some(token)),
                    Some("ForbiddenException" | "ResourceNotFoundException") => resolution
                        .refused(&what, SSO, &error)
                        .hint("this user has no such role there: check sso_role_name and sso_account_id of the profile")
                        .into(),
                    _ => resolution
                        .refused(&what, SSO, &error)
                        .or_hint(
                            "retry; if it stays, check sso_region, sso_account_id and sso_role_name of the profile",
                        )
                        .into(),
                });
            }
        };
        let incomplete = || Error::failure(format!("{what}: the SSO portal gave none"));
        let found = answer.role_credentials().ok_or_else(incomplete)?;
        let (Some(key), Some(secret)) = (found.access_key_id(), found.secret_access_key()) else {
            return Err(incomplete().into());
        };
        let end = Time::from_unix(found.expiration() / 1000).to_system();
        let credentials = Credentials::new(
            key,
            secret,
            found.session_token().map(str::to_owned),
            Some(end),
            "SSO",
        );
        Ok(resolution.unexpired(
            credentials,
            "the SSO portal",
            "retry; if it stays, check this machine's clock",
        )?)
    }

    /// Returns what the AWS CLI has cached for this role, if it lasts.
    pub(crate) fn cached(&self, resolution: &Resolution) -> Option<Credentials> {
        let (name, value) = match &self.start.session {
            Some(resolution) => ("sessionName", resolution),
            None => ("startUrl", &self.start.url),
        };
        let (account, role, value) = (json!(self.account), json!(self.role), json!(value));
        let text = format!("{{\"accountId\":{account},\"roleName\":{role},\"{name}\":{value}}}");
        let found = role::cached(&hex(digest(
            &SHA1_FOR_LEGACY_USE_ONLY,
            role::ascii(&text).as_bytes(),
        )
        .as_ref()))?;
        let left = Time::now().until(Time::from_system(found.expiry()?));
        (left >= resolution.min_life.max(RENEW)).then(|| {
            resolution.step(format!(
                "SSO profile {}: cached by the AWS CLI",
                self.profile
            ));
            found
        })
    }

    fn log_in(&self, why: &str, revoked: Option<String>) -> Unresolved {
        let kind = LoginKind::Sso(self.start.clone());
        MissingLogin {
            kind,
            profile: self.profile.clone(),
            why: why.to_owned(),
            revoked,
        }
        .into()
    }

    /// Returns a token of the portal that is still good.
    async fn token(&self, resolution: &Resolution<'_>) -> std::result::Result<String, Unresolved> {
        let Some(cached) = CachedToken::read(&self.start) else {
            return Err(self.log_in("nobody has logged in to SSO yet", None));
        };
        if cached.left() >= RENEW || self.start.session.is_none() {
            return cached
                .alive()
                .ok_or_else(|| self.log_in("the SSO session has expired", None));
        }
        // A renewal makes the renewing token of the others worthless, so only one renews.
        let _lock = session_lock(&self.start.id(), Duration::from_secs(5));
        let cached = CachedToken::read(&self.start).unwrap_or(cached);
        let renewed = if cached.left() < RENEW {
            cached.renew(resolution, &self.start).await
        } else {
            Ok(None)
        };
        match (renewed, cached.alive()) {
            (Ok(Some(token)), _) | (_, Some(token)) => Ok(token),
            (Ok(None), None) => Err(self.log_in("the SSO session has expired", None)),
            (Err(error), None) => Err(error.into()),
        }
    }
}

impl SsoSession {
    /// Names the session in AWS's cache.
    pub(crate) fn id(&self) -> String {
        let name = self.session.as_ref().unwrap_or(&self.url);
        hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, name.as_bytes()).as_ref())
    }

    /// Returns the file of AWS's cache in which a login leaves its token.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        Some(
            env::aws_home()?
                .join(".aws/sso/cache")
                .join(format!("{}.json", self.id())),
        )
    }

    /// Tells whether somebody is logged in, by another token than the one that was revoked.
    pub(crate) fn is_open(&self, revoked: Option<&str>) -> bool {
        let token = CachedToken::read(self).and_then(|cached| cached.alive());
        token.is_some_and(|token| Some(token.as_str()) != revoked)
    }

    /// Stores what a login or a renewal gave, as the AWS CLI does.
    pub(crate) fn store(&self, fields: &Map<String, Value>) -> Result<()> {
        let path = self
            .path()
            .ok_or_else(|| Error::failure("no home directory for AWS's SSO cache"))?;
        fs::swap_in_for_owner(&path, Value::from(fields.clone()).to_string().as_bytes())
    }
}

/// The file that a login left.
struct CachedToken(Map<String, Value>);

impl CachedToken {
    fn read(start: &SsoSession) -> Option<Self> {
        let fields: Value =
            serde_json::from_slice(&fs::read_foreign_cache(&start.path()?)?).ok()?;
        let cached = Self(fields.as_object()?.clone());
        cached.text("accessToken").is_some().then_some(cached)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn time(&self, name: &str) -> Option<Time> {
        Time::from_aws(self.text(name)?)
    }

    /// Seconds.
    fn left(&self) -> u32 {
        self.time("expiresAt")
            .map_or(0, |end| Time::now().until(end))
    }

    fn alive(&self) -> Option<String> {
        self.text("accessToken")
            .filter(|_| self.left() > 0)
            .map(str::to_owned)
    }

    /// Returns a new token; none where only a login gives one.
    async fn renew(
        &self,
        resolution: &Resolution<'_>,
        start: &SsoSession,
    ) -> Result<Option<String>> {
        let known = ["refreshToken", "clientId", "clientSecret"].map(|name| self.text(name));
        let [Some(refresh), Some(id), Some(secret)] = known else {
            return Ok(None);
        };
        if self
            .time("registrationExpiresAt")
            .is_none_or(|end| end <= Time::now())
        {
            return Ok(None);
        }
        resolution.step(format!("SSO: renewing the session in {}", start.region));
        let client =
            aws_sdk_ssooidc::Client::new(&resolution.client(SSO_OIDC, &start.region, None));
        let call = client
            .create_token()
            .grant_type("refresh_token")
            .client_id(id)
            .client_secret(secret)
            .refresh_token(refresh);
        let answer = match resolution.wait(SSO_OIDC.name, call.send()).await? {
            Ok(answer) => answer,
            Err(error) => {
                let refused = resolution.refused("cannot renew the SSO session", SSO_OIDC, &error);
                resolution.step(refused.to_string());
                return if refusal::code(&error).is_some() {
                    Ok(None)
                } else {
                    Err(refused)
                };
            }
        };
        let Some(token) = answer.access_token().map(str::to_owned) else {
            return Ok(None);
        };
        let life = u32::try_from(answer.expires_in()).unwrap_or_default();
        let mut fields = self.0.clone();
        fields.insert("accessToken".to_owned(), json!(token));
        fields.insert(
            "expiresAt".to_owned(),
            json!(Time::now().plus(life).rfc3339()),
        );
        if let Some(next) = answer.refresh_token() {
            fields.insert("refreshToken".to_owned(), json!(next));
        }
        resolution.has_changed_files();
        if let Err(error) = start.store(&fields) {
            resolution.warn(format!("{error}; the next renewal needs a login"));
        }
        Ok(Some(token))
    }
}
