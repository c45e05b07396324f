//! Lists AWS's variables: every variable that pgcred reads, and what it decides. The identity in
//! the cache key, the manual page and the notes of `pgcred setup` follow from it.

use std::ffi::OsString;

use crate::authority::ShellSettings;
use crate::error::{Error, Result};
use crate::sys::env;

/// What a variable decides about the identity that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VariableEffect {
    /// Another value may mean another identity. So the value is a part of the plan, if the plan
    /// uses it.
    Identity,
    /// Another value may mean another region, which is a part of the cache key too.
    Region,
    /// Every value leads to the same answer. The text says why.
    Neither(&'static str),
}

pub(crate) struct AwsVariable {
    pub(crate) name: &'static str,
    /// What the variable is or decides, as the manual page says it.
    pub(crate) meaning: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests go by it"))]
    pub(crate) effect: VariableEffect,
    /// A shell that sets it gets other tokens than a scheduler, whose commands do not have it:
    /// `setup` says so.
    pub(crate) is_shell_only: bool,
}

const fn row(name: &'static str, meaning: &'static str, effect: VariableEffect) -> AwsVariable {
    AwsVariable {
        name,
        meaning,
        effect,
        is_shell_only: false,
    }
}

const fn shell_only(
    name: &'static str,
    meaning: &'static str,
    effect: VariableEffect,
) -> AwsVariable {
    AwsVariable {
        name,
        meaning,
        effect,
        is_shell_only: true,
    }
}

use VariableEffect::{Identity, Neither, Region};

const SAME_SERVICE: VariableEffect = Neither("it is another address of the same service");
const ONLY_TIMEOUT: VariableEffect = Neither("it decides how long pgcred asks, not whom");
const STATE: VariableEffect =
    Neither("it is asked for the state of servers and policies, not for keys");

