//! Lists the services of AWS that pgcred asks, and decides what counts as an address of one.

use std::hash::{Hash, Hasher};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::text::host;

/// A service by the names of its settings: `AWS_ENDPOINT_URL_STS`, `sts = endpoint_url = ...`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwsService {
    pub(crate) name: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) key: &'static str,
    /// It is asked for credentials. So its address is a part of the plan, and is checked before
    /// anything is asked. The others are asked about servers and policies.
    pub(crate) gives_credentials: bool,
}

/// Makes a constant of each row, and the list of all, which so can lack none.
macro_rules! services {
    ($($id:ident: $name:literal, $variable:literal, $key:literal, $gives:literal;)*) => {
        $(pub(crate) const $id: AwsService = AwsService {
            name: $name,
            variable: $variable,
            key: $key,
            gives_credentials: $gives,
        };)*

        /// Every service, in the order of the table.
        pub(crate) const ALL: &[AwsService] = &[$($id),*];
    };
}

services! {
    STS: "STS", "AWS_ENDPOINT_URL_STS", "sts", true;
    SSO: "the SSO portal", "AWS_ENDPOINT_URL_SSO", "sso", true;
    SSO_OIDC: "the SSO login service", "AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc", true;
    SIGN_IN: "AWS sign-in", "AWS_ENDPOINT_URL_SIGNIN", "signin", true;
    DSQL: "Aurora DSQL", "AWS_ENDPOINT_URL_DSQL", "dsql", false;
    RDS: "RDS", "AWS_ENDPOINT_URL_RDS", "rds", false;
    IAM: "IAM", "AWS_ENDPOINT_URL_IAM", "iam", false;
}

/// Returns the services that give credentials.
pub(crate) fn services_of_credentials() -> impl Iterator<Item = AwsService> {
    let services = ALL.iter().copied();
    services.filter(|service| service.gives_credentials)
}

impl Hash for AwsService {
    /// The key says which service it is.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// Tells whether the SDK takes an address as an endpoint.
pub(crate) fn is_endpoint(address: &str) -> bool {
    let has_scheme = address.starts_with("http://") || address.starts_with("https://");
    has_scheme
        && host::names_server(address)
        && HttpRequest::empty().uri_mut().set_endpoint(address).is_ok()
}

/// Returns an address without everything before its `@`: the scheme, a user's name and password.
pub(crate) fn without_user(address: &str) -> &str {
    match address.rsplit_once('@') {
        Some((_, rest)) => rest,
        None => address,
    }
}
