//! Reads and stores the tokens that SSO logins leave, one file for each login session.
//!
//! The file's name is a digest of the session's name, or of the address of the portal in the older
//! form of a profile. `aws sso login` writes the file; so does pgcred when it logs in or renews a
//! token, in the form in which the AWS CLI reads it.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{SSO, cache_file, json_object_in, sha1};
use crate::aws::plan::SsoSession;
use crate::error::{Error, Result};
use crate::sys::fs;
use crate::time::Time;

impl SsoSession {
    /// Returns the name of the session in the cache, and of the locks of that session.
    pub(crate) fn id(&self) -> String {
        sha1(self.name.as_ref().unwrap_or(&self.url))
    }

    /// Returns the file in which a login leaves its token.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        cache_file(SSO, &self.id())
    }

    /// Tells whether the user is logged in, with another token than the one that was revoked.
    pub(crate) fn is_open(&self, revoked: Option<&str>) -> bool {
        let Some(cached) = CachedSsoToken::read(self) else {
            return false;
        };
        cached
            .unexpired()
            .is_some_and(|token| Some(token) != revoked)
    }

    /// Stores a new login, in the fields that the AWS CLI uses.
    pub(crate) fn store_login(&self, login: &LoginResult<'_>) -> Result<()> {
        let mut fields = Map::new();
        for (name, value) in [
            ("startUrl", self.url.as_str()),
            ("region", &self.region),
            ("accessToken", login.token),
            ("expiresAt", &login.expires_at.rfc3339()),
            ("clientId", login.grant.client_id),
            ("clientSecret", login.grant.client_secret),
            ("registrationExpiresAt", &login.registered_until.rfc3339()),
        ] {
            fields.insert(name.to_owned(), json!(value));
        }
        if !login.grant.refresh_token.is_empty() {
            fields.insert("refreshToken".to_owned(), json!(login.grant.refresh_token));
        }
        self.store(fields)
    }

    /// Stores the fields that a login or a renewal gave, as the AWS CLI does.
    pub(crate) fn store(&self, fields: Map<String, Value>) -> Result<()> {
        let Some(path) = self.path() else {
            return Err(Error::no_directory("home").hint("set HOME: AWS's SSO cache is below it"));
        };
        fs::replace_atomically_for_owner(&path, Value::from(fields).to_string().as_bytes())
    }
}

/// What a login gave: a token, and what renews it.
pub(crate) struct LoginResult<'a> {
    pub(crate) token: &'a str,
    pub(crate) expires_at: Time,
    pub(crate) grant: RefreshGrant<'a>,
    /// When the client's registration expires. Nothing renews the token after that.
    pub(crate) registered_until: Time,
}

/// The file that a login left.
pub(crate) struct CachedSsoToken(Map<String, Value>);

/// What a renewal needs. A login that cannot be renewed has an empty `refresh_token`.
pub(crate) struct RefreshGrant<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) refresh_token: &'a str,
}

impl CachedSsoToken {
    pub(crate) fn read(session: &SsoSession) -> Option<Self> {
        let cached = Self(json_object_in(&session.path()?)?);
        cached.text("accessToken")?;
        Some(cached)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn time(&self, name: &str) -> Option<Time> {
        Time::from_aws(self.text(name)?)
    }

    /// Returns when the token expires, if the file says it.
    pub(crate) fn expires_at(&self) -> Option<Time> {
        self.time("expiresAt")
    }

    /// Returns how many seconds the token has left.
    pub(crate) fn seconds_left(&self) -> u32 {
        match self.expires_at() {
            Some(expires_at) => Time::now().until(expires_at),
            None => 0,
        }
    }

    /// Returns the token, unless it has expired.
    pub(crate) fn unexpired(&self) -> Option<&str> {
        if self.seconds_left() == 0 {
            return None;
        }
        self.text("accessToken")
    }

    /// Returns what renews the token; none where only a login gives a new one.
    pub(crate) fn refresh_grant(&self) -> Option<RefreshGrant<'_>> {
        let grant = RefreshGrant {
            refresh_token: self.text("refreshToken")?,
            client_id: self.text("clientId")?,
            client_secret: self.text("clientSecret")?,
        };
        if self.time("registrationExpiresAt")? <= Time::now() {
            return None;
        }
        Some(grant)
    }

    /// Returns the fields with a new token in them.
    pub(crate) fn renewed(
        &self,
        token: &str,
        lifetime_seconds: u32,
        refresh_token: Option<&str>,
    ) -> Map<String, Value> {
        let mut fields = self.0.clone();
        fields.insert("accessToken".to_owned(), json!(token));
        let expires_at = Time::now().plus(lifetime_seconds).rfc3339();
        fields.insert("expiresAt".to_owned(), json!(expires_at));
        if let Some(next) = refresh_token {
            fields.insert("refreshToken".to_owned(), json!(next));
        }
        fields
    }
}
