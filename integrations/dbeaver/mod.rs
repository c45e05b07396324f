//! DBeaver CE: a file of connections of our own in its project; a command gives the password, or keeps the passfile fresh.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::fs;
use crate::setup::{Commands, Edit, Files, Machine, Os, Target, Tool, Work};

pub(super) const TOOL: Tool = Tool {
    name: "dbeaver",
    title: "DBeaver",
    programs: &["dbeaver", "dbeaver-ce"],
    traces: &["DBeaver.app", "usr/share/dbeaver-ce", ".local/share/DBeaverData", "Library/DBeaverData", "DBeaverData"],
    reads_passfile: true,
    work: Work::Files(&DataSources),
};

const PREFIX: &str = "pgcred-";
/// The first version that takes a password from a command.
const TAKES_COMMAND: [u32; 3] = [26, 1, 4];

struct DataSources;

impl Files for DataSources {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        let files = files(machine);
        if files.is_empty() {
            return Err(Error::failure("DBeaver has no workspace yet").hint("start DBeaver once, close it, then retry"));
        }
        let by_command = takes_command(machine);
        let edit = |path: PathBuf| {
            Edit::of(path, |text| {
                let mut document = document(text)?;
                for target in targets {
                    let id = format!("{PREFIX}{}", target.name);
                    connections(&mut document)?.insert(id, connection(machine, target, by_command));
                }
                Ok(Some(format!("{document:#}\n")))
            })
        };
        files.into_iter().map(|path| free(&path).and_then(|()| edit(path))).collect()
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        let edit = |path: PathBuf| {
            Edit::of(path, |text| {
                let mut document = document(text)?;
                let connections = connections(&mut document)?;
                connections.retain(|id, _| !id.starts_with(PREFIX));
                let empty = connections.is_empty();
                Ok((!empty).then(|| format!("{document:#}\n")))
            })
        };
        let there = files(machine).into_iter().filter(|path| fs::read(path).is_some());
        there.map(|path| free(&path).and_then(|()| edit(path))).collect()
    }

    fn steps(&self, machine: &Machine, _: &[Target]) -> Vec<String> {
        let mut steps = Vec::new();
        if takes_command(machine) {
            steps.push(
                "once: Preferences > Connections > General > tick \"Enable password retrieval via CLI\"".to_owned(),
            );
        }
        steps.push("start DBeaver; the first connect asks whether pgcred may run: allow it".to_owned());
        steps
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for path in files(machine) {
            let text = fs::read(&path).and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
            let document = document(&text).unwrap_or_default();
            let ids = document["connections"].as_object().into_iter().flat_map(Map::keys);
            names.extend(ids.filter_map(|id| id.strip_prefix(PREFIX)).map(str::to_owned));
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Our file in every workspace that exists: DBeaver's own, Flatpak's and Snap's.
fn files(machine: &Machine) -> Vec<PathBuf> {
    let data = match machine.os {
        Os::Windows => vec![machine.config.join("DBeaverData")],
        Os::Mac => vec![machine.home.join("Library/DBeaverData")],
        Os::Linux => [
            ".local/share/DBeaverData",
            ".var/app/io.dbeaver.DBeaverCommunity/data/DBeaverData",
            "snap/dbeaver-ce/current/.local/share/DBeaverData",
        ]
        .map(|folder| machine.home.join(folder))
        .to_vec(),
    };
    let projects = data.into_iter().map(|data| data.join("workspace6").join("General"));
    projects
        .filter(|project| project.is_dir())
        .map(|project| project.join(".dbeaver").join("data-sources-pgcred.json"))
        .collect()
}

/// A running DBeaver keeps what it has read and writes it back.
fn free(path: &Path) -> Result<()> {
    let workspace = path.ancestors().nth(3).unwrap_or(path);
    if fs::is_locked(&workspace.join(".metadata").join(".lock")) {
        return Err(
            Error::failure(format!("DBeaver is running in {}", workspace.display())).hint("close it, then retry")
        );
    }
    Ok(())
}

fn document(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(json!({ "folders": {}, "connections": {} }));
    }
    serde_json::from_str(text).map_err(|error| Error::usage("not the JSON of DBeaver's connections").caused_by(&error))
}

fn connections(document: &mut Value) -> Result<&mut Map<String, Value>> {
    let wrong = || Error::usage("not the JSON of DBeaver's connections");
    let object = document.as_object_mut().ok_or_else(wrong)?;
    object.entry("connections").or_insert_with(|| json!({})).as_object_mut().ok_or_else(wrong)
}

/// Reads the version from what the installation says of itself; an unknown one is old.
fn takes_command(machine: &Machine) -> bool {
    let product = match machine.os {
        Os::Windows => "C:/Program Files/DBeaver/.eclipseproduct",
        Os::Mac => "/Applications/DBeaver.app/Contents/Eclipse/.eclipseproduct",
        Os::Linux => "/usr/share/dbeaver-ce/.eclipseproduct",
    };
    let text = fs::read(Path::new(product)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let version = text.lines().find_map(|line| line.strip_prefix("version=")).unwrap_or_default();
    let numbers: Vec<u32> = version.trim().split('.').map_while(|part| part.parse().ok()).collect();
    numbers.as_slice() >= TAKES_COMMAND.as_slice()
}

fn connection(machine: &Machine, target: &Target, by_command: bool) -> Value {
    let request = &target.request;
    let mut configuration = json!({
        "host": request.host,
        "port": request.port.to_string(),
        "database": request.dbname,
        "url": format!("jdbc:postgresql://{}:{}/{}", request.host, request.port, request.dbname),
        "configurationType": "MANUAL",
        "user": request.user,
        "type": "dev",
        "closeIdleConnection": true,
        "closeIdle": 1800,
        // The Java trust store knows Amazon's roots; `verify-full` alone would look for a file.
        "properties": { "sslmode": "verify-full", "sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory" },
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

/// A line for DBeaver's own splitter: no shell; both kinds of quotes group, and a backslash escapes except on Windows.
fn command(machine: &Machine, target: &Target, command: &str, more: &[&str]) -> String {
    let commands = Commands { machine, target };
    let quoted = |word: &String| {
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=,@+".contains(c));
        match machine.os {
            _ if plain => word.clone(),
            Os::Windows => format!("\"{word}\""),
            Os::Linux | Os::Mac => format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\"")),
        }
    };
    commands.words(command, more).iter().map(quoted).collect::<Vec<_>>().join(" ")
}
