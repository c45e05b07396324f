//! The vectors: tokens of official implementations, compared byte for byte with those of the real
//! binary on a stopped clock.

use std::path::Path;

use serde_json::Value;

use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::rust_files;

/// The vectors of each provider of AWS.
const FILES: [(&str, &str); 2] = [
    ("dsql", include_str!("../../vectors/dsql.json")),
    ("rds", include_str!("../../vectors/rds.json")),
];

#[test]
fn every_provider_of_aws_has_vectors() {
    let mut providers = Vec::new();
    for (path, text) in rust_files("src/provider") {
        if text.contains("&aws::AUTHORITY)") {
            let is_directory = path.ends_with("mod.rs");
            let named = if is_directory {
                path.parent()
            } else {
                Some(&*path)
            };
            let name = named.and_then(Path::file_stem).expect("a file's name");
            providers.push(name.to_string_lossy().into_owned());
        }
    }
    providers.sort();
    let mut names = FILES.map(|(name, _)| name);
    names.sort_unstable();
    assert_eq!(providers, names);
}

/// Returns the entries of a kind. Each gets the provider of its file as an input.
fn entries(kind: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for (provider, text) in FILES {
        let mut file: Vec<Value> = serde_json::from_str(text).expect("JSON");
        file.retain(|entry| entry["kind"] == kind);
        for entry in &mut file {
            entry["inputs"]["provider"] = provider.into();
        }
        all.extend(file);
    }
    assert!(!all.is_empty(), "no entries of kind {kind}");
    all
}

/// Runs `pgcred token` with the inputs of an entry.
fn token(inputs: &Value, extra: &[&str]) -> Run {
    let text = |field: &str| inputs[field].as_str().map(str::to_owned);
    let mut sandbox = Sandbox::empty();
    sandbox.at(&text("time").expect("a time"));
    sandbox.set("AWS_ACCESS_KEY_ID", &text("access_key_id").expect("a key"));
    sandbox.set(
        "AWS_SECRET_ACCESS_KEY",
        &text("secret_access_key").expect("a secret"),
    );
    if let Some(token) = text("session_token") {
        sandbox.set("AWS_SESSION_TOKEN", &token);
    }
    // Aurora DSQL's tokens name no user: its action says whether it is `admin`.
    let user = text("user").unwrap_or_else(|| match text("action").as_deref() {
        Some("DbConnectAdmin") => "admin".to_owned(),
        _ => "app".to_owned(),
    });
    let (provider, host, region) = (
        text("provider").expect("a provider"),
        text("host").expect("a host"),
        text("region").expect("a region"),
    );
    let mut arguments = vec![
        "token",
        "--host",
        &host,
        "--region",
        &region,
        "--provider",
        &provider,
        "--user",
        &user,
    ];
    let (port, life) = (inputs["port"].to_string(), inputs["expires_in"].to_string());
    if inputs["port"].is_number() {
        arguments.extend(["--port", &port]);
    }
    if inputs["expires_in"].is_number() {
        arguments.extend(["--expires-in", &life]);
    }
    arguments.extend(extra);
    sandbox.run(&arguments)
}

#[test]
fn tokens_are_byte_identical_to_the_aws_cli() {
    for entry in entries("token") {
        let run = token(&entry["inputs"], &["--no-newline"]);
        assert_eq!(
            Some(run.stdout.as_str()),
            entry["expected"]["token"].as_str(),
            "{}: {}",
            entry["id"],
            run.stderr
        );
    }
}

#[test]
fn upstream_tests_agree_in_the_clis_order() {
    for entry in entries("upstream-test") {
        let run = token(&entry["inputs"], &[]);
        let expected = &entry["expected"];
        let expected = expected["token_in_cli_order"]
            .as_str()
            .or(expected["token"].as_str())
            .expect("a token");
        assert_eq!(
            run.stdout,
            format!("{expected}\n"),
            "{}: {}",
            entry["id"],
            run.stderr
        );
    }
}

