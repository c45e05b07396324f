//! Carries out a plan: gets the credentials of its source and assumes its roles with them; and
//! finds the region.

use aws_credential_types::Credentials;

use super::login::missing::Unresolved;
use super::plan::{Keys, MachineService, OldFiles, Plan, Source};
use super::profile::files;
use super::resolution::Resolution;
use super::source::container;
use super::source::imds;
use super::source::process;
use super::source::sign_in;
use crate::error::{Error, Reason, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::host;
use crate::time::Time;

type Found = std::result::Result<Option<Credentials>, Unresolved>;

/// Returns the credentials that sign. The AWS CLI's cache of roles comes first: from the first role
/// that is cached on nobody is asked.
pub(super) async fn credentials(
    resolution: &Resolution<'_>,
    plan: &Plan,
) -> std::result::Result<Credentials, Unresolved> {
    let mut to_assume = Vec::new();
    let mut credentials = None;
    for role in &plan.roles {
        credentials = role.cached(resolution);
        if credentials.is_some() {
            break;
        }
        to_assume.push(role);
    }
    let mut credentials = match credentials {
        Some(cached) => cached,
        None => match (
            of_source(resolution, plan.source.as_ref().map_err(Clone::clone)?).await?,
            plan.roles.last(),
        ) {
            (Some(found), _) => found,
            (None, Some(role)) => return Err(role.nothing_lent().into()),
            (None, None) => return Err(nothing(resolution).into()),
        },
    };
    for role in to_assume.into_iter().rev() {
        credentials = role.assume(resolution, credentials).await?;
    }
    Ok(credentials)
}

/// Returns what the AWS CLI has cached for the role that signs.
pub(super) fn cached(resolution: &Resolution, plan: &Plan) -> Option<Credentials> {
    match (plan.roles.first(), plan.source.as_ref()) {
        (Some(role), _) => role.cached(resolution),
        (None, Ok(Source::Sso(sso))) => sso.cached(resolution),
        (None, _) => None,
    }
}

async fn of_source(resolution: &Resolution<'_>, source: &Source) -> Found {
    match source {
        Source::Environment(keys) => Ok(Some(environment(resolution, keys)?)),
        Source::File(keys, file, profile) => {
            resolution.step(format!("profile {profile}: keys in the {file}"));
            Ok(Some(of_keys(keys, None, "profile")))
        }
        Source::WebIdentity(identity) => Ok(Some(identity.assume(resolution).await?)),
        Source::Sso(sso) => sso.credentials(resolution).await.map(Some),
        Source::SignIn(login) => sign_in::credentials(resolution, &login.profile, &login.session)
            .await
            .map(Some),
        Source::Process(command) => Ok(Some(process::credentials(resolution, command)?)),
        Source::Container(container) => {
            Ok(Some(container::credentials(resolution, container).await?))
        }
        Source::InstanceMetadata(_) => Ok(imds::credentials(resolution).await?),
        Source::Rest(old, service) => {
            resolution.step(format!("profile {}: nothing", resolution.profile_name()));
            if let Some(found) = old_files(resolution, old)? {
                return Ok(Some(found));
            }
            Ok(match service {
                MachineService::Container(container) => {
                    Some(container::credentials(resolution, container).await?)
                }
                MachineService::InstanceMetadata(_) => imds::credentials(resolution).await?,
            })
        }
    }
}

fn of_keys(keys: &Keys, end: Option<Time>, source: &'static str) -> Credentials {
    Credentials::new(
        &keys.id,
        &keys.secret,
        keys.token.clone(),
        end.map(Time::to_system),
        source,
    )
}

/// The keys in the environment, unless they have ended.
pub(super) fn environment(resolution: &Resolution, keys: &Keys) -> Result<Credentials> {
    resolution.step("environment: keys found");
    let end = match &keys.end {
        None => None,
        Some(text) => Some(Time::from_aws(text).ok_or_else(|| {
            Error::usage(format!("{END} is not a time"))
                .hint("2030-01-01T00:15:00Z is one; or unset it")
        })?),
    };
    let hint = format!(
        "renew or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and {END}"
    );
    resolution.unexpired(of_keys(keys, end, "environment"), "the environment", &hint)
}

/// Returns the region in AWS's own order: environment, profile, instance metadata.
pub(super) async fn region(resolution: &Resolution<'_>) -> Result<Option<String>> {
    match resolution.settings.region() {
        Some(region) if is_region(region.trim()) => Ok(Some(region)),
        Some(region) => Err(Error::usage(format!("{} is not the name of a region", host::quoted(&region)))
            .hint("correct AWS_REGION, AWS_DEFAULT_REGION or `region` in the profile: it looks like us-east-1")),
        None => imds::region(resolution).await,
    }
}

/// A label of a host name that is more than a number.
fn is_region(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let number = text.bytes().all(|b| b.is_ascii_digit());
    plain && !number && text.len() < 64 && !text.starts_with('-') && !text.ends_with('-')
}

fn nothing(resolution: &Resolution) -> Error {
    let message = match &resolution.settings.named {
        Some(name) => format!(
            "no AWS credentials in profile `{name}`, the environment, container or instance metadata"
        ),
        None => "no AWS credentials in the environment, default profile, container or instance \
                 metadata"
            .to_owned(),
    };
    Error::login(message)
        .because(Reason::NoCredentials)
        .hint(files::profiles_hint(None))
}

/// What `aws configure export-credentials` says about the end of its keys.
const END: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The files of the first EC2 tools and of boto 2, which the AWS CLI still reads.
fn old_files(resolution: &Resolution, old: &OldFiles) -> Result<Option<Credentials>> {
    let found = |key: Option<String>, secret: Option<String>| {
        key.zip(secret)
            .map(|(key, secret)| Credentials::new(key, secret, None, None, "file"))
    };
    if let Some(path) = &old.of_ec2 {
        let text = fs::read_foreign_text(&env::expanded(path), resolution.deadline())
            .map_err(|error| error.or_hint("correct or unset AWS_CREDENTIAL_FILE"))?;
        let value = |name: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs
                .filter(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
                .next()
        };
        if let Some(credentials) = found(value("AWSAccessKeyId"), value("AWSSecretKey")) {
            return Ok(Some(credentials));
        }
    }
    for path in &old.of_boto {
        let sections = files::sections(Some(env::expanded(path)))?;
        let section = sections.into_iter().find(|(name, _)| name == "Credentials");
        let section = section.map(|(_, section)| section).unwrap_or_default();
        let value = |key: &str| section.get(key).map(str::to_owned);
        if let Some(credentials) = found(value("aws_access_key_id"), value("aws_secret_access_key"))
        {
            return Ok(Some(credentials));
        }
    }
    Ok(None)
}
