//! The order in which AWS CLI v2 looks for credentials, and for the region.

use std::future::Future;
use std::pin::Pin;

use aws_credential_types::Credentials;

use super::ini::Section;
use super::role::{Role, WebIdentity};
use super::session::{Session, Trouble};
use super::sso::Sso;
use super::{container, files, imds, process, signin};
use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::host;
use crate::time::Time;

type Found = std::result::Result<Option<Credentials>, Trouble>;

/// Returns the first credentials that the order gives. A source that is configured and fails ends the search.
pub(super) async fn credentials(session: &Session<'_>) -> std::result::Result<Credentials, Trouble> {
    if !session.explicit
        && let Some(found) = environment(session)?
    {
        return Ok(found);
    }
    let name = session.profile_name();
    if let Some(section) = session.profile()
        && let Some(arn) = role_arn(section)
    {
        return role(session, name, section, arn, &mut vec![name.to_owned()]).await;
    }
    if let Some(found) = profile(session, name, session.explicit).await? {
        return Ok(found);
    }
    if let Some(found) = old_files(session)? {
        return Ok(found);
    }
    if let Some(found) = container::credentials(session).await? {
        return Ok(found);
    }
    if let Some(found) = imds::credentials(session).await? {
        return Ok(found);
    }
    Err(nothing(session).into())
}

/// Returns the region in AWS's own order: environment, profile, instance metadata.
pub(super) async fn region(session: &Session<'_>) -> Result<Option<String>> {
    let set = session.profile().and_then(|section| section.get("region")).filter(|region| !region.is_empty());
    match env::var("AWS_REGION").or_else(|| env::var("AWS_DEFAULT_REGION")).or_else(|| set.cloned()) {
        Some(region) if is_region(region.trim()) => Ok(Some(region)),
        Some(region) => Err(Error::usage(format!("{} is not the name of a region", host::quoted(&region)))
            .hint("correct AWS_REGION, AWS_DEFAULT_REGION or `region` in the profile: it looks like us-east-1")),
        None => imds::region(session).await,
    }
}

/// A label of a host name that is more than a number.
fn is_region(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let number = text.bytes().all(|b| b.is_ascii_digit());
    plain && !number && text.len() < 64 && !text.starts_with('-') && !text.ends_with('-')
}

/// How the error begins when every source has been asked.
pub(super) const NOTHING: &str = "no AWS credentials in";

fn nothing(session: &Session) -> Error {
    let message = match &session.named {
        Some(name) => {
            format!("{NOTHING} profile `{name}`, the environment, container or instance metadata")
        }
        None => format!("{NOTHING} the environment, default profile, container or instance metadata"),
    };
    Error::login(message).hint(files::profiles_hint(None))
}

/// What `aws configure export-credentials` says about the end of its keys.
const END: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The keys in the environment; half of them is an error.
pub(super) fn environment(session: &Session) -> Result<Option<Credentials>> {
    let Some(key) = env::text("AWS_ACCESS_KEY_ID")? else { return Ok(None) };
    let secret = env::text("AWS_SECRET_ACCESS_KEY")?.ok_or_else(|| {
        Error::usage("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
            .hint("set both, or unset AWS_ACCESS_KEY_ID")
    })?;
    let token = match env::text("AWS_SECURITY_TOKEN")? {
        Some(token) => Some(token),
        None => env::text("AWS_SESSION_TOKEN")?,
    };
    session.step("environment: keys found");
    let end = env::text(END)?.map(|text| {
        let wrong = || Error::usage(format!("{END} is not a time")).hint("2030-01-01T00:15:00Z is one; or unset it");
        Time::from_aws(&text).map(Time::to_system).ok_or_else(wrong)
    });
    let credentials = Credentials::new(key, secret, token, end.transpose()?, "environment");
    let hint = format!("renew or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and {END}");
    session.unexpired(credentials, "the environment", &hint).map(Some)
}

fn role_arn(section: &Section) -> Option<&String> {
    section.get("role_arn").filter(|_| !section.contains_key("web_identity_token_file"))
}

fn has_keys(section: &Section) -> bool {
    section.contains_key("aws_access_key_id") || section.contains_key("aws_secret_access_key")
}

/// What a profile itself gives, apart from a role.
async fn profile(session: &Session<'_>, name: &str, explicit: bool) -> Found {
    let empty = Section::new();
    let section = session.files.profile(name).unwrap_or(&empty);
    if let Some(identity) = web_identity(section, explicit)? {
        let found = identity.assume(session).await?;
        return Ok(Some(found));
    }
    if let Some(sso) = Sso::of(name, section, &session.files)? {
        return sso.credentials(session).await.map(Some);
    }
    if let Some(found) = keys(name, session.files.credentials.get(name), "credentials file")? {
        session.step(format!("profile {name}: keys in the credentials file"));
        return Ok(Some(found));
    }
    if let Some(login) = section.get("login_session") {
        return signin::credentials(session, name, login).await.map(Some);
    }
    if let Some(command) = section.get("credential_process") {
        return Ok(Some(process::credentials(session, command)?));
    }
    let found = keys(name, session.files.config.get(name), "configuration file")?;
    session.step(format!(
        "profile {name}: {}",
        if found.is_some() { "keys in the configuration file" } else { "nothing" }
    ));
    Ok(found)
}

/// The keys in a section of one of the files.
fn keys(name: &str, section: Option<&Section>, file: &str) -> Result<Option<Credentials>> {
    let Some((section, key)) = section.and_then(|section| Some((section, section.get("aws_access_key_id")?))) else {
        return Ok(None);
    };
    let secret = section.get("aws_secret_access_key").ok_or_else(|| {
        Error::usage(format!("profile `{name}` in the {file} has aws_access_key_id, but no aws_secret_access_key"))
            .hint("add it, or remove aws_access_key_id")
    })?;
    if key.is_empty() || secret.is_empty() {
        return Err(
            Error::usage(format!("profile `{name}` in the {file} has an empty key")).hint("fill it in, or remove it")
        );
    }
    let token = |name: &str| section.get(name).filter(|token| !token.is_empty());
    let token = token("aws_security_token").or_else(|| token("aws_session_token")).cloned();
    Ok(Some(Credentials::new(key, secret, token, None, "profile")))
}

/// The files of the first EC2 tools and of boto 2, which the AWS CLI still reads.
fn old_files(session: &Session) -> Result<Option<Credentials>> {
    let found = |key: Option<String>, secret: Option<String>| {
        key.zip(secret).map(|(key, secret)| Credentials::new(key, secret, None, None, "file"))
    };
    if let Some(path) = env::var("AWS_CREDENTIAL_FILE") {
        let text = fs::read_foreign_text(&env::expanded(&path), session.deadline())
            .map_err(|error| error.or_hint("correct or unset AWS_CREDENTIAL_FILE"))?;
        let value = |name: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next()
        };
        if let Some(credentials) = found(value("AWSAccessKeyId"), value("AWSSecretKey")) {
            return Ok(Some(credentials));
        }
    }
    let own = env::var("BOTO_CONFIG").map(|path| vec![path]);
    for path in own.unwrap_or_else(|| ["/etc/boto.cfg", "~/.boto"].map(str::to_owned).to_vec()) {
        let sections = files::sections(Some(env::expanded(&path)))?;
        let section = sections.into_iter().find(|(name, _)| name == "Credentials");
        let mut section = section.map(|(_, section)| section).unwrap_or_default();
        if let Some(credentials) = found(section.remove("aws_access_key_id"), section.remove("aws_secret_access_key")) {
            return Ok(Some(credentials));
        }
    }
    Ok(None)
}

