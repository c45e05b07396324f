//! Plans the source of credentials in a profile, apart from a role: web identity, SSO, keys of the
//! credentials file, `aws login`, a `credential_process`, or keys of the configuration file, in
//! this order. `mod` asks for that of the profile in use, and `roles` for that of the profile at
//! which a chain of roles ends.

use super::{
    AccessKeys, CredentialProcess, FileKeys, PlannedSource, SignIn, SsoRole, SsoSession,
    WebIdentity,
};
use crate::aws::environment::AwsVariables;
use crate::aws::profile::files::ProfileFiles;
use crate::aws::profile::ini::ProfileSection;
use crate::aws::settings::ProfileNaming;
use crate::error::{Error, Result};

const CREDENTIALS_FILE: &str = "credentials file";
const CONFIGURATION_FILE: &str = "configuration file";
/// The longest account or role name of SSO. AWS's have 12 digits and at most 64 characters.
const MAX_NAME_LENGTH: usize = 1_000;
/// The scope that the AWS CLI asks for. Without one the service gives no means to renew.
const USUAL_SCOPE: &str = "sso:account:access";

/// Returns the source that a profile names.
pub(super) fn source_of_profile(
    variables: &AwsVariables,
    files: &ProfileFiles,
    name: &str,
    profile_naming: ProfileNaming,
) -> Result<Option<PlannedSource>> {
    let empty = ProfileSection::default();
    let section = files.profile(name).unwrap_or(&empty);
    if let Some(identity) = web_identity(variables, section, profile_naming)? {
        return Ok(Some(PlannedSource::WebIdentity(identity)));
    }
    if let Some(sso) = SsoRole::from_profile(name, section, files)? {
        return Ok(Some(PlannedSource::Sso(sso)));
    }
    if let Some(source) = keys_in_section(name, files.credentials(name), CREDENTIALS_FILE)? {
        return Ok(Some(source));
    }
    if let Some(session) = section.get("login_session") {
        return Ok(Some(PlannedSource::SignIn(SignIn {
            profile: name.to_owned(),
            session: session.to_owned(),
        })));
    }
    if let Some(command) = section.get("credential_process") {
        return Ok(Some(PlannedSource::Process(CredentialProcess {
            command: command.to_owned(),
        })));
    }
    keys_in_section(name, files.config(name), CONFIGURATION_FILE)
}

/// Returns the value of a key, unless it is empty.
fn value_of(section: &ProfileSection, key: &str) -> Option<String> {
    match section.get(key)? {
        "" => None,
        value => Some(value.to_owned()),
    }
}

/// Returns the keys in a section of one of the files.
fn keys_in_section(
    name: &str,
    section: Option<&ProfileSection>,
    file: &'static str,
) -> Result<Option<PlannedSource>> {
    let Some(section) = section else {
        return Ok(None);
    };
    let Some(id) = section.get("aws_access_key_id") else {
        return Ok(None);
    };
    let Some(secret) = section.get("aws_secret_access_key") else {
        return Err(Error::usage(format!(
            "profile `{name}` in the {file} has aws_access_key_id, but no aws_secret_access_key"
        ))
        .hint("add it, or remove aws_access_key_id"));
    };
    if id.is_empty() || secret.is_empty() {
        return Err(
            Error::usage(format!("profile `{name}` in the {file} has an empty key"))
                .hint("fill it in, or remove it"),
        );
    }
    let token = match value_of(section, "aws_security_token") {
        Some(token) => Some(token),
        None => value_of(section, "aws_session_token"),
    };
    let keys = AccessKeys {
        id: id.to_owned(),
        secret: secret.to_owned(),
        token,
        expiration: None,
    };
    Ok(Some(PlannedSource::File(FileKeys {
        keys,
        file,
        profile: name.to_owned(),
    })))
}

