//! Asks Aurora DSQL for its clusters: for one by its ID, or for all of a region.
//!
//! `fetch_cluster` and `fetch_clusters` wait for AWS until the deadline of the client. Requests and
//! the functions `read_...`, which take values out of JSON, are pure.

use serde_json::{Map, Value};

use super::client::ApiClient;
use super::pages::{self, PartialList};
use super::request::ApiRequest;
use crate::authority::InspectionResult;
use crate::aws::service::endpoints::DSQL;

pub(super) const GET_CLUSTER: &str = "GetCluster";
pub(super) const LIST_CLUSTERS: &str = "ListClusters";

/// A cluster, as AWS describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DsqlCluster {
    pub(super) identifier: String,
    pub(super) arn: String,
    pub(super) status: String,
    pub(super) endpoint: Option<String>,
    /// The state of its key, such as `ENABLED` or `KMS_KEY_INACCESSIBLE`.
    pub(super) encryption: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    /// The ARNs of a cluster of several regions, with its own or without.
    pub(super) peers: Vec<String>,
}

impl DsqlCluster {
    /// Tells whether the cluster can use the key that its data is encrypted with.
    pub(super) fn can_use_key(&self) -> Option<bool> {
        let encryption = self.encryption.as_deref()?;
        Some(encryption != "KMS_KEY_INACCESSIBLE")
    }

    pub(super) fn tag(&self, name: &str) -> Option<String> {
        for (key, value) in &self.tags {
            if key == name {
                return Some(value.clone());
            }
        }
        None
    }
}

/// What a list says of a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListedCluster {
    pub(super) identifier: String,
    pub(super) arn: String,
}

pub(super) fn get_cluster_request(identifier: &str) -> ApiRequest {
    ApiRequest::rest(DSQL, GET_CLUSTER, &["cluster", identifier], &[]).keeping_connection()
}

pub(super) fn list_clusters_request(page_token: Option<&str>) -> ApiRequest {
    let mut query = vec![("max-results", "100")];
    if let Some(page_token) = page_token {
        query.push(("next-token", page_token));
    }
    let request = ApiRequest::rest(DSQL, LIST_CLUSTERS, &["cluster"], &query);
    if page_token.is_some() {
        return request.keeping_connection();
    }
    request
}

/// Returns a cluster by its ID.
pub(super) async fn fetch_cluster(
    client: &ApiClient<'_>,
    region: &str,
    identifier: &str,
) -> InspectionResult<DsqlCluster> {
    client
        .ask(&get_cluster_request(identifier), region, parse_cluster)
        .await
}

/// Returns the clusters of a region, in AWS's order.
pub(super) async fn fetch_clusters(
    client: &ApiClient<'_>,
    region: &str,
) -> PartialList<ListedCluster> {
    let fetch_page = async |page_token: Option<&str>| {
        client
            .ask(&list_clusters_request(page_token), region, parse_page)
            .await
    };
    pages::read_all(DSQL, LIST_CLUSTERS, fetch_page).await
}

fn parse_cluster(body: &[u8]) -> Option<DsqlCluster> {
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut tags = Vec::new();
    if let Some(Value::Object(tag_fields)) = fields.get("tags") {
        for (name, value) in tag_fields {
            tags.push((name.clone(), value.as_str()?.to_owned()));
        }
    }
    let encryption = match fields.get("encryptionDetails") {
        Some(Value::Object(details)) => text_in_field(details, "encryptionStatus"),
        _ => None,
    };
    Some(DsqlCluster {
        identifier: text_in_field(&fields, "identifier")?,
        arn: text_in_field(&fields, "arn")?,
        status: text_in_field(&fields, "status")?,
        endpoint: text_in_field(&fields, "endpoint"),
        encryption,
        tags,
        peers: peer_arns(&fields),
    })
}

fn peer_arns(fields: &Map<String, Value>) -> Vec<String> {
    let mut arns = Vec::new();
    if let Some(Value::Object(properties)) = fields.get("multiRegionProperties")
        && let Some(Value::Array(clusters)) = properties.get("clusters")
    {
        for cluster in clusters {
            // What is no text is no ARN either, and whoever reads it has to see that.
            arns.push(cluster.as_str().unwrap_or_default().to_owned());
        }
    }
    arns
}

/// Returns the clusters of a page and the token of the next one.
fn parse_page(body: &[u8]) -> Option<(Vec<ListedCluster>, Option<String>)> {
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut clusters = Vec::new();
    for cluster in fields.get("clusters")?.as_array()? {
        let cluster = cluster.as_object()?;
        clusters.push(ListedCluster {
            identifier: text_in_field(cluster, "identifier")?,
            arn: text_in_field(cluster, "arn")?,
        });
    }
    Some((clusters, text_in_field(&fields, "nextToken")))
}

/// Returns the text in a field. An empty text counts as none.
fn text_in_field(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)?.as_str()? {
        "" => None,
        text => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_read() {
        let answer = br#"{"identifier": "abc", "arn": "arn:aws:dsql:r:1:cluster/abc",
            "status": "IDLE", "endpoint": "abc.dsql.r.on.aws", "tags": {"Name": "main"},
            "encryptionDetails": {"encryptionStatus": "ENABLED"}, "creationTime": 1.7e9}"#;
        let cluster = parse_cluster(answer).unwrap();
        assert_eq!(cluster.status, "IDLE");
        assert_eq!(cluster.endpoint.as_deref(), Some("abc.dsql.r.on.aws"));
        assert_eq!(cluster.encryption.as_deref(), Some("ENABLED"));
        assert_eq!(cluster.tags, [("Name".to_owned(), "main".to_owned())]);
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"identifier": 1}"#,
            "<a/>",
            "{\"identifier\": \"a\"",
        ] {
            assert_eq!(parse_cluster(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn pages_are_read() {
        let (found, next) =
            parse_page(br#"{"clusters": [{"identifier": "a", "arn": "b"}], "nextToken": "t"}"#)
                .unwrap();
        assert_eq!((found.len(), next.as_deref()), (1, Some("t")));
        assert_eq!(parse_page(br#"{"clusters": []}"#), Some((Vec::new(), None)));
        for wrong in ["{}", r#"{"clusters": [{}]}"#, r#"{"clusters": {}}"#] {
            assert_eq!(parse_page(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
