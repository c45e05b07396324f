//! Plans who would sign: the source of credentials and the roles on top of it, in the order of AWS
//! CLI v2, before anything is asked.
//!
//! [`make_plan`] looks at variables and files that have been read, and at nothing else.
//! `execute.rs` carries the plan out. The digest of a plan is a part of the key that tokens are
//! cached under, so everything that decides whose credentials come out has to be in it: a setting
//! that `execute.rs` alone looked at could hand out another identity's token.
//!
//! ```text
//! settings --> keys in variables?  yes --> CredentialPlan { source: Environment }
//!                 | no
//!                 v
//!              role_arn in the profile?  yes --> roles.rs follows source_profile, role by role
//!                 | no                                 |
//!                 v                                    v
//!              profile.rs: web identity, SSO, keys of the credentials file, `aws login`,
//!                 |         credential_process, keys of the configuration file
//!                 | nothing
//!                 v
//!              machine.rs: old files, then container or instance metadata
//! ```

mod machine;
mod profile;
mod roles;

use std::hash::{Hash, Hasher};

use super::environment::AwsVariables;
use super::service::endpoints::{AwsService, SIGN_IN, SSO, SSO_OIDC, STS};
use super::settings::{AwsSettings, ProfileNaming};
use crate::error::{Error, Result};

pub(crate) struct CredentialPlan {
    /// The role that signs comes first; the last one is assumed with the credentials of the source.
    /// The AWS CLI's cache of roles is looked at in this order too, before the source is asked.
    pub(crate) roles: Vec<ProfileRole>,
    /// An error is a source that cannot be used. It counts only if no role is cached.
    pub(crate) source: Result<PlannedSource>,
    /// The addresses that are set for the services that the plan asks.
    pub(crate) endpoints: Vec<(AwsService, Option<String>)>,
}

impl Hash for CredentialPlan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            roles,
            source,
            endpoints,
        } = self; // names each field, so that none is forgotten
        roles.hash(state);
        endpoints.hash(state);
        match source {
            Ok(source) => source.hash(state),
            Err(error) => error.to_string().hash(state),
        }
    }
}

/// A source of credentials: it needs no other credentials.
#[derive(Hash)]
pub(crate) enum PlannedSource {
    /// Keys in variables.
    ///
    /// ```sh
    /// export AWS_ACCESS_KEY_ID=AKIA...
    /// export AWS_SECRET_ACCESS_KEY=...
    /// ```
    Environment(AccessKeys),
    /// Keys in one of the two files.
    ///
    /// ```ini
    /// [dev]                               # ~/.aws/credentials
    /// aws_access_key_id = AKIA...
    /// aws_secret_access_key = ...
    /// ```
    File(FileKeys),
    /// ```ini
    /// [profile pod]
    /// role_arn = arn:aws:iam::111122223333:role/dba
    /// web_identity_token_file = /var/run/secrets/token
    /// ```
    WebIdentity(WebIdentity),
    /// ```ini
    /// [profile dev]
    /// sso_session = corp                  # [sso-session corp] has the address and the region
    /// sso_account_id = 111122223333
    /// sso_role_name = dba
    /// ```
    Sso(SsoRole),
    /// ```ini
    /// [profile dev]                       # written by `aws login`
    /// login_session = arn:aws:iam::111122223333:user/ann
    /// ```
    SignIn(SignIn),
    /// A `credential_process`.
    ///
    /// ```ini
    /// [profile dev]
    /// credential_process = /opt/bin/vault-keys --account dev
    /// ```
    Process(CredentialProcess),
    /// ```ini
    /// [profile task]                      # inside ECS, EKS or CloudShell
    /// role_arn = arn:aws:iam::111122223333:role/dba
    /// credential_source = EcsContainer
    /// ```
    Container(ContainerEndpoint),
    /// ```ini
    /// [profile machine]                   # on an instance of EC2
    /// role_arn = arn:aws:iam::111122223333:role/dba
    /// credential_source = Ec2InstanceMetadata
    /// ```
    InstanceMetadata(InstanceMetadata),
    /// Nothing names a source: the old files are looked at, then the services of this machine.
    Fallback(FallbackSources),
}

#[derive(Hash)]
pub(crate) struct AccessKeys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    /// When they expire, in the words of the variable.
    pub(crate) expiration: Option<String>,
}

/// Keys of a profile in one of the two shared files.
#[derive(Hash)]
pub(crate) struct FileKeys {
    pub(crate) keys: AccessKeys,
    /// Which of the two files, in words.
    pub(crate) file: &'static str,
    pub(crate) profile: String,
}

/// A role as a profile describes it.
#[derive(Hash)]
pub(crate) struct ProfileRole {
    pub(crate) profile: String,
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) mfa_serial: Option<String>,
    /// Seconds. A setting that is not a number is ignored, as in the AWS CLI.
    pub(crate) duration: Option<i32>,
    /// The profile or `credential_source` that assumes the role.
    pub(crate) source: String,
}

/// The role of a workload, which the token in a file stands for.
#[derive(Hash)]
pub(crate) struct WebIdentity {
    pub(crate) token_file: String,
    pub(crate) arn: String,
    pub(crate) session_name: Option<String>,
}

/// A role of IAM Identity Center.
#[derive(Hash)]
pub(crate) struct SsoRole {
    pub(crate) profile: String,
    pub(crate) session: SsoSession,
    pub(crate) account: String,
    pub(crate) role: String,
}

