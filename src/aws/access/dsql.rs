//! Makes the ARNs of a cluster of Aurora DSQL: one, or one for each of its regions.
//!
//! With an account that the user names, nothing is asked. Else AWS is asked for the cluster, and
//! its answer is believed only if it is the ARN of a cluster with that ID; a cluster of several
//! regions has an ARN in each. What is not known is a word in capital letters, with the command
//! that finds it.

use super::PolicySubject;
use crate::authority::{
    AccessPolicy, InspectionResult, Inspector, NoAnswerReason, ServerState, TokenScope,
};
use crate::aws::api::cluster_id;
use crate::aws::region::may_be_region;
use crate::error::Error;
use crate::text::arn::{Arn, is_account};
use crate::text::backquoted;

const ID_LENGTH: usize = 26;

/// Returns what a policy has to name, so that a token of this scope is taken. With an account
/// nothing is asked.
pub(super) fn policy_resources(
    subject: &PolicySubject<'_>,
    scope: &TokenScope<'_>,
    access: &mut AccessPolicy,
) -> Vec<String> {
    let id = cluster_id(scope.host);
    if !is_cluster_id(id) {
        let command = format!(
            "aws dsql list-clusters --query 'clusters[].identifier' --output text{}",
            subject.options()
        );
        let id = access.add_placeholder("CLUSTER_ID", command);
        let account = subject.account(access);
        return vec![arn_of_cluster(subject, &account, &id, access)];
    }
    if let Some(account) = subject.account {
        access.notes.push(
            "A cluster of several regions has an ARN in each. Without --account pgcred asks AWS \
             for them."
                .to_owned(),
        );
        return vec![arn_of_cluster(subject, account, id, access)];
    }
    let state = subject.inspector.server(scope, subject.region.as_ref());
    match arns_of_state(subject, &state, id) {
        Ok(resources) => resources,
        Err(error) => {
            access.add_failure(error);
            let is_elsewhere =
                matches!(&state, Err(no_answer) if no_answer.reason == NoAnswerReason::NotFound);
            let account = if is_elsewhere {
                // The account of the credentials has no such cluster, so that it is another one.
                subject.no_account(access)
            } else {
                let account = subject.account(access);
                if is_account(&account) {
                    access.notes.push(
                        "The account is that of your credentials. If the cluster belongs to \
                         another, name that with --account."
                            .to_owned(),
                    );
                }
                account
            };
            vec![arn_of_cluster(subject, &account, id, access)]
        }
    }
}

/// Returns the ARNs that AWS has given, the cluster's own first; an error if there are none.
fn arns_of_state(
    subject: &PolicySubject<'_>,
    state: &InspectionResult<ServerState>,
    id: &str,
) -> Result<Vec<String>, Error> {
    let state = match state {
        Ok(state) => state,
        Err(no_answer) => return Err(no_answer.error.clone()),
    };
    let own_arn = state.resource.as_deref().unwrap_or_default();
    let unexpected_arn = |problem: &str, answer: &str| {
        let answer = backquoted(answer);
        Error::failure(format!(
            "Aurora DSQL answered GetCluster for the cluster {id} with {answer}, which {problem}"
        ))
        .hint(format!(
            "compare it with `aws dsql get-cluster --identifier {id}`"
        ))
    };
    let mut resources = Vec::new();
    for resource in [own_arn]
        .into_iter()
        .chain(state.peers.iter().map(String::as_str))
    {
        if !is_cluster(resource, subject.partition) {
            return Err(unexpected_arn("is not the ARN of a cluster", resource));
        }
        if !resources
            .iter()
            .any(|known_resource| known_resource == resource)
        {
            resources.push(resource.to_owned());
        }
    }
    if own_arn.rsplit('/').next() != Some(id) {
        return Err(unexpected_arn("is the ARN of another cluster", own_arn));
    }
    Ok(resources)
}

/// Tells whether a text is the ARN of a cluster.
fn is_cluster(text: &str, partition: &str) -> bool {
    let Some(arn) = Arn::parse(text) else {
        return false;
    };
    arn.partition == partition
        && arn.service == "dsql"
        && may_be_region(arn.region)
        && is_account(arn.account)
        && arn
            .resource
            .strip_prefix("cluster/")
            .is_some_and(is_cluster_id)
}

fn is_cluster_id(text: &str) -> bool {
    let is_of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() == ID_LENGTH && text.bytes().all(is_of_id)
}

fn arn_of_cluster(
    subject: &PolicySubject<'_>,
    account: &str,
    id: &str,
    access: &mut AccessPolicy,
) -> String {
    let (partition, region) = (subject.partition, subject.region(access));
    format!("arn:{partition}:dsql:{region}:{account}:cluster/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arns_of_clusters_are_believed() {
        let id = "foo0bar1baz2quux3quuux4abc";
        let good = format!("arn:aws:dsql:us-east-1:111122223333:cluster/{id}");
        assert!(is_cluster(&good, "aws"));
        for wrong in [
            "*".to_owned(),
            good.replace(id, "*"),
            good.replace("111122223333", "*"),
            good.replace("us-east-1", "*"),
            good.replace(":dsql:", ":s3:"),
            good.replace("arn:aws:", "arn:aws-cn:"),
            format!("{good}/x"),
            format!("{good}\n"),
        ] {
            assert!(!is_cluster(&wrong, "aws"), "{wrong}");
        }
    }
}
