//! `role_arn`: STS credentials of a role, with the AWS CLI's own cache of them read first, never
//! written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::types::Credentials as StsCredentials;
use aws_smithy_types::DateTime;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value};

use crate::aws::credentials;
use crate::aws::plan::{Role, WebIdentity};
use crate::aws::resolution::{Resolution, STS};
use crate::aws::service::refusal;
use crate::aws::source::mfa;
use crate::aws::source::process::FieldNames;
use crate::error::{Error, Reason, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::encode::hex;
use crate::time::Time;

/// The shortest ARN that STS takes, in characters.
const LEAST_ARN: usize = 20;
const NO_ARN: &str = "not the ARN of a role";
const TOO_SHORT: &str = "shorter than two characters";
const TOO_BRIEF: &str = "less than 900, the least that AWS gives";

/// Less is renewed by the AWS CLI; in seconds.
const CLI_LEAST: u32 = 15 * 60;

impl Role {
    /// Refuses what STS would not take by its form.
    fn check(&self) -> Result<()> {
        const LEAST_DURATION: i32 = 900;
        let short =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() < 2);
        let wrong = [
            (self.arn.len() < LEAST_ARN, "role_arn", NO_ARN),
            (short(&self.external_id), "external_id", TOO_SHORT),
            (short(&self.session_name), "role_session_name", TOO_SHORT),
            (
                self.duration
                    .is_some_and(|seconds| seconds < LEAST_DURATION),
                "duration_seconds",
                TOO_BRIEF,
            ),
        ];
        match wrong.iter().find(|(wrong, ..)| *wrong) {
            None => Ok(()),
            Some((_, key, why)) => Err(Error::usage(format!(
                "profile `{}`: {key} is {why}",
                self.profile
            ))
            .because(Reason::InvalidRoleSetting)
            .hint(format!("correct {key} in the profile"))),
        }
    }

    /// Returns the file in which the AWS CLI caches this role.
    pub(crate) fn cache_file(&self) -> Option<PathBuf> {
        cache_file(&cache_key(self.arguments()))
    }

    /// Returns what the AWS CLI has cached, if it lasts.
    pub(crate) fn cached(&self, resolution: &Resolution) -> Option<Credentials> {
        let credentials = cached(&cache_key(self.arguments()))?;
        let left = Time::now().until(Time::from_system(credentials.expiry()?));
        // Who has no way to give a code is better served by what is left than by a refusal.
        let last_chance = self.mfa_serial.is_some() && !mfa::can_ask(resolution.ask) && left >= 60;
        let lasts = left >= CLI_LEAST && (left >= resolution.min_life || self.mfa_serial.is_some());
        (lasts || last_chance).then(|| {
            resolution.step(format!(
                "role of profile {}: cached by the AWS CLI",
                self.profile
            ));
            credentials
        })
    }

    pub(crate) async fn assume(
        &self,
        resolution: &Resolution<'_>,
        source: Credentials,
    ) -> Result<Credentials> {
        self.check()?;
        let source = credentials::checked(source)?;
        let code = match &self.mfa_serial {
            Some(serial) => Some(mfa::code(resolution, &self.profile, serial)?),
            None => None,
        };
        resolution.step(format!(
            "role of profile {}: asking STS in {}",
            self.profile, resolution.region
        ));
        let client =
            aws_sdk_sts::Client::new(&resolution.client(STS, &resolution.region, Some(source)));
        let call = client
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(session_name(self.session_name.as_ref()))
            .set_external_id(self.external_id.clone())
            .set_duration_seconds(self.duration)
            .set_serial_number(self.mfa_serial.clone())
            .set_token_code(code);
        let what = format!("cannot assume the role {}", short(&self.arn));
        let answer = resolution.wait(STS.name, call.send()).await?.map_err(|error| {
            let refused = resolution.refused(&what, STS, &error);
            match refusal::code(&error) {
                Some("ExpiredToken" | "ExpiredTokenException") => refused
                    .exiting(crate::error::Exit::Login)
                    .hint("renew the credentials that assume the role, then retry"),
                Some("AccessDenied" | "AccessDeniedException") if is_about_mfa(error.message()) => refused
                    .exiting(crate::error::Exit::Login)
                    .hint("retry with a new code; if it stays, check mfa_serial of the profile"),
                Some("AccessDenied" | "AccessDeniedException") => refused.hint(format!(
                    "the role's trust policy and the policy of whoever assumes it must allow this; \
                     `aws sts get-caller-identity{}` shows the same",
                    resolution.option()
                )),
                Some("InvalidClientTokenId" | "SignatureDoesNotMatch") => {
                    refused.hint("the access key that assumes the role is wrong or deleted: correct its profile")
                }
                Some("ValidationError") => {
                    refused.hint("check role_arn, duration_seconds and mfa_serial of the profile")
                }
                _ => refused.or_hint("check the role's settings in the profile"),
            }
        })?;
        of_answer(answer.credentials(), &what)
    }

    /// The arguments of the call as the AWS CLI names them.
    fn arguments(&self) -> BTreeMap<&'static str, Value> {
        let texts = [
            ("RoleArn", Some(self.arn.as_str())),
            ("RoleSessionName", self.session_name.as_deref()),
            ("ExternalId", self.external_id.as_deref()),
            ("SerialNumber", self.mfa_serial.as_deref()),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, Value::from(text?))));
        texts
            .chain(
                self.duration
                    .map(|seconds| ("DurationSeconds", Value::from(seconds))),
            )
            .collect()
    }
}

