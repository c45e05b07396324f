//! cron: a marked block in the user's crontab, for systems without systemd.

use super::schedule;
use crate::error::Result;
use crate::setup::{Edit, Files, Machine, Place, Target, Tool, Way, Work, block, crontab};
use crate::text::quote;

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
        format!(
            "*/{} * * * * {}\n",
            schedule::minutes(targets),
            command(machine)
        )
    }

    fn undo(&self, _: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![edit("")?])
    }

    fn without(&self, machine: &Machine, _: &[String]) -> Result<Vec<Edit>> {
        self.undo(machine)
    }

    /// It refreshes every connection, and has none by itself.
    fn names(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn steps(&self, _: &Machine, targets: &[Target]) -> Vec<String> {
        let sleeps = "cron does not catch up after sleep; the next run comes within minutes";
        [sleeps.to_owned()]
            .into_iter()
            .chain(schedule::too_short(targets))
            .collect()
    }

    fn state(&self, _: &Machine) -> Vec<String> {
        let text = crontab::read().ok().flatten().unwrap_or_default();
        let (block, _) = block::split(&text).unwrap_or_default();
        block.map(|_| "set up".to_owned()).into_iter().collect()
    }
}

fn edit(lines: &str) -> Result<Edit> {
    let before = crontab::read()?;
    let after = block::with(before.as_deref().unwrap_or_default(), lines)?;
    let after = Some(after).filter(|after| !after.is_empty() || before.as_deref() == Some(""));
    Ok(Edit {
        place: Place::Crontab,
        before,
        after,
        keep: None,
    })
}

/// Returns the command, which prints nothing, because cron mails all that is printed; `pgcred list`
/// tells what failed.
fn command(machine: &Machine) -> String {
    let words: Vec<_> = schedule::words(machine)
        .iter()
        .map(|word| quote::cron(word))
        .collect();
    format!("{} >/dev/null 2>&1", words.join(" "))
}
