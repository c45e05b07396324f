//! Lists the instances, clusters and proxies of RDS: asks for three lists of a region, and for the
//! endpoints of proxies where there are proxies.
//!
//! The filters keep PostgreSQL and Aurora PostgreSQL. A cluster gives a database for its writer,
//! one for its readers if there are any, and one for each endpoint of the user's own; an instance
//! that is a member of a cluster gives none. A proxy gives one database, and one for each further
//! endpoint.

use futures_util::future;

use super::catalog_part::CatalogPart;
use super::found_database;
use super::question::{CatalogQuestion, RegionQuery};
use crate::authority::{EndpointRole, FoundDatabase, Region};
use crate::aws::api::rds::{self, DescribeOperation, RdsFilter};
use crate::aws::api::rds_resources::{self, RdsCluster, RdsInstance, RdsProxy, RdsProxyEndpoint};
use crate::aws::api::server::is_ready;
use crate::aws::service::endpoints::RDS;

/// How many lists are asked for in each region.
pub(super) const QUESTIONS: usize = 3;

/// What tokens name.
const SERVICE: &str = "rds-db";
const AURORA: &str = "aurora-postgresql";
/// Without the filter come those of other services, such as Neptune.
const ENGINES_OF_CLUSTERS: [&str; 2] = [AURORA, "postgres"];
/// An instance of Aurora is always a member of a cluster.
const ENGINES_OF_INSTANCES: [&str; 1] = ["postgres"];
const FAMILY: &str = "POSTGRESQL";

/// Lists clusters, instances and proxies, each in AWS's order.
pub(super) async fn list_rds(query: &RegionQuery<'_>) -> CatalogPart {
    let (clusters, instances) = (
        Box::pin(list_rds_clusters(query)),
        Box::pin(list_rds_instances(query)),
    );
    let lists = future::join3(clusters, instances, Box::pin(list_rds_proxies(query)));
    let (mut rds_part, instances, proxies) = lists.await;
    rds_part.append(instances);
    rds_part.append(proxies);
    if rds_part.failures.is_empty() {
        rds_part.mark_complete(SERVICE, query.region);
    }
    rds_part
}

fn catalog_question<'a>(
    query: &RegionQuery<'a>,
    listing: &DescribeOperation,
) -> CatalogQuestion<'a> {
    CatalogQuestion {
        service: RDS,
        operation: listing.operation,
        region: query.region,
    }
}

async fn list_rds_clusters(query: &RegionQuery<'_>) -> CatalogPart {
    let (listing, filter) = (&rds::CLUSTERS, RdsFilter::OfEngines(&ENGINES_OF_CLUSTERS));
    let (client, region) = (query.client, query.region.as_str());
    let clusters = rds::describe_all(
        client,
        region,
        listing,
        filter,
        rds_resources::parse_cluster,
    )
    .await;
    query.report_done();
    let (mut part, question) = (CatalogPart::default(), catalog_question(query, listing));
    for cluster in part.take_list(question, clusters) {
        part.set_account_from_arn(&cluster.arn);
        part.idle_hosts.extend(idle_reader(&cluster));
        part.add_databases(question, databases_of_cluster(&cluster, query.region));
    }
    part
}

async fn list_rds_instances(query: &RegionQuery<'_>) -> CatalogPart {
    let (listing, filter) = (&rds::INSTANCES, RdsFilter::OfEngines(&ENGINES_OF_INSTANCES));
    let (client, region) = (query.client, query.region.as_str());
    let instances = rds::describe_all(
        client,
        region,
        listing,
        filter,
        rds_resources::parse_instance,
    )
    .await;
    query.report_done();
    let (mut part, question) = (CatalogPart::default(), catalog_question(query, listing));
    for instance in part.take_list(question, instances) {
        if instance.cluster.is_some() {
            continue; // the hosts of its cluster lead to it
        }
        part.set_account_from_arn(&instance.arn);
        part.add_databases(question, databases_of_instance(instance, query.region));
    }
    part
}

async fn list_rds_proxies(query: &RegionQuery<'_>) -> CatalogPart {
    let (client, region) = (query.client, query.region.as_str());
    let (listing, read) = (&rds::PROXIES, rds_resources::parse_gateway);
    let list = rds::describe_all(client, region, listing, RdsFilter::All, read).await;
    let (mut part, question_of_proxies) =
        (CatalogPart::default(), catalog_question(query, listing));
    let mut proxies = part.take_list(question_of_proxies, list);
    proxies.retain(|proxy| proxy.family.as_deref() == Some(FAMILY));
    for proxy in &proxies {
        part.set_account_from_arn(&proxy.arn);
        part.add_databases(question_of_proxies, databases_of_proxy(proxy, query.region));
    }
    if proxies.is_empty() {
        query.report_done();
        return part;
    }
    query.expect_more(1);
    query.report_done();
    let (listing, read) = (&rds::PROXY_ENDPOINTS, rds_resources::parse_proxy_endpoint);
    let list = rds::describe_all(client, region, listing, RdsFilter::All, read).await;
    query.report_done();
    let question = catalog_question(query, listing);
    for endpoint in part.take_list(question, list) {
        let mut all_proxies = proxies.iter();
        if let Some(proxy) = all_proxies.find(|proxy| proxy.name == endpoint.proxy)
            && !endpoint.is_default
        {
            part.add_databases(
                question,
                databases_of_endpoint(&endpoint, proxy, query.region),
            );
        }
    }
    part
}

