//! Plans roles that are assumed one with the credentials of the next, down to a source. `mod` calls
//! this file if the profile has `role_arn`. It follows `source_profile` from profile to profile,
//! and refuses a circle.

use super::{
    ContainerEndpoint, InstanceMetadata, PlannedSource, ProfileRole, keys_in_variables, profile,
};
use crate::aws::profile::files::ProfileFiles;
use crate::aws::profile::ini::ProfileSection;
use crate::aws::settings::{AwsSettings, ProfileNaming};
use crate::error::{Error, Result};

/// What `credential_source` names: credentials that are in no profile.
#[derive(Clone, Copy)]
enum NamedSource {
    Environment,
    Container,
    Instance,
}

impl NamedSource {
    const ALL: [Self; 3] = [Self::Environment, Self::Container, Self::Instance];

    /// Returns the value of `credential_source`.
    fn name(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::Container => "EcsContainer",
            Self::Instance => "Ec2InstanceMetadata",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

pub(super) fn has_role(section: &ProfileSection) -> bool {
    section.contains_key("role_arn") && !section.contains_key("web_identity_token_file")
}

fn has_keys(section: &ProfileSection) -> bool {
    section.contains_key("aws_access_key_id") || section.contains_key("aws_secret_access_key")
}

/// Follows the roles from a profile to the source that assumes the last of them.
pub(super) fn follow_roles(
    settings: &AwsSettings,
    files: &ProfileFiles,
    name: &str,
    section: &ProfileSection,
) -> (Vec<ProfileRole>, Result<PlannedSource>) {
    let mut roles = Vec::new();
    let mut visited = vec![name.to_owned()];
    let (mut name, mut section) = (name.to_owned(), section);
    loop {
        let next = match RoleSource::find(&name, section, files, &visited) {
            Ok(next) => next,
            Err(error) => return (roles, Err(error)),
        };
        roles.push(ProfileRole::new(&name, section, next.name()));
        let (source_name, source_section) = match next {
            RoleSource::Named(source) => return (roles, named_source(source, &name, settings)),
            RoleSource::Profile(source_name, source_section) => (source_name, source_section),
        };
        if !has_role(source_section) || has_keys(source_section) {
            let source = match profile::source_of_profile(
                &settings.variables,
                files,
                source_name,
                ProfileNaming::ByOption,
            ) {
                Ok(Some(source)) => Ok(source),
                Ok(None) => Err(no_source_credentials(&name, source_name, Error::usage)),
                Err(error) => Err(error),
            };
            return (roles, source);
        }
        visited.push(source_name.to_owned());
        (name, section) = (source_name.to_owned(), source_section);
    }
}

/// The credentials that assume a role.
enum RoleSource<'a> {
    /// A `credential_source`.
    Named(NamedSource),
    /// A `source_profile`.
    Profile(&'a str, &'a ProfileSection),
}

impl<'a> RoleSource<'a> {
    /// Returns the source that the profile `name` names for its role. `visited` are the profiles so
    /// far.
    fn find(
        name: &str,
        section: &'a ProfileSection,
        files: &'a ProfileFiles,
        visited: &[String],
    ) -> Result<Self> {
        let keys = (
            section.get("source_profile"),
            section.get("credential_source"),
        );
        match keys {
            (Some(source_name), None) => Self::find_profile(name, source_name, files, visited),
            (None, Some(source)) => Self::find_named(name, source),
            (Some(_), Some(_)) => Err(wrong_role(
                name,
                "it sets both source_profile and credential_source",
                "remove one of them",
            )),
            (None, None) => Err(wrong_role(
                name,
                "it has role_arn, but neither source_profile nor credential_source",
                "add source_profile = NAME, whose credentials assume the role",
            )),
        }
    }

    /// Returns the `source_profile` of the profile `name`, which may be itself if it has keys.
    fn find_profile(
        name: &str,
        source: &'a str,
        files: &'a ProfileFiles,
        visited: &[String],
    ) -> Result<Self> {
        let Some(section) = files.profile(source) else {
            let problem = format!("there is no source_profile `{source}`");
            return Err(wrong_role(name, &problem, "correct source_profile"));
        };
        let is_itself = source == name && has_keys(section);
        if is_itself || visited.iter().all(|profile| profile != source) {
            return Ok(Self::Profile(source, section));
        }
        let circle = visited.join(" -> ");
        Err(wrong_role(
            name,
            &format!("source_profile goes in a circle: {circle} -> {source}"),
            "let one of them have credentials of its own",
        ))
    }

    /// Returns the `credential_source` of the profile `name`.
    fn find_named(name: &str, source: &str) -> Result<Self> {
        match NamedSource::from_name(source) {
            Some(source) => Ok(Self::Named(source)),
            None => Err(wrong_role(
                name,
                &format!("credential_source `{source}` is unknown"),
                "write Environment, EcsContainer or Ec2InstanceMetadata",
            )),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Named(source) => source.name(),
            Self::Profile(name, _) => name,
        }
    }
}

/// Returns the error about a profile whose settings do not say who assumes its role.
fn wrong_role(profile: &str, problem: &str, hint: &str) -> Error {
    Error::usage(format!("profile `{profile}`: {problem}")).hint(hint)
}

/// Returns the source that a `credential_source` names.
fn named_source(
    source: NamedSource,
    profile: &str,
    settings: &AwsSettings,
) -> Result<PlannedSource> {
    let planned_source = match source {
        NamedSource::Environment => {
            keys_in_variables(&settings.variables)?.map(PlannedSource::Environment)
        }
        NamedSource::Container => {
            ContainerEndpoint::read(&settings.variables).map(PlannedSource::Container)
        }
        NamedSource::Instance => Some(PlannedSource::InstanceMetadata(InstanceMetadata::read(
            settings,
        ))),
    };
    match planned_source {
        Some(source) => Ok(source),
        None => Err(no_source_credentials(profile, source.name(), Error::login)),
    }
}

/// Returns the error of a role that has no credentials to assume it with.
fn no_source_credentials(profile: &str, source: &str, kind: fn(String) -> Error) -> Error {
    let problem = format!("cannot assume its role: {source} has no credentials");
    kind(format!("profile `{profile}`: {problem}"))
        .hint("correct its source_profile or credential_source")
}

impl ProfileRole {
    fn new(profile: &str, section: &ProfileSection, source: &str) -> Self {
        let session_name = match section.get("role_session_name") {
            None | Some("") => None,
            Some(name) => Some(name.to_owned()),
        };
        let duration = match section.get("duration_seconds") {
            Some(text) => text.trim().replace('_', "").parse().ok(),
            None => None,
        };
        Self {
            profile: profile.to_owned(),
            arn: section.get("role_arn").unwrap_or_default().to_owned(),
            external_id: section.get("external_id").map(str::to_owned),
            session_name,
            mfa_serial: section.get("mfa_serial").map(str::to_owned),
            duration,
            source: source.to_owned(),
        }
    }

    /// Returns the error where the source of this role, which is not a profile, has no credentials
    /// now.
    pub(crate) fn no_source_credentials(&self) -> Error {
        no_source_credentials(&self.profile, &self.source, Error::login)
    }
}
