//! Gets credentials from their sources, one file each. A file implements [`CredentialSource`] for
//! its part of the plan; here is the table that leads from a part of the plan to its file.
//!
//! ```text
//! plan --> one source --> its credentials sign, or assume the first of the roles
//!
//! keys          variables, or one of the two shared files
//! web_identity  the role of a workload: a token in a file, exchanged by STS
//! sso           a role of IAM Identity Center: the token of a login, exchanged by the SSO portal
//! sign_in       `aws login`: the session of a console login, renewed by AWS sign-in
//! process       the program of a `credential_process`
//! container     the credential service of ECS, EKS or CloudShell
//! imds          the instance metadata of EC2
//! fallback      nothing names a source: legacy_files, then container or imds
//! legacy_files  the credentials files that came before profiles
//! role, mfa     no source: roles that are assumed with the credentials of a source
//! ```

mod container;
mod fallback;
pub(crate) mod imds;
pub(crate) mod keys;
mod legacy_files;
mod mfa;
mod process;
mod role;
mod sign_in;
mod sso;
mod web_identity;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use crate::authority::LoginState;
use crate::aws::credentials::Credentials;
use crate::aws::login::missing::UnresolvedCredentials;
use crate::aws::plan::PlannedSource;
use crate::aws::resolution::CredentialResolution;

/// The credentials of a source; none where a service of this machine has none.
pub(crate) type SourceFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Credentials>, UnresolvedCredentials>> + 'a>>;

/// What pgcred asks of every source of credentials.
pub(crate) trait CredentialSource {
    /// Gets the credentials. This may ask a service, run a program, or find that a login is
    /// missing.
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a>;

    /// Returns credentials that the AWS CLI has cached and that still last, for the case that
    /// [`CredentialSource::credentials`] failed. Asks nothing.
    fn cached_credentials(&self, resolution: &CredentialResolution) -> Option<Credentials>;

    /// Returns the files whose content decides which credentials the source gives, besides the two
    /// shared files. They need not exist.
    fn files(&self) -> Vec<PathBuf>;

    /// Returns the files and directories of which one changes when the user has logged in.
    fn login_paths(&self) -> Vec<PathBuf> {
        self.files()
    }

    /// Says what the source is, for `--debug`. `origin` is where the setting stands that has chosen
    /// it. Never a secret.
    fn describe(&self, origin: &str) -> String;

    /// Returns which setting has chosen the source.
    fn chosen_by(&self) -> ChosenBy<'_>;

    /// Returns the names in [`CredentialSource::describe`] that identify the user, apart from the
    /// profile and those in an ARN. A report that is shared leaves them out.
    fn private_names(&self) -> Vec<String>;

    /// Returns the state of the login that the source rests on, by the files that it has left.
    fn login_state(&self) -> LoginState;

    /// Says which file holds the login and until when that is good, for `--debug`; `None` if the
    /// source needs no login.
    fn login_in_words(&self) -> Option<String> {
        None
    }
}

/// The setting that has chosen a source.
#[derive(Clone, Copy)]
pub(crate) enum ChosenBy<'a> {
    /// A key of the profile that has the source.
    Key(&'static str),
    /// A variable if it counts and is set, else a key of the profile that has the source.
    VariableOrKey(&'static str, &'static str),
    /// A key of this profile.
    KeyOf(&'a str, &'static str),
    /// A key of the `[sso-session NAME]` of this name.
    KeyOfSsoSession(&'a str, &'static str),
    /// This variable, or the `credential_source` of a role that leads to it.
    Variable(&'static str),
    /// The `credential_source` of a role; without a role nothing names the source.
    CredentialSource,
}

impl PlannedSource {
    /// Returns what the source's own file knows of it.
    pub(crate) fn implementation(&self) -> &dyn CredentialSource {
        match self {
            Self::Environment(keys) => keys,
            Self::File(keys) => keys,
            Self::WebIdentity(identity) => identity,
            Self::Sso(sso) => sso,
            Self::SignIn(login) => login,
            Self::Process(process) => process,
            Self::Container(container) => container,
            Self::InstanceMetadata(metadata) => metadata,
            Self::Fallback(fallback) => fallback,
        }
    }
}
