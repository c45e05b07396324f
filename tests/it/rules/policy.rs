//! Dependencies have the licences and sources that deny.toml allows, and none of the versions that
//! it bans. `cargo deny` checks more, but needs a network.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::needs::{Need, skip_unless};
use crate::support::sources::root;

/// Reads what cargo knows of every dependency in Cargo.lock.
#[test]
fn dependencies_keep_to_the_policy() {
    let policy = fs::read_to_string(root().join("deny.toml")).expect("a policy");
    let policy: toml::Table = policy.parse().expect("TOML");
    let allowed: Vec<&str> = policy["licenses"]["allow"]
        .as_array()
        .expect("licences")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--all-features",
        ])
        .current_dir(root());
    let output = cargo.output().expect("cargo");
    // Without `cargo fetch`, cargo has downloaded only the crates of this platform.
    let has_all = output.status.success();
    skip_unless!(Need::Looked("cargo fetch --locked", has_all));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100);
    for package in packages {
        let (name, version) = (
            package["name"].as_str().expect("a name"),
            package["version"].as_str().expect("a version"),
        );
        let source = package["source"].as_str();
        assert!(
            source.is_none_or(|source| source.starts_with("registry+")),
            "{name} comes from {source:?}"
        );
        let license = package["license"].as_str().unwrap_or("none");
        assert!(
            is_allowed(license, &allowed),
            "{name}: {license} is not on the list"
        );
        for ban in policy["bans"]["deny"].as_array().expect("bans") {
            let ban_text = ban["crate"].as_str().expect("a crate");
            let (banned, below) = ban_text.split_once("@<").unwrap_or((ban_text, ""));
            let older = below.is_empty() || numbers(version) < numbers(below);
            assert!(
                banned != name || !older,
                "{name} {version}: {}",
                ban["reason"]
            );
        }
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

/// Tells whether each part of an AND has a licence of the list among the parts of its OR. Older
/// crates write `/` for OR.
fn is_allowed(license: &str, allowed: &[&str]) -> bool {
    let plain = license.replace('/', " OR ").replace(['(', ')'], "");
    plain.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|name| allowed.contains(&name.trim()))
    })
}

#[test]
fn licence_expressions() {
    let allowed = ["MIT", "ISC"];
    for (text, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("X OR MIT", true),
        ("X/ISC", true),
        ("(X OR MIT) AND ISC", true),
        ("MIT AND X", false),
    ] {
        assert_eq!(is_allowed(text, &allowed), expected, "{text}");
    }
}
