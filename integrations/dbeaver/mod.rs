//! DBeaver CE: a file of connections of our own in its project; a command gives the password, or
//! keeps the passfile fresh.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::setup::{Commands, Edit, Files, Machine, Os, Own, Target, Tool, Way, Work};
use crate::sys::env;
use crate::sys::fs;
use crate::text::quote::{self, percent};

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
    way: Way::Command,
    work: Work::Files(&DataSources),
};

const PROGRAMS: &[&str] = &["dbeaver", "dbeaver-ce"];
const PREFIX: &str = "pgcred-";
/// The events at which pgcred runs where DBeaver takes no password from a command.
const EVENTS: [&str; 2] = ["BEFORE_CONNECT", "AFTER_CONNECT"];
/// The first version that takes a password from a command.
const TAKES_COMMAND: [u32; 3] = [26, 1, 4];

const OWN: Own = Own::Part { without, same };

struct DataSources;

impl Files for DataSources {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        let files = files(machine);
        if files.is_empty() {
            return Err(Error::failure("DBeaver has no workspace yet")
                .hint("start DBeaver once, close it, then retry"));
        }
        let edit = |path: PathBuf| {
            let by_command = takes_command(machine) && !is_boxed(&path);
            Edit::of(path, &OWN, |text| with(text, machine, targets, by_command))
        };
        files
            .into_iter()
            .map(|path| free(&path).and_then(|()| edit(path)))
            .collect()
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        with("", machine, targets, takes_command(machine)).unwrap_or_default()
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        let edit = |path| Edit::back(path, &OWN);
        let there = files(machine)
            .into_iter()
            .filter(|path| fs::read(path).is_some());
        there
            .map(|path| free(&path).and_then(|()| edit(path)))
            .collect()
    }

    fn without(&self, machine: &Machine, names: &[String]) -> Result<Vec<Edit>> {
        let edit = |path| {
            Edit::of(path, &OWN, |text| {
                let mut document = document(text)?;
                let is_kept = |id: &str| {
                    !id.strip_prefix(PREFIX)
                        .is_some_and(|id| names.iter().any(|name| name == id))
                };
                connections(&mut document)?.retain(|id, _| is_kept(id));
                Ok(format!("{document:#}\n"))
            })
        };
        let there = files(machine)
            .into_iter()
            .filter(|path| fs::read(path).is_some());
        there
            .map(|path| free(&path).and_then(|()| edit(path)))
            .collect()
    }

    fn steps(&self, machine: &Machine, _: &[Target]) -> Vec<String> {
        let mut steps = Vec::new();
        if takes_command(machine) {
            steps.push(
                "once: Preferences > Connections > General > tick \"Enable password retrieval via CLI\"".to_owned(),
            );
        }
        steps.push(
            "start DBeaver; the first connect asks whether pgcred may run: allow it".to_owned(),
        );
        steps
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for path in files(machine) {
            let text = fs::read(&path)
                .and_then(|text| String::from_utf8(text).ok())
                .unwrap_or_default();
            let document = document(&text).unwrap_or_default();
            let ids = document["connections"]
                .as_object()
                .into_iter()
                .flat_map(Map::keys);
            names.extend(
                ids.filter_map(|id| id.strip_prefix(PREFIX))
                    .map(str::to_owned),
            );
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Our file in every workspace that exists: DBeaver's own, Flatpak's and Snap's.
fn files(machine: &Machine) -> Vec<PathBuf> {
    let usual: &[&str] = match machine.os {
        Os::Windows => &["DBeaverData"],
        Os::Mac => &["Library/DBeaverData"],
        Os::Linux => &[
            ".local/share/DBeaverData",
            ".DBeaverData",
            ".var/app/io.dbeaver.DBeaverCommunity/data/DBeaverData",
            "snap/dbeaver-ce/current/.local/share/DBeaverData",
        ],
    };
    let base = if machine.os == Os::Windows {
        &machine.config
    } else {
        &machine.home
    };
    let named = env::var_os("DBEAVER_DATA").map(PathBuf::from);
    let data = named
        .into_iter()
        .chain(usual.iter().map(|directory| base.join(directory)));
    let projects = data.map(|data| data.join("workspace6").join("General"));
    let mut projects: Vec<PathBuf> = projects.filter(|project| project.is_dir()).collect();
    // A link may lead from one to another.
    projects.sort_by_cached_key(|project| project.canonicalize().ok());
    projects.dedup_by_key(|project| project.canonicalize().ok());
    projects
        .into_iter()
        .map(|project| project.join(".dbeaver").join("data-sources-pgcred.json"))
        .collect()
}

/// Flatpak's and Snap's DBeaver have a version that is not looked up.
fn is_boxed(path: &Path) -> bool {
    let path = path.to_string_lossy();
    [".var/app/", "snap/dbeaver-ce/"]
        .iter()
        .any(|part| path.contains(part))
}

/// A running DBeaver keeps what it has read and writes it back.
fn free(path: &Path) -> Result<()> {
    let workspace = path.ancestors().nth(3).unwrap_or(path);
    if fs::is_locked(&workspace.join(".metadata").join(".lock")) {
        return Err(
            Error::failure(format!("DBeaver is running in {}", workspace.display()))
                .hint("close it, then retry"),
        );
    }
    Ok(())
}

/// The file with these connections.
fn with(text: &str, machine: &Machine, targets: &[Target], by_command: bool) -> Result<String> {
    let mut document = document(text)?;
    for target in targets {
        let entry = connections(&mut document)?
            .entry(format!("{PREFIX}{}", target.name))
            .or_insert(Value::Null);
        take_ways_out(entry);
        merge(entry, connection(machine, target, by_command));
    }
    Ok(format!("{document:#}\n"))
}

/// Puts these values in and leaves the others: a colour, a directory, a tunnel.
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

/// Forgets how it gets its password and how it verifies the server: of both there are two ways that
/// exclude each other.
fn take_ways_out(entry: &mut Value) {
    let Some(configuration) = entry
        .get_mut("configuration")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    configuration.remove("auth-properties");
    if let Some(properties) = configuration
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    {
        properties.remove("sslfactory");
        properties.remove("sslrootcert");
    }
    let events = configuration
        .get_mut("events")
        .and_then(Value::as_object_mut);
    let left = events.map(|events| {
        events.retain(|name, _| !EVENTS.contains(&name.as_str()));
        events.len()
    });
    if left == Some(0) {
        configuration.remove("events");
    }
}

/// The file without any connection of ours; `None` if nothing is left in it.
fn without(text: &str) -> Result<Option<String>> {
    let mut document = document(text)?;
    let connections = connections(&mut document)?;
    let before = connections.len();
    connections.retain(|id, _| !id.starts_with(PREFIX));
    if connections.len() == before {
        return Ok(Some(text.to_owned()));
    }
    // DBeaver itself puts the types in that its connections have.
    let is_empty = |(key, value): (&String, &Value)| {
        key == "connection-types" || value.as_object().is_some_and(Map::is_empty)
    };
    let nothing = document
        .as_object()
        .is_none_or(|parts| parts.iter().all(is_empty));
    Ok((!nothing).then(|| format!("{document:#}\n")))
}

/// Whether two files say the same; a file without anything is as one that is not there.
fn same(one: &str, other: &str) -> bool {
    let normal = |text: &str| {
        let mut document = document(text).ok()?;
        connections(&mut document).ok()?;
        document
            .as_object_mut()?
            .entry("folders")
            .or_insert_with(|| json!({}));
        Some(document)
    };
    normal(one).is_some_and(|document| Some(document) == normal(other))
}

fn document(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(json!({ "folders": {}, "connections": {} }));
    }
    serde_json::from_str(text)
        .map_err(|error| Error::usage("not the JSON of DBeaver's connections").caused_by(&error))
}

fn connections(document: &mut Value) -> Result<&mut Map<String, Value>> {
    let wrong = || Error::usage("not the JSON of DBeaver's connections");
    let object = document.as_object_mut().ok_or_else(wrong)?;
    object
        .entry("connections")
        .or_insert_with(|| json!({}))
        .as_object_mut()
        .ok_or_else(wrong)
}

/// Reads the version from what the installation says of itself, beside the program first; an
/// unknown one is old.
fn takes_command(machine: &Machine) -> bool {
    let usual = match machine.os {
        Os::Windows => "C:/Program Files/DBeaver",
        Os::Mac => "/Applications/DBeaver.app/Contents/Eclipse",
        Os::Linux => "/usr/share/dbeaver-ce",
    };
    let program = Machine::program(PROGRAMS).and_then(|program| program.canonicalize().ok());
    let beside = program
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned);
    let in_bundle = beside
        .as_ref()
        .map(|directory| directory.join("../Eclipse"));
    let directories = beside
        .into_iter()
        .chain(in_bundle)
        .chain([PathBuf::from(usual)]);
    let text = directories
        .into_iter()
        .find_map(|directory| fs::read(&directory.join(".eclipseproduct")))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("version="))
        .unwrap_or_default();
    let numbers: Vec<u32> = version
        .trim()
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    numbers.as_slice() >= TAKES_COMMAND.as_slice()
}

