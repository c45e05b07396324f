//! The tools that pgcred sets up: a directory each, a line each.

mod cron;
mod dbeaver;
mod launchd;
mod pgadmin;
mod psql;
mod schedule;
mod systemd;
#[path = "task-scheduler/mod.rs"]
mod task_scheduler;

use crate::setup::{Tool, Way, Work};

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
        Way::Passfile,
        include_str!("datagrip/dialog.txt"),
    ),
    dialog(
        "tableplus",
        "TablePlus",
        &["tableplus"],
        &["TablePlus.app"],
        Way::Command,
        include_str!("tableplus/dialog.txt"),
    ),
    dialog(
        "postico",
        "Postico 2",
        &[],
        &["Postico 2.app", "Postico.app"],
        Way::Command,
        include_str!("postico/dialog.txt"),
    ),
    dialog(
        "dbcode",
        "DBCode",
        &[],
        &[".vscode/extensions"],
        Way::Command,
        include_str!("dbcode/dialog.txt"),
    ),
    dialog(
        "beekeeper",
        "Beekeeper Studio",
        &["beekeeper-studio"],
        &["Beekeeper Studio.app"],
        Way::Command,
        include_str!("beekeeper/dialog.txt"),
    ),
    dialog(
        "vscode",
        "VS Code: SQLTools, PostgreSQL",
        &["code"],
        &["Visual Studio Code.app"],
        Way::Passfile,
        include_str!("vscode/dialog.txt"),
    ),
    dialog(
        "dbgate",
        "DbGate",
        &["dbgate"],
        &["DbGate.app"],
        Way::Passfile,
        include_str!("dbgate/dialog.txt"),
    ),
    dialog(
        "heidisql",
        "HeidiSQL",
        &["heidisql"],
        &["Program Files/HeidiSQL"],
        Way::Passfile,
        include_str!("heidisql/dialog.txt"),
    ),
    dialog(
        "qgis",
        "QGIS",
        &["qgis"],
        &["QGIS.app"],
        Way::Passfile,
        include_str!("qgis/dialog.txt"),
    ),
    dialog(
        "odbc",
        "psqlODBC: Excel, Access",
        &["odbcinst"],
        &[],
        Way::Passfile,
        include_str!("odbc/dialog.txt"),
    ),
    dialog(
        "jdbc",
        "JDBC: DbVisualizer, Metabase, Superset",
        &[],
        &[],
        Way::Passfile,
        include_str!("jdbc/dialog.txt"),
    ),
    dialog(
        "pgcli",
        "pgcli",
        &["pgcli"],
        &[],
        Way::Passfile,
        include_str!("pgcli/dialog.txt"),
    ),
    dialog(
        "usql",
        "usql",
        &["usql"],
        &[],
        Way::Passfile,
        include_str!("usql/dialog.txt"),
    ),
    dialog(
        "vim-dadbod",
        "vim-dadbod",
        &["vim", "nvim"],
        &[],
        Way::Passfile,
        include_str!("vim-dadbod/dialog.txt"),
    ),
    dialog(
        "lazysql",
        "lazysql",
        &["lazysql"],
        &[],
        Way::Command,
        include_str!("lazysql/dialog.txt"),
    ),
    dialog(
        "sqlit",
        "sqlit",
        &["sqlit"],
        &[],
        Way::Command,
        include_str!("sqlit/dialog.txt"),
    ),
    dialog(
        "rainfrog",
        "rainfrog",
        &["rainfrog"],
        &[],
        Way::Command,
        include_str!("rainfrog/dialog.txt"),
    ),
    dialog(
        "nvim-dbee",
        "nvim-dbee",
        &["nvim"],
        &[],
        Way::Command,
        include_str!("nvim-dbee/dialog.txt"),
    ),
    systemd::TOOL,
    launchd::TOOL,
    task_scheduler::TOOL,
    cron::TOOL,
];

/// The tools of libpq that are given `hostaddr`: the address that is dialled, while the host's name
/// is what is verified.
const WITH_HOSTADDR: [&str; 4] = ["pgadmin", "psql", "pgcli", "vim-dadbod"];

pub(crate) fn takes_hostaddr(tool: &Tool) -> bool {
    WITH_HOSTADDR.contains(&tool.name)
}

/// A tool without a file that could be edited: its dialog is filled by hand.
const fn dialog(
    name: &'static str,
    title: &'static str,
    programs: &'static [&'static str],
    traces: &'static [&'static str],
    way: Way,
    template: &'static str,
) -> Tool {
    Tool {
        name,
        title,
        programs,
        traces,
        way,
        work: Work::Dialog(template),
    }
}
