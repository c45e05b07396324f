//! cron: a marked block in the user's crontab, for systems without systemd.

use crate::setup::{
    EditDestination, Machine, Schedule, ScheduledText, Scheduler, SetupCommands, SetupMethod, Tool,
    ToolKind,
};
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "cron",
    title: "cron",
    programs: &["crontab"],
    kind: ToolKind::Scheduler,
    method: SetupMethod::Files(&Scheduler {
        texts,
        commands: |_, _| SetupCommands::default(),
        probe: None,
        remark: "cron does not catch up after sleep; the next run comes within minutes",
    }),
    ..Tool::DEFAULT
};

fn texts(_: &Machine) -> Vec<ScheduledText> {
    vec![ScheduledText {
        destination: EditDestination::Crontab,
        text,
    }]
}

/// Returns the line of the crontab. The command prints nothing, because cron mails what a command
/// prints; `pgcred list` tells what failed.
fn text(schedule: &Schedule) -> String {
    let words: Vec<String> = schedule
        .words
        .iter()
        .map(|word| quote::cron(word))
        .collect();
    format!(
        "*/{} * * * * {} >/dev/null 2>&1\n",
        schedule.minutes,
        words.join(" ")
    )
}
