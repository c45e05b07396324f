//! Sets up Windows' Task Scheduler: makes a task of the user that runs `pgcred refresh`, and runs
//! it after sleep if a run was missed.
//!
//! ```text
//! setup::scheduler   the words of the command, and every how many minutes
//!        |
//!        v
//!      texts         pgcred-refresh.xml, beside pgcred's configuration: the minutes, and the words
//!        |           as arguments of conhost, quoted for the C runtime and then for XML
//!        v
//!     commands       `schtasks /Create /F /TN "pgcred refresh" /XML FILE`: registers the file
//! ```
//!
//! Windows keeps a copy of the task, so the file alone changes nothing. Undo deletes the task first
//! (`schtasks /Delete`) and then the file, which is pgcred's as a whole. The file is in ASCII,
//! because `schtasks` takes nothing else for sure.
//!
//! `proxy` sets up the gateway's task and uses `arguments` and `schtasks` of this file.

use std::path::PathBuf;

use crate::setup::{
    EditDestination, Machine, Os, Schedule, ScheduledText, ScheduledWork, Scheduler, SetupCommands,
    SetupDirection, SetupMethod, Tool, ToolKind,
};
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "task-scheduler",
    title: "Task Scheduler (Windows)",
    programs: &["schtasks"],
    kind: ToolKind::Scheduler,
    method: SetupMethod::Files(&Scheduler {
        work: ScheduledWork::Refresh,
        texts,
        commands: commands_of_task,
        probe: |_| None,
        remark: "it runs while you are logged in",
    }),
    only_on: Some(Os::Windows),
    ..Tool::DEFAULT
};

/// The task's name in Task Scheduler.
const NAME: &str = "pgcred refresh";

fn texts(machine: &Machine) -> Vec<ScheduledText> {
    vec![ScheduledText {
        destination: EditDestination::File(task_file(machine)),
        text: task_text,
    }]
}

fn task_text(schedule: &Schedule) -> String {
    include_str!("pgcred-refresh.xml")
        .replace("{minutes}", &schedule.minutes.to_string())
        .replace("{arguments}", &arguments(&schedule.command_line))
}

/// Returns the arguments of conhost, in XML. A command runs under conhost, because a console window
/// would flash at every run otherwise.
pub(super) fn arguments(command_line: &[String]) -> String {
    let quoted_words: Vec<String> = command_line
        .iter()
        .map(|word| c_runtime_word(word))
        .collect();
    quote::xml_in_ascii(&format!("--headless {}", quoted_words.join(" ")))
}

fn c_runtime_word(word: &str) -> String {
    if word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        word.to_owned()
    } else {
        quote::c_runtime(word)
    }
}

fn commands_of_task(machine: &Machine, direction: SetupDirection) -> SetupCommands {
    let file = task_file(machine).display().to_string();
    match direction {
        SetupDirection::SetUp => SetupCommands {
            after: vec![schtasks(&["/Create", "/F", "/TN", NAME, "/XML", &file])],
            ..SetupCommands::default()
        },
        SetupDirection::Undo => SetupCommands {
            before: vec![schtasks(&["/Delete", "/F", "/TN", NAME])],
            ..SetupCommands::default()
        },
    }
}

/// Returns a call of the program that registers tasks.
pub(super) fn schtasks(arguments: &[&str]) -> Vec<String> {
    let mut command_line = vec!["schtasks".to_owned()];
    command_line.extend(arguments.iter().map(|word| (*word).to_owned()));
    command_line
}

fn task_file(machine: &Machine) -> PathBuf {
    machine.pgcred_config.join("pgcred-refresh.xml")
}
