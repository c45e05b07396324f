//! What `setup` and its undoing change: shown first, made as a whole, and taken back if that fails.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use similar::TextDiff;

use super::app::App;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::roots;
use crate::setup::crontab;
use crate::setup::{Edit, Machine, Place, Target};
use crate::sys::child::{self, Bond, NoOutput};
use crate::sys::fs;
use crate::sys::terminal;

/// How the edits are made.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// They take back what was set up.
    pub(super) undo: bool,
    /// They are only shown.
    pub(super) dry_run: bool,
    /// Nobody is asked.
    pub(super) yes: bool,
}

impl Manner {
    /// Shows the edits and makes them, if nobody objects; tells whether they stand.
    pub(super) fn apply(
        self,
        edits: &[Edit],
        commands: &ToRun,
        targets: &[Target],
        machine: &Machine,
        app: &App,
    ) -> Result<bool> {
        let output = app.preferences.output;
        if !self.dry_run {
            clear_leftovers(edits);
        }
        let edits: Vec<&Edit> = edits
            .iter()
            .filter(|edit| edit.changes_something())
            .collect();
        if edits.is_empty() {
            output.note("nothing to change");
            // What was written may not have been made known: that failed the last time, or was
            // undone by hand.
            if self.undo || self.dry_run {
                return Ok(true);
            }
        } else {
            if self.dry_run || !self.yes {
                for edit in &edits {
                    Output::show(&diff(edit));
                }
            }
            if self.dry_run {
                return Ok(false);
            }
            if !self.yes && !agreed(app)? {
                output.note("nothing was changed");
                return Ok(false);
            }
        }
        provide_roots(targets, app)?;
        carry_out(&edits, commands, self.undo, machine, output)?;
        Ok(true)
    }
}

/// Removes what a pgcred that was killed has left beside the files, also beside those that need no
/// change any more.
fn clear_leftovers(edits: &[Edit]) {
    for edit in edits {
        if let Place::File(path) = &edit.place {
            let _ = fs::clear_leftovers(path); // it holds nothing that is missed
        }
    }
}

/// The commands that have to run before the edits, and after them.
pub(super) type ToRun = [Vec<Vec<String>>; 2];

/// Runs the commands and makes the edits. What cannot be set up as a whole is taken back; an undo
/// goes as far as it can.
pub(super) fn carry_out(
    edits: &[&Edit],
    [before, after]: &ToRun,
    undo: bool,
    machine: &Machine,
    output: Output,
) -> Result<()> {
    for words in before {
        // It takes away what may have been taken away by hand.
        if let Err(error) = run(words) {
            output.warn(&error.to_string());
        }
    }
    let mut done = Vec::new();
    let made = edits.iter().try_for_each(|edit| {
        let backup = make(
            &edit.place,
            edit.before.as_deref(),
            edit.after.as_deref(),
            edit.keep.as_deref(),
            machine,
        )?;
        done.push(*edit);
        let what = if edit.after.is_some() {
            "written"
        } else {
            "removed"
        };
        let kept = backup
            .map(|path| format!("; the old one is {}", path.display()))
            .unwrap_or_default();
        output.note(&format!("{}: {what}{kept}", edit.place));
        Ok(())
    });
    if undo {
        made?;
        for error in after.iter().filter_map(|words| run(words).err()) {
            output.warn(&error.to_string()); // what is gone is gone, whoever has not heard of it
        }
        return Ok(());
    }
    let Err(error) = made.and_then(|()| after.iter().try_for_each(|words| run(words))) else {
        return Ok(());
    };
    for edit in done.iter().rev() {
        match make(
            &edit.place,
            edit.after.as_deref(),
            edit.before.as_deref(),
            None,
            machine,
        ) {
            Ok(_) => output.note(&format!("{}: as it was before", edit.place)),
            Err(error) => output.warn(&format!("{} was not taken back: {error}", edit.place)),
        }
    }
    if !done.is_empty() {
        let _ = after.first().map(|words| run(words)); // so that this is heard of too, if that can be
    }
    Err(error)
}

/// Makes one edit; returns where the old text is kept, if it is.
fn make(
    place: &Place,
    before: Option<&str>,
    after: Option<&str>,
    keep: Option<&str>,
    machine: &Machine,
) -> Result<Option<PathBuf>> {
    let path = match place {
        Place::File(path) => path,
        Place::Crontab => return crontab::replace(before, after).map(|()| None),
    };
    let kept = fs::replace(path, before, after, keep)?;
    if after.is_none() && machine.is_of_programs(path) {
        fs::remove_empty_directories(path);
    }
    Ok(kept)
}

/// Puts the files of root certificates into their place that the targets' tools will name.
pub(super) fn provide_roots(targets: &[Target], app: &App) -> Result<()> {
    let provide = |target: &Target| {
        roots::provide(&target.request, target.roots.as_ref(), &app.preferences.ask)
    };
    targets.iter().try_for_each(provide)
}

/// Runs a command that a scheduler needs; its own words are the cause if it fails.
fn run(words: &[String]) -> Result<()> {
    run_within(words, Duration::from_secs(30))
}

pub(super) fn run_within(words: &[String], patience: Duration) -> Result<()> {
    let line = words.join(" ");
    let deadline = Instant::now() + patience;
    let failed = |why: &str| {
        Error::failure(format!("`{line}` failed: {why}")).hint("run it by hand to see more")
    };
    match child::output(words, deadline, Bond::Alone) {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) => Err(failed(String::from_utf8_lossy(&ended.stderr).trim())),
        Err(NoOutput::Failed(error)) => Err(error),
        Err(NoOutput::TooLate) => Err(failed(&format!("no end within {} s", patience.as_secs()))),
    }
}

fn agreed(app: &App) -> Result<bool> {
    if !app.preferences.ask.terminal {
        return Err(Error::usage("nothing was changed: nobody is there to ask")
            .hint("add --yes to change it"));
    }
    let answer = terminal::ask("change this? [y/N] ")?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn diff(edit: &Edit) -> String {
    let path = edit.place.to_string();
    let (before, after) = (
        edit.before.as_deref().unwrap_or_default(),
        edit.after.as_deref().unwrap_or_default(),
    );
    let missing = |text: &Option<String>| {
        if text.is_some() {
            path.clone()
        } else {
            "/dev/null".to_owned()
        }
    };
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff()
        .context_radius(2)
        .header(&missing(&edit.before), &missing(&edit.after))
        .to_string()
}
