//! Builds a request to a control plane, before it is addressed and signed. It is pure.
//!
//! AWS's services speak two protocols here: RDS, STS and IAM take a form and answer in XML, Aurora
//! DSQL takes a path and answers in JSON. The files of the services make such requests; `client.rs`
//! gives them an address and a signature, and sends them.

use std::fmt::Write as _;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use crate::aws::service::endpoints::AwsService;
use crate::error::{Error, Result};
use crate::text::quote::percent;

/// One operation of a service, in one of the two protocols.
pub(super) struct ApiRequest {
    pub(super) service: AwsService,
    pub(super) operation: &'static str,
    protocol: ApiProtocol,
    /// Whether the connection is kept for more such requests.
    keeps_connection: bool,
}

enum ApiProtocol {
    /// A GET for JSON; the text is the path and the query.
    RestJson(String),
    /// A POST of a form, answered in XML.
    Query(String),
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

impl ApiRequest {
    /// Returns a request in the Query protocol. Parameters come in the order of AWS's SDKs.
    pub(super) fn query(
        service: AwsService,
        version: &str,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let mut form = format!("Action={operation}&Version={version}");
        for (name, value) in parameters {
            let value = percent(value).to_string().replace("%20", "+");
            let _ = write!(form, "&{name}={value}");
        }
        Self {
            service,
            operation,
            protocol: ApiProtocol::Query(form),
            keeps_connection: false,
        }
    }

    /// Returns a request in the REST protocol: the parts of its path, and its query.
    pub(super) fn rest(
        service: AwsService,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Self {
        let mut text = String::new();
        for part in path {
            let _ = write!(text, "/{}", percent(part));
        }
        for (index, (name, value)) in query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let _ = write!(text, "{separator}{name}={}", percent(value));
        }
        Self {
            service,
            operation,
            protocol: ApiProtocol::RestJson(text),
            keeps_connection: false,
        }
    }

    /// Returns the same request as one of many to the same host.
    pub(super) fn keeping_connection(mut self) -> Self {
        self.keeps_connection = true;
        self
    }

    pub(super) fn keeps_connection(&self) -> bool {
        self.keeps_connection
    }

    /// Returns the request as it is sent to an address, unsigned.
    pub(super) fn http(&self, base: &str) -> Result<HttpRequest> {
        let built = match &self.protocol {
            ApiProtocol::RestJson(path) => HttpRequest::get(format!("{base}{path}")),
            ApiProtocol::Query(form) => post_form(base, form),
        };
        built.map_err(|error| {
            Error::failure(format!(
                "the request {} to {} cannot be built",
                self.operation, self.service.name
            ))
            .caused_by(&error)
            .hint("check the region and the endpoint settings AWS_ENDPOINT_URL*")
        })
    }
}

fn post_form(
    base: &str,
    form: &str,
) -> Result<HttpRequest, aws_smithy_runtime_api::http::HttpError> {
    let mut request = HttpRequest::get(format!("{base}/"))?;
    request.set_method("POST")?;
    request.headers_mut().try_insert("content-type", FORM)?;
    *request.body_mut() = SdkBody::from(form);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use crate::aws::credentials::Credentials;
    use serde_json::Value;

    use super::*;
    use crate::aws::api::rds::RdsFilter;
    use crate::aws::api::{dsql, iam, rds, sts};
    use crate::aws::partition::{self, HostVariant};
    use crate::aws::service::endpoints::{DSQL, IAM, RDS, STS};
    use crate::aws::sigv4::{SignedFor, sign_headers};
    use crate::time::Time;

    /// `make.py` beside it has made them with botocore.
    const OF_BOTOCORE: &str = include_str!("../../../tests/vectors/api/requests.json");

    fn made(row: &Value) -> ApiRequest {
        let given = |name: &str| row["given"][name].as_str();
        let engines: Vec<&str> = match row["given"]["Filters"][0]["Values"].as_array() {
            Some(values) => values.iter().map(|value| value.as_str().unwrap()).collect(),
            None => Vec::new(),
        };
        let describe = |listing: &rds::DescribeOperation, by_name: &str| {
            let filter = match given(by_name) {
                Some(name) => RdsFilter::Named(name),
                None if engines.is_empty() => RdsFilter::All,
                None => RdsFilter::OfEngines(&engines),
            };
            rds::describe_request(listing, filter, given("Marker"))
        };
        let first = |name: &str| row["given"][name][0].as_str().unwrap();
        match row["operation"].as_str().unwrap() {
            "get_caller_identity" => sts::get_caller_identity_request(),
            "get_cluster" => dsql::get_cluster_request(given("identifier").unwrap()),
            "list_clusters" => dsql::list_clusters_request(given("nextToken")),
            "describe_db_instances" => describe(&rds::INSTANCES, "DBInstanceIdentifier"),
            "describe_db_clusters" => describe(&rds::CLUSTERS, "DBClusterIdentifier"),
            "describe_db_proxies" => describe(&rds::PROXIES, "DBProxyName"),
            "describe_db_proxy_endpoints" => describe(&rds::PROXY_ENDPOINTS, "DBProxyEndpointName"),
            "get_role" => iam::get_role_request(given("RoleName").unwrap()),
            "simulate_principal_policy" => iam::simulate_principal_policy_request(
                given("PolicySourceArn").unwrap(),
                first("ActionNames"),
                first("ResourceArns"),
            ),
            other => panic!("{other}"),
        }
    }

    /// The signature covers the method, path, query, body and the headers, so it is equal only if
    /// all of them are.
    #[test]
    fn requests_are_those_of_botocore() {
        let rows: Vec<Value> = serde_json::from_str(OF_BOTOCORE).unwrap();
        for row in &rows {
            let text = |name: &str| row[name].as_str().unwrap();
            let request = made(row);
            let region = text("region");
            let partition = partition::partition_of(region);
            let (host, signed) = if request.service.key == IAM.key {
                let host = partition.iam_host(HostVariant::default()).to_owned();
                (host, partition.iam_region())
            } else {
                let host = partition.host(request.service.key, region, HostVariant::default());
                (host, region)
            };
            let mut http = request.http(&format!("https://{host}")).unwrap();
            let key = Credentials::new(
                "AKIDEXAMPLE",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                Some(text("token")),
                None,
                "test",
            );
            let signed_for = SignedFor {
                service: request.service.key,
                region: signed,
                signed_at: Time::from_rfc3339("2026-01-02T03:04:05Z").unwrap(),
            };
            sign_headers(&mut http, &signed_for, &key).unwrap();
            assert_eq!(http.method(), text("method"));
            assert_eq!(http.uri(), text("url"));
            assert_eq!(
                http.body().bytes().unwrap_or_default(),
                text("body").as_bytes()
            );
            for (name, value) in row["headers"].as_object().unwrap() {
                assert_eq!(http.headers().get(name), value.as_str(), "{name} in {row}");
            }
            assert_eq!(
                http.headers().get("authorization"),
                row["authorization"].as_str(),
                "{row}"
            );
        }
        let services = [STS, DSQL, RDS, IAM];
        for service in services {
            assert!(rows.iter().any(|row| row["service"] == service.key));
        }
    }
}
