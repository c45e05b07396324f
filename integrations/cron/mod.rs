//! cron: a marked block in the user's crontab, for systems without systemd.

use std::time::{Duration, Instant};

use super::schedule;
use crate::child;
use crate::error::Result;
use crate::setup::{Edit, Files, Machine, Place, Target, Tool, Way, Work, block};

pub(super) const TOOL: Tool = Tool {
    name: "cron",
    title: "cron",
    programs: &["crontab"],
    traces: &[],
    way: Way::Scheduler,
    work: Work::Files(&Crontab),
};

struct Crontab;

impl Files for Crontab {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        Ok(vec![edit(&self.text(machine, targets))?])
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        format!("*/{} * * * * {}\n", schedule::minutes(targets), command(machine))
    }

    fn undo(&self, _: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![edit("")?])
    }

    fn steps(&self, _: &Machine, _: &[Target]) -> Vec<String> {
        vec!["cron does not catch up after sleep; the next run comes within minutes".to_owned()]
    }

    fn state(&self, _: &Machine) -> Vec<String> {
        let text = current();
        let (block, _) = block::split(&text).unwrap_or_default();
        block.map(|_| "set up".to_owned()).into_iter().collect()
    }
}

fn edit(lines: &str) -> Result<Edit> {
    let before = current();
    let after = block::with(&before, lines)?;
    Ok(Edit { place: Place::Crontab, before: Some(before), after: Some(after) })
}

/// The user's crontab; of none, an empty text.
fn current() -> String {
    let deadline = Instant::now() + Duration::from_secs(5);
    let ended = child::output(&child::words(["crontab", "-l"]), deadline, false).ok();
    ended
        .filter(|ended| ended.status.success())
        .and_then(|ended| String::from_utf8(ended.stdout).ok())
        .unwrap_or_default()
}

/// Quotes for sh; cron itself reads `%` as a line's end.
fn command(machine: &Machine) -> String {
    let quoted = |word: String| format!("'{}'", word.replace('\'', r"'\''").replace('%', r"\%"));
    schedule::words(machine).into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}
