//! What the user has set for AWS: variables, the two shared files and the profile that is named,
//! read once.

use std::cell::OnceCell;
use std::rc::Rc;

use super::environment::Variables;
use super::profile::files::{self, Files};
use super::profile::ini::{self, Section};
use crate::error::{Error, Result};

/// The two shared files, read at the first question, for all who share this.
#[derive(Clone, Default)]
pub(crate) struct SharedFiles(Rc<OnceCell<Result<Files>>>);

impl SharedFiles {
    fn get(&self) -> Result<&Files> {
        self.0
            .get_or_init(Files::read)
            .as_ref()
            .map_err(Clone::clone)
    }

    #[cfg(test)]
    pub(super) fn given(files: Files) -> Self {
        let shared = Self::default();
        let _ = shared.0.set(Ok(files)); // it was empty
        shared
    }
}

/// An AWS service by the names of its settings: `AWS_ENDPOINT_URL_STS`, `sts = endpoint_url = ...`.
#[derive(Clone, Copy)]
pub(super) struct AwsService {
    pub(super) name: &'static str,
    pub(super) variable: &'static str,
    pub(super) key: &'static str,
}

pub(super) const STS: AwsService = AwsService {
    name: "STS",
    variable: "AWS_ENDPOINT_URL_STS",
    key: "sts",
};
pub(super) const SSO: AwsService = AwsService {
    name: "the SSO portal",
    variable: "AWS_ENDPOINT_URL_SSO",
    key: "sso",
};
pub(super) const SSO_OIDC: AwsService = AwsService {
    name: "the SSO login service",
    variable: "AWS_ENDPOINT_URL_SSO_OIDC",
    key: "sso_oidc",
};
pub(super) const SIGN_IN: AwsService = AwsService {
    name: "AWS sign-in",
    variable: "AWS_ENDPOINT_URL_SIGNIN",
    key: "signin",
};

pub(super) struct Settings {
    pub(super) variables: Variables,
    files: SharedFiles,
    /// The profile that an option or a variable names.
    pub(super) named: Option<String>,
    /// Named by an option: then variables with keys do not count.
    pub(super) explicit: bool,
}

impl Settings {
    pub(super) fn new(variables: Variables, files: SharedFiles, profile: Option<&str>) -> Self {
        let by_variable = || {
            let first = variables.get_or_empty("AWS_PROFILE");
            first.or_else(|| variables.get_or_empty("AWS_DEFAULT_PROFILE"))
        };
        let named = profile.map(str::to_owned).or_else(by_variable);
        Self {
            variables,
            files,
            named,
            explicit: profile.is_some(),
        }
    }

    pub(super) fn files(&self) -> Result<&Files> {
        self.files.get()
    }

    /// Refuses files that cannot be read, and the name of a profile that does not exist.
    pub(super) fn check(&self) -> Result<()> {
        let files = self.files()?;
        match &self.named {
            Some(name) if files.profile(name).is_none() => {
                if name.is_empty() {
                    let empty =
                        Error::usage("AWS_PROFILE or AWS_DEFAULT_PROFILE is set, but empty");
                    return Err(empty.hint("unset it, or name a profile with it"));
                }
                Err(Error::usage(format!("there is no AWS profile `{name}`"))
                    .hint(files::profiles_hint(Some(name))))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn profile_name(&self) -> &str {
        self.named.as_deref().unwrap_or("default")
    }

    /// Returns what the files say of the profile in use.
    pub(super) fn profile(&self) -> Option<&Section> {
        self.files().ok()?.profile(self.profile_name())
    }

    /// Returns a variable's value, else that of a key of the profile.
    pub(super) fn setting(&self, variable: &str, key: &str) -> Option<String> {
        let of_profile = || {
            self.profile()?
                .get(key)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        self.variables.get(variable).or_else(of_profile)
    }

    pub(super) fn flag(&self, variable: &str, key: &str) -> bool {
        self.setting(variable, key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the region that a variable or the profile names.
    pub(super) fn region(&self) -> Option<String> {
        let variables = &self.variables;
        let by_variable = variables
            .get("AWS_REGION")
            .or_else(|| variables.get("AWS_DEFAULT_REGION"));
        by_variable.or_else(|| {
            self.profile()?
                .get("region")
                .filter(|region| !region.is_empty())
                .map(str::to_owned)
        })
    }

    pub(super) fn ignores_endpoints(&self) -> bool {
        self.flag(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        )
    }

    /// Returns the address that the user has set: for this service, else for all; variables before
    /// the profile. An empty one is none.
    pub(super) fn endpoint(&self, service: AwsService) -> Option<String> {
        if self.ignores_endpoints() {
            return None;
        }
        let is_set = |address: &String| !address.is_empty();
        let of_services = || {
            let services = self
                .files()
                .ok()?
                .services
                .get(self.profile()?.get("services")?)?;
            ini::nested(services.get(service.key)?)?
                .get("endpoint_url")
                .map(str::to_owned)
        };
        let variables = &self.variables;
        variables
            .get(service.variable)
            .or_else(|| variables.get("AWS_ENDPOINT_URL"))
            .or_else(|| of_services().filter(is_set))
            .or_else(|| {
                self.profile()?
                    .get("endpoint_url")
                    .map(str::to_owned)
                    .filter(is_set)
            })
    }
}
