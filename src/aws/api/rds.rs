//! Asks RDS for the lists of its instances, clusters and proxies.
//!
//! Each kind of thing has one [`DescribeOperation`]; `describe_all` asks for every page of it,
//! until the deadline of the client. `describe_request`, which makes a request, and `parse_page`
//! are pure. What one thing of a list says is read in `rds_resources.rs`.

use roxmltree::Node;

use super::client::ApiClient;
use super::pages::{self, PartialList};
use super::request::ApiRequest;
use super::xml::{self, text_at};
use crate::aws::service::endpoints::RDS;

/// An operation that describes all items of a kind, or one by its name.
pub(super) struct DescribeOperation {
    pub(super) operation: &'static str,
    /// The parameter that names one thing.
    name_parameter: &'static str,
    result: &'static str,
    list: &'static str,
}

pub(super) const INSTANCES: DescribeOperation = DescribeOperation {
    operation: "DescribeDBInstances",
    name_parameter: "DBInstanceIdentifier",
    result: "DescribeDBInstancesResult",
    list: "DBInstances",
};
pub(super) const CLUSTERS: DescribeOperation = DescribeOperation {
    operation: "DescribeDBClusters",
    name_parameter: "DBClusterIdentifier",
    result: "DescribeDBClustersResult",
    list: "DBClusters",
};
pub(super) const PROXIES: DescribeOperation = DescribeOperation {
    operation: "DescribeDBProxies",
    name_parameter: "DBProxyName",
    result: "DescribeDBProxiesResult",
    list: "DBProxies",
};
pub(super) const PROXY_ENDPOINTS: DescribeOperation = DescribeOperation {
    operation: "DescribeDBProxyEndpoints",
    name_parameter: "DBProxyEndpointName",
    result: "DescribeDBProxyEndpointsResult",
    list: "DBProxyEndpoints",
};

/// Which items of a kind are asked for.
#[derive(Clone, Copy)]
pub(super) enum RdsFilter<'a> {
    All,
    Named(&'a str),
    /// Those with one of these engines. Proxies cannot be asked for so.
    OfEngines(&'a [&'a str]),
}

/// Returns the request for one page.
pub(super) fn describe_request(
    listing: &DescribeOperation,
    filter: RdsFilter<'_>,
    page_token: Option<&str>,
) -> ApiRequest {
    let mut parameters = Vec::new();
    match filter {
        RdsFilter::All => {}
        RdsFilter::Named(name) => parameters.push((listing.name_parameter.to_owned(), name)),
        RdsFilter::OfEngines(engines) => {
            parameters.push(("Filters.Filter.1.Name".to_owned(), "engine"));
            for (index, engine) in engines.iter().enumerate() {
                let name = format!("Filters.Filter.1.Values.Value.{}", index + 1);
                parameters.push((name, engine));
            }
        }
    }
    if let Some(page_token) = page_token {
        parameters.push(("Marker".to_owned(), page_token));
    }
    let mut borrowed = Vec::new();
    for (name, value) in &parameters {
        borrowed.push((name.as_str(), *value));
    }
    let request = ApiRequest::query(RDS, "2014-10-31", listing.operation, &borrowed);
    if page_token.is_some() {
        return request.keeping_connection();
    }
    request
}

/// Returns the items of a kind in a region, in AWS's order.
pub(super) async fn describe_all<T>(
    client: &ApiClient<'_>,
    region: &str,
    listing: &DescribeOperation,
    filter: RdsFilter<'_>,
    read: fn(Node) -> Option<T>,
) -> PartialList<T> {
    let fetch_page = async |page_token: Option<&str>| {
        let request = describe_request(listing, filter, page_token);
        let page = client.ask(&request, region, |body| parse_page(body, listing, read));
        page.await
    };
    pages::read_all(RDS, listing.operation, fetch_page).await
}

/// Returns the items of a page and the token of the next one. `None` if one of them lacks what
/// each has.
fn parse_page<T>(
    body: &[u8],
    listing: &DescribeOperation,
    read: fn(Node) -> Option<T>,
) -> Option<(Vec<T>, Option<String>)> {
    let page = xml::read_document(body, |root| {
        let result = xml::child_element(root, listing.result)?;
        xml::child_element(result, listing.list)?;
        let mut items = Vec::new();
        for member in xml::list_members(result, &[listing.list]) {
            items.push(read(member)?);
        }
        Some((items, text_at(result, &["Marker"])))
    });
    page?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::api::rds_resources::parse_instance;

    #[test]
    fn an_answer_of_another_kind_is_refused() {
        for body in [
            "<DescribeDBInstancesResponse/>",
            "<R><DescribeDBInstancesResult/></R>",
            "<R><DescribeDBInstancesResult><DBInstances><DBInstance/></DBInstances>\
             </DescribeDBInstancesResult></R>",
            "{}",
        ] {
            assert_eq!(
                parse_page(body.as_bytes(), &INSTANCES, parse_instance),
                None,
                "{body}"
            );
        }
    }
}
