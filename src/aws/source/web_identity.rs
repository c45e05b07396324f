//! Assumes the role of a workload (EKS, GitHub Actions): STS exchanges the token in a file for the
//! role's credentials.

use std::path::PathBuf;

use crate::authority::LoginState;
use crate::aws::credentials::Credentials;

use super::{ChosenBy, CredentialSource, SourceFuture, role};
use crate::aws::cli_cache;
use crate::aws::credentials::seconds_left;
use crate::aws::plan::WebIdentity;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::STS;
use crate::aws::service::refusal;
use crate::error::{Error, ErrorReason, Exit, Result};
use crate::sys::fs;

impl CredentialSource for WebIdentity {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(self.assume(resolution).await?)) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![PathBuf::from(&self.token_file)]
    }

    fn describe(&self, origin: &str) -> String {
        format!(
            "web identity for role {}, token in {} ({origin})",
            self.arn, self.token_file
        )
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::VariableOrKey("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

impl WebIdentity {
    async fn assume(&self, resolution: &CredentialResolution<'_>) -> Result<Credentials> {
        let token = self.token(resolution)?;
        if self.arn.len() < role::MIN_ARN_LENGTH {
            return Err(Error::usage(format!(
                "web identity: the role's name is {}",
                role::NOT_A_ROLE_ARN
            ))
            .because(ErrorReason::InvalidRoleSetting)
            .hint("correct AWS_ROLE_ARN, or role_arn in the profile"));
        }
        if let Some(cached) = cli_cache::role::read_web_identity_credentials(self, &token)
            && seconds_left(&cached)
                >= Some(resolution.min_lifetime.max(role::CLI_MIN_LIFETIME_SECONDS))
        {
            resolution.step("web identity: cached by the AWS CLI");
            return Ok(cached);
        }
        resolution.step(format!("web identity: asking STS in {}", resolution.region));
        let config = resolution.client(STS, &resolution.region, None);
        let call = aws_sdk_sts::Client::new(&config)
            .assume_role_with_web_identity()
            .role_arn(&self.arn)
            .role_session_name(role::session_name(self.session_name.as_ref()))
            .web_identity_token(&token);
        let context = format!(
            "cannot assume the role {} by web identity",
            role::role_name(&self.arn)
        );
        match resolution.wait(STS.name, call.send()).await? {
            Ok(answer) => role::parse_credentials(answer.credentials(), &context),
            Err(error) => {
                let error_of_call = resolution.call_error(&context, STS, &error);
                Err(match refusal::refusal_code(&error) {
                    Some("ExpiredTokenException") => {
                        error_of_call.exiting(Exit::Login).hint(format!(
                            "let the program that wrote the token in {} write a new one",
                            self.token_file
                        ))
                    }
                    _ => error_of_call
                        .or_hint("let the role's trust policy allow the issuer of the token"),
                })
            }
        }
    }

    fn token(&self, resolution: &CredentialResolution<'_>) -> Result<String> {
        match fs::read_foreign_text(self.token_file.as_ref(), resolution.deadline()) {
            Ok(token) if token.is_empty() => Err(Error::usage(format!(
                "{}: the web identity token is empty",
                self.token_file
            ))
            .hint("let the program that writes the file write a token to it")),
            Ok(token) => Ok(token),
            Err(error) => Err(error
                .about("web identity")
                .or_hint("check AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file")),
        }
    }
}
