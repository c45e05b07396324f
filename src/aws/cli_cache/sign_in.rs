//! Reads and renews the sessions that `aws login` leaves, one file each: credentials, the token
//! that renews them, and the key that the session is bound to.

use std::path::PathBuf;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::{json_file, json_object_in, sign_in_directory};
use crate::aws::credentials::Credentials;
use crate::aws::credentials::{FieldNames, seconds_left};
use crate::error::Result;
use crate::sys::fs;
use crate::text::encode::hex;
use crate::time::Time;

/// Returns the name of a session in the cache, and of the locks of that session.
pub(crate) fn session_id(session: &str) -> String {
    hex(digest(&SHA256, session.trim().as_bytes()).as_ref())
}

/// Returns the file in which a login leaves its session.
pub(crate) fn session_file(session: &str) -> Option<PathBuf> {
    Some(sign_in_directory()?.join(json_file(&session_id(session))))
}

/// Tells whether the cache holds credentials that have not expired.
pub(crate) fn is_open(session: &str) -> bool {
    let Some(cached) = CachedLogin::read(session) else {
        return false;
    };
    match cached.credentials() {
        Ok(credentials) => seconds_left(&credentials) > Some(0),
        Err(_) => false,
    }
}

/// The file that `aws login` left.
pub(crate) struct CachedLogin(Map<String, Value>);

impl CachedLogin {
    pub(crate) fn read(session: &str) -> Option<Self> {
        Some(Self(json_object_in(&session_file(session)?)?))
    }

    /// Returns the text in a field; an error says which one is missing.
    pub(crate) fn text(&self, name: &str) -> Result<&str, String> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(format!("no {name}")),
        }
    }

    /// Returns the credentials; an error says what is wrong with the file.
    pub(crate) fn credentials(&self) -> Result<Credentials, String> {
        for name in ["refreshToken", "dpopKey", "clientId"] {
            self.text(name)?;
        }
        let Some(Value::Object(fields)) = self.0.get("accessToken") else {
            return Err("no accessToken".to_owned());
        };
        let credentials = FieldNames::OF_SIGN_IN.credentials(fields, "aws login")?;
        credentials.expires_at().ok_or("no expiresAt")?;
        Ok(credentials)
    }

    /// Takes in the answer to a renewal.
    pub(crate) fn renew(
        &mut self,
        key: &str,
        secret: &str,
        token: &str,
        expires_at: Time,
        refresh_token: &str,
    ) {
        let fields = self.0.entry("accessToken").or_insert_with(|| json!({}));
        fields["accessKeyId"] = json!(key);
        fields["secretAccessKey"] = json!(secret);
        fields["sessionToken"] = json!(token);
        fields["expiresAt"] = json!(expires_at.rfc3339());
        self.0
            .insert("refreshToken".to_owned(), json!(refresh_token));
    }

    /// Stores the session as the AWS CLI does, if there is a home directory.
    pub(crate) fn store(&self, session: &str) -> Result<()> {
        let Some(path) = session_file(session) else {
            return Ok(());
        };
        let text = Value::from(self.0.clone()).to_string();
        fs::replace_atomically_for_owner(&path, text.as_bytes())
    }
}