/// A login session of SSO: an `[sso-session NAME]` of the configuration file or, in the older form,
/// the settings of the profile itself.
#[derive(Clone, Hash)]
pub(crate) struct SsoSession {
    pub(crate) name: Option<String>,
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) scopes: Vec<String>,
}

/// A session of `aws login`.
#[derive(Hash)]
pub(crate) struct SignIn {
    pub(crate) profile: String,
    pub(crate) session: String,
}

/// A program that prints credentials.
#[derive(Hash)]
pub(crate) struct CredentialProcess {
    /// The command line, as the profile has it.
    pub(crate) command: String,
}

/// The variables that name the address of a container's credentials. The first one wins.
pub(crate) const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
pub(crate) const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// The address that gives a container its credentials, and the token that pgcred shows there.
#[derive(Hash)]
pub(crate) struct ContainerEndpoint {
    pub(crate) variable: &'static str,
    pub(crate) address: String,
    pub(crate) token: Option<String>,
    pub(crate) token_file: Option<String>,
}

/// Where the instance metadata is, if another address than the usual one is set.
#[derive(Hash)]
pub(crate) struct InstanceMetadata {
    pub(crate) is_off: bool,
    pub(crate) endpoint: Option<String>,
    pub(crate) mode: Option<String>,
}

/// The files of the first EC2 tools and of boto 2.
#[derive(Hash)]
pub(crate) struct LegacyFiles {
    pub(crate) ec2_file: Option<String>,
    pub(crate) boto_files: Vec<String>,
}

/// What is looked at where nothing names a source: the old files first.
#[derive(Hash)]
pub(crate) struct FallbackSources {
    pub(crate) legacy_files: LegacyFiles,
    pub(crate) service: MachineService,
}

#[derive(Hash)]
pub(crate) enum MachineService {
    Container(ContainerEndpoint),
    InstanceMetadata(InstanceMetadata),
}

/// Returns the plan for the profile that the settings name. An error is a setting that cannot be
/// used.
pub(crate) fn make_plan(settings: &AwsSettings) -> Result<CredentialPlan> {
    if settings.profile_naming == ProfileNaming::ByDefault
        && let Some(keys) = keys_in_variables(&settings.variables)?
    {
        // The files count for nothing then, not even if they are damaged.
        return Ok(CredentialPlan::from_source(
            PlannedSource::Environment(keys),
            settings,
        ));
    }
    settings.check()?;
    let (name, files) = (settings.profile_name(), settings.files()?);
    if let Some(section) = files.profile(name)
        && roles::has_role(section)
    {
        let (roles, source) = roles::follow_roles(settings, files, name, section);
        return Ok(CredentialPlan::new(roles, source, settings));
    }
    let source = match profile::source_of_profile(
        &settings.variables,
        files,
        name,
        settings.profile_naming,
    )? {
        Some(source) => source,
        None => machine::fallback_source(settings),
    };
    Ok(CredentialPlan::from_source(source, settings))
}

impl PlannedSource {
    /// Returns the services that are asked for its credentials. Their addresses are a part of the
    /// plan, so that another address is another identity.
    fn services(&self) -> &'static [AwsService] {
        match self {
            Self::WebIdentity(_) => &[STS],
            Self::Sso(_) => &[SSO, SSO_OIDC],
            Self::SignIn(_) => &[SIGN_IN],
            Self::Environment(_)
            | Self::File(_)
            | Self::Process(_)
            | Self::Container(_)
            | Self::InstanceMetadata(_)
            | Self::Fallback(_) => &[],
        }
    }
}

impl CredentialPlan {
    fn from_source(source: PlannedSource, settings: &AwsSettings) -> Self {
        Self::new(Vec::new(), Ok(source), settings)
    }

    fn new(roles: Vec<ProfileRole>, source: Result<PlannedSource>, settings: &AwsSettings) -> Self {
        let mut services: Vec<AwsService> = Vec::new();
        if let Ok(source) = &source {
            services.extend(source.services());
        }
        if !roles.is_empty() {
            services.push(STS);
        }
        let endpoints = services
            .into_iter()
            .map(|service| (service, settings.endpoint(service)))
            .collect();
        Self {
            roles,
            source,
            endpoints,
        }
    }

    /// Returns the services that are asked.
    pub(crate) fn services(&self) -> Vec<AwsService> {
        self.endpoints.iter().map(|(service, _)| *service).collect()
    }

    /// Returns the keys in the environment, if they sign by themselves.
    pub(crate) fn keys_in_environment(&self) -> Option<&AccessKeys> {
        match &self.source {
            Ok(PlannedSource::Environment(keys)) if self.roles.is_empty() => Some(keys),
            _ => None,
        }
    }
}

/// Returns the keys in variables. An access key without its secret is an error.
fn keys_in_variables(variables: &AwsVariables) -> Result<Option<AccessKeys>> {
    let Some(id) = variables.text("AWS_ACCESS_KEY_ID")? else {
        return Ok(None);
    };
    let Some(secret) = variables.text("AWS_SECRET_ACCESS_KEY")? else {
        return Err(
            Error::usage("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
                .hint("set both, or unset AWS_ACCESS_KEY_ID"),
        );
    };
    let token = match variables.text("AWS_SECURITY_TOKEN")? {
        Some(token) => Some(token),
        None => variables.text("AWS_SESSION_TOKEN")?,
    };
    let expiration = variables.text("AWS_CREDENTIAL_EXPIRATION")?;
    Ok(Some(AccessKeys {
        id,
        secret,
        token,
        expiration,
    }))
}

#[cfg(test)]
mod tests;
