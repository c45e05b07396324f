//! Sets up pgAdmin 4: writes a file of servers for its import, each with the command that gives the
//! password.
//!
//! The file is pgcred's as a whole, and the user imports it. pgAdmin's own databases are only
//! looked at, as bytes: they tell whether the import was done. pgAdmin hands its standard input on
//! to the command, so that the command reads nothing.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::setup::{
    CommandLines, FileOwnership, Machine, Os, SetupEdit, SetupMethod, Tool, ToolEntry, ToolFiles,
    ToolKind, ToolTarget,
};
use crate::sys::fs;

pub(super) const TOOL: Tool = Tool {
    name: "pgadmin",
    title: "pgAdmin 4",
    programs: &["pgadmin4"],
    traces: &["pgAdmin 4.app", "usr/pgadmin4", ".pgadmin", "pgadmin"],
    kind: ToolKind::Command,
    method: SetupMethod::Files(&ImportFile),
    takes_hostaddr: true,
    ..Tool::DEFAULT
};

/// The comment of each server. A file with it is pgcred's.
const MARK: &str = "managed by pgcred";
const OWNERSHIP: FileOwnership = FileOwnership::WholeFile(MARK);

struct ImportFile;

impl ToolFiles for ImportFile {
    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        let text = self.preview(machine, targets);
        let edit = SetupEdit::changing(machine, servers_file(machine), &OWNERSHIP, |_| Ok(text));
        Ok(vec![edit?])
    }

    fn preview(&self, machine: &Machine, targets: &[ToolTarget]) -> String {
        let mut servers = Map::new();
        for (index, target) in targets.iter().enumerate() {
            servers.insert((index + 1).to_string(), server(machine, target));
        }
        format!("{:#}\n", json!({ "Servers": servers }))
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>> {
        Ok(vec![SetupEdit::restoring(
            machine,
            servers_file(machine),
            &OWNERSHIP,
        )?])
    }

    fn remove(&self, machine: &Machine, entries: &[String]) -> Result<Vec<SetupEdit>> {
        let edit = SetupEdit::changing(machine, servers_file(machine), &OWNERSHIP, |text| {
            let mut document: Value = serde_json::from_str(text).map_err(|error| {
                Error::usage("the file is not the JSON of pgAdmin's servers")
                    .caused_by(&error)
                    .hint("move the file away, then try again")
            })?;
            if let Some(servers) = document["Servers"].as_object_mut() {
                servers.retain(|_, server| !entries.iter().any(|name| server["Name"] == **name));
            }
            Ok(format!("{document:#}\n"))
        });
        Ok(vec![edit?])
    }

    fn entries(&self, machine: &Machine) -> Vec<String> {
        let mut names = Vec::new();
        for server in servers(machine) {
            if let Some(name) = server["Name"].as_str() {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Returns the servers of the import file. What pgAdmin itself has stored is not read: its
    /// tables are not pgcred's to know.
    fn inspect(&self, machine: &Machine) -> Vec<ToolEntry> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut entries = Vec::new();
        for server in servers(machine) {
            let name = text(&server["Name"]);
            entries.push(ToolEntry {
                connection: Some(name.clone()),
                name,
                host: text(&server["Host"]),
                commands: vec![text(&server["PasswordExecCommand"])],
                ..ToolEntry::default()
            });
        }
        entries
    }

    fn leftovers(&self, machine: &Machine) -> Vec<String> {
        let has_run = databases(machine)
            .iter()
            .any(|path| fs::stamp(path).is_some());
        if !has_run {
            return Vec::new();
        }
        vec![
            "servers that pgAdmin has imported stay there: \
             remove them in pgAdmin, in the group pgcred"
                .to_owned(),
        ]
    }

    fn warnings(&self, targets: &[ToolTarget]) -> Vec<String> {
        // pgAdmin sends settings at the start of each session.
        let mut providers = targets.iter().map(|target| target.request.provider);
        let Some(provider) = providers.find(|provider| provider.cause_of_settings.is_some()) else {
            return Vec::new();
        };
        vec![format!(
            "pgAdmin as it is cannot open a session on {} (pgAdmin issue 9433); other servers, \
             such as RDS and Aurora PostgreSQL, work",
            provider.title
        )]
    }

    fn steps(&self, machine: &Machine, _: &[ToolTarget]) -> Vec<String> {
        let file = servers_file(machine);
        vec![
            format!(
                "in pgAdmin: Tools > Import/Export Servers > Import > {}",
                file.display()
            ),
            "(do not use `setup.py load-servers`: \
             for a pgAdmin in server mode it drops the command without a message)"
                .to_owned(),
            "leave \"Save password\" off: pgAdmin uses a saved password instead of the command"
                .to_owned(),
            "`pgcred setup` shows whether pgAdmin has imported the file; \
             `--undo` does not remove servers from pgAdmin"
                .to_owned(),
        ]
    }

    fn configured_names(&self, machine: &Machine) -> Vec<String> {
        let databases: Vec<Vec<u8>> = databases(machine)
            .iter()
            .filter_map(|path| fs::read(path))
            .collect();
        let mut states = Vec::new();
        for server in servers(machine) {
            let name = server["Name"].as_str().unwrap_or_default();
            let command = server["PasswordExecCommand"].as_str().unwrap_or_default();
            let is_imported = databases
                .iter()
                .any(|database| has_command(database, command.as_bytes()));
            let state = if is_imported {
                "imported"
            } else {
                "not imported yet"
            };
            states.push(format!("{name} ({state})"));
        }
        states
    }
}

/// Tells whether pgAdmin's database has a command somewhere: it is looked at as bytes, because
/// another program's tables are not pgcred's to know.
fn has_command(database: &[u8], command: &[u8]) -> bool {
    database
        .windows(command.len().max(1))
        .any(|window| window == command)
}

/// Returns the servers in the import file as it is now.
fn servers(machine: &Machine) -> Vec<Value> {
    let text = fs::read(&servers_file(machine)).unwrap_or_default();
    let document: Value = serde_json::from_slice(&text).unwrap_or_default();
    match document["Servers"].as_object() {
        Some(servers) => servers.values().cloned().collect(),
        None => Vec::new(),
    }
}

fn servers_file(machine: &Machine) -> PathBuf {
    machine.pgcred_config.join("pgadmin-servers.json")
}

/// Returns the files in which pgAdmin keeps its servers. pgcred only reads them.
fn databases(machine: &Machine) -> [PathBuf; 2] {
    let directory = if machine.os == Os::Windows {
        machine.config_home.join("pgadmin")
    } else {
        machine.home.join(".pgadmin")
    };
    ["pgadmin4.db", "pgadmin4.db-wal"].map(|name| directory.join(name))
}

fn server(machine: &Machine, target: &ToolTarget) -> Value {
    let request = &target.request;
    let mut parameters = Map::new();
    for (keyword, value) in target.options() {
        parameters.insert(keyword.to_owned(), json!(value));
    }
    parameters.entry("connect_timeout").or_insert(json!(30));
    json!({
        "Name": target.name,
        "Group": "pgcred",
        "Host": request.host,
        "Port": request.port,
        "MaintenanceDB": request.dbname,
        "Username": request.user,
        "PasswordExecCommand": password_command(machine, target),
        // With 0 pgAdmin keeps no token. pgcred keeps them, and knows when each one expires.
        "PasswordExecExpiration": 0,
        "ConnectionParameters": parameters,
        "Comment": MARK
    })
}

/// Returns the command for the password. It reads nothing: pgAdmin hands its own stdin on, which
/// may never end.
fn password_command(machine: &Machine, target: &ToolTarget) -> String {
    let line = CommandLines { machine, target }.password_line();
    match machine.os {
        Os::Windows => format!("{line} < NUL"),
        Os::Linux | Os::Mac => format!("{line} < /dev/null"),
    }
}