impl WebIdentity {
    pub(crate) async fn assume(&self, resolution: &Resolution<'_>) -> Result<Credentials> {
        let token = fs::read_foreign_text(self.token_file.as_ref(), resolution.deadline())
            .map_err(|error| {
                error
                    .about("web identity")
                    .or_hint("check AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file")
            })?;
        if token.is_empty() {
            return Err(Error::usage(format!(
                "{}: the web identity token is empty",
                self.token_file
            ))
            .hint("whoever writes the file has to write a token to it"));
        }
        if self.arn.len() < LEAST_ARN {
            return Err(
                Error::usage(format!("web identity: the role's name is {NO_ARN}"))
                    .because(Reason::InvalidRoleSetting)
                    .hint("correct AWS_ROLE_ARN, or role_arn in the profile"),
            );
        }
        let mut arguments = BTreeMap::from([("RoleArn", Value::from(self.arn.as_str()))]);
        arguments.insert("WebIdentityToken", Value::from(token.as_str()));
        arguments.extend(
            self.session_name
                .as_deref()
                .map(|name| ("RoleSessionName", Value::from(name))),
        );
        let cached = cached(&cache_key(arguments)).filter(|credentials| {
            let left = credentials
                .expiry()
                .map(|end| Time::now().until(Time::from_system(end)));
            left.is_some_and(|left| left >= resolution.min_life.max(CLI_LEAST))
        });
        if let Some(credentials) = cached {
            resolution.step("web identity: cached by the AWS CLI");
            return Ok(credentials);
        }
        resolution.step(format!("web identity: asking STS in {}", resolution.region));
        let client = aws_sdk_sts::Client::new(&resolution.client(STS, &resolution.region, None));
        let call = client
            .assume_role_with_web_identity()
            .role_arn(&self.arn)
            .role_session_name(session_name(self.session_name.as_ref()))
            .web_identity_token(&token);
        let what = format!(
            "cannot assume the role {} by web identity",
            short(&self.arn)
        );
        let answer = resolution
            .wait(STS.name, call.send())
            .await?
            .map_err(|error| {
                let refused = resolution.refused(&what, STS, &error);
                match refusal::code(&error) {
                    Some("ExpiredTokenException") => {
                        refused.exiting(crate::error::Exit::Login).hint(format!(
                            "the token in {} has to be renewed by whoever wrote it",
                            self.token_file
                        ))
                    }
                    _ => refused
                        .or_hint("the role's trust policy must allow the issuer of the token"),
                }
            })?;
        of_answer(answer.credentials(), &what)
    }
}

fn of_answer(credentials: Option<&StsCredentials>, what: &str) -> Result<Credentials> {
    let found =
        credentials.ok_or_else(|| Error::failure(format!("{what}: STS gave no credentials")))?;
    let end = DateTime::secs(found.expiration());
    let token = Some(found.session_token().to_owned());
    let end = Some(Time::from_unix(end).to_system());
    Ok(Credentials::new(
        found.access_key_id(),
        found.secret_access_key(),
        token,
        end,
        "STS",
    ))
}

fn session_name(own: Option<&String>) -> String {
    own.cloned()
        .unwrap_or_else(|| format!("pgcred-{}", Time::now().unix()))
}

/// A wrong MFA code is told from a missing permission by the message only.
fn is_about_mfa(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.starts_with("MultiFactorAuthentication failed"))
}

/// The role's name, without the number of the account.
fn short(arn: &str) -> String {
    arn.rsplit_once(":role/")
        .map_or(arn, |(_, name)| name)
        .to_owned()
}

fn cache_file(key: &str) -> Option<PathBuf> {
    Some(
        env::aws_home()?
            .join(".aws/cli/cache")
            .join(format!("{key}.json")),
    )
}

/// Returns what stands in the AWS CLI's cache of roles, not expired.
pub(crate) fn cached(key: &str) -> Option<Credentials> {
    let answer: Value = serde_json::from_slice(&fs::read_foreign_cache(&cache_file(key)?)?).ok()?;
    let fields: &Map<String, Value> = answer.get("Credentials")?.as_object()?;
    let names = FieldNames {
        key: "AccessKeyId",
        secret: "SecretAccessKey",
        token: "SessionToken",
        end: "Expiration",
    };
    let credentials = names.credentials(fields, "AWS CLI cache").ok()?;
    credentials
        .expiry()
        .is_some_and(|end| Time::from_system(end) > Time::now())
        .then_some(credentials)
}

/// The name of a file there: SHA-1 of the arguments as Python's `json.dumps(..., sort_keys=True)`
/// writes them.
fn cache_key(arguments: BTreeMap<&'static str, Value>) -> String {
    let pairs = arguments
        .into_iter()
        .map(|(name, value)| format!("\"{name}\": {}", ascii(&value.to_string())));
    let text = format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "));
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

/// Escapes what is not ASCII, as Python does.
pub(crate) fn ascii(json: &str) -> String {
    let mut text = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(
                c.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python: `sha1(json.dumps(args, sort_keys=True).encode()).hexdigest()`.
    #[test]
    fn the_cache_key_is_that_of_the_aws_cli() {
        let mut role = Role {
            profile: "p".to_owned(),
            arn: "arn:aws:iam::123456789012:role/R".to_owned(),
            external_id: Some("ü\"x".to_owned()),
            session_name: None,
            mfa_serial: None,
            duration: Some(900),
            source: "q".to_owned(),
        };
        assert_eq!(
            cache_key(role.arguments()),
            "5678c7f284b3698dae2f72bc85c53415420975f7"
        );
        (role.external_id, role.duration) = (None, None);
        assert_eq!(
            cache_key(role.arguments()),
            "c03ce438bc208f6214854d85d3ca930ff73e3004"
        );
    }
}
