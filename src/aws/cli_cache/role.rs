//! Reads the AWS CLI's cache of the credentials of roles, and never writes to it. Every kind of
//! role has a key of its own making, which is the name of its file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{ROLES, cache_file, json_object_in, sha1};
use crate::aws::credentials::Credentials;
use crate::aws::credentials::{FieldNames, seconds_left};
use crate::aws::plan::{ProfileRole, SsoRole, WebIdentity};

/// Returns the file of a role.
pub(crate) fn role_file(role: &ProfileRole) -> Option<PathBuf> {
    cache_file(ROLES, &key_of_role(role))
}

/// Returns the credentials of a role, unless they have expired.
pub(crate) fn read_role_credentials(role: &ProfileRole) -> Option<Credentials> {
    read_role_file(&key_of_role(role))
}

/// Returns the credentials of a role of a web identity, unless they have expired.
pub(crate) fn read_web_identity_credentials(
    identity: &WebIdentity,
    token: &str,
) -> Option<Credentials> {
    let mut arguments = BTreeMap::from([
        ("RoleArn", Value::from(identity.arn.as_str())),
        ("WebIdentityToken", Value::from(token)),
    ]);
    if let Some(name) = &identity.session_name {
        arguments.insert("RoleSessionName", Value::from(name.as_str()));
    }
    read_role_file(&cache_key(arguments))
}

/// Returns the credentials of a role of SSO, unless they have expired.
pub(crate) fn read_sso_credentials(sso: &SsoRole) -> Option<Credentials> {
    let (name, value) = match &sso.session.name {
        Some(name) => ("sessionName", name),
        None => ("startUrl", &sso.session.url),
    };
    // Without blanks, unlike the keys of other roles.
    let text = format!(
        "{{\"accountId\":{},\"roleName\":{},\"{name}\":{}}}",
        json!(sso.account),
        json!(sso.role),
        json!(value)
    );
    read_role_file(&sha1(&escape_non_ascii(&text)))
}

fn read_role_file(key: &str) -> Option<Credentials> {
    let answer = json_object_in(&cache_file(ROLES, key)?)?;
    let fields = answer.get("Credentials")?.as_object()?;
    let credentials = FieldNames::OF_STS
        .credentials(fields, "AWS CLI cache")
        .ok()?;
    if seconds_left(&credentials)? == 0 {
        return None;
    }
    Some(credentials)
}

fn key_of_role(role: &ProfileRole) -> String {
    let mut arguments = BTreeMap::new();
    for (name, text) in [
        ("RoleArn", Some(&role.arn)),
        ("RoleSessionName", role.session_name.as_ref()),
        ("ExternalId", role.external_id.as_ref()),
        ("SerialNumber", role.mfa_serial.as_ref()),
    ] {
        if let Some(text) = text {
            arguments.insert(name, Value::from(text.as_str()));
        }
    }
    if let Some(seconds) = role.duration {
        arguments.insert("DurationSeconds", Value::from(seconds));
    }
    cache_key(arguments)
}

/// Returns the SHA-1 of the arguments of a call as Python's `json.dumps(..., sort_keys=True)`
/// writes them.
fn cache_key(arguments: BTreeMap<&'static str, Value>) -> String {
    let pairs: Vec<String> = arguments
        .into_iter()
        .map(|(name, value)| format!("\"{name}\": {}", escape_non_ascii(&value.to_string())))
        .collect();
    sha1(&format!("{{{}}}", pairs.join(", ")))
}

/// Escapes every character that is not ASCII, as Python does.
fn escape_non_ascii(json: &str) -> String {
    let mut text = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}"); // a text takes everything
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python: `sha1(json.dumps(args, sort_keys=True).encode()).hexdigest()`.
    #[test]
    fn the_key_of_a_role_is_that_of_the_aws_cli() {
        let mut role = ProfileRole {
            profile: "p".to_owned(),
            arn: "arn:aws:iam::123456789012:role/R".to_owned(),
            external_id: Some("ü\"x".to_owned()),
            session_name: None,
            mfa_serial: None,
            duration: Some(900),
            source: "q".to_owned(),
        };
        assert_eq!(
            key_of_role(&role),
            "5678c7f284b3698dae2f72bc85c53415420975f7"
        );
        (role.external_id, role.duration) = (None, None);
        assert_eq!(
            key_of_role(&role),
            "c03ce438bc208f6214854d85d3ca930ff73e3004"
        );
    }
}
