//! Reads what the user has set for AWS: variables, the two shared files and the profile in use, all
//! of it once.
//!
//! Every question about a setting has one answer here, which also says where the value came from.

use std::cell::OnceCell;
use std::rc::Rc;

use super::environment::AwsVariables;
use super::profile::files::{self, ProfileFiles};
use super::profile::ini::{self, ProfileSection};
use super::service::endpoints::AwsService;
use crate::error::{Error, ErrorReason, Result};

/// The two shared files, read at the first question, for all who share this.
#[derive(Clone, Default)]
pub(crate) struct SharedFiles(Rc<OnceCell<Result<ProfileFiles>>>);

impl SharedFiles {
    fn get(&self) -> Result<&ProfileFiles> {
        match self.0.get_or_init(ProfileFiles::read) {
            Ok(files) => Ok(files),
            Err(error) => Err(error.clone()),
        }
    }

    #[cfg(test)]
    pub(super) fn already_read(files: Result<ProfileFiles>) -> Self {
        let shared = Self::default();
        let _ = shared.0.set(files); // it was empty
        shared
    }
}

/// Where the value of a setting came from. Only `--debug` looks at it, so it holds borrowed names.
#[derive(Clone, Copy)]
pub(super) enum SettingOrigin<'a> {
    Option,
    Variable(&'static str),
    /// A key of a profile, by the profile's name.
    Profile(&'a str, &'static str),
    /// A service's key in a `[services NAME]` section, by that name.
    Services(&'a str, &'static str),
    /// A key of an `[sso-session NAME]` section, by that name.
    SsoSession(&'a str, &'static str),
    Default,
}

/// Who has named a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ProfileNaming {
    /// An option, the connection or a rule, or a profile that takes the credentials of this one.
    /// Variables with keys do not count then.
    ByOption,
    /// A variable, or nobody: then it is the usual one.
    ByDefault,
}

pub(super) struct AwsSettings {
    pub(super) variables: AwsVariables,
    files: SharedFiles,
    /// The profile that an option or a variable names.
    pub(super) named_profile: Option<String>,
    pub(super) profile_naming: ProfileNaming,
}

/// The variables that name a profile. The first one that is set wins, even if it is empty.
const PROFILE_VARIABLES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

impl AwsSettings {
    pub(super) fn new(variables: AwsVariables, files: SharedFiles, profile: Option<&str>) -> Self {
        let (named_profile, profile_naming) = if let Some(name) = profile {
            (Some(name.to_owned()), ProfileNaming::ByOption)
        } else {
            let named_profile = PROFILE_VARIABLES
                .into_iter()
                .find_map(|variable| variables.get_or_empty(variable));
            (named_profile, ProfileNaming::ByDefault)
        };
        Self {
            variables,
            files,
            named_profile,
            profile_naming,
        }
    }

    pub(super) fn files(&self) -> Result<&ProfileFiles> {
        self.files.get()
    }

