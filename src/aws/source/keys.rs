//! Gets access keys that the user has stored: in variables, or in one of the two shared files.
//!
//! Nobody is asked for them, and nothing waits. Keys in variables may have a time of expiry; after
//! it they are an error and not a reason to look elsewhere, since the user has chosen them.

use std::path::PathBuf;

use crate::authority::LoginState;
use crate::aws::credentials::Credentials;

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::aws::plan::{AccessKeys, FileKeys};
use crate::aws::resolution::CredentialResolution;
use crate::error::{Error, Result};
use crate::time::Time;

/// The variable in which `aws configure export-credentials` says when its keys expire.
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

impl CredentialSource for AccessKeys {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(unexpired_credentials(resolution, self)?)) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn describe(&self, origin: &str) -> String {
        format!("access key in variables ({origin})")
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::Variable("AWS_ACCESS_KEY_ID")
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

impl CredentialSource for FileKeys {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        let Self {
            keys,
            file,
            profile,
        } = self;
        resolution.step(format!("profile {profile}: keys in the {file}"));
        Box::pin(async { Ok(Some(credentials_of_keys(keys, None, "profile"))) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn describe(&self, origin: &str) -> String {
        format!("access key of profile `{}` ({origin})", self.profile)
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::KeyOf(&self.profile, "aws_access_key_id")
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

/// Returns the keys in the environment, unless they have expired.
pub(crate) fn unexpired_credentials(
    resolution: &CredentialResolution,
    keys: &AccessKeys,
) -> Result<Credentials> {
    let expires_at = match &keys.expiration {
        None => None,
        Some(text) => match Time::from_aws(text) {
            Some(expires_at) => Some(expires_at),
            None => {
                return Err(Error::usage(format!("{EXPIRATION} is not a time"))
                    .hint("write it like 2030-01-01T00:15:00Z, or unset it"));
            }
        },
    };
    let hint = format!(
        "renew or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and \
         {EXPIRATION}"
    );
    resolution.require_unexpired(
        credentials_of_keys(keys, expires_at, "environment"),
        "the environment",
        &hint,
    )
}

fn credentials_of_keys(
    keys: &AccessKeys,
    expires_at: Option<Time>,
    source: &'static str,
) -> Credentials {
    Credentials::new(
        &keys.id,
        &keys.secret,
        keys.token.as_deref(),
        expires_at,
        source,
    )
}
