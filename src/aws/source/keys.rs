//! Access keys that the user has stored: in variables, or in one of the two shared files.

use crate::aws::credentials::Credentials;

use crate::aws::plan::Keys;
use crate::aws::resolution::Resolution;
use crate::error::{Error, Result};
use crate::time::Time;

/// The variable in which `aws configure export-credentials` says when its keys expire.
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// Returns the keys in the environment, unless they have expired.
pub(crate) fn of_environment(resolution: &Resolution, keys: &Keys) -> Result<Credentials> {
    let end = match &keys.end {
        None => None,
        Some(text) => match Time::from_aws(text) {
            Some(end) => Some(end),
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
    resolution.unexpired(
        credentials(keys, end, "environment"),
        "the environment",
        &hint,
    )
}

/// Returns the keys of a profile.
pub(crate) fn of_file(keys: &Keys) -> Credentials {
    credentials(keys, None, "profile")
}

fn credentials(keys: &Keys, end: Option<Time>, source: &'static str) -> Credentials {
    Credentials::new(&keys.id, &keys.secret, keys.token.as_deref(), end, source)
}