    /// Refuses files that cannot be read, and the name of a profile that does not exist.
    pub(super) fn check(&self) -> Result<()> {
        let files = self.files()?;
        match &self.named_profile {
            Some(name) if files.profile(name).is_none() => {
                if name.is_empty() {
                    let empty =
                        Error::usage("AWS_PROFILE or AWS_DEFAULT_PROFILE is set, but empty");
                    return Err(empty.hint("unset it, or name a profile with it"));
                }
                Err(Error::usage(format!("there is no AWS profile `{name}`"))
                    .hint(files::profiles_hint(Some(name)))
                    .because(ErrorReason::NoProfile))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn profile_name(&self) -> &str {
        match &self.named_profile {
            Some(name) => name,
            None => "default",
        }
    }

    /// Returns where the profile's name came from.
    pub(super) fn origin_of_profile(&self) -> SettingOrigin<'static> {
        if self.profile_naming == ProfileNaming::ByOption {
            return SettingOrigin::Option;
        }
        for variable in PROFILE_VARIABLES {
            if self.variables.get_or_empty(variable).is_some() {
                return SettingOrigin::Variable(variable);
            }
        }
        SettingOrigin::Default
    }

    /// Returns what the files say of the profile in use.
    pub(super) fn profile(&self) -> Option<&ProfileSection> {
        self.files().ok()?.profile(self.profile_name())
    }

    /// Returns the value of a key of the profile in use. An empty value counts as none.
    fn value_in_profile(&self, key: &'static str) -> Option<(String, SettingOrigin<'_>)> {
        match self.profile()?.get(key)? {
            "" => None,
            value => Some((
                value.to_owned(),
                SettingOrigin::Profile(self.profile_name(), key),
            )),
        }
    }

    /// Returns a variable's value, else that of a key of the profile.
    pub(super) fn setting(&self, variable: &'static str, key: &'static str) -> Option<String> {
        let (value, _) = self.setting_with_origin(variable, key)?;
        Some(value)
    }

    pub(super) fn setting_with_origin(
        &self,
        variable: &'static str,
        key: &'static str,
    ) -> Option<(String, SettingOrigin<'_>)> {
        match self.variables.get(variable) {
            Some(value) => Some((value, SettingOrigin::Variable(variable))),
            None => self.value_in_profile(key),
        }
    }

    pub(super) fn is_enabled(&self, variable: &'static str, key: &'static str) -> bool {
        self.setting(variable, key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the region that a variable or the profile names.
    pub(super) fn region(&self) -> Option<String> {
        let (region, _) = self.region_with_origin()?;
        Some(region)
    }

    pub(super) fn region_with_origin(&self) -> Option<(String, SettingOrigin<'_>)> {
        for variable in REGION_VARIABLES {
            if let Some(region) = self.variables.get(variable) {
                return Some((region, SettingOrigin::Variable(variable)));
            }
        }
        self.value_in_profile("region")
    }

    pub(super) fn ignores_endpoints(&self) -> bool {
        self.is_enabled(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        )
    }

    /// Returns the address that the user has set for a service.
    pub(super) fn endpoint(&self, service: AwsService) -> Option<String> {
        let (address, _) = self.endpoint_with_origin(service)?;
        Some(address)
    }

    /// Returns the address that the user has set: for this service, else for all; variables before
    /// the profile. An empty one counts as none.
    pub(super) fn endpoint_with_origin(
        &self,
        service: AwsService,
    ) -> Option<(String, SettingOrigin<'_>)> {
        if self.ignores_endpoints() {
            return None;
        }
        for variable in [service.variable, "AWS_ENDPOINT_URL"] {
            if let Some(address) = self.variables.get(variable) {
                return Some((address, SettingOrigin::Variable(variable)));
            }
        }
        match self.endpoint_of_services(service) {
            Some((address, origin)) if !address.is_empty() => Some((address, origin)),
            _ => self.value_in_profile("endpoint_url"),
        }
    }

    /// Returns the address in the `[services NAME]` section that the profile names.
    fn endpoint_of_services(&self, service: AwsService) -> Option<(String, SettingOrigin<'_>)> {
        let name = self.profile()?.get("services")?;
        let section = self.files().ok()?.services.get(name)?;
        let of_service = ini::nested_section(section.get(service.key)?)?;
        let address = of_service.get("endpoint_url")?.to_owned();
        Some((address, SettingOrigin::Services(name, service.key)))
    }

    /// Says where a value came from: `AWS_REGION`, or `~/.aws/config line 9`.
    pub(super) fn describe_origin(&self, origin: SettingOrigin) -> String {
        match origin {
            SettingOrigin::Option => "the request".to_owned(),
            SettingOrigin::Default => "default".to_owned(),
            SettingOrigin::Variable(variable) => variable.to_owned(),
            SettingOrigin::Profile(..)
            | SettingOrigin::Services(..)
            | SettingOrigin::SsoSession(..) => match self.line_of(origin) {
                Some(line) => line,
                None => "the shared files".to_owned(),
            },
        }
    }

    fn line_of(&self, origin: SettingOrigin) -> Option<String> {
        let files = self.files().ok()?;
        match origin {
            SettingOrigin::Profile(name, key) => files.line_of_profile(name, key),
            SettingOrigin::Services(name, key) => {
                files::line_of_config(files.services.get(name)?, key)
            }
            SettingOrigin::SsoSession(name, key) => {
                files::line_of_config(files.sso_sessions.get(name)?, key)
            }
            SettingOrigin::Option | SettingOrigin::Variable(_) | SettingOrigin::Default => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::service::endpoints::{SSO, STS};

    const CONFIG: &str = "[profile p]\nregion = eu-west-1\nservices = s\n\
                          endpoint_url = http://all\nuse_fips_endpoint = TRUE\n\
                          [services s]\nsts =\n  endpoint_url = http://sts\n";

    fn settings(variables: &[(&str, &str)], profile: Option<&str>) -> AwsSettings {
        let mut given = BTreeMap::new();
        for (name, value) in variables {
            given.insert((*name).to_owned(), (*value).to_owned());
        }
        let Ok(config) = ini::parse_sections(CONFIG) else {
            panic!("the test's file is malformed");
        };
        let files = SharedFiles::already_read(Ok(ProfileFiles::new(config, Vec::new())));
        AwsSettings::new(AwsVariables::Given(given), files, profile)
    }

    #[test]
    fn an_option_names_the_profile_before_the_variables() {
        let variables = [("AWS_DEFAULT_PROFILE", "b"), ("AWS_PROFILE", "a")];
        assert_eq!(settings(&variables, Some("p")).profile_name(), "p");
        assert_eq!(settings(&variables, None).profile_name(), "a");
        assert_eq!(settings(&variables[..1], None).profile_name(), "b");
        assert_eq!(settings(&[], None).profile_name(), "default");
    }

    #[test]
    fn a_variable_comes_before_the_profile() {
        let region = |variables: &[(&str, &str)]| settings(variables, Some("p")).region();
        assert_eq!(region(&[]).as_deref(), Some("eu-west-1"));
        let later = ("AWS_DEFAULT_REGION", "b");
        assert_eq!(region(&[later]).as_deref(), Some("b"));
        assert_eq!(region(&[later, ("AWS_REGION", "a")]).as_deref(), Some("a"));
        let settings = settings(&[], Some("p"));
        assert!(settings.is_enabled("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
    }

    #[test]
    fn the_address_of_one_service_comes_before_that_of_all() {
        let address =
            |variables: &[(&str, &str)], service| settings(variables, Some("p")).endpoint(service);
        assert_eq!(address(&[], STS).as_deref(), Some("http://sts"));
        assert_eq!(address(&[], SSO).as_deref(), Some("http://all"));
        let all = ("AWS_ENDPOINT_URL", "http://variable");
        assert_eq!(address(&[all], STS).as_deref(), Some("http://variable"));
        let own = ("AWS_ENDPOINT_URL_STS", "http://own");
        assert_eq!(address(&[all, own], STS).as_deref(), Some("http://own"));
        let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(address(&[all, own, ignore], STS), None);
    }

    #[test]
    fn a_profile_that_is_named_has_to_exist() {
        assert!(settings(&[], None).check().is_ok());
        assert!(settings(&[], Some("p")).check().is_ok());
        let error = settings(&[], Some("q")).check().err().unwrap();
        assert_eq!(error.to_string(), "there is no AWS profile `q`");
    }
}
