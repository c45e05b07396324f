//! Checks for `--aws` who signs, what the authority knows of the server, and whether policies allow
//! the login. Each question may need a permission; without it the check says which.

use super::no_answer;
use super::policy;
use crate::authority::{
    CallerIdentity, InspectionResult, NoAnswerReason, ServerLoginObstacle, ServerState,
};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::inquiry::TargetInquiry;
use crate::command::doctor::pending_answer::PendingAnswer;
use crate::command::doctor::redact::RedactedKind;
use crate::request::Request;
use crate::text;

pub(super) const CHECKS: &[Check] = &[
    Check {
        needs: &["target.known", "credentials.source", "credentials.login"],
        ..server_check(
            "aws.identity",
            "who you are for the authority",
            examine_identity,
        )
    },
    server_check(
        "server.state",
        "whether the server is up, and in your account",
        examine_state,
    ),
    server_check(
        "server.iam",
        "whether the server takes tokens",
        examine_takes_tokens,
    ),
    server_check(
        "server.proxy",
        "whether a proxy takes tokens",
        examine_proxy,
    ),
    server_check(
        "server.port",
        "whether the token is signed for the server's port",
        examine_port,
    ),
    server_check(
        "iam.policy",
        "whether your policies allow the login",
        examine_policy,
    ),
];

const fn server_check(
    id: &'static str,
    about: &'static str,
    examine: fn(&mut ExaminedTarget<'_, '_>) -> Finding,
) -> Check {
    Check {
        id,
        about,
        level: CheckLevel::Aws,
        needs: &["aws.identity"],
        examine: Examine::Target(examine),
    }
}

/// Waits for the answer that `select` picks, and returns it, or the finding that there is none.
fn wait_for<T: Clone + Send + 'static>(
    examined: &mut ExaminedTarget<'_, '_>,
    select: fn(&mut TargetInquiry) -> &mut PendingAnswer<InspectionResult<T>>,
) -> Result<T, Finding> {
    let deadline = examined.examination.deadline;
    let authority = examined.request.provider.authority;
    let Some(inquiry) = &mut examined.inquiry else {
        return Err(Finding::skip("there is nobody to ask"));
    };
    match select(inquiry).get(deadline) {
        Some(Ok(answer)) => Ok(answer.clone()),
        Some(Err(answer)) => Err(no_answer::judge_no_answer(authority, answer)),
        None => Err(Finding::skip(format!(
            "{} did not answer in time",
            authority.title()
        ))),
    }
}

fn examine_identity(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    match wait_for(examined, |inquiry| &mut inquiry.caller) {
        Ok(caller) => naming_caller(judge_identity(&caller), &caller),
        Err(finding) => finding,
    }
}

fn judge_identity(caller: &CallerIdentity) -> Finding {
    let account = text::safe_excerpt(&caller.account);
    let name = text::safe_excerpt(&caller.name);
    Finding::ok(format!("account {account}: {name}"))
}

/// Says which names the texts about a caller contain: those of roles and sessions.
fn naming_caller(mut finding: Finding, caller: &CallerIdentity) -> Finding {
    for name in caller.name.split('/').skip(1) {
        finding = finding.naming(RedactedKind::Name, name);
    }
    finding
}

/// Looks at what the authority knows of the server. Whatever is wrong with the question is told
/// once, by `server.state`.
fn with_server(
    examined: &mut ExaminedTarget<'_, '_>,
    judge: fn(&ServerState, &Request) -> Finding,
) -> Finding {
    match wait_for(examined, |inquiry| &mut inquiry.server) {
        Ok(server) => naming_server(judge(&server, examined.request), &server),
        Err(_) => Finding::skip("needs server.state"),
    }
}

fn naming_server(finding: Finding, server: &ServerState) -> Finding {
    finding.naming(RedactedKind::Name, &server.identifier)
}

fn examine_state(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let server = match wait_for(examined, |inquiry| &mut inquiry.server) {
        Ok(server) => server,
        Err(finding) => {
            return naming_host(explain_by_account(examined, finding), examined.request);
        }
    };
    let finding = match other_account(examined, &server) {
        Some(finding) => finding,
        None => judge_state(&server, examined.request),
    };
    naming_server(finding, &server)
}

/// Returns the failure of a server that the account does not have.
fn explain_by_account(examined: &mut ExaminedTarget<'_, '_>, finding: Finding) -> Finding {
    if let Some(inquiry) = &mut examined.inquiry
        && let Some(Err(answer)) = inquiry.server.get(examined.examination.deadline)
        && answer.reason == NoAnswerReason::NotFound
    {
        let id = examined
            .request
            .provider
            .cause_of_obstacle(ServerLoginObstacle::OtherAccount);
        return Finding::from_error(id, &answer.error);
    }
    finding
}

