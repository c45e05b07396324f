//! Windows' Task Scheduler: a task of the user that refreshes what is due, and catches up after
//! sleep.

use std::path::PathBuf;

use super::schedule;
use crate::error::Result;
use crate::setup::{Edit, Files, Machine, Own, Target, Tool, Way, Work};
use crate::sys::fs;
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "task-scheduler",
    title: "Task Scheduler (Windows)",
    programs: &["schtasks"],
    traces: &[],
    way: Way::Scheduler,
    work: Work::Files(&Task),
};

const NAME: &str = "pgcred refresh";

struct Task;

impl Files for Task {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        Ok(vec![Edit::of(file(machine), &Own::WRITTEN, |_| {
            Ok(self.text(machine, targets))
        })?])
    }

    fn text(&self, machine: &Machine, targets: &[Target]) -> String {
        let is_option =
            |word: &String| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let quoted = |word: String| {
            if is_option(&word) {
                word
            } else {
                quote::c_runtime(&word)
            }
        };
        let words: Vec<String> = schedule::words(machine).into_iter().map(quoted).collect();
        // Without conhost a console window would flash at every run.
        let arguments = format!("--headless {}", words.join(" "));
        include_str!("pgcred-refresh.xml")
            .replace("{minutes}", &schedule::minutes(targets).to_string())
            .replace("{arguments}", &quote::xml_in_ascii(&arguments))
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![Edit::back(file(machine), &Own::WRITTEN)?])
    }

    fn commands(&self, machine: &Machine, undo: bool) -> [Vec<Vec<String>>; 2] {
        let file = file(machine).display().to_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        if undo {
            [
                vec![words(&["schtasks", "/Delete", "/F", "/TN", NAME])],
                Vec::new(),
            ]
        } else {
            [
                Vec::new(),
                vec![words(&[
                    "schtasks", "/Create", "/F", "/TN", NAME, "/XML", &file,
                ])],
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
    machine.own.join("pgcred-refresh.xml")
}
