//! Lists the tools that pgcred sets up: each has a directory with its page and its template or its
//! code, and one entry in the list below.
//!
//! README.md beside this file has the recipes for another tool.

mod cron;
mod dbeaver;
mod launchd;
mod pgadmin;
mod proxy;
mod psql;
mod systemd;
#[path = "task-scheduler/mod.rs"]
mod task_scheduler;

use crate::setup::{Os, SetupMethod, Tool, ToolKind};

pub(crate) use proxy::DIALOG as DIALOG_OF_GATEWAY;

/// Every tool, in the order of `pgcred setup`.
pub(crate) static TOOLS: &[Tool] = &[
    dbeaver::TOOL,
    pgadmin::TOOL,
    psql::TOOL,
    Tool {
        name: "datagrip",
        title: "DataGrip, IntelliJ",
        programs: &["datagrip"],
        traces: &["DataGrip.app"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("datagrip/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "tableplus",
        title: "TablePlus",
        programs: &["tableplus"],
        traces: &["TablePlus.app"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("tableplus/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "tablepro",
        title: "TablePro",
        traces: &["TablePro.app"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("tablepro/dialog.txt")),
        only_on: Some(Os::Mac),
        ..Tool::DEFAULT
    },
    Tool {
        name: "postico",
        title: "Postico 2",
        traces: &["Postico 2.app", "Postico.app"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("postico/dialog.txt")),
        only_on: Some(Os::Mac),
        ..Tool::DEFAULT
    },
    Tool {
        name: "dbcode",
        title: "DBCode",
        traces: &[".vscode/extensions"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("dbcode/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "beekeeper",
        title: "Beekeeper Studio",
        programs: &["beekeeper-studio"],
        traces: &["Beekeeper Studio.app"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("beekeeper/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "vscode",
        title: "VS Code: SQLTools, PostgreSQL",
        programs: &["code"],
        traces: &["Visual Studio Code.app"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("vscode/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "dbgate",
        title: "DbGate",
        programs: &["dbgate"],
        traces: &["DbGate.app"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("dbgate/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "heidisql",
        title: "HeidiSQL",
        programs: &["heidisql"],
        traces: &["Program Files/HeidiSQL"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("heidisql/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "qgis",
        title: "QGIS",
        programs: &["qgis"],
        traces: &["QGIS.app"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("qgis/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "odbc",
        title: "psqlODBC: Excel, Access, Power BI",
        programs: &["odbcinst"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("odbc/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "jdbc",
        title: "JDBC: DbVisualizer, Superset",
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("jdbc/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "mcp",
        title: "MCP servers",
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("mcp/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "pgcli",
        title: "pgcli",
        programs: &["pgcli"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("pgcli/dialog.txt")),
        takes_hostaddr: true,
        ..Tool::DEFAULT
    },
    Tool {
        name: "usql",
        title: "usql",
        programs: &["usql"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("usql/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "vim-dadbod",
        title: "vim-dadbod",
        programs: &["vim", "nvim"],
        kind: ToolKind::Passfile,
        method: SetupMethod::Dialog(include_str!("vim-dadbod/dialog.txt")),
        takes_hostaddr: true,
        ..Tool::DEFAULT
    },
    Tool {
        name: "lazysql",
        title: "lazysql",
        programs: &["lazysql"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("lazysql/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "sqlit",
        title: "sqlit",
        programs: &["sqlit"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("sqlit/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "rainfrog",
        title: "rainfrog",
        programs: &["rainfrog"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("rainfrog/dialog.txt")),
        ..Tool::DEFAULT
    },
    Tool {
        name: "nvim-dbee",
        title: "nvim-dbee",
        programs: &["nvim"],
        kind: ToolKind::Command,
        method: SetupMethod::Dialog(include_str!("nvim-dbee/dialog.txt")),
        ..Tool::DEFAULT
    },
    systemd::TOOL,
    launchd::TOOL,
    task_scheduler::TOOL,
    cron::TOOL,
    proxy::TOOL,
];