/// Returns the databases of a cluster: its writer, its readers if there are any, and the endpoints
/// of the user's own.
fn databases_of_cluster(cluster: &RdsCluster, region: &Region) -> Option<Vec<FoundDatabase>> {
    let kind = match cluster.engine.as_deref() {
        Some(AURORA) => "Aurora cluster",
        _ => "RDS cluster",
    };
    let mut writer = found_database::named_database(kind, cluster.identifier.clone(), region)?;
    writer.label = found_database::checked_label(cluster.label.clone());
    writer.host = found_database::checked_host(cluster.host.clone());
    writer.port = cluster.port;
    writer.dbname = found_database::checked_name(cluster.dbname.clone());
    writer.engine = found_database::checked_name(cluster.engine.clone());
    writer.is_ready = is_ready(&cluster.status);
    writer.status = found_database::checked_status(cluster.status.clone());
    writer.takes_tokens = cluster.takes_tokens;
    writer.resource_id = found_database::checked_name(Some(cluster.resource_id.clone()));
    writer.is_public = cluster.is_public;
    if cluster.is_express {
        writer.user = found_database::checked_name(cluster.master_user.clone());
        writer.is_public = Some(true);
    }
    let mut databases = vec![writer.clone()];
    if has_readers(cluster)
        && let Some(host) = found_database::checked_host(cluster.reader.clone())
    {
        databases.push(FoundDatabase {
            role: EndpointRole::Reader,
            host: Some(host),
            ..writer.clone()
        });
    }
    for custom in &cluster.custom {
        databases.extend(database_of_custom_endpoint(custom, &writer));
    }
    Some(databases)
}

fn has_readers(cluster: &RdsCluster) -> bool {
    cluster.readers != Some(0) // where AWS does not list the members, there may be some
}

/// Returns the readers' host of a cluster that has none now: it stays, and readers may come back.
fn idle_reader(cluster: &RdsCluster) -> Option<String> {
    if has_readers(cluster) {
        return None;
    }
    found_database::checked_host(cluster.reader.clone())
}

/// Returns the database of an endpoint of the user's own, which begins with its name.
fn database_of_custom_endpoint(host: &str, writer: &FoundDatabase) -> Option<FoundDatabase> {
    let host = found_database::checked_host(Some(host.to_owned()))?;
    let (name, _) = host.split_once('.')?;
    Some(FoundDatabase {
        role: EndpointRole::Custom,
        identifier: name.to_owned(),
        label: None,
        host: Some(host),
        ..writer.clone()
    })
}

fn databases_of_instance(instance: RdsInstance, region: &Region) -> Option<Vec<FoundDatabase>> {
    Some(vec![FoundDatabase {
        label: found_database::checked_label(instance.label),
        host: found_database::checked_host(instance.host),
        port: instance.port,
        dbname: found_database::checked_name(instance.dbname),
        engine: found_database::checked_name(instance.engine),
        is_ready: is_ready(&instance.status),
        status: found_database::checked_status(instance.status),
        takes_tokens: instance.takes_tokens,
        resource_id: found_database::checked_name(Some(instance.resource_id)),
        is_public: instance.is_public,
        ..found_database::named_database("RDS instance", instance.identifier, region)?
    }])
}

fn databases_of_proxy(proxy: &RdsProxy, region: &Region) -> Option<Vec<FoundDatabase>> {
    Some(vec![FoundDatabase {
        role: EndpointRole::Proxy,
        host: found_database::checked_host(proxy.host.clone()),
        is_ready: is_ready(&proxy.status),
        status: found_database::checked_status(proxy.status.clone()),
        takes_tokens: Some(proxy.takes_tokens),
        resource_id: found_database::checked_name(Some(proxy.resource_id().to_owned())),
        is_public: Some(false), // AWS gives proxies no public address
        ..found_database::named_database("RDS proxy", proxy.name.clone(), region)?
    }])
}

/// Returns the database of an endpoint that a proxy has besides its own.
fn databases_of_endpoint(
    endpoint: &RdsProxyEndpoint,
    proxy: &RdsProxy,
    region: &Region,
) -> Option<Vec<FoundDatabase>> {
    let mut databases = databases_of_proxy(proxy, region)?;
    for database in &mut databases {
        database.identifier = found_database::checked_name(Some(endpoint.name.clone()))?;
        database.host = found_database::checked_host(endpoint.host.clone());
        if is_ready(&endpoint.status) != Some(true) {
            database.is_ready = is_ready(&endpoint.status);
            database.status = found_database::checked_status(endpoint.status.clone());
        }
    }
    Some(databases)
}