/// Returns the web identity of variables, else of the profile. A profile that an option names does
/// not mix with variables.
fn web_identity(
    variables: &AwsVariables,
    section: &ProfileSection,
    profile_naming: ProfileNaming,
) -> Result<Option<WebIdentity>> {
    let setting = |variable: &str, key: &str| -> Result<Option<String>> {
        // A variable that is set to an empty text hides the profile's setting, as in the AWS CLI.
        if profile_naming == ProfileNaming::ByDefault && variables.get_or_empty(variable).is_some()
        {
            return variables.text(variable);
        }
        Ok(value_of(section, key))
    };
    let Some(token_file) = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")?
    else {
        return Ok(None);
    };
    let Some(arn) = setting("AWS_ROLE_ARN", "role_arn")? else {
        return Err(Error::usage("web identity has a token file, but no role")
            .hint("set AWS_ROLE_ARN, or role_arn in the profile"));
    };
    let session_name = setting("AWS_ROLE_SESSION_NAME", "role_session_name")?;
    Ok(Some(WebIdentity {
        token_file,
        arn,
        session_name,
    }))
}

impl SsoRole {
    /// Returns the settings of SSO, if the profile has any.
    fn from_profile(
        profile: &str,
        section: &ProfileSection,
        files: &ProfileFiles,
    ) -> Result<Option<Self>> {
        if !section.contains_key("sso_account_id") && !section.contains_key("sso_role_name") {
            return Ok(None);
        }
        let settings = with_session(profile, section, files)?;
        let [role, account, url, region] = sso_values(profile, &settings)?;
        // Both go into an address.
        for (key, value) in [("sso_account_id", &account), ("sso_role_name", &role)] {
            if value.len() > MAX_NAME_LENGTH || value.contains(char::is_control) {
                return Err(Error::usage(format!(
                    "profile `{profile}`: {key} is too long, or has a control character"
                ))
                .hint(format!("correct {key} in the profile")));
            }
        }
        let name = section.get("sso_session").map(str::to_owned);
        let scopes = match (value_of(&settings, "sso_registration_scopes"), &name) {
            (Some(scopes), _) => words_of_list(&scopes),
            (None, Some(_)) => vec![USUAL_SCOPE.to_owned()],
            (None, None) => Vec::new(),
        };
        let session = SsoSession {
            name,
            url,
            region,
            scopes,
        };
        Ok(Some(Self {
            profile: profile.to_owned(),
            session,
            account,
            role,
        }))
    }
}

/// Returns the role, the account, the start URL and the region of SSO. A profile must have all
/// four.
fn sso_values(profile: &str, section: &ProfileSection) -> Result<[String; 4]> {
    let mut values = Vec::new();
    let mut missing_keys = Vec::new();
    for key in [
        "sso_role_name",
        "sso_account_id",
        "sso_start_url",
        "sso_region",
    ] {
        match section.get(key) {
            Some(value) => values.push(value.to_owned()),
            None => missing_keys.push(key),
        }
    }
    <[String; 4]>::try_from(values).map_err(|_| {
        Error::usage(format!(
            "profile `{profile}` uses SSO but lacks {}",
            missing_keys.join(", ")
        ))
        .hint("run `aws configure sso` to set it up")
    })
}

/// Returns a profile's settings with those of the `[sso-session NAME]` that it names. The two must
/// not contradict each other.
fn with_session(
    profile: &str,
    section: &ProfileSection,
    files: &ProfileFiles,
) -> Result<ProfileSection> {
    let mut settings = section.clone();
    let Some(name) = section.get("sso_session") else {
        return Ok(settings);
    };
    let hint = "run `aws configure sso` to set it up";
    let Some(session) = files.sso_sessions.get(name) else {
        return Err(Error::usage(format!(
            "profile `{profile}`: there is no [sso-session {name}]"
        ))
        .hint(hint));
    };
    for (key, value) in session.iter() {
        if let Some(profile_value) = section.get(key)
            && profile_value != value
        {
            return Err(Error::usage(format!(
                "profile `{profile}`: {key} differs from that of [sso-session {name}]"
            ))
            .hint(hint));
        }
    }
    settings.overlay(session);
    Ok(settings)
}

/// Returns the words of a list with commas between them.
fn words_of_list(list: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in list.split(',').map(str::trim) {
        if !word.is_empty() {
            words.push(word.to_owned());
        }
    }
    words
}
