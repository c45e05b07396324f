//! pgAdmin 4: a file of servers for its import, each with the command that gives the password.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::setup::{Commands, Edit, Files, Machine, Os, Own, Target, Tool, Way, Work};
use crate::sys::fs;

pub(super) const TOOL: Tool = Tool {
    name: "pgadmin",
    title: "pgAdmin 4",
    programs: &["pgadmin4"],
    traces: &["pgAdmin 4.app", "usr/pgadmin4", ".pgadmin", "pgadmin"],
    way: Way::Command,
    work: Work::Files(&Import),
};

/// By this a file is known as ours.
const MARK: &str = "managed by pgcred";
const OWN: Own = Own::Marked(MARK);

struct Import;

impl Files for Import {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        Ok(vec![Edit::of(file(machine), &OWN, |_| {
            Ok(self.text(machine, targets))
        })?])
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        let servers: Map<String, Value> = targets
            .iter()
            .zip(1..)
            .map(|(target, number)| (number.to_string(), server(machine, target)))
            .collect();
        format!("{:#}\n", json!({ "Servers": servers }))
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![Edit::back(file(machine), &OWN)?])
    }

    fn without(&self, machine: &Machine, names: &[String]) -> Result<Vec<Edit>> {
        let edit = Edit::of(file(machine), &OWN, |text| {
            let damaged =
                |error| Error::usage("not the JSON of pgAdmin's servers").caused_by(&error);
            let mut document: Value = serde_json::from_str(text).map_err(damaged)?;
            let is_named = |server: &Value| names.iter().any(|name| server["Name"] == **name);
            if let Some(servers) = document["Servers"].as_object_mut() {
                servers.retain(|_, server| !is_named(server));
            }
            Ok(format!("{document:#}\n"))
        });
        Ok(vec![edit?])
    }

    fn names(&self, machine: &Machine) -> Vec<String> {
        servers(machine)
            .iter()
            .filter_map(|server| server["Name"].as_str().map(str::to_owned))
            .collect()
    }

    fn left(&self, machine: &Machine) -> Vec<String> {
        let has_run = databases(machine)
            .iter()
            .any(|path| fs::stamp(path).is_some());
        let left = "servers that pgAdmin has imported stay there: remove them in pgAdmin, in the group pgcred";
        has_run.then(|| left.to_owned()).into_iter().collect()
    }

    fn steps(&self, machine: &Machine, targets: &[Target]) -> Vec<String> {
        let mut steps = vec![
            format!("in pgAdmin: Tools > Import/Export Servers > Import > {}", file(machine).display()),
            "(not with `setup.py load-servers`: a pgAdmin in server mode drops the command without a word)".to_owned(),
            "leave \"Save password\" off: a saved password is used instead of the command".to_owned(),
            "`pgcred setup` shows whether the import arrived; `--undo` does not remove servers from pgAdmin".to_owned(),
        ];
        if targets
            .iter()
            .any(|target| target.request.provider.name == "dsql")
        {
            steps.push(
                "pgAdmin as it is cannot open a session on Aurora DSQL (pgAdmin issue 9433); RDS and Aurora PostgreSQL work".to_owned(),
            );
        }
        steps
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        let databases: Vec<Vec<u8>> = databases(machine)
            .iter()
            .filter_map(|path| fs::read(path))
            .collect();
        let arrived = |server: &Value| {
            let command = server["PasswordExecCommand"]
                .as_str()
                .unwrap_or_default()
                .as_bytes();
            databases.iter().any(|bytes| {
                bytes
                    .windows(command.len().max(1))
                    .any(|window| window == command)
            })
        };
        servers(machine)
            .iter()
            .map(|server| {
                let name = server["Name"].as_str().unwrap_or_default();
                format!(
                    "{name} ({})",
                    if arrived(server) {
                        "imported"
                    } else {
                        "not imported yet"
                    }
                )
            })
            .collect()
    }
}

/// The servers in the file as it is.
fn servers(machine: &Machine) -> Vec<Value> {
    let text = fs::read(&file(machine)).unwrap_or_default();
    let document: Value = serde_json::from_slice(&text).unwrap_or_default();
    document["Servers"]
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .cloned()
        .collect()
}

fn file(machine: &Machine) -> PathBuf {
    machine.own.join("pgadmin-servers.json")
}

/// Where pgAdmin keeps its servers; only looked at.
fn databases(machine: &Machine) -> [PathBuf; 2] {
    let directory = if machine.os == Os::Windows {
        machine.config.join("pgadmin")
    } else {
        machine.home.join(".pgadmin")
    };
    ["pgadmin4.db", "pgadmin4.db-wal"].map(|name| directory.join(name))
}

fn server(machine: &Machine, target: &Target) -> Value {
    let request = &target.request;
    let commands = Commands { machine, target };
    // pgAdmin hands its own stdin on, which may never end.
    let nothing = if machine.os == Os::Windows {
        "< NUL"
    } else {
        "< /dev/null"
    };
    let mut parameters: Map<String, Value> = target
        .options()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect();
    parameters.entry("connect_timeout").or_insert(json!(30));
    json!({
        "Name": target.name,
        "Group": "pgcred",
        "Host": request.host,
        "Port": request.port,
        "MaintenanceDB": request.dbname,
        "Username": request.user,
        "PasswordExecCommand": format!("{} {nothing}", commands.line("token", &[])),
        // pgcred knows how long its token lasts; pgAdmin would keep one beyond its end.
        "PasswordExecExpiration": 0,
        "ConnectionParameters": parameters,
        "Comment": MARK
    })
}
