//! Lists the clusters of Aurora DSQL: asks for the list of a region, then for each cluster of it.
//!
//! At most 16 clusters of a region are asked for at a time, so that a region with many of them
//! leaves room for the others. A cluster of which only the name is known, because it may not be
//! asked for, is a database too.

use futures_util::future;
use tokio::sync::Semaphore;

use super::catalog_part::CatalogPart;
use super::found_database;
use super::question::{CatalogQuestion, RegionQuery};
use crate::authority::{FoundDatabase, InspectionResult, NoAnswerReason, Region};
use crate::aws::api::dsql::{self, DsqlCluster, ListedCluster};
use crate::aws::api::server;
use crate::aws::service::endpoints::DSQL;

/// What tokens name.
const SERVICE: &str = "dsql";
const KIND: &str = "DSQL cluster";
/// The user that every cluster has.
const FIRST_USER: &str = "admin";
/// How many clusters of a region are asked for at a time, so that a region with many of them leaves
/// room for the others.
const SIDE_BY_SIDE: usize = 16;

/// Lists the clusters of a region, in AWS's order.
pub(super) async fn list_dsql(query: &RegionQuery<'_>) -> CatalogPart {
    let mut part = CatalogPart::default();
    let list = dsql::fetch_clusters(query.client, query.region.as_str()).await;
    let question = |operation| CatalogQuestion {
        service: DSQL,
        operation,
        region: query.region,
    };
    let mut is_complete = list.failure.is_none();
    let clusters = part.take_list(question(dsql::LIST_CLUSTERS), list);
    query.expect_more(clusters.len());
    query.report_done();
    let room = Semaphore::new(SIDE_BY_SIDE);
    let mut questions = Vec::new();
    for cluster in &clusters {
        questions.push(get_cluster_in_turn(query, cluster, &room));
    }
    let answers = future::join_all(questions).await;
    for (cluster, answer) in clusters.into_iter().zip(answers) {
        part.set_account_from_arn(&cluster.arn);
        let question = question(dsql::GET_CLUSTER);
        match answer {
            Ok(cluster) => {
                let databases = databases_of_cluster(&cluster, query.region);
                is_complete &= databases.is_some();
                part.add_databases(question, databases);
            }
            // It was deleted in the meantime.
            Err(failure) if failure.reason == NoAnswerReason::NotFound => {}
            Err(failure) => {
                let databases = databases_of_name(cluster.identifier, query.region);
                is_complete &= databases.is_some();
                part.add_databases(question, databases);
                part.add_failure_once(question, failure);
            }
        }
    }
    if is_complete {
        part.mark_complete(SERVICE, query.region);
    }
    part
}

/// Asks for one cluster, as soon as there is room for it.
async fn get_cluster_in_turn(
    query: &RegionQuery<'_>,
    cluster: &ListedCluster,
    room: &Semaphore,
) -> InspectionResult<DsqlCluster> {
    let _place = room.acquire().await; // an error only if somebody closed it
    let answer =
        dsql::fetch_cluster(query.client, query.region.as_str(), &cluster.identifier).await;
    query.report_done();
    answer
}

/// Returns the database of a cluster of which only the name is known.
fn databases_of_name(identifier: String, region: &Region) -> Option<Vec<FoundDatabase>> {
    let name = identifier.clone();
    Some(vec![FoundDatabase {
        user: Some(FIRST_USER.to_owned()),
        takes_tokens: Some(true),
        resource_id: Some(name),
        ..found_database::named_database(KIND, identifier, region)?
    }])
}

fn databases_of_cluster(cluster: &DsqlCluster, region: &Region) -> Option<Vec<FoundDatabase>> {
    let mut databases = databases_of_name(cluster.identifier.clone(), region)?;
    for database in &mut databases {
        database.label = found_database::checked_label(cluster.tag("Name"));
        database.host = found_database::checked_host(cluster.endpoint.clone());
        database.is_ready = server::is_ready_dsql(cluster);
        database.status = found_database::checked_status(cluster.status.clone());
    }
    Some(databases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> DsqlCluster {
        DsqlCluster {
            identifier: "abc".to_owned(),
            arn: "arn".to_owned(),
            status: "IDLE".to_owned(),
            endpoint: Some("ABC.dsql.eu-west-1.on.aws".to_owned()),
            encryption: None,
            peers: Vec::new(),
            tags: vec![
                ("Owner".to_owned(), "x".to_owned()),
                ("Name".to_owned(), "Main".to_owned()),
            ],
        }
    }

    fn database(cluster: &DsqlCluster) -> Option<FoundDatabase> {
        databases_of_cluster(cluster, &Region::from_trusted_name("eu-west-1"))?.pop()
    }

    #[test]
    fn a_cluster_is_a_row() {
        let found = database(&cluster()).unwrap();
        assert_eq!(found.label.as_deref(), Some("Main"));
        assert_eq!(found.host.as_deref(), Some("abc.dsql.eu-west-1.on.aws"));
        assert_eq!(
            (found.status.as_str(), found.is_ready),
            ("IDLE", Some(true))
        );
        assert_eq!(found.resource_id.as_deref(), Some("abc"));
    }

    #[test]
    fn a_cluster_without_its_key_is_not_ready() {
        let found = database(&DsqlCluster {
            encryption: Some("KMS_KEY_INACCESSIBLE".to_owned()),
            ..cluster()
        });
        assert_eq!(found.unwrap().is_ready, Some(false));
    }

    #[test]
    fn what_cannot_be_is_left_out() {
        let found = database(&DsqlCluster {
            endpoint: Some("a b; rm".to_owned()),
            ..cluster()
        });
        assert_eq!(found.unwrap().host, None);
        let found = database(&DsqlCluster {
            identifier: "a\u{7}".to_owned(),
            ..cluster()
        });
        assert_eq!(found, None);
    }
}
