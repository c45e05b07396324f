//! Sets up DBeaver CE: writes a file of pgcred's connections into DBeaver's project. From 26.1.4 on
//! DBeaver gets the password from a command; an older DBeaver reads the passfile, which a command
//! keeps fresh.
//!
//! DBeaver reads every file `data-sources*.json` of a project, so the user's own file is never
//! touched. Entries of pgcred have ids that begin with `pgcred-`. If the user changes such an
//! entry, for example its colour or its tunnel, the next `setup` keeps the change.
//!
//! `password` decides between the two, and `look` finds what stands in the connections of every
//! workspace.

mod look;
mod password;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::setup::{
    CommandLines, FileOwnership, Machine, Os, SetupEdit, SetupMethod, Tool, ToolEntry, ToolFiles,
    ToolKind, ToolTarget,
};
use crate::sys::env;
use crate::sys::fs;
use crate::text::quote::{self, percent};
use password::{can_print, takes_command};

pub(super) const TOOL: Tool = Tool {
    name: "dbeaver",
    title: "DBeaver",
    programs: PROGRAMS,
    traces: &[
        "DBeaver.app",
        "usr/share/dbeaver-ce",
        ".local/share/DBeaverData",
        "Library/DBeaverData",
        "DBeaverData",
    ],
    kind: ToolKind::Command,
    method: SetupMethod::Files(&DataSources),
    ..Tool::DEFAULT
};

const PROGRAMS: &[&str] = &["dbeaver", "dbeaver-ce"];
const PREFIX: &str = "pgcred-";
/// The events at which pgcred runs where DBeaver takes no password from a command.
const EVENTS: [&str; 2] = ["BEFORE_CONNECT", "AFTER_CONNECT"];
const OWNERSHIP: FileOwnership = FileOwnership::Part {
    users_part,
    is_equivalent,
};

struct DataSources;

