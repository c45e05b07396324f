//! The tools that pgcred sets up: a folder each, a line each.

mod cron;
mod dbeaver;
mod launchd;
mod pgadmin;
mod psql;
mod schedule;
mod systemd;
#[path = "task-scheduler/mod.rs"]
mod task_scheduler;

use crate::setup::{Tool, Work};

/// In the order of `pgcred setup`.
pub(crate) static TOOLS: &[Tool] = &[
    dbeaver::TOOL,
    pgadmin::TOOL,
    psql::TOOL,
    dialog(
        "datagrip",
        "DataGrip, IntelliJ",
        &["datagrip"],
        &["DataGrip.app"],
        true,
        include_str!("datagrip/dialog.txt"),
    ),
    dialog("tableplus", "TablePlus", &["tableplus"], &["TablePlus.app"], false, include_str!("tableplus/dialog.txt")),
    dialog("postico", "Postico 2", &[], &["Postico 2.app", "Postico.app"], false, include_str!("postico/dialog.txt")),
    dialog("dbcode", "DBCode", &[], &[".vscode/extensions"], false, include_str!("dbcode/dialog.txt")),
    dialog(
        "beekeeper",
        "Beekeeper Studio",
        &["beekeeper-studio"],
        &["Beekeeper Studio.app"],
        false,
        include_str!("beekeeper/dialog.txt"),
    ),
    dialog(
        "vscode",
        "VS Code: SQLTools, PostgreSQL",
        &["code"],
        &["Visual Studio Code.app"],
        true,
        include_str!("vscode/dialog.txt"),
    ),
    dialog("dbgate", "DbGate", &["dbgate"], &["DbGate.app"], true, include_str!("dbgate/dialog.txt")),
    dialog(
        "heidisql",
        "HeidiSQL",
        &["heidisql"],
        &["Program Files/HeidiSQL"],
        true,
        include_str!("heidisql/dialog.txt"),
    ),
    dialog("qgis", "QGIS", &["qgis"], &["QGIS.app"], true, include_str!("qgis/dialog.txt")),
    dialog("odbc", "psqlODBC: Excel, Access", &["odbcinst"], &[], true, include_str!("odbc/dialog.txt")),
    dialog("jdbc", "JDBC: DbVisualizer, Metabase, Superset", &[], &[], true, include_str!("jdbc/dialog.txt")),
    dialog("pgcli", "pgcli", &["pgcli"], &[], true, include_str!("pgcli/dialog.txt")),
    dialog("usql", "usql", &["usql"], &[], true, include_str!("usql/dialog.txt")),
    dialog("vim-dadbod", "vim-dadbod", &["vim", "nvim"], &[], true, include_str!("vim-dadbod/dialog.txt")),
    dialog("lazysql", "lazysql", &["lazysql"], &[], false, include_str!("lazysql/dialog.txt")),
    dialog("rainfrog", "rainfrog", &["rainfrog"], &[], false, include_str!("rainfrog/dialog.txt")),
    systemd::TOOL,
    launchd::TOOL,
    task_scheduler::TOOL,
    cron::TOOL,
    dialog("nvim-dbee", "nvim-dbee", &["nvim"], &[], false, include_str!("nvim-dbee/dialog.txt")),
];

/// A tool without a file that could be edited: its dialog is filled by hand.
const fn dialog(
    name: &'static str,
    title: &'static str,
    programs: &'static [&'static str],
    traces: &'static [&'static str],
    reads_passfile: bool,
    template: &'static str,
) -> Tool {
    Tool { name, title, programs, traces, reads_passfile, work: Work::Dialog(template) }
}
