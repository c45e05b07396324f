//! Makes the policies for what pgcred itself asks AWS: to list databases, and to find out why a
//! login fails. No login needs them.

use super::PolicySubject;
use super::document::PolicyStatement;
use crate::authority::AccessPolicy;
use crate::aws::known_service::KnownService;

/// What describes the servers of RDS. These actions know no narrower resource that would serve:
/// each answer is a list.
const RDS_DESCRIBE_ACTIONS: [&str; 4] = [
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "rds:DescribeDBProxies",
    "rds:DescribeDBProxyEndpoints",
];

/// Returns what `pgcred discover` asks.
pub(super) fn statements_of_discover(
    subject: &PolicySubject<'_>,
    access: &mut AccessPolicy,
) -> Vec<PolicyStatement> {
    let mut lists = Vec::new();
    for service in KnownService::ALL {
        lists.extend(list_actions(*service));
    }
    vec![
        PolicyStatement::new(&lists, every_resource()),
        every_cluster(subject, access),
    ]
}

/// Returns the actions that list the servers of a service.
fn list_actions(service: KnownService) -> &'static [&'static str] {
    match service {
        KnownService::Dsql => &["dsql:ListClusters"],
        KnownService::Rds => &RDS_DESCRIBE_ACTIONS,
    }
}

/// Returns what `pgcred doctor --aws` asks.
pub(super) fn statements_of_doctor(
    subject: &PolicySubject<'_>,
    access: &mut AccessPolicy,
) -> Vec<PolicyStatement> {
    let account = subject.account(access);
    let iam_arn = |kind: &str| format!("arn:{}:iam::{account}:{kind}/*", subject.partition);
    access.notes.push(
        "The actions of IAM are optional: without them doctor cannot say whether your policies \
         allow the login."
            .to_owned(),
    );
    vec![
        PolicyStatement::new(&RDS_DESCRIBE_ACTIONS, every_resource()),
        every_cluster(subject, access),
        PolicyStatement::new(&["iam:GetRole"], vec![iam_arn("role")]),
        PolicyStatement::new(
            &["iam:SimulatePrincipalPolicy"],
            vec![iam_arn("role"), iam_arn("user")],
        ),
    ]
}

fn every_resource() -> Vec<String> {
    vec!["*".to_owned()]
}

fn every_cluster(subject: &PolicySubject<'_>, access: &mut AccessPolicy) -> PolicyStatement {
    let (partition, account) = (subject.partition, subject.account(access));
    let clusters = format!("arn:{partition}:dsql:*:{account}:cluster/*");
    PolicyStatement::new(&["dsql:GetCluster"], vec![clusters])
}