/// Says that the texts of the authority may contain the first part of the host, which is the name
/// of the server.
fn naming_host(finding: Finding, request: &Request) -> Finding {
    match request.sign_host.split_once('.') {
        Some((name, _)) => finding.naming(RedactedKind::Cluster, name),
        None => finding,
    }
}

/// Returns the warning that a server that is up belongs to another account than the caller.
fn other_account(examined: &mut ExaminedTarget<'_, '_>, server: &ServerState) -> Option<Finding> {
    if server.is_ready != Some(true) {
        return None;
    }
    let caller = wait_for(examined, |inquiry| &mut inquiry.caller).ok()?;
    let account = account_of(server, &caller)?;
    let detail = format!(
        "the server is in account {account}, and you are in {}",
        caller.account
    );
    let id = examined
        .request
        .provider
        .cause_of_obstacle(ServerLoginObstacle::OtherAccount);
    Some(Finding::warn(id, text::safe_excerpt(&detail)))
}

/// Returns the account of a server, if it is not that of the caller.
fn account_of<'a>(server: &'a ServerState, caller: &CallerIdentity) -> Option<&'a str> {
    // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
    let account = server.resource.as_deref()?.split(':').nth(4)?;
    if account.is_empty() || account == caller.account {
        return None;
    }
    Some(account)
}

fn judge_state(server: &ServerState, request: &Request) -> Finding {
    let cause = |obstacle| request.provider.cause_of_obstacle(obstacle);
    let name = text::safe_excerpt(&server.identifier);
    let status = text::safe_excerpt(&server.status);
    let public = match server.is_public {
        Some(true) => ", with a public address",
        Some(false) => ", without a public address",
        None => "",
    };
    let detail = format!("{} {name}: {status}{public}", server.kind);
    if server.can_use_key == Some(false) {
        let detail = format!("{detail}, and its key cannot be used");
        return Finding::fail(cause(ServerLoginObstacle::KeyUnusable), detail);
    }
    match server.is_ready {
        Some(true) => Finding::ok(detail),
        Some(false) => Finding::fail(cause(ServerLoginObstacle::NotReady), detail),
        None => {
            let detail = format!("{detail}: it may take no connections");
            Finding::warn(cause(ServerLoginObstacle::NotReady), detail)
        }
    }
}

fn examine_takes_tokens(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_server(examined, judge_tokens)
}

fn judge_tokens(server: &ServerState, request: &Request) -> Finding {
    match server.takes_tokens {
        _ if server.is_proxy => Finding::skip("it is a proxy: see server.proxy"),
        Some(true) => Finding::ok(format!("the {} takes tokens", server.kind)),
        Some(false) => Finding::fail(
            request
                .provider
                .cause_of_obstacle(ServerLoginObstacle::NoTokens),
            format!("authentication by token is off for the {}", server.kind),
        ),
        None => Finding::skip("the answer does not say it"),
    }
}

fn examine_proxy(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_server(examined, judge_proxy)
}

fn judge_proxy(server: &ServerState, request: &Request) -> Finding {
    match server.takes_tokens {
        _ if !server.is_proxy => Finding::skip("the server is no proxy"),
        Some(true) => Finding::ok("the proxy takes tokens"),
        Some(false) => Finding::fail(
            request
                .provider
                .cause_of_obstacle(ServerLoginObstacle::NoTokensAtProxy),
            "authentication by token is off in every secret of the proxy",
        ),
        None => Finding::skip("the answer does not say it"),
    }
}

fn examine_port(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_server(examined, |server, request| {
        let signed_port = request.scope().port;
        judge_port(server.port, signed_port)
    })
}

fn judge_port(server_port: Option<u16>, signed_port: Option<u16>) -> Finding {
    let Some(signed_port) = signed_port else {
        return Finding::ok("tokens are good for every port");
    };
    match server_port {
        None => Finding::skip("the answer does not say the port"),
        Some(port) if port == signed_port => Finding::ok(format!("{port}")),
        Some(port) => Finding::fail(
            "token.endpoint",
            format!("the server has port {port}, and the token is signed for {signed_port}"),
        )
        .with_advice(format!(
            "name the server's port, {port}, in the target or with --sign-port"
        )),
    }
}

