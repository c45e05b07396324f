//! Who signs: a digest that changes whenever other credentials would be found, and tells nothing about them.

use ring::digest::{Context, SHA256};

use crate::aws;
use crate::encode::hex;
use crate::env;
use crate::fs;

/// Hex digest; safe in file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity(String);

impl Identity {
    /// Keys in the environment sign unless a profile is named; else the profile as its files now are, and what else
    /// AWS's order looks at.
    pub(crate) fn of(profile: Option<&str>) -> Self {
        const KEYS: [&str; 5] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION",
        ];
        const OF_NO_PROFILE: [&str; 5] = [
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_ROLE_ARN",
            "AWS_ROLE_SESSION_NAME",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ];
        const SOURCES: [&str; 3] = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_EC2_METADATA_DISABLED",
        ];
        let mut parts: Vec<String> = Vec::new();
        let add = |parts: &mut Vec<String>, names: &[&str]| {
            parts.extend(names.iter().map(|name| env::var(name).unwrap_or_default()));
        };
        if profile.is_none() && env::var_os(KEYS[0]).is_some() {
            add(&mut parts, &KEYS);
        } else {
            for path in aws::paths().into_iter().flatten() {
                parts.push(path.display().to_string());
                parts.push(fs::stamp(&path).unwrap_or_default());
            }
            parts.push(profile.unwrap_or_default().to_owned());
            add(&mut parts, &SOURCES);
            if profile.is_none() {
                add(&mut parts, &OF_NO_PROFILE);
            }
        }
        Self(digest(parts.iter().map(String::as_str)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns 32 hex digits of SHA-256 over the parts; their lengths are part of it, so no two lists collide.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    hex(&context.finish().as_ref()[..16])
}