/// For each edge, `helper_should` says whether pgcred refuses the input, or which input gives the
/// same token.
#[test]
fn unusual_hosts_are_normalised_or_refused() {
    for entry in entries("edge") {
        let (id, inputs) = (entry["id"].as_str().expect("an id"), &entry["inputs"]);
        let run = token(inputs, &["--no-newline"]);
        let same_as = |field: &str, value: &str| {
            let mut plain = inputs.clone();
            plain[field] = value.into();
            let plain = token(&plain, &["--no-newline"]);
            assert!(
                plain.code == 0 && plain.stdout == run.stdout,
                "{id}: {} {}",
                run.stdout,
                run.stderr
            );
        };
        let host = inputs["host"].as_str().expect("a host");
        match id {
            "exp-bad-0" | "exp-bad-604801" => run.assert_fails(2, "is 1 to 604800 s"),
            "exp-bad-9223372036854775808" => run.assert_fails(2, "not a duration"),
            "host-empty" => run.assert_fails(2, "the host is empty"),
            "host-http-scheme" | "host-https-scheme" => run.assert_fails(2, "without a scheme"),
            "host-idn" => run.assert_fails(2, "is not allowed in a host name"),
            "host-with-path" | "host-with-query" => {
                run.assert_fails(2, "without path, query or user");
            }
            "region-empty" => run.assert_fails(2, "is not the name of a region"),
            "rds-user-empty" => run.assert_fails(2, "the user is empty"),
            "host-newline" | "host-space-trail" => same_as("host", host.trim()),
            "host-port-443" => same_as("host", host.trim_end_matches(":443")),
            "host-upper" | "rds-host-upper" => same_as("host", &host.to_lowercase()),
            "rds-host-trailing-dot" => same_as("host", host.trim_end_matches('.')),
            "region-uppercase" => same_as("region", "us-east-1"),
            "token-empty" => {
                let mut plain = inputs.clone();
                plain["session_token"] = Value::Null;
                assert_eq!(token(&plain, &["--no-newline"]).stdout, run.stdout, "{id}");
                assert!(
                    !run.stdout.is_empty() && !run.stdout.contains("Security-Token"),
                    "{id}"
                );
            }
            // Asked for with provider and region, these are signed as the AWS CLI signs them.
            "host-ipv4" | "rds-user-jsquirk" | "rds-user-plus" | "rds-user-reserved" => {
                assert_eq!(
                    Some(run.stdout.as_str()),
                    entry["expected"]["token"].as_str(),
                    "{id}: {}",
                    run.stderr
                );
            }
            _ => panic!("{id}: decide what this edge should do"),
        }
    }
}

#[test]
fn expiry_is_read_as_the_aws_cli_reads_it() {
    for entry in entries("cli-argument") {
        let mut inputs = entry["inputs"].clone();
        inputs["action"] = "DbConnectAdmin".into();
        let value = inputs["expires_in_argument"]
            .as_str()
            .expect("an argument")
            .to_owned();
        let run = token(&inputs, &["--expires-in", &value]);
        match entry["expected"]["x_amz_expires"].as_u64() {
            Some(life) => assert!(
                run.stdout.contains(&format!("X-Amz-Expires={life}&")),
                "{value:?}: {}",
                run.stderr
            ),
            None => run.assert_fails(2, "not a duration"),
        }
    }
}

/// The region comes from the host if AWS's connectors also find one there. Hosts in upper case are
/// the one intended difference.
#[test]
fn the_region_is_found_in_the_host() {
    for entry in entries("region-from-host") {
        let host = entry["inputs"]["host"].as_str().expect("a host");
        let expected = match entry["expected"]["rust_connector"].as_str() {
            None if host.starts_with("FOO") => Some("us-east-1"),
            expected => expected,
        };
        let run = Sandbox::with_keys().run(&["token", "--host", host]);
        match expected {
            Some(region) => assert!(
                run.stdout.contains(&format!("%2F{region}%2Fdsql%2F")),
                "{host}: {}",
                run.stderr
            ),
            None if host.is_empty() => run.assert_fails(2, "the host is empty"),
            None => run.assert_fails(
                4,
                "is not a configured connection, a cluster ID, or a host name of",
            ),
        }
    }
}

/// Other SDKs shorten the tokens of the entries of the kind "shape" to the lifetime of their
/// credentials; pgcred does so too.
#[test]
fn short_credentials_give_a_short_token() {
    let shapes = entries("shape");
    let go = shapes
        .iter()
        .find(|entry| entry["id"] == "shape-go")
        .expect("the Go shape");
    assert!(
        go["expected"]["shape"]
            .as_str()
            .expect("a shape")
            .contains("X-Amz-Expires=100")
    );
    let mut sandbox = Sandbox::empty();
    sandbox.at("2030-01-01T00:00:00Z");
    let process = sandbox.write(
        "creds.json",
        r#"{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":"2030-01-01T00:01:40Z"}"#,
    );
    let show = if cfg!(windows) { "cmd /c type" } else { "cat" };
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = {show} {}\n",
            process.display()
        ),
    );
    let host = go["inputs"]["host"].as_str().expect("a host");
    let json = sandbox.ok(&[
        "token",
        host,
        "--expires-in",
        "450",
        "--profile",
        "p",
        "--format",
        "json",
    ]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(
        json["password"]
            .as_str()
            .expect("a password")
            .contains("X-Amz-Expires=100&")
    );
    assert_eq!(json["expiration"], "2030-01-01T00:01:40Z");
    assert_eq!(json["refresh_after"], "2030-01-01T00:01:06Z");
}
