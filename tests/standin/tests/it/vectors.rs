//! Tokens that AWS's own tools made: accepted at the second they were made for, or refused for the
//! reason named here.

use serde_json::Value;
use standin::{Expect, Kind, unix_seconds, verify};

use crate::support::{key, parameter, vectors};

/// The verdict on one printed token of an entry, for a client that connects to `host`.
fn verdict(entry: &Value, token: &str, host: &str, kind: Kind) -> String {
    let inputs = &entry["inputs"];
    let text = |name: &str| inputs[name].as_str().unwrap_or_default();
    let session_token = Some(text("session_token")).filter(|token| !token.is_empty());
    let keys = [key(
        text("access_key_id"),
        text("secret_access_key"),
        session_token,
    )];
    let user = match (text("service"), text("action")) {
        ("rds-db", _) => text("user"),
        (_, "DbConnectAdmin") => "admin",
        _ => "somebody",
    };
    let port = inputs["port"]
        .as_u64()
        .and_then(|port| port.try_into().ok())
        .unwrap_or(5432);
    let now = unix_seconds(&parameter(token, "X-Amz-Date")).unwrap();
    let expect = Expect {
        kind,
        host,
        port,
        user,
        cluster_id: None,
        keys: &keys,
        now,
    };
    verify(token, &expect).map_or_else(|refusal| refusal.reason().into(), |()| "accepted".into())
}

fn printed_tokens(entry: &Value) -> Vec<&str> {
    let expected = &entry["expected"];
    let own = ["token", "token_in_cli_order"]
        .into_iter()
        .filter_map(|name| expected[name].as_str());
    let others = entry["order_variants"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.values());
    own.chain(others.filter_map(Value::as_str)).collect()
}

fn entries(file: &str, kinds: &[&str]) -> Vec<Value> {
    vectors(file)
        .into_iter()
        .filter(|entry| kinds.contains(&entry["kind"].as_str().unwrap()))
        .collect()
}

#[test]
fn every_published_token_is_accepted() {
    let mut tokens = 0;
    for (file, entries_in_file) in [("dsql.json", 33), ("rds.json", 12)] {
        let entries = entries(file, &["token", "upstream-test"]);
        assert_eq!(entries.len(), entries_in_file, "{file}");
        for entry in entries {
            let (id, host) = (
                entry["id"].as_str().unwrap(),
                entry["inputs"]["host"].as_str().unwrap(),
            );
            // The AWS CLI's own test signs an RDS token for a host that is no RDS host.
            let wanted = if id == "up-cli-rds" {
                "unknown-parameter"
            } else {
                "accepted"
            };
            for token in printed_tokens(&entry) {
                assert_eq!(
                    verdict(&entry, token, host, Kind::of_host(host)),
                    wanted,
                    "{id}: {token}"
                );
                tokens += 1;
            }
            if id == "up-cli-rds" {
                for token in printed_tokens(&entry) {
                    assert_eq!(
                        verdict(&entry, token, host, Kind::Rds),
                        "accepted",
                        "{id}: {token}"
                    );
                }
            }
        }
    }
    // 45 entries, 8 of them printed in two orders, and the variants of five.
    assert_eq!(tokens, 45 + 8 + 14);
}

/// What AWS CLI v2 prints for odd inputs (it drops a newline), against a client that dials the
/// plain host name.
#[test]
fn every_odd_token_has_its_verdict() {
    let wanted = [
        ("exp-bad-0", "wrong-expires"),
        ("exp-bad-604801", "wrong-expires"),
        ("exp-bad-9223372036854775808", "wrong-expires"),
        ("host-http-scheme", "wrong-host"),
        ("host-https-scheme", "wrong-host"),
        ("host-idn", "wrong-host"),
        ("host-ipv4", "wrong-host"),
        ("host-newline", "accepted"),
        ("host-port-443", "wrong-host"),
        ("host-space-trail", "wrong-host"),
        ("host-upper", "wrong-host"),
        ("host-with-path", "wrong-host"),
        ("host-with-query", "unknown-parameter"),
        ("region-uppercase", "wrong-region"),
        ("token-empty", "accepted"),
        ("rds-host-trailing-dot", "wrong-host"),
        ("rds-host-upper", "wrong-host"),
        ("rds-user-empty", "accepted"),
        ("rds-user-jsquirk", "accepted"),
        ("rds-user-plus", "accepted"),
        ("rds-user-reserved", "accepted"),
    ];
    let mut seen = Vec::new();
    for (file, host) in [
        (
            "dsql.json",
            "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws",
        ),
        ("rds.json", "rdspg.123456789012.us-west-2.rds.amazonaws.com"),
    ] {
        for entry in entries(file, &["edge"]) {
            let id = entry["id"].as_str().unwrap();
            let Some(token) = entry["expected"]["token"].as_str() else {
                assert!(entry["expected"]["error"].is_string(), "{id}");
                continue;
            };
            seen.push((
                id.to_owned(),
                verdict(&entry, token, host, Kind::of_host(host)),
            ));
        }
    }
    assert_eq!(
        seen.iter()
            .map(|(id, got)| (id.as_str(), got.as_str()))
            .collect::<Vec<_>>(),
        wanted
    );
}