fn examine_policy(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let permission = match wait_for(examined, |inquiry| &mut inquiry.permission) {
        Ok(permission) => permission,
        Err(finding) => return naming_host(finding, examined.request),
    };
    let resource = match wait_for(examined, |inquiry| &mut inquiry.server) {
        Ok(server) => server.resource,
        Err(_) => None,
    };
    let finding = policy::judge_permission(&permission, examined.request, resource.as_deref());
    match wait_for(examined, |inquiry| &mut inquiry.caller) {
        Ok(caller) => naming_caller(finding, &caller),
        Err(_) => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;
    use crate::command::doctor::tests::request;
    use crate::provider;

    fn request_for(provider: &str) -> Request {
        request(provider::from_name(provider).unwrap(), "h")
    }

    fn server(status: &str, is_ready: Option<bool>) -> ServerState {
        ServerState {
            kind: "DB instance",
            identifier: "orders".to_owned(),
            status: status.to_owned(),
            is_ready,
            ..ServerState::default()
        }
    }

    #[test]
    fn a_state_is_told_in_the_words_of_aws() {
        let (rds, dsql) = (request_for("rds"), request_for("dsql"));
        let finding = judge_state(&server("available", Some(true)), &rds);
        assert_eq!(finding.detail, "DB instance orders: available");
        assert_eq!(finding.status, FindingStatus::Ok);
        assert_eq!(
            judge_state(&server("stopped", Some(false)), &rds).cause,
            Some("rds.state")
        );
        let unknown = judge_state(&server("upgrading", None), &rds);
        assert_eq!(
            (unknown.status, unknown.cause),
            (FindingStatus::Warn, Some("rds.state"))
        );
        for (can_use_key, cause) in [(true, "dsql.state"), (false, "dsql.kms")] {
            let cluster = ServerState {
                can_use_key: Some(can_use_key),
                ..server("CREATING", Some(false))
            };
            assert_eq!(judge_state(&cluster, &dsql).cause, Some(cause));
        }
        let hostile = judge_state(&server(&"x".repeat(9_999), Some(true)), &rds);
        assert!(hostile.detail.len() < 999, "{}", hostile.detail);
    }

    #[test]
    fn a_server_of_another_authority_has_no_cause_of_aws() {
        let fake = request_for("fake");
        let down = ServerState {
            takes_tokens: Some(false),
            ..server("down", Some(false))
        };
        let without_key = ServerState {
            can_use_key: Some(false),
            ..down.clone()
        };
        let proxy = ServerState {
            is_proxy: true,
            ..down.clone()
        };
        for finding in [
            judge_state(&down, &fake),
            judge_state(&without_key, &fake),
            judge_tokens(&down, &fake),
            judge_proxy(&proxy, &fake),
        ] {
            assert_eq!((finding.status, finding.cause), (FindingStatus::Fail, None));
        }
    }

    #[test]
    fn a_proxy_is_judged_by_its_own_check() {
        let rds = request_for("rds");
        for (is_proxy, takes_tokens, of_server, of_proxy) in [
            (false, Some(true), FindingStatus::Ok, FindingStatus::Skip),
            (false, Some(false), FindingStatus::Fail, FindingStatus::Skip),
            (false, None, FindingStatus::Skip, FindingStatus::Skip),
            (true, Some(true), FindingStatus::Skip, FindingStatus::Ok),
            (true, Some(false), FindingStatus::Skip, FindingStatus::Fail),
        ] {
            let server = ServerState {
                is_proxy,
                takes_tokens,
                ..server("available", Some(true))
            };
            assert_eq!(judge_tokens(&server, &rds).status, of_server);
            assert_eq!(judge_proxy(&server, &rds).status, of_proxy);
        }
    }

    #[test]
    fn a_port_counts_only_where_it_is_signed() {
        for (of_server, signed, status) in [
            (Some(5432), Some(5432), FindingStatus::Ok),
            (Some(5433), Some(5432), FindingStatus::Fail),
            (None, Some(5432), FindingStatus::Skip),
            (None, None, FindingStatus::Ok),
        ] {
            assert_eq!(judge_port(of_server, signed).status, status);
        }
    }

    #[test]
    fn the_account_of_the_server_is_in_its_name() {
        let caller = CallerIdentity {
            account: "111122223333".to_owned(),
            name: "arn:aws:iam::111122223333:user/team/jane".to_owned(),
        };
        for (resource, other) in [
            (Some("arn:aws:dsql:eu-west-1:111122223333:cluster/x"), None),
            (
                Some("arn:aws:dsql:eu-west-1:444455556666:cluster/x"),
                Some("444455556666"),
            ),
            (Some("x"), None),
            (None, None),
        ] {
            let server = ServerState {
                resource: resource.map(str::to_owned),
                ..server("", None)
            };
            assert_eq!(account_of(&server, &caller), other);
        }
        let finding = naming_caller(judge_identity(&caller), &caller);
        assert!(
            finding
                .detail
                .starts_with("account 111122223333: arn:aws:iam::")
        );
        let names: Vec<&str> = finding
            .private_names
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["team", "jane"]);
    }
}
