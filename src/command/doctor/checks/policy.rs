//! Checks what the policies of the caller say of the login, as the authority's own simulation
//! answers it.
//!
//! It is pure: it makes a finding of the answer that `inquiry` has got. The cause depends on who
//! denies: a statement of a policy, a boundary, or nobody who allows. `server.rs` beside this file
//! calls it.

use crate::authority::{DeniedBy, PolicyDenial, ServerLoginObstacle, ServerLoginPermission};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::redact::RedactedKind;
use crate::request::Request;
use crate::text;

/// Returns how the simulation judges the login. `resource` is what a policy has to name.
pub(super) fn judge_permission(
    permission: &ServerLoginPermission,
    request: &Request,
    resource: Option<&str>,
) -> Finding {
    let scope = request.scope();
    let action = match (scope.service, scope.action) {
        ("", "") => "the login".to_owned(),
        (service, action) => format!("{service}:{action}"),
    };
    let denial = match permission {
        ServerLoginPermission::Allowed => return Finding::ok(format!("they allow {action}")),
        ServerLoginPermission::Denied(denial) => denial,
    };
    let finding = judge_denial(denial, &action, request);
    let finding = match resource {
        Some(resource) if denial.by == DeniedBy::NoStatement => finding.with_advice(format!(
            "let an administrator allow {action} on {}",
            text::safe_excerpt(resource)
        )),
        _ => finding,
    };
    denial.policies.iter().fold(finding, |finding, policy| {
        finding.naming(RedactedKind::Name, policy)
    })
}

fn judge_denial(denial: &PolicyDenial, action: &str, request: &Request) -> Finding {
    let with_policies = |refusal: &str| match &denial.policies[..] {
        [] => refusal.to_owned(),
        policies => text::safe_excerpt(&format!("{refusal} ({})", policies.join(", "))),
    };
    let cause = |obstacle| request.provider.cause_of_obstacle(obstacle);
    match denial.by {
        DeniedBy::Statement => Finding::fail(
            cause(ServerLoginObstacle::Denied),
            with_policies(&format!("a policy denies {action}")),
        ),
        DeniedBy::Organization => Finding::fail(
            cause(ServerLoginObstacle::Denied),
            with_policies(&format!(
                "the organisation of the account does not allow {action}"
            )),
        ),
        DeniedBy::Boundary => Finding::fail(
            cause(ServerLoginObstacle::Boundary),
            with_policies(&format!("the permissions boundary does not allow {action}")),
        ),
        DeniedBy::NoStatement if denial.open_conditions.is_empty() => Finding::fail(
            cause(ServerLoginObstacle::NoPolicy),
            format!("no policy allows {action}"),
        ),
        DeniedBy::NoStatement => Finding::warn(
            cause(ServerLoginObstacle::OpenCondition),
            text::safe_excerpt(&format!(
                "whether they allow {action} depends on {}",
                denial.open_conditions.join(", ")
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;
    use crate::command::doctor::tests::request;
    use crate::provider;

    fn denied(by: DeniedBy, conditions: &[&str]) -> ServerLoginPermission {
        ServerLoginPermission::Denied(PolicyDenial {
            by,
            policies: vec!["TeamPolicy".to_owned()],
            open_conditions: conditions.iter().map(|&key| key.to_owned()).collect(),
        })
    }

    #[test]
    fn a_denial_names_who_denies() {
        use DeniedBy::{Boundary, NoStatement, Organization, Statement};
        for (by, conditions, of_dsql, of_rds) in [
            (NoStatement, &[][..], "iam.dsql", "iam.rds.resource"),
            (Statement, &[], "iam.deny", "iam.deny"),
            (Organization, &[], "iam.deny", "iam.deny"),
            (Boundary, &[], "iam.boundary", "iam.boundary"),
            (NoStatement, &["aws:SourceVpc"], "iam.dsql", "rds.condition"),
        ] {
            for (provider, cause) in [
                ("dsql", Some(of_dsql)),
                ("rds", Some(of_rds)),
                ("fake", None),
            ] {
                let request = request(provider::from_name(provider).unwrap(), "h");
                let finding = judge_permission(&denied(by, conditions), &request, Some("arn:x"));
                assert_eq!(finding.cause, cause);
                let is_open = finding.status == FindingStatus::Warn;
                assert_eq!(is_open, !conditions.is_empty(), "{by:?}");
                assert_eq!(finding.advice.is_some(), by == NoStatement, "{by:?}");
                assert_eq!(finding.private_names.len(), 1);
            }
        }
        let request = request(provider::from_name("dsql").unwrap(), "h");
        let finding = judge_permission(&ServerLoginPermission::Allowed, &request, None);
        assert_eq!(finding.detail, "they allow dsql:DbConnect");
        assert_eq!(finding.status, FindingStatus::Ok);
    }
}
