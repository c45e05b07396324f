//! The services of AWS that pgcred asks, and what counts as an address of one.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::text::host;

/// A service by the names of its settings: `AWS_ENDPOINT_URL_STS`, `sts = endpoint_url = ...`.
#[derive(Clone, Copy)]
pub(crate) struct AwsService {
    pub(crate) name: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) key: &'static str,
}

pub(crate) const STS: AwsService = AwsService {
    name: "STS",
    variable: "AWS_ENDPOINT_URL_STS",
    key: "sts",
};
pub(crate) const SSO: AwsService = AwsService {
    name: "the SSO portal",
    variable: "AWS_ENDPOINT_URL_SSO",
    key: "sso",
};
pub(crate) const SSO_OIDC: AwsService = AwsService {
    name: "the SSO login service",
    variable: "AWS_ENDPOINT_URL_SSO_OIDC",
    key: "sso_oidc",
};
pub(crate) const SIGN_IN: AwsService = AwsService {
    name: "AWS sign-in",
    variable: "AWS_ENDPOINT_URL_SIGNIN",
    key: "signin",
};
pub(crate) const DSQL: AwsService = AwsService {
    name: "Aurora DSQL",
    variable: "AWS_ENDPOINT_URL_DSQL",
    key: "dsql",
};
pub(crate) const RDS: AwsService = AwsService {
    name: "RDS",
    variable: "AWS_ENDPOINT_URL_RDS",
    key: "rds",
};
pub(crate) const IAM: AwsService = AwsService {
    name: "IAM",
    variable: "AWS_ENDPOINT_URL_IAM",
    key: "iam",
};
/// Those that give credentials.
pub(crate) const ALL: [AwsService; 4] = [STS, SSO, SSO_OIDC, SIGN_IN];

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
