//! Sets up cron: writes a marked block with `pgcred refresh` into the user's crontab, for systems
//! without systemd.
//!
//! ```text
//! setup::scheduler   the words of the command, and every how many minutes
//!        |
//!        v
//!      texts          */2 * * * * PGCRED refresh --background >/dev/null 2>&1
//!        |
//!        v
//! setup::block       the line between two marks, first in what `crontab -l` prints
//!        |
//!        v
//! setup::crontab     replaces the table, if it is still the one that was read
//! ```
//!
//! cron reads the new table by itself, so no command follows. The line is quoted for cron and for
//! the shell that cron starts: `%` ends a command there. Undoing takes the block out, and nothing
//! else of the table.

use crate::setup::{
    EditDestination, Machine, Schedule, ScheduledText, ScheduledWork, Scheduler, SetupCommands,
    SetupMethod, Tool, ToolKind,
};
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "cron",
    title: "cron",
    programs: &["crontab"],
    kind: ToolKind::Scheduler,
    method: SetupMethod::Files(&Scheduler {
        work: ScheduledWork::Refresh,
        texts,
        commands: |_, _| SetupCommands::default(),
        probe: |_| None,
        remark: "cron does not catch up after sleep; the next run comes within minutes",
    }),
    ..Tool::DEFAULT
};

fn texts(_: &Machine) -> Vec<ScheduledText> {
    vec![ScheduledText {
        destination: EditDestination::Crontab,
        text: crontab_line,
    }]
}

/// Returns the line of the crontab. The command prints nothing, because cron mails what a command
/// prints; `pgcred list` tells what failed.
fn crontab_line(schedule: &Schedule) -> String {
    let quoted_words: Vec<String> = schedule
        .command_line
        .iter()
        .map(|word| quote::cron(word))
        .collect();
    format!(
        "*/{} * * * * {} >/dev/null 2>&1\n",
        schedule.minutes,
        quoted_words.join(" ")
    )
}
