//! Lists the tools, where they were found on this machine, and which are set up: this is `pgcred
//! setup` without a tool. It changes nothing.

use crate::integrations::TOOLS;
use crate::output::table::TextTable;
use crate::setup::{Machine, SetupMethod, Tool};

/// No terminal has a line that is longer than this.
const MAX_CELL_LENGTH: usize = 1000;

pub(super) fn overview_lines(machine: &Machine) -> Vec<String> {
    let mut table = TextTable::new(TOOLS.len(), MAX_CELL_LENGTH);
    let column =
        |value: &dyn Fn(&Tool) -> String| -> Vec<String> { TOOLS.iter().map(value).collect() };
    table.add("TOOL", &column(&|tool| tool.name.to_owned()));
    table.add("NAME", &column(&|tool| tool.title.to_owned()));
    table.add("BY", &column(&|tool| tool.kind.as_str().to_owned()));
    table.add("FOUND", &column(&|tool| location_text(tool, machine)));
    table.add("SET UP", &column(&|tool| setup_state(tool, machine)));
    table.lines()
}

/// Returns where a tool was found, or the only system that it could be found on.
fn location_text(tool: &Tool, machine: &Machine) -> String {
    if let Some(os) = tool.only_on
        && os != machine.os
    {
        return format!("only on {}", os.title());
    }
    match tool.find(machine) {
        Some(path) => path.display().to_string(),
        None => "-".to_owned(),
    }
}

fn setup_state(tool: &Tool, machine: &Machine) -> String {
    match tool.method {
        SetupMethod::Files(files) => files.configured_names(machine).join(", "),
        SetupMethod::Dialog(_) => "prints what to enter".to_owned(),
    }
}
