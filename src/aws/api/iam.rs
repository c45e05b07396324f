//! Asks IAM for the whole name of a role, and whether policies allow an action.
//!
//! The answer to the second comes from AWS's own simulation of policies. Requests and the functions
//! `read_...` are pure; the two async functions wait for one answer each. Both need a permission of
//! the caller's. `inspector.rs` calls it.

use roxmltree::Node;

use super::client::ApiClient;
use super::request::ApiRequest;
use super::xml::{self, flag_at, text_at};
use crate::authority::{DeniedBy, InspectionResult, PolicyDenial, ServerLoginPermission};
use crate::aws::service::endpoints::IAM;

const VERSION: &str = "2010-05-08";

pub(super) fn get_role_request(name: &str) -> ApiRequest {
    ApiRequest::query(IAM, VERSION, "GetRole", &[("RoleName", name)])
}

pub(super) fn simulate_principal_policy_request(
    principal: &str,
    action: &str,
    resource: &str,
) -> ApiRequest {
    let parameters = [
        ("PolicySourceArn", principal),
        ("ActionNames.member.1", action),
        ("ResourceArns.member.1", resource),
    ];
    ApiRequest::query(IAM, VERSION, "SimulatePrincipalPolicy", &parameters)
}

/// Returns the ARN of a role, with its path.
pub(super) async fn role_arn(
    client: &ApiClient<'_>,
    region: &str,
    name: &str,
) -> InspectionResult<String> {
    client
        .ask(&get_role_request(name), region, parse_role)
        .await
}

fn parse_role(body: &[u8]) -> Option<String> {
    xml::read_document(body, |root| {
        text_at(root, &["GetRoleResult", "Role", "Arn"])
    })?
}

/// Returns whether the policies of a user or role allow one action on one resource.
pub(super) async fn simulate_policies(
    client: &ApiClient<'_>,
    region: &str,
    principal: &str,
    action: &str,
    resource: &str,
) -> InspectionResult<ServerLoginPermission> {
    let request = simulate_principal_policy_request(principal, action, resource);
    client.ask(&request, region, parse_decision).await
}

fn parse_decision(body: &[u8]) -> Option<ServerLoginPermission> {
    let decision = xml::read_document(body, |root| {
        let path = [
            "SimulatePrincipalPolicyResult",
            "EvaluationResults",
            "member",
        ];
        let result = xml::element_at(root, &path)?;
        let by = match text_at(result, &["EvalDecision"])?.as_str() {
            "allowed" => return Some(ServerLoginPermission::Allowed),
            "explicitDeny" => DeniedBy::Statement,
            "implicitDeny" => DeniedBy::NoStatement,
            _ => return None,
        };
        Some(ServerLoginPermission::Denied(PolicyDenial {
            by: narrow_denial(result, by),
            policies: policy_names(result),
            open_conditions: open_conditions(result),
        }))
    });
    decision?
}

/// Returns what has denied the action, where it is more than the policies of the caller.
fn narrow_denial(result: Node, by: DeniedBy) -> DeniedBy {
    let says_no = |detail: &[&str]| flag_at(result, detail) == Some(false);
    if says_no(&["OrganizationsDecisionDetail", "AllowedByOrganizations"]) {
        return DeniedBy::Organization;
    }
    let boundary = [
        "PermissionsBoundaryDecisionDetail",
        "AllowedByPermissionsBoundary",
    ];
    if by == DeniedBy::NoStatement && says_no(&boundary) {
        return DeniedBy::Boundary;
    }
    by
}

fn policy_names(result: Node) -> Vec<String> {
    let mut names = Vec::new();
    for statement in xml::list_members(result, &["MatchedStatements"]) {
        if let Some(name) = text_at(statement, &["SourcePolicyId"])
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Returns the keys of conditions that have no value in the simulation.
fn open_conditions(result: Node) -> Vec<String> {
    let mut keys = Vec::new();
    let mut lists = vec![result];
    lists.extend(xml::list_members(result, &["ResourceSpecificResults"]));
    for list in lists {
        for key in xml::list_members(list, &["MissingContextValues"]) {
            if let Some(key) = text_at(key, &[])
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(inside: &str) -> Option<ServerLoginPermission> {
        let body = format!(
            "<SimulatePrincipalPolicyResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'>\
             <SimulatePrincipalPolicyResult><EvaluationResults><member>{inside}</member>\
             </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        );
        parse_decision(body.as_bytes())
    }

    #[test]
    fn decisions_are_read() {
        let allowed = decision("<EvalDecision>allowed</EvalDecision>");
        assert_eq!(allowed, Some(ServerLoginPermission::Allowed));
        assert_eq!(decision("<EvalDecision>perhaps</EvalDecision>"), None);
        assert_eq!(decision(""), None);
        let matched = "<MatchedStatements><member><SourcePolicyId>P</SourcePolicyId></member>\
                       <member><SourcePolicyId>P</SourcePolicyId></member></MatchedStatements>";
        let organization = "<OrganizationsDecisionDetail><AllowedByOrganizations>false\
                            </AllowedByOrganizations></OrganizationsDecisionDetail>";
        let boundary = "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false\
                        </AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>";
        for (word, details, by) in [
            ("implicitDeny", String::new(), DeniedBy::NoStatement),
            ("implicitDeny", boundary.to_owned(), DeniedBy::Boundary),
            (
                "explicitDeny",
                format!("{matched}{boundary}"),
                DeniedBy::Statement,
            ),
            (
                "implicitDeny",
                organization.to_owned(),
                DeniedBy::Organization,
            ),
            ("explicitDeny", matched.to_owned(), DeniedBy::Statement),
        ] {
            let inside = format!("<EvalDecision>{word}</EvalDecision>{details}");
            let Some(ServerLoginPermission::Denied(denial)) = decision(&inside) else {
                panic!("{inside}");
            };
            assert_eq!(denial.by, by, "{inside}");
            assert!(denial.policies.len() <= 1, "{denial:?}");
        }
    }

    #[test]
    fn conditions_without_a_value_are_named() {
        let key = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>";
        let inside = format!(
            "<EvalDecision>implicitDeny</EvalDecision>{key}<ResourceSpecificResults><member>{key}\
             </member></ResourceSpecificResults>"
        );
        let Some(ServerLoginPermission::Denied(denial)) = decision(&inside) else {
            panic!("{inside}");
        };
        assert_eq!(denial.open_conditions, ["aws:SourceIp"]);
    }
}
