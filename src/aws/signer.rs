//! Issues AWS tokens: presigned requests that live no longer than the credentials.

use crate::aws::credentials::Credentials;

use super::sigv4;
use crate::authority::{Region, Signer, TokenScope};
use crate::error::{Error, ErrorReason, Result};
use crate::text::quote::typed;
use crate::time::Time;
use crate::token::Token;

/// AWS credentials that were resolved, and the profile that the user named for them.
pub(super) struct AwsSigner {
    credentials: Credentials,
    profile: Option<String>,
}

impl AwsSigner {
    pub(super) fn new(credentials: Credentials, profile: Option<String>) -> Self {
        Self {
            credentials,
            profile,
        }
    }

    fn expired(&self) -> Error {
        let (profile_clause, argument) = match &self.profile {
            Some(profile) => (
                format!(" of profile `{profile}`"),
                " ".to_owned() + &typed(profile),
            ),
            None => (String::new(), String::new()),
        };
        Error::login(format!("the AWS credentials{profile_clause} have expired"))
            .hint(format!("run `pgcred login{argument}`, then try again"))
            .because(ErrorReason::Expired)
    }
}

impl Signer for AwsSigner {
    fn issue(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<Token> {
        let Some(region) = region else {
            return Err(no_region(scope.host));
        };
        let lifetime_seconds = match self.credentials.expires_at() {
            Some(expires_at) => lifetime_seconds.min(now.until(expires_at)),
            None => lifetime_seconds,
        };
        if lifetime_seconds == 0 {
            return Err(self.expired());
        }
        sigv4::presign(
            scope,
            region.as_str(),
            &self.credentials,
            now,
            lifetime_seconds,
        )
    }
}

pub(super) const REGION_HINT: &str =
    "name it with --region REGION, AWS_REGION, or `region` in the profile";

/// Returns the error for a host that no option, variable or profile names a region for.
pub(super) fn no_region(host: &str) -> Error {
    Error::usage(format!("no region for {host}"))
        .hint(REGION_HINT)
        .because(ErrorReason::NoRegion)
}
