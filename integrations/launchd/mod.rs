//! launchd: an agent of the user that refreshes what is due; macOS runs it once more after sleep.

use std::path::PathBuf;

use super::schedule;
use crate::error::Result;
use crate::setup::{Edit, Files, Machine, Own, Target, Tool, Way, Work};
use crate::sys::fs;
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "launchd",
    title: "launchd agent (macOS)",
    programs: &["launchctl"],
    traces: &[],
    way: Way::Scheduler,
    work: Work::Files(&Agent),
};

struct Agent;

impl Files for Agent {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        Ok(vec![Edit::of(file(machine), &Own::WRITTEN, |_| {
            Ok(self.text(machine, targets))
        })?])
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        let words = schedule::words(machine);
        let words: Vec<_> = words
            .iter()
            .map(|word| format!("    <string>{}</string>\n", quote::xml_in_ascii(word)))
            .collect();
        let minutes = (0..60).filter(|minute| minute % schedule::minutes(targets) == 0);
        let minutes = minutes.map(|minute| {
            format!("    <dict><key>Minute</key><integer>{minute}</integer></dict>\n")
        });
        include_str!("pgcred.refresh.plist")
            .replace("{words}", &words.concat())
            .replace("{minutes}", &minutes.collect::<String>())
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![Edit::back(file(machine), &Own::WRITTEN)?])
    }

    fn commands(&self, machine: &Machine, undo: bool) -> [Vec<Vec<String>>; 2] {
        let known = fs::read(&file(machine)).map(|_| launchctl("unload", machine));
        let new = Some(launchctl("load", machine)).filter(|_| !undo);
        [known.into_iter().collect(), new.into_iter().collect()]
    }

    fn without(&self, machine: &Machine, _: &[String]) -> Result<Vec<Edit>> {
        self.undo(machine)
    }

    /// It refreshes every connection, and has none by itself.
    fn names(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn greeting(&self) -> Option<&'static [&'static str]> {
        Some(&["launchctl", "list"])
    }

    fn steps(&self, _: &Machine, targets: &[Target]) -> Vec<String> {
        ["it runs while you are logged in".to_owned()]
            .into_iter()
            .chain(schedule::too_short(targets))
            .collect()
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        fs::read(&file(machine))
            .map(|_| "set up".to_owned())
            .into_iter()
            .collect()
    }
}

fn file(machine: &Machine) -> PathBuf {
    machine
        .home
        .join("Library")
        .join("LaunchAgents")
        .join("pgcred.refresh.plist")
}

fn launchctl(verb: &str, machine: &Machine) -> Vec<String> {
    [
        "launchctl",
        verb,
        "-w",
        &file(machine).display().to_string(),
    ]
    .map(str::to_owned)
    .to_vec()
}