impl ToolFiles for DataSources {
    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        let files = connection_files(machine);
        if files.is_empty() {
            return Err(Error::failure("DBeaver has no workspace yet")
                .hint("start DBeaver once, close it, then try again"));
        }
        let takes_command = takes_command(machine);
        let mut edits = Vec::new();
        for path in files {
            check_that_dbeaver_is_closed(&path)?;
            let uses_command = takes_command && !is_sandboxed(&path);
            edits.push(SetupEdit::changing(machine, path, &OWNERSHIP, |text| {
                with_targets(text, machine, targets, uses_command)
            })?);
        }
        Ok(edits)
    }

    fn preview(&self, machine: &Machine, targets: &[ToolTarget]) -> String {
        with_targets("", machine, targets, takes_command(machine)).unwrap_or_default()
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>> {
        let mut edits = Vec::new();
        for path in existing_files(machine) {
            check_that_dbeaver_is_closed(&path)?;
            edits.push(SetupEdit::restoring(machine, path, &OWNERSHIP)?);
        }
        Ok(edits)
    }

    fn remove(&self, machine: &Machine, entries: &[String]) -> Result<Vec<SetupEdit>> {
        let mut edits = Vec::new();
        for path in existing_files(machine) {
            check_that_dbeaver_is_closed(&path)?;
            edits.push(SetupEdit::changing(machine, path, &OWNERSHIP, |text| {
                without_entries(text, entries)
            })?);
        }
        Ok(edits)
    }

    fn inspect(&self, machine: &Machine) -> Vec<ToolEntry> {
        look::entries_of_files(&connection_files(machine))
    }

    fn steps(&self, machine: &Machine, targets: &[ToolTarget]) -> Vec<String> {
        let mut steps = Vec::new();
        let takes_command = takes_command(machine);
        if takes_command && targets.iter().any(|target| is_printed(machine, target)) {
            steps.push(
                "once: Preferences > Connections > General > \
                 tick \"Enable password retrieval via CLI\""
                    .to_owned(),
            );
        }
        for target in targets {
            if target.uses_gateway && !takes_command {
                steps.push(format!(
                    "start DBeaver, and paste the password that `pgcred proxy --password {0}` \
                     prints when it asks for that of {0}",
                    target.name
                ));
            }
        }
        if !steps.is_empty() && !takes_command {
            return steps;
        }
        steps.push(
            "start DBeaver; when you connect for the first time, it asks whether pgcred may run: \
             allow it"
                .to_owned(),
        );
        steps
    }

    /// Returns the names of the connections in any workspace. A file that cannot be read has none.
    fn configured_names(&self, machine: &Machine) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for path in connection_files(machine) {
            let text = fs::read(&path).unwrap_or_default();
            let Ok(document) = serde_json::from_slice::<Value>(&text) else {
                continue;
            };
            if let Some(connections) = document["connections"].as_object() {
                for id in connections.keys() {
                    if let Some(name) = id.strip_prefix(PREFIX) {
                        names.push(name.to_owned());
                    }
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Returns our file in every workspace that exists: DBeaver's own, Flatpak's and Snap's.
fn connection_files(machine: &Machine) -> Vec<PathBuf> {
    let (base, usual): (&Path, &[&str]) = match machine.os {
        Os::Windows => (&machine.config_home, &["DBeaverData"]),
        Os::Mac => (&machine.home, &["Library/DBeaverData"]),
        Os::Linux => (
            &machine.home,
            &[
                ".local/share/DBeaverData",
                ".DBeaverData",
                ".var/app/io.dbeaver.DBeaverCommunity/data/DBeaverData",
                "snap/dbeaver-ce/current/.local/share/DBeaverData",
            ],
        ),
    };
    let mut directories: Vec<PathBuf> = Vec::new();
    directories.extend(env::var_os("DBEAVER_DATA").map(PathBuf::from));
    directories.extend(usual.iter().map(|directory| base.join(directory)));
    let mut projects = Vec::new();
    for directory in directories {
        let project = directory.join("workspace6").join("General");
        if project.is_dir() {
            projects.push(project);
        }
    }
    // A link may lead from one workspace to another.
    projects.sort_by_cached_key(|project| project.canonicalize().ok());
    projects.dedup_by_key(|project| project.canonicalize().ok());
    projects
        .into_iter()
        .map(|project| project.join(".dbeaver").join("data-sources-pgcred.json"))
        .collect()
}

fn existing_files(machine: &Machine) -> Vec<PathBuf> {
    let mut files = connection_files(machine);
    files.retain(|path| fs::read(path).is_some());
    files
}

/// Tells whether a file is of DBeaver as a Flatpak or a Snap, whose version is not looked up.
fn is_sandboxed(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains(".var/app/") || path.contains("snap/dbeaver-ce/")
}

/// Refuses to edit a file while DBeaver runs: it would write back what it has read before.
fn check_that_dbeaver_is_closed(path: &Path) -> Result<()> {
    let workspace = path.ancestors().nth(3).unwrap_or(path);
    if fs::is_locked(&workspace.join(".metadata").join(".lock")) {
        return Err(
            Error::failure(format!("DBeaver is running in {}", workspace.display()))
                .hint("close it, then try again"),
        );
    }
    Ok(())
}

/// Returns the file with these connections.
fn with_targets(
    text: &str,
    machine: &Machine,
    targets: &[ToolTarget],
    uses_command: bool,
) -> Result<String> {
    let mut document = document(text)?;
    for target in targets {
        let entry = connections(&mut document)?
            .entry(format!("{PREFIX}{}", target.name))
            .or_insert(Value::Null);
        forget_alternatives(entry);
        let uses_command = uses_command && is_printed(machine, target);
        merge(entry, connection(machine, target, uses_command));
    }
    Ok(format!("{document:#}\n"))
}

/// Tells whether a command can give the password of a target to DBeaver. A local password of the
/// gateway is short.
fn is_printed(machine: &Machine, target: &ToolTarget) -> bool {
    target.uses_gateway || can_print(machine.os, target.request.provider.authority)
}

/// Returns the file without these entries of ours.
fn without_entries(text: &str, entries: &[String]) -> Result<String> {
    let mut document = document(text)?;
    connections(&mut document)?.retain(|id, _| match id.strip_prefix(PREFIX) {
        Some(name) => !entries.iter().any(|entry| entry == name),
        None => true,
    });
    Ok(format!("{document:#}\n"))
}

/// Puts these values in and leaves the others: a colour, a folder, a tunnel.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Removes from an entry how DBeaver gets its password and how it verifies the server. For each
/// there are two ways that exclude each other, so a merge alone would leave both.
fn forget_alternatives(entry: &mut Value) {
    let Some(configuration) = object_in(entry, "configuration") else {
        return;
    };
    configuration.remove("auth-properties");
    if let Some(Value::Object(properties)) = configuration.get_mut("properties") {
        properties.remove("sslfactory");
        properties.remove("sslrootcert");
    }
    if let Some(Value::Object(events)) = configuration.get_mut("events") {
        events.retain(|name, _| !EVENTS.contains(&name.as_str()));
        if events.is_empty() {
            configuration.remove("events");
        }
    }
}

fn object_in<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    value.get_mut(key)?.as_object_mut()
}

/// Returns the file without any connection of ours; `None` if nothing is left in it.
fn users_part(text: &str) -> Result<Option<String>> {
    let mut document = document(text)?;
    let connections = connections(&mut document)?;
    let count_before = connections.len();
    connections.retain(|id, _| !id.starts_with(PREFIX));
    if connections.len() == count_before {
        return Ok(Some(text.to_owned()));
    }
    if is_empty(&document) {
        return Ok(None);
    }
    Ok(Some(format!("{document:#}\n")))
}

/// Tells whether a document says nothing. DBeaver itself adds the connection types that its
/// connections have; those count as nothing.
fn is_empty(document: &Value) -> bool {
    let Some(parts) = document.as_object() else {
        return true;
    };
    for (key, part) in parts {
        let is_empty = part.as_object().is_some_and(Map::is_empty);
        if key != "connection-types" && !is_empty {
            return false;
        }
    }
    true
}

/// Tells whether two files say the same. A file without anything says what a missing one says.
fn is_equivalent(one: &str, other: &str) -> bool {
    match (completed_file(one), completed_file(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Returns a file with the parts that DBeaver adds to an empty one.
fn completed_file(text: &str) -> Option<Value> {
    let mut document = document(text).ok()?;
    connections(&mut document).ok()?;
    document
        .as_object_mut()?
        .entry("folders")
        .or_insert(json!({}));
    Some(document)
}

fn document(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(json!({ "folders": {}, "connections": {} }));
    }
    serde_json::from_str(text).map_err(|error| not_connections().caused_by(&error))
}

fn connections(document: &mut Value) -> Result<&mut Map<String, Value>> {
    if let Some(parts) = document.as_object_mut()
        && let Value::Object(connections) = parts.entry("connections").or_insert(json!({}))
    {
        Ok(connections)
    } else {
        Err(not_connections())
    }
}

fn not_connections() -> Error {
    Error::usage("the file is not the JSON of DBeaver's connections")
        .hint("move the file away, then try again")
}

fn connection(machine: &Machine, target: &ToolTarget, uses_command: bool) -> Value {
    let request = &target.request;
    let (host, port) = (&request.host, request.port);
    let mut properties = Map::new();
    for (key, value) in target.java_tls() {
        properties.insert(key.to_owned(), json!(value));
    }
    let mut configuration = json!({
        "host": host,
        "port": port.to_string(),
        "database": request.dbname,
        "url": format!("jdbc:postgresql://{host}:{port}/{}", percent(&request.dbname)),
        "configurationType": "MANUAL",
        "user": request.user,
        "type": "dev",
        "closeIdleConnection": true,
        "closeIdle": 1800,
        "properties": properties,
    });
    if uses_command {
        let command_line = CommandLines { machine, target }.password_words();
        configuration["auth-model"] = json!("shell_command");
        configuration["auth-properties"] = json!({
            "passwordCommand": dbeaver_command_line(machine, &command_line),
            "passwordCommandTimeoutMs": "30000",
        });
    } else if target.uses_gateway {
        configuration["auth-model"] = json!("native");
    } else {
        configuration["auth-model"] = json!("postgres_pgpass");
        configuration["events"] = events(machine, target);
    }
    json!({
        "provider": "postgresql",
        "driver": "postgres-jdbc",
        "name": target.name,
        "save-password": true,
        "configuration": configuration,
    })
}

/// Returns the commands that an older DBeaver runs: one refreshes the passfile before it connects,
/// and one keeps it fresh until it disconnects.
fn events(machine: &Machine, target: &ToolTarget) -> Value {
    let watch_options = ["--quiet", "--watch", "--until-stdin-closes"];
    json!({
        "BEFORE_CONNECT": {
            "enabled": true,
            "show-panel": false,
            "wait-process": true,
            "wait-process-timeout": 30000,
            "terminate-at-disconnect": false,
            "pauseAfterExecute": 0,
            "command": auth_command(machine, target, "refresh", &["--quiet"]),
        },
        "AFTER_CONNECT": {
            "enabled": true,
            "show-panel": false,
            "wait-process": false,
            "wait-process-timeout": 0,
            "terminate-at-disconnect": true,
            "pauseAfterExecute": 0,
            "command": auth_command(machine, target, "refresh", &watch_options),
        },
    })
}

fn auth_command(machine: &Machine, target: &ToolTarget, command: &str, options: &[&str]) -> String {
    dbeaver_command_line(
        machine,
        &CommandLines { machine, target }.words(command, options),
    )
}

/// Returns a command line for DBeaver's own splitter.
fn dbeaver_command_line(machine: &Machine, command_line: &[String]) -> String {
    let quote = match machine.os {
        Os::Windows => quote::dbeaver_on_windows,
        Os::Linux | Os::Mac => quote::dbeaver_on_unix,
    };
    let quoted_words: Vec<String> = command_line.iter().map(|word| quote(word)).collect();
    quoted_words.join(" ")
}
