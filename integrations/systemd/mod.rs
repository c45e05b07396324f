//! Sets up systemd: writes a timer of the user's own manager that runs `pgcred refresh` by the wall
//! clock, also right after sleep.
//!
//! ```text
//! setup::scheduler   the words of the command, and every how many minutes
//!        |
//!        v
//!      texts         pgcred-refresh.service: the words, quoted for ExecStart
//!        |           pgcred-refresh.timer: the minutes; both in ~/.config/systemd/user
//!        v
//!     commands       `systemctl --user daemon-reload`, then `enable --now` the timer
//! ```
//!
//! Undo stops the timer first (`disable --now`), removes both files, and lets the manager read its
//! units again. Set-up is refused before anything is written where no manager of the user's is
//! running: `probe` asks for it.
//!
//! `proxy` sets up the gateway's units and uses `units`, `command_line` and `systemctl` of this
//! file.

use std::path::PathBuf;

use crate::setup::{
    EditDestination, Machine, Os, Schedule, ScheduledText, ScheduledWork, Scheduler, SetupCommands,
    SetupDirection, SetupMethod, Tool, ToolKind,
};
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "systemd",
    title: "systemd timer (Linux)",
    programs: &["systemctl"],
    kind: ToolKind::Scheduler,
    method: SetupMethod::Files(&Scheduler {
        work: ScheduledWork::Refresh,
        texts,
        commands: commands_of_timer,
        probe: |_| Some(&["systemctl", "--user", "show-environment"]),
        remark: "it runs while you are logged in; \
                 `loginctl enable-linger` keeps it running after you have logged out",
    }),
    only_on: Some(Os::Linux),
    ..Tool::DEFAULT
};

const TIMER: &str = "pgcred-refresh.timer";
const SERVICE: &str = "pgcred-refresh.service";

fn texts(machine: &Machine) -> Vec<ScheduledText> {
    let directory = units_directory(machine);
    vec![
        ScheduledText {
            destination: EditDestination::File(directory.join(SERVICE)),
            text: service_text,
        },
        ScheduledText {
            destination: EditDestination::File(directory.join(TIMER)),
            text: timer_text,
        },
    ]
}

/// Returns the directory of the user's units.
pub(super) fn units_directory(machine: &Machine) -> PathBuf {
    machine.config_home.join("systemd").join("user")
}

fn service_text(schedule: &Schedule) -> String {
    include_str!("pgcred-refresh.service")
        .replace("{command}", &command_line(&schedule.command_line))
}

/// Returns a command as a unit has it.
pub(super) fn command_line(command_line: &[String]) -> String {
    let mut line = quote::systemd_program(&command_line[0]);
    for word in &command_line[1..] {
        line.push(' ');
        line.push_str(&quote::systemd_argument(word));
    }
    line
}

fn timer_text(schedule: &Schedule) -> String {
    include_str!("pgcred-refresh.timer").replace("{minutes}", &schedule.minutes.to_string())
}

fn commands_of_timer(_: &Machine, direction: SetupDirection) -> SetupCommands {
    let reload = systemctl(&["daemon-reload"]);
    match direction {
        SetupDirection::SetUp => SetupCommands {
            after: vec![reload, systemctl(&["enable", "--now", TIMER])],
            ..SetupCommands::default()
        },
        SetupDirection::Undo => SetupCommands {
            before: vec![systemctl(&["disable", "--now", TIMER])],
            after: vec![reload],
            ..SetupCommands::default()
        },
    }
}

/// Returns a call of the manager of the user's units.
pub(super) fn systemctl(arguments: &[&str]) -> Vec<String> {
    let mut command_line = vec!["systemctl".to_owned(), "--user".to_owned()];
    command_line.extend(arguments.iter().map(|word| (*word).to_owned()));
    command_line
}
