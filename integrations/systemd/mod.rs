//! systemd: a timer of the user's own manager that refreshes what is due, by the wall clock, also
//! right after sleep.

use std::path::PathBuf;

use super::schedule;
use crate::error::Result;
use crate::setup::{Edit, Files, Machine, Own, Target, Tool, Way, Work};
use crate::sys::fs;
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "systemd",
    title: "systemd timer (Linux)",
    programs: &["systemctl"],
    traces: &[],
    way: Way::Scheduler,
    work: Work::Files(&Units),
};

const TIMER: &str = "pgcred-refresh.timer";
const SERVICE: &str = "pgcred-refresh.service";

struct Units;

impl Files for Units {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        let files = files(machine, targets);
        files
            .into_iter()
            .map(|(name, text)| {
                Edit::of(directory(machine).join(name), &Own::WRITTEN, |_| Ok(text))
            })
            .collect()
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        files(machine, targets).map(|(_, text)| text).join("\n")
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        [TIMER, SERVICE]
            .into_iter()
            .map(|name| Edit::back(directory(machine).join(name), &Own::WRITTEN))
            .collect()
    }

    fn commands(&self, _: &Machine, undo: bool) -> [Vec<Vec<String>>; 2] {
        let systemctl = |words: &[&str]| {
            [&["systemctl", "--user"], words]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let reload = systemctl(&["daemon-reload"]);
        if undo {
            [vec![systemctl(&["disable", "--now", TIMER])], vec![reload]]
        } else {
            [
                Vec::new(),
                vec![reload, systemctl(&["enable", "--now", TIMER])],
            ]
        }
    }

    fn without(&self, machine: &Machine, _: &[String]) -> Result<Vec<Edit>> {
        self.undo(machine)
    }

    /// It refreshes every connection, and has none by itself.
    fn names(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn greeting(&self) -> Option<&'static [&'static str]> {
        Some(&["systemctl", "--user", "show-environment"])
    }

    fn steps(&self, _: &Machine, targets: &[Target]) -> Vec<String> {
        let runs = "it runs while you are logged in; `loginctl enable-linger` keeps it running after log-out";
        [runs.to_owned()]
            .into_iter()
            .chain(schedule::too_short(targets))
            .collect()
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        fs::read(&directory(machine).join(TIMER))
            .map(|_| "set up".to_owned())
            .into_iter()
            .collect()
    }
}

fn files(machine: &Machine, targets: &[Target]) -> [(&'static str, String); 2] {
    let minutes = schedule::minutes(targets).to_string();
    [
        (
            SERVICE,
            include_str!("pgcred-refresh.service").replace("{command}", &command(machine)),
        ),
        (
            TIMER,
            include_str!("pgcred-refresh.timer").replace("{minutes}", &minutes),
        ),
    ]
}

fn directory(machine: &Machine) -> PathBuf {
    machine.config.join("systemd").join("user")
}

fn command(machine: &Machine) -> String {
    let words = schedule::words(machine);
    let mut line = quote::systemd_program(&words[0]);
    for word in &words[1..] {
        line.push(' ');
        line.push_str(&quote::systemd_argument(word));
    }
    line
}
