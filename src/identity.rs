//! Who signs: a digest that changes whenever other credentials would be found, and tells nothing about them.

use std::path::PathBuf;

use ring::digest::{Context, SHA256};

use crate::aws;
use crate::encode::hex;
use crate::env;
use crate::fs;

/// Hex digest; safe in file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity(String);

impl Identity {
    /// Keys in the environment sign unless an option names a profile; else the profile as its files now are, and what
    /// else AWS's order looks at. What names a profile by a variable counts for both: the region may come from it.
    pub(crate) fn of(profile: Option<&str>) -> Self {
        const KEYS: [&str; 5] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION",
        ];
        const PROFILE: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
        const WEB_IDENTITY: [&str; 3] = ["AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"];
        const SOURCES: [&str; 3] = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_EC2_METADATA_DISABLED",
        ];
        let mut parts: Vec<String> = Vec::new();
        let add = |parts: &mut Vec<String>, names: &[&str]| {
            parts.extend(names.iter().map(|name| env::var(name).unwrap_or_default()));
        };
        if profile.is_none() {
            add(&mut parts, &PROFILE);
        }
        if profile.is_none() && env::var_os(KEYS[0]).is_some() {
            add(&mut parts, &KEYS);
        } else {
            parts.extend(files());
            parts.push(profile.unwrap_or_default().to_owned());
            add(&mut parts, &SOURCES);
            if profile.is_none() {
                add(&mut parts, &WEB_IDENTITY);
            }
        }
        Self(digest(parts.iter().map(String::as_str)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the names and stamps of AWS's files: they change whenever the files do.
pub(crate) fn files() -> Vec<String> {
    let stamped = |path: PathBuf| [path.display().to_string(), fs::stamp(&path).unwrap_or_default()];
    aws::paths().into_iter().flatten().flat_map(stamped).collect()
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