/// All of them. A test compares the rows with the variables that the code reads.
#[rustfmt::skip]
pub(crate) const VARIABLES: &[AwsVariable] = &[
    shell_only("AWS_ACCESS_KEY_ID", "The ID of the access key that signs.", Identity),
    row("AWS_SECRET_ACCESS_KEY", "The secret of AWS_ACCESS_KEY_ID.", Identity),
    row("AWS_SESSION_TOKEN",
        "The session token of AWS_ACCESS_KEY_ID, if the key is a temporary one.", Identity),
    row("AWS_SECURITY_TOKEN",
        "The older name of AWS_SESSION_TOKEN. It takes precedence.", Identity),
    row("AWS_CREDENTIAL_EXPIRATION", "The time when the key of these variables expires.", Identity),
    shell_only("AWS_PROFILE", "The profile.", Identity),
    shell_only("AWS_DEFAULT_PROFILE", "The profile, if AWS_PROFILE is not set.", Identity),
    shell_only("AWS_CONFIG_FILE", "The path of the configuration file.", Identity),
    shell_only("AWS_SHARED_CREDENTIALS_FILE", "The path of the credentials file.", Identity),
    row("AWS_WEB_IDENTITY_TOKEN_FILE", "The file with the token of a web identity.", Identity),
    row("AWS_ROLE_ARN", "The role that the web identity takes.", Identity),
    row("AWS_ROLE_SESSION_NAME", "The session name for that role.", Identity),
    row("AWS_LOGIN_CACHE_DIRECTORY",
        "The directory where `aws login` keeps its sessions.", Identity),
    row("AWS_CREDENTIAL_FILE", "The credentials file of the first EC2 tools.", Identity),
    row("BOTO_CONFIG", "The configuration file of boto 2.", Identity),
    row("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "The path at which a container of ECS asks for credentials.", Identity),
    row("AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "The whole address at which a container asks for credentials.", Identity),
    row("AWS_CONTAINER_AUTHORIZATION_TOKEN", "The token with which the container asks.", Identity),
    row("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "The file that holds that token.", Identity),
    row("AWS_EC2_METADATA_DISABLED",
        "With true, pgcred does not ask the instance metadata service.", Identity),
    row("AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "The address of the instance metadata service.", Identity),
    row("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "IPv4 or IPv6, for the address of that service.", Identity),
    row("AWS_ENDPOINT_URL", "The address of every AWS service.", Identity),
    row("AWS_ENDPOINT_URL_STS", "The address of STS.", Identity),
    row("AWS_ENDPOINT_URL_SSO", "The address of the SSO portal.", Identity),
    row("AWS_ENDPOINT_URL_SSO_OIDC", "The address of the service for SSO logins.", Identity),
    row("AWS_ENDPOINT_URL_SIGNIN", "The address of the service for `aws login`.", Identity),
    row("AWS_ENDPOINT_URL_DSQL", "The address of the control plane of Aurora DSQL.", STATE),
    row("AWS_ENDPOINT_URL_RDS", "The address of the control plane of RDS.", STATE),
    row("AWS_ENDPOINT_URL_IAM", "The address of IAM.", STATE),
    row("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "With true, addresses of services that are configured do not count.", Identity),
    shell_only("AWS_REGION", "The region.", Region),
    shell_only("AWS_DEFAULT_REGION", "The region, if AWS_REGION is not set.", Region),
    row("AWS_USE_FIPS_ENDPOINT",
        "With true, pgcred asks the FIPS addresses of AWS services.", SAME_SERVICE),
    row("AWS_USE_DUALSTACK_ENDPOINT",
        "With true, pgcred asks the addresses that also have IPv6.", SAME_SERVICE),
    row("AWS_CA_BUNDLE", "The file of certificates that are trusted for AWS services.", Neither(
        "it decides whether a service is believed, not who signs",
    )),
    row("AWS_METADATA_SERVICE_TIMEOUT",
        "How many seconds the instance metadata service may take.", ONLY_TIMEOUT),
    row("AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "How often pgcred asks the instance metadata service.", ONLY_TIMEOUT),
    row("AWS_EC2_METADATA_V1_DISABLED",
        "With true, only version 2 of the instance metadata service is used.", SAME_SERVICE),
];

/// Returns what the variables of this process say that others may not have.
pub(super) fn shell_settings() -> ShellSettings {
    const KEY: &str = "AWS_ACCESS_KEY_ID";
    let mut settings = ShellSettings::default();
    for variable in VARIABLES {
        if variable.is_shell_only && env::var_os(variable.name).is_some() {
            settings.variables.push(variable.name);
        }
    }
    if env::var_os(KEY).is_some() {
        settings.key = Some(KEY);
    } else {
        settings.profile = env::var("AWS_PROFILE").or_else(|| env::var("AWS_DEFAULT_PROFILE"));
    }
    settings
}

/// AWS's variables: those of this process, or in unit tests those that the test gives.
pub(super) enum AwsVariables {
    OfProcess,
    #[cfg(test)]
    Given(std::collections::BTreeMap<String, String>),
}

impl AwsVariables {
    /// Returns a value even if it is empty, where AWS tells empty and unset apart.
    pub(super) fn get_or_empty(&self, name: &str) -> Option<String> {
        match self {
            Self::OfProcess => env::var_or_empty(name),
            #[cfg(test)]
            Self::Given(values) => values.get(name).cloned(),
        }
    }

    /// Returns a value; empty counts as unset. U+FFFD stands for bytes that are not UTF-8.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = self.raw(name)?;
        Some(value.to_string_lossy().into_owned())
    }

    /// Returns a value. One that is not UTF-8 is an error.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        match self.raw(name).map(OsString::into_string) {
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => {
                let hint = format!("correct or unset {name}");
                Err(Error::not_utf8(name).hint(hint))
            }
            None => Ok(None),
        }
    }

    fn raw(&self, name: &str) -> Option<OsString> {
        match self {
            Self::OfProcess => env::var_os(name),
            #[cfg(test)]
            Self::Given(values) => values
                .get(name)
                .filter(|value| !value.is_empty())
                .map(OsString::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::service::endpoints;

    #[test]
    fn each_row_stands_alone_and_says_what_it_is_for() {
        for (at, variable) in VARIABLES.iter().enumerate() {
            assert!(
                VARIABLES[..at]
                    .iter()
                    .all(|other| other.name != variable.name),
                "{} twice",
                variable.name
            );
            assert!(!variable.meaning.is_empty(), "{}", variable.name);
            assert!(variable.effect != Neither(""), "{}", variable.name);
        }
    }

    #[test]
    fn the_address_of_each_service_has_a_row() {
        for service in endpoints::ALL {
            let mut rows = VARIABLES.iter();
            let row = rows.find(|row| row.name == service.variable);
            let row = row.unwrap_or_else(|| panic!("{} has no row", service.variable));
            let effect = row.effect == Identity;
            assert_eq!(effect, service.gives_credentials, "{}", row.name);
        }
    }
}
