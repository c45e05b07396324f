//! Sets up launchd: writes an agent of the user that runs `pgcred refresh` on macOS, and once more
//! after sleep.
//!
//! ```text
//! setup::scheduler   the words of the command, and every how many minutes
//!        |
//!        v
//!      texts          pgcred.refresh.plist: the words in XML, and the minutes of the hour
//!        |
//!        v
//!     commands        `launchctl unload`, then the file is written, then `launchctl load`
//! ```
//!
//! launchd does not notice that a file has changed, so the agent is unloaded before, and loaded
//! after, the file is written. Undoing unloads it and removes the file, which is all of pgcred's.

use std::path::{Path, PathBuf};

use crate::setup::{
    EditDestination, Machine, Os, Schedule, ScheduledText, ScheduledWork, Scheduler, SetupCommands,
    SetupDirection, SetupMethod, Tool, ToolKind,
};
use crate::sys::fs;
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "launchd",
    title: "launchd agent (macOS)",
    programs: &["launchctl"],
    kind: ToolKind::Scheduler,
    method: SetupMethod::Files(&Scheduler {
        work: ScheduledWork::Refresh,
        texts,
        commands: commands_of_agent,
        probe: |_| Some(&["launchctl", "list"]),
        remark: "it runs while you are logged in",
    }),
    only_on: Some(Os::Mac),
    ..Tool::DEFAULT
};

fn texts(machine: &Machine) -> Vec<ScheduledText> {
    vec![ScheduledText {
        destination: EditDestination::File(plist_file(machine)),
        text: plist_text,
    }]
}

/// Returns the property list. launchd knows no interval that begins at a full hour, so it lists the
/// minutes of the hour.
fn plist_text(schedule: &Schedule) -> String {
    let mut minutes = String::new();
    for minute in 0..60 {
        if minute % schedule.minutes == 0 {
            minutes += "    <dict><key>Minute</key><integer>";
            minutes += &minute.to_string();
            minutes += "</integer></dict>\n";
        }
    }
    include_str!("pgcred.refresh.plist")
        .replace("{words}", &strings(&schedule.command_line))
        .replace("{minutes}", &minutes)
}

/// Returns a command as a property list has it: a string for each word.
pub(super) fn strings(command_line: &[String]) -> String {
    let mut strings = String::new();
    for word in command_line {
        strings += "    <string>";
        strings += &quote::xml_in_ascii(word);
        strings += "</string>\n";
    }
    strings
}

fn commands_of_agent(machine: &Machine, direction: SetupDirection) -> SetupCommands {
    reload_commands(&plist_file(machine), direction)
}

/// Unloads the agent that launchd has, if there is one, because it does not notice a changed file.
pub(super) fn reload_commands(file: &Path, direction: SetupDirection) -> SetupCommands {
    let mut commands = SetupCommands::default();
    if fs::read(file).is_some() {
        commands.before.push(launchctl("unload", file));
    }
    if direction == SetupDirection::SetUp {
        commands.after.push(launchctl("load", file));
    }
    commands
}

fn plist_file(machine: &Machine) -> PathBuf {
    agents_directory(machine).join("pgcred.refresh.plist")
}

/// Returns the directory of the user's agents.
pub(super) fn agents_directory(machine: &Machine) -> PathBuf {
    machine.home.join("Library").join("LaunchAgents")
}

/// Returns a call that succeeds where an agent is loaded.
pub(super) fn loaded_check_command(label: &str) -> Vec<String> {
    ["launchctl", "list", label].map(str::to_owned).to_vec()
}

fn launchctl(verb: &str, file: &Path) -> Vec<String> {
    let file = file.display().to_string();
    ["launchctl", verb, "-w", &file].map(str::to_owned).to_vec()
}
