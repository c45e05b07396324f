//! Assumes roles with other credentials (`role_arn`): STS is asked, unless the AWS CLI has cached
//! the role's credentials.
//!
//! The settings are checked first, so that what STS would refuse for its form costs no request.
//! Credentials in the AWS CLI's cache count with at least 15 minutes left, as for the AWS CLI;
//! where the role needs an MFA code and nobody can be asked for it, a minute is enough. A refusal
//! of STS gets the hint that fits its code. Nothing is written to the AWS CLI's cache.

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::types::Credentials as StsCredentials;
use aws_smithy_types::DateTime;

use super::mfa;
use crate::aws::cli_cache;
use crate::aws::credentials::Credentials;
use crate::aws::credentials::{check_credentials, seconds_left};
use crate::aws::plan::ProfileRole;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::STS;
use crate::aws::service::refusal;
use crate::error::{Error, ErrorReason, Exit, Result};
use crate::time::Time;

/// The shortest ARN that STS takes, in characters.
pub(super) const MIN_ARN_LENGTH: usize = 20;
pub(super) const NOT_A_ROLE_ARN: &str = "not the ARN of a role";

/// The AWS CLI renews credentials that have less left; in seconds.
pub(super) const CLI_MIN_LIFETIME_SECONDS: u32 = 15 * 60;
/// The shortest that a role can be assumed for, in seconds.
const MIN_DURATION_SECONDS: i32 = 900;
/// With a minute left, cached credentials beat a refusal.
const MIN_CACHED_LIFETIME_SECONDS: u32 = 60;

impl ProfileRole {
    /// Refuses settings of a form that STS would refuse too.
    fn check(&self) -> Result<()> {
        let (key, reason) = if self.arn.len() < MIN_ARN_LENGTH {
            ("role_arn", NOT_A_ROLE_ARN)
        } else if is_too_short(self.external_id.as_ref()) {
            ("external_id", "shorter than two characters")
        } else if is_too_short(self.session_name.as_ref()) {
            ("role_session_name", "shorter than two characters")
        } else if let Some(seconds) = self.duration
            && seconds < MIN_DURATION_SECONDS
        {
            (
                "duration_seconds",
                "less than 900, the least that AWS gives",
            )
        } else {
            return Ok(());
        };
        Err(
            Error::usage(format!("profile `{}`: {key} is {reason}", self.profile))
                .because(ErrorReason::InvalidRoleSetting)
                .hint(format!("correct {key} in the profile")),
        )
    }

    /// Returns the credentials that the AWS CLI has cached, if they last long enough.
    pub(crate) fn cached_credentials(
        &self,
        resolution: &CredentialResolution,
    ) -> Option<Credentials> {
        let credentials = cli_cache::role::read_role_credentials(self)?;
        let lifetime_left = seconds_left(&credentials)?;
        let needs_code = self.mfa_serial.is_some();
        let lasts = lifetime_left >= CLI_MIN_LIFETIME_SECONDS
            && (needs_code || lifetime_left >= resolution.min_lifetime);
        // A user who cannot give a code is better served by the little that is left.
        let is_last_chance = needs_code
            && lifetime_left >= MIN_CACHED_LIFETIME_SECONDS
            && !mfa::can_ask(resolution.ask_policy);
        if !lasts && !is_last_chance {
            return None;
        }
        resolution.step(format!(
            "role of profile {}: cached by the AWS CLI",
            self.profile
        ));
        Some(credentials)
    }

    /// Returns the credentials of the role, which `source` may assume.
    pub(crate) async fn assume(
        &self,
        resolution: &CredentialResolution<'_>,
        source: Credentials,
    ) -> Result<Credentials> {
        self.check()?;
        let source = check_credentials(source)?;
        let code = match &self.mfa_serial {
            Some(serial) => Some(mfa::ask_for_code(resolution, &self.profile, serial)?),
            None => None,
        };
        resolution.step(format!(
            "role of profile {}: asking STS in {}",
            self.profile, resolution.region
        ));
        let config = resolution.client(STS, &resolution.region, Some(source));
        let call = aws_sdk_sts::Client::new(&config)
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(session_name(self.session_name.as_ref()))
            .set_external_id(self.external_id.clone())
            .set_duration_seconds(self.duration)
            .set_serial_number(self.mfa_serial.clone())
            .set_token_code(code);
        let context = format!("cannot assume the role {}", role_name(&self.arn));
        match resolution.wait(STS.name, call.send()).await? {
            Ok(answer) => parse_credentials(answer.credentials(), &context),
            Err(error) => Err(role_error(resolution, &context, &error)),
        }
    }
}

fn is_too_short(text: Option<&String>) -> bool {
    text.is_some_and(|text| text.chars().count() < 2)
}

/// Explains a refusal of STS with the hint that fits its code.
fn role_error(
    resolution: &CredentialResolution,
    context: &str,
    error: &SdkError<AssumeRoleError>,
) -> Error {
    let error_of_call = resolution.call_error(context, STS, error);
    match refusal::refusal_code(error) {
        Some("ExpiredToken" | "ExpiredTokenException") => error_of_call
            .exiting(Exit::Login)
            .hint("renew the credentials that assume the role, then try again"),
        Some("AccessDenied" | "AccessDeniedException") if is_about_mfa(error.message()) => {
            error_of_call.exiting(Exit::Login).hint(
                "try again with a new code; if it fails again, check mfa_serial of the profile",
            )
        }
        Some("AccessDenied" | "AccessDeniedException") => error_of_call.hint(format!(
            "allow this in the role's trust policy and in the policy of the identity that assumes \
             it, which `aws sts get-caller-identity{}` shows",
            resolution.profile_option()
        )),
        Some("InvalidClientTokenId" | "SignatureDoesNotMatch") => error_of_call
            .hint("correct the access key that assumes the role: it is wrong or deleted"),
        Some("ValidationError") => {
            error_of_call.hint("check role_arn, duration_seconds and mfa_serial of the profile")
        }
        _ => error_of_call.or_hint("check the role's settings in the profile"),
    }
}

/// Tells whether a wrong MFA code was the cause: the message alone tells that from a missing
/// permission.
fn is_about_mfa(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.starts_with("MultiFactorAuthentication failed"))
}

pub(super) fn parse_credentials(
    credentials: Option<&StsCredentials>,
    context: &str,
) -> Result<Credentials> {
    let Some(parts) = credentials else {
        return Err(
            Error::failure(format!("{context}: STS returned no credentials"))
                .hint(refusal::TRY_AGAIN),
        );
    };
    let expires_at = Time::from_unix(DateTime::secs(parts.expiration()));
    Ok(Credentials::new(
        parts.access_key_id(),
        parts.secret_access_key(),
        Some(parts.session_token()),
        Some(expires_at),
        "STS",
    ))
}

/// Returns the name that the user has set for the session with the role, else one of pgcred's own.
pub(super) fn session_name(set: Option<&String>) -> String {
    match set {
        Some(name) => name.clone(),
        None => format!("pgcred-{}", Time::now().unix()),
    }
}

/// Returns the role's name, without the number of the account.
pub(super) fn role_name(arn: &str) -> &str {
    match arn.rsplit_once(":role/") {
        Some((_, name)) => name,
        None => arn,
    }
}