fn connection(machine: &Machine, target: &Target, by_command: bool) -> Value {
    let request = &target.request;
    let mut configuration = json!({
        "host": request.host,
        "port": request.port.to_string(),
        "database": request.dbname,
        "url": format!("jdbc:postgresql://{}:{}/{}", request.host, request.port, percent(&request.dbname)),
        "configurationType": "MANUAL",
        "user": request.user,
        "type": "dev",
        "closeIdleConnection": true,
        "closeIdle": 1800,
        "properties": target.java_tls().into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect::<Map<_, _>>(),
    });
    if by_command {
        configuration["auth-model"] = json!("shell_command");
        configuration["auth-properties"] = json!({
            "passwordCommand": command(machine, target, "token", &[]),
            "passwordCommandTimeoutMs": "30000",
        });
    } else {
        configuration["auth-model"] = json!("postgres_pgpass");
        configuration["events"] = json!({
            "BEFORE_CONNECT": {
                "enabled": true, "show-panel": false, "wait-process": true, "wait-process-timeout": 30000,
                "terminate-at-disconnect": false, "pauseAfterExecute": 0,
                "command": command(machine, target, "refresh", &["--quiet"]),
            },
            "AFTER_CONNECT": {
                "enabled": true, "show-panel": false, "wait-process": false, "wait-process-timeout": 0,
                "terminate-at-disconnect": true, "pauseAfterExecute": 0,
                "command": command(machine, target, "refresh", &["--quiet", "--watch", "--until-stdin-closes"]),
            },
        });
    }
    json!({
        "provider": "postgresql",
        "driver": "postgres-jdbc",
        "name": target.name,
        "save-password": true,
        "configuration": configuration,
    })
}

/// A line for DBeaver's own splitter.
fn command(machine: &Machine, target: &Target, command: &str, more: &[&str]) -> String {
    let words = Commands { machine, target }.words(command, more);
    let quoted = match machine.os {
        Os::Windows => quote::dbeaver_on_windows,
        Os::Linux | Os::Mac => quote::dbeaver_on_unix,
    };
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}
