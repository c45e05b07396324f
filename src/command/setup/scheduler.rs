//! Tells which scheduler works on this machine, and what keeps the passfile fresh.

use std::time::Duration;

use crate::command::edits::run_within;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::setup::{Machine, Tool, ToolFiles, ToolKind};

/// Returns the schedulers that this system may have, in the order in which they are tried. One that
/// runs pgcred already comes first.
pub(super) fn possible_schedulers(machine: &Machine) -> Vec<&'static Tool> {
    let (mut working, mut others) = (Vec::new(), Vec::new());
    for tool in TOOLS {
        if tool.kind != ToolKind::Scheduler || !tool.runs_on(machine) {
            continue;
        }
        if tool.is_scheduler_at_work(machine) {
            working.push(tool);
        } else {
            others.push(tool);
        }
    }
    working.extend(others);
    working
}

/// Says which scheduler keeps the passfile fresh on this machine, or could.
pub(super) fn refresh_advice(machine: &Machine) -> String {
    for tool in TOOLS {
        if tool.is_scheduler_at_work(machine) {
            return format!(
                "keep the passfile fresh: run `pgcred refresh` now; {} repeats it",
                tool.title
            );
        }
    }
    format!(
        "keep the passfile fresh: run `pgcred refresh` now, \
         and once `pgcred setup {}`, which repeats it",
        machine.os.scheduler()
    )
}

/// Says what keeps the passfile fresh where no scheduler works.
pub(super) fn refresh_advice_without_scheduler(reason: &str) -> String {
    format!(
        "keep the passfile fresh: leave `pgcred refresh --watch` running while you work, \
         because no scheduler works here: {reason}"
    )
}

/// Refuses a scheduler, or what runs a service, if it does not run here: before anything is written
/// for it. Names one that does.
pub(super) fn check_scheduler(tool: &Tool, files: &dyn ToolFiles, machine: &Machine) -> Result<()> {
    let Err(reason) = probe_scheduler(tool, files, machine) else {
        return Ok(());
    };
    let hint = if tool.kind == ToolKind::Service {
        "run `pgcred proxy`, which does the same for as long as it runs"
    } else if could_use(tool, "cron", "crontab") {
        "run `pgcred setup cron`, which does the same by cron"
    } else if machine.os.scheduler() == "systemd" && could_use(tool, "systemd", "systemctl") {
        "run `pgcred setup systemd`, which does the same by systemd"
    } else {
        "run `pgcred refresh --watch`, which does the same for as long as it runs"
    };
    Err(Error::failure(format!(
        "{} is not running here, and nothing was changed: {reason}",
        tool.title
    ))
    .hint(hint))
}

/// Returns why a scheduler, or what runs services, cannot be used.
pub(super) fn probe_scheduler(
    tool: &Tool,
    files: &dyn ToolFiles,
    machine: &Machine,
) -> Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    if Machine::program(tool.programs).is_none() {
        return Err(format!("there is no program {}", tool.programs.join(", ")));
    }
    let Some(probe) = files.probe(machine) else {
        return Ok(());
    };
    let command_line: Vec<String> = probe.iter().map(|word| (*word).to_owned()).collect();
    run_within(&command_line, TIMEOUT).map_err(|error| error.to_string())
}

/// Tells whether the user could take another scheduler, by its name and its program.
fn could_use(instead_of: &Tool, name: &str, program: &str) -> bool {
    instead_of.name != name && Machine::program(&[program]).is_some()
}
