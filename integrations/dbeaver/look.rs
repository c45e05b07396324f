//! Reads what stands in the connections of every workspace of DBeaver, also in those that the user
//! has made.
//!
//! Reads the files of connections beside pgcred's own ones, and changes nothing. `entry` and
//! `password` are pure: from a connection in JSON to what `pgcred doctor` judges. Whether a
//! password is kept is told, and the password itself is never part of an entry.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::PREFIX;
use crate::setup::{StoredPassword, ToolEntry};
use crate::sys::fs;

/// Returns the connections to PostgreSQL in the directories of pgcred's files.
pub(super) fn entries_of_files(own_files: &[PathBuf]) -> Vec<ToolEntry> {
    let mut entries = Vec::new();
    for own_file in own_files {
        let directory = own_file.parent().unwrap_or(own_file);
        let mut files = fs::list(directory);
        files.sort();
        for path in files {
            if is_of_connections(&path) {
                entries.extend(entries_of(&path));
            }
        }
    }
    entries
}

fn is_of_connections(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("data-sources") && name.ends_with(".json")
}

fn entries_of(path: &Path) -> Vec<ToolEntry> {
    let text = fs::read(path).unwrap_or_default();
    let document: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(connections) = document["connections"].as_object() else {
        return Vec::new();
    };
    // DBeaver keeps the passwords of data-sources-x.json in credentials-config-x.json, sealed.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let password_file = path.with_file_name(name.replace("data-sources", "credentials-config"));
    let has_password_file = fs::stamp(&password_file).is_some();
    let mut entries = Vec::new();
    for (id, value) in connections {
        if value["provider"] == "postgresql" {
            entries.push(entry(id, value, has_password_file));
        }
    }
    entries
}

fn entry(id: &str, value: &Value, has_password_file: bool) -> ToolEntry {
    let configuration = &value["configuration"];
    let mut commands = Vec::new();
    let auth = &configuration["auth-properties"];
    commands.extend(auth["passwordCommand"].as_str().map(str::to_owned));
    if let Some(events) = configuration["events"].as_object() {
        for event in events.values() {
            if event["enabled"] == true {
                commands.extend(event["command"].as_str().map(str::to_owned));
            }
        }
    }
    ToolEntry {
        name: value["name"].as_str().unwrap_or(id).to_owned(),
        connection: id.strip_prefix(PREFIX).map(str::to_owned),
        host: configuration["host"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        commands,
        password: if is_of_gateway(id, configuration) {
            StoredPassword::None
        } else {
            password(value, has_password_file)
        },
    }
}

/// Tells whether an entry of pgcred's connects through the local gateway, whose password does not
/// end and may be kept.
fn is_of_gateway(id: &str, configuration: &Value) -> bool {
    id.starts_with(PREFIX)
        && configuration["host"] == "127.0.0.1"
        && configuration["properties"]["sslmode"] == "disable"
}

/// Tells whether a password is kept. The other ways to log in take it from elsewhere.
fn password(value: &Value, has_password_file: bool) -> StoredPassword {
    let configuration = &value["configuration"];
    match configuration["auth-model"].as_str() {
        None | Some("native") => {}
        Some(_) => return StoredPassword::None,
    }
    match configuration["password"].as_str() {
        Some("") => StoredPassword::Empty,
        Some(_) => StoredPassword::Kept,
        None if has_password_file && value["save-password"] == true => StoredPassword::Kept,
        None => StoredPassword::None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_connection_says_is_found() {
        let with = |configuration: Value| {
            let name = "n";
            json!({ "name": name, "save-password": true, "configuration": configuration })
        };
        for (value, has_sealed, expected) in [
            (with(json!({})), false, StoredPassword::None),
            (with(json!({})), true, StoredPassword::Kept),
            (with(json!({ "password": "" })), true, StoredPassword::Empty),
            (
                with(json!({ "password": "x" })),
                false,
                StoredPassword::Kept,
            ),
            (
                with(json!({ "auth-model": "shell_command" })),
                true,
                StoredPassword::None,
            ),
            (json!({ "configuration": {} }), true, StoredPassword::None),
        ] {
            assert_eq!(
                entry("id", &value, has_sealed).password,
                expected,
                "{value}"
            );
        }
        let value = with(json!({
            "host": "h",
            "auth-properties": { "passwordCommand": "a b" },
            "events": {
                "BEFORE_CONNECT": { "enabled": true, "command": "c" },
                "AFTER_CONNECT": { "enabled": false, "command": "d" },
            },
        }));
        let found = entry("pgcred-prod", &value, false);
        assert_eq!(found.commands, ["a b", "c"]);
        assert_eq!(found.connection.as_deref(), Some("prod"));
        assert_eq!((found.name.as_str(), found.host.as_str()), ("n", "h"));
        assert_eq!(entry("other", &value, false).connection, None);
    }
}