/// By variables, else by the profile; a profile that an option names does not mix with variables.
fn web_identity(section: &Section, explicit: bool) -> Result<Option<WebIdentity>> {
    let setting = |variable: &str, key: &str| {
        let set = if explicit { None } else { env::text(variable)? };
        Ok(set.or_else(|| section.get(key).cloned()).filter(|value| !value.is_empty()))
    };
    let Some(token_file) = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")? else { return Ok(None) };
    let arn: Option<String> = setting("AWS_ROLE_ARN", "role_arn")?;
    let arn = arn.ok_or_else(|| {
        Error::usage("web identity has a token file, but no role").hint("set AWS_ROLE_ARN, or role_arn in the profile")
    })?;
    let session_name = setting("AWS_ROLE_SESSION_NAME", "role_session_name")?;
    Ok(Some(WebIdentity { token_file, arn, session_name }))
}

/// A role, by the credentials of another profile or of a named source; `visited` ends circles.
fn role<'a>(
    session: &'a Session<'_>,
    name: &'a str,
    section: &'a Section,
    arn: &'a str,
    visited: &'a mut Vec<String>,
) -> Pin<Box<dyn Future<Output = std::result::Result<Credentials, Trouble>> + 'a>> {
    Box::pin(async move {
        let role = Role::of(name, section, arn);
        let wrong = |what: String| Error::usage(format!("profile `{name}`: {what}"));
        let source = match (section.get("source_profile"), section.get("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(wrong("both source_profile and credential_source".to_owned())
                    .hint("remove one of them")
                    .into());
            }
            (None, None) => {
                let error = wrong("role_arn, but neither source_profile nor credential_source".to_owned());
                return Err(error.hint("add source_profile = NAME, whose credentials assume the role").into());
            }
            (None, Some(source)) => Source::Named(source),
            (Some(other), None) => {
                let missing = || wrong(format!("there is no source_profile `{other}`")).hint("correct source_profile");
                let section = session.files.profile(other).ok_or_else(missing)?;
                let own_keys = other == name && has_keys(section);
                if visited.contains(other) && !own_keys {
                    let circle = wrong(format!("source_profile goes in a circle: {} -> {other}", visited.join(" -> ")));
                    return Err(circle.hint("let one of them have credentials of its own").into());
                }
                Source::Profile(other, section)
            }
        };
        if !source.is_known() {
            return Err(wrong(format!("credential_source `{}` is unknown", source.name()))
                .hint("Environment, EcsContainer and Ec2InstanceMetadata are known")
                .into());
        }
        if let Some(cached) = role.cached(session) {
            return Ok(cached);
        }
        let credentials = match source {
            Source::Named("Environment") => environment(session)?,
            Source::Named("EcsContainer") => container::credentials(session).await?,
            Source::Named(_) => imds::credentials(session).await?,
            Source::Profile(other, section) => match role_arn(section).filter(|_| !has_keys(section)) {
                Some(arn) => {
                    visited.push(other.to_owned());
                    Some(self::role(session, other, section, arn, visited).await?)
                }
                None => profile(session, other, true).await?,
            },
        };
        let none = || {
            let what = format!("nothing to assume the role with: no credentials in {}", source.name());
            let kind = if let Source::Profile(..) = source { Error::usage } else { Error::login };
            Trouble::from(
                kind(format!("profile `{name}`: {what}")).hint("correct its source_profile or credential_source"),
            )
        };
        let credentials = credentials.ok_or_else(none)?;
        Ok(role.assume(session, credentials).await?)
    })
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Named(&'a str),
    Profile(&'a str, &'a Section),
}

impl Source<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Profile(name, _) => name,
        }
    }

    fn is_known(&self) -> bool {
        match self {
            Self::Named(name) => ["Environment", "EcsContainer", "Ec2InstanceMetadata"].contains(name),
            Self::Profile(..) => true,
        }
    }
}
