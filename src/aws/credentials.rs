//! Defines what all credentials have in common, whichever source gave them: the fields of an answer
//! in JSON, the time that they have left, and the check before anything is signed with them.

use aws_credential_types::Credentials as SdkCredentials;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::time::Time;

/// The longest key or session token, in bytes. AWS's own have less than 5,000.
const MAX_FIELD_LENGTH: usize = 60_000;

/// Keys that sign, with the name of the source that they came from.
#[derive(Clone)]
pub(crate) struct Credentials {
    keys: SdkCredentials,
    source: &'static str,
}

impl Credentials {
    pub(super) fn new(
        key: &str,
        secret: &str,
        token: Option<&str>,
        expires_at: Option<Time>,
        source: &'static str,
    ) -> Self {
        let token = token.map(str::to_owned);
        let keys = SdkCredentials::new(key, secret, token, expires_at.map(Time::to_system), source);
        Self { keys, source }
    }

    pub(super) fn access_key_id(&self) -> &str {
        self.keys.access_key_id()
    }

    pub(super) fn secret_access_key(&self) -> &str {
        self.keys.secret_access_key()
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.keys.session_token()
    }

    /// Returns when they expire; `None` if they do not say it.
    pub(super) fn expires_at(&self) -> Option<Time> {
        self.keys.expiry().map(Time::from_system)
    }

    /// Returns the keys as the SDK and its signer take them.
    pub(super) fn to_sdk(&self) -> SdkCredentials {
        self.keys.clone()
    }
}

/// How an answer in JSON names its fields.
pub(super) struct FieldNames {
    key: &'static str,
    secret: &'static str,
    pub(super) token: &'static str,
    pub(super) expiration: &'static str,
}

impl FieldNames {
    /// The names that STS, the AWS CLI's cache and every `credential_process` use.
    pub(super) const OF_STS: Self = Self {
        key: "AccessKeyId",
        secret: "SecretAccessKey",
        token: "SessionToken",
        expiration: "Expiration",
    };
    /// The names that containers and the instance metadata use.
    pub(super) const OF_METADATA: Self = Self {
        token: "Token",
        ..Self::OF_STS
    };
    /// The names in the file that `aws login` leaves.
    pub(super) const OF_SIGN_IN: Self = Self {
        key: "accessKeyId",
        secret: "secretAccessKey",
        token: "sessionToken",
        expiration: "expiresAt",
    };

    /// Returns the credentials in the fields. An error says which field is wrong, and never repeats
    /// a value.
    pub(super) fn credentials(
        &self,
        fields: &Map<String, Value>,
        source: &'static str,
    ) -> Result<Credentials, String> {
        let expires_at = match fields.get(self.expiration) {
            None | Some(Value::Null) => None,
            Some(expires_at) => match expires_at.as_str().and_then(Time::from_aws) {
                Some(expires_at) => Some(expires_at),
                None => return Err(format!("an {} that is not a time", self.expiration)),
            },
        };
        let Some(key) = text_in_field(fields, self.key) else {
            return Err(format!("no {}", self.key));
        };
        let Some(secret) = text_in_field(fields, self.secret) else {
            return Err(format!("no {}", self.secret));
        };
        let token = text_in_field(fields, self.token);
        Ok(Credentials::new(key, secret, token, expires_at, source))
    }
}

/// Returns the text in a field. An empty text counts as none.
fn text_in_field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    match fields.get(name)?.as_str()? {
        "" => None,
        text => Some(text),
    }
}

/// Returns how many seconds the credentials have left: none if they do not say when they expire.
pub(super) fn seconds_left(credentials: &Credentials) -> Option<u32> {
    let expires_at = credentials.expires_at()?;
    Some(Time::now().until(expires_at))
}

/// Refuses credentials that no request can carry: the signer would panic on them. The error shows
/// nothing of them.
pub(super) fn check_credentials(credentials: Credentials) -> Result<Credentials> {
    let parts = [
        ("access key ID", Some(credentials.access_key_id())),
        ("secret access key", Some(credentials.secret_access_key())),
        ("session token", credentials.session_token()),
    ];
    for (part, text) in parts {
        let Some(text) = text else { continue };
        let reason = if text.ends_with(['\r', '\n']) {
            "ends with a newline"
        } else if text.contains(char::is_control) {
            "contains a control character"
        } else if text.len() > MAX_FIELD_LENGTH {
            "is longer than any that AWS issues"
        } else {
            continue;
        };
        return Err(Error::usage(format!(
            "the {part} {reason} (its source: {})",
            credentials.source
        ))
        .hint(format!(
            "correct the {part} where it is stored: nothing but the {part} itself may be there"
        )));
    }
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        /// An error says what is wrong and repeats no value.
        #[test]
        fn answers_that_are_nearly_right(text in crate::text::mutation::bytes(
            &[concat!(
                r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"WORTHIT","#,
                r#""SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"}"#,
            )],
            &["{", "}", "\"", "null", "1e400", "\\u0000", "\"Expiration\":", "\"\"", "+00:00"],
        )) {
            let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&text) else {
                return Ok(());
            };
            match FieldNames::OF_STS.credentials(&fields, "test") {
                Ok(found) => proptest::prop_assert!(!found.access_key_id().is_empty()),
                Err(reason) => proptest::prop_assert!(!reason.contains("WORTHIT"), "{}", reason),
            }
        }
    }
}
