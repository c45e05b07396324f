//! IAM Identity Center (SSO): the token that a login left in AWS's cache, renewed while it can be,
//! for a role's credentials.

use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value, json};

use super::plan::{Sso, Start};
use super::refusal;
use super::role;
use super::runtime::session_lock;
use super::session::{SSO, SSO_OIDC, Session};
use super::trouble::{Kind, LogIn, Trouble};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::encode::hex;
use crate::time::Time;

/// A token that has less left is renewed first, as in the AWS CLI; in seconds.
const RENEW: u32 = 15 * 60;

impl Sso {
    pub(super) async fn credentials(
        &self,
        session: &Session<'_>,
    ) -> std::result::Result<Credentials, Trouble> {
        if let Some(found) = self.cached(session) {
            return Ok(found);
        }
        let token = self.token(session).await?;
        session.step(format!(
            "SSO profile {}: asking the portal in {}",
            self.profile, self.start.region
        ));
        let client = aws_sdk_sso::Client::new(&session.client(SSO, &self.start.region, None));
        let call = client
            .get_role_credentials()
            .role_name(&self.role)
            .account_id(&self.account)
            .access_token(&token);
        let what = format!("cannot get credentials of the SSO role {}", self.role);
        let answer = match session.wait(SSO.name, call.send()).await? {
            Ok(answer) => answer,
            Err(error) => {
                return Err(match refusal::code(&error) {
                    Some("UnauthorizedException") => self.log_in("the SSO session was ended by AWS", Some(token)),
                    Some("ForbiddenException" | "ResourceNotFoundException") => session
                        .refused(&what, SSO, &error)
                        .hint("this user has no such role there: check sso_role_name and sso_account_id of the profile")
                        .into(),
                    _ => session
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
        Ok(session.unexpired(
            credentials,
            "the SSO portal",
            "retry; if it stays, check this machine's clock",
        )?)
    }

    /// Returns what the AWS CLI has cached for this role, if it lasts.
    pub(super) fn cached(&self, session: &Session) -> Option<Credentials> {
        let (name, value) = match &self.start.session {
            Some(session) => ("sessionName", session),
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
        (left >= session.wanted.max(RENEW)).then(|| {
            session.step(format!(
                "SSO profile {}: cached by the AWS CLI",
                self.profile
            ));
            found
        })
    }

    fn log_in(&self, why: &str, revoked: Option<String>) -> Trouble {
        let kind = Kind::Sso(self.start.clone());
        LogIn {
            kind,
            profile: self.profile.clone(),
            why: why.to_owned(),
            revoked,
        }
        .into()
    }

    /// Returns a token of the portal that is still good.
    async fn token(&self, session: &Session<'_>) -> std::result::Result<String, Trouble> {
        let Some(cached) = Cached::read(&self.start) else {
            return Err(self.log_in("nobody has logged in to SSO yet", None));
        };
        if cached.left() >= RENEW || self.start.session.is_none() {
            return cached
                .alive()
                .ok_or_else(|| self.log_in("the SSO session has expired", None));
        }
        // A renewal makes the renewing token of the others worthless, so only one renews.
        let _lock = session_lock(&self.start.id(), Duration::from_secs(5));
        let cached = Cached::read(&self.start).unwrap_or(cached);
        let renewed = if cached.left() < RENEW {
            cached.renew(session, &self.start).await
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

impl Start {
    /// Names the session in AWS's cache.
    pub(super) fn id(&self) -> String {
        let name = self.session.as_ref().unwrap_or(&self.url);
        hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, name.as_bytes()).as_ref())
    }

    /// Returns the file of AWS's cache in which a login leaves its token.
    pub(super) fn path(&self) -> Option<PathBuf> {
        Some(
            env::aws_home()?
                .join(".aws/sso/cache")
                .join(format!("{}.json", self.id())),
        )
    }

    /// Tells whether somebody is logged in, by another token than the one that was revoked.
    pub(super) fn is_open(&self, revoked: Option<&str>) -> bool {
        let token = Cached::read(self).and_then(|cached| cached.alive());
        token.is_some_and(|token| Some(token.as_str()) != revoked)
    }

    /// Stores what a login or a renewal gave, as the AWS CLI does.
    pub(super) fn store(&self, fields: &Map<String, Value>) -> Result<()> {
        let path = self
            .path()
            .ok_or_else(|| Error::failure("no home directory for AWS's SSO cache"))?;
        fs::swap_in_for_owner(&path, Value::from(fields.clone()).to_string().as_bytes())
    }
}

/// The file that a login left.
struct Cached(Map<String, Value>);

impl Cached {
    fn read(start: &Start) -> Option<Self> {
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
    async fn renew(&self, session: &Session<'_>, start: &Start) -> Result<Option<String>> {
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
        session.step(format!("SSO: renewing the session in {}", start.region));
        let client = aws_sdk_ssooidc::Client::new(&session.client(SSO_OIDC, &start.region, None));
        let call = client
            .create_token()
            .grant_type("refresh_token")
            .client_id(id)
            .client_secret(secret)
            .refresh_token(refresh);
        let answer = match session.wait(SSO_OIDC.name, call.send()).await? {
            Ok(answer) => answer,
            Err(error) => {
                let refused = session.refused("cannot renew the SSO session", SSO_OIDC, &error);
                session.step(refused.to_string());
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
        session.has_changed_files();
        if let Err(error) = start.store(&fields) {
            session.warn(format!("{error}; the next renewal needs a login"));
        }
        Ok(Some(token))
    }
}
