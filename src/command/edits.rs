//! Makes edits of files, as `setup` and its undoing want them.
//!
//! The order is: show the differences, ask the user, put root certificates into their place, run
//! the commands that have to come first, make the edits, run the commands that have to come after.
//! When setting up fails in between, everything that was done is taken back. An undo goes as far as
//! it can instead.
//!
//! `EditPolicy::apply` does all of it for edits that belong together. What has several such groups
//! asks once with `decide` and calls `carry_out` for each.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use similar::TextDiff;

use super::app::App;
use super::preferences::Preferences;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::roots;
use crate::setup::crontab;
use crate::setup::{
    EditDestination, FileDrafts, Machine, SetupCommands, SetupDirection, SetupEdit, ToolTarget,
};
use crate::sys::child::{self, ChildAttachment, ProgramError};
use crate::sys::fs;
use crate::sys::terminal;

/// How the edits are made.
#[derive(Clone, Copy)]
pub(super) struct EditPolicy {
    pub(super) direction: SetupDirection,
    /// They are only shown.
    pub(super) dry_run: bool,
    /// The user is not asked.
    pub(super) yes: bool,
}

/// What the user wants after having seen the edits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EditDecision {
    /// Make them.
    Make,
    /// Nothing has to be made: the files are as the edits want them.
    AllMade,
    /// Leave everything as it is.
    Leave,
}

impl EditPolicy {
    /// Shows the edits and makes them, unless the user says no. Tells whether the files are now as
    /// the edits want them.
    pub(super) fn apply(
        self,
        edits: &[SetupEdit],
        commands: &SetupCommands,
        targets: &[ToolTarget],
        machine: &Machine,
        app: &App,
    ) -> Result<bool> {
        let shown_edits: Vec<&SetupEdit> = edits.iter().collect();
        match self.decide(&shown_edits, &app.preferences)? {
            EditDecision::Make => {}
            EditDecision::AllMade => return Ok(true),
            EditDecision::Leave => return Ok(false),
        }
        provide_roots(targets, &app.preferences)?;
        let output = app.preferences.output;
        carry_out(
            &edits_that_change(edits),
            commands,
            self.direction,
            machine,
            output,
        )?;
        Ok(true)
    }

    /// Shows all edits at once, several of one file as one, and asks the user once.
    pub(super) fn decide(
        self,
        edits: &[&SetupEdit],
        preferences: &Preferences,
    ) -> Result<EditDecision> {
        let output = preferences.output;
        if !self.dry_run {
            clear_leftovers(edits, self.direction);
        }
        let changes = edits_that_change(&merge_by_file(edits))
            .into_iter()
            .map(diff)
            .collect::<Vec<_>>();
        if changes.is_empty() {
            output.note("nothing to change");
            // A setup goes on: the program that has to know the files may not know them, because
            // telling it has failed the last time, or because the user has undone it by hand.
            return Ok(if self.direction == SetupDirection::Undo || self.dry_run {
                EditDecision::AllMade
            } else {
                EditDecision::Make
            });
        }
        if self.dry_run || !self.yes {
            for change in &changes {
                Output::show(change);
            }
        }
        if self.dry_run {
            return Ok(EditDecision::Leave);
        }
        if !self.yes && !has_user_agreed("change this? [y/N] ", preferences)? {
            output.note("nothing was changed");
            return Ok(EditDecision::Leave);
        }
        Ok(EditDecision::Make)
    }
}

/// Returns the edit of pgcred's own configuration that gives it another text. `drafts` has what
/// earlier edits leave there, if they are planned together.
pub(super) fn edit_configuration(
    preferences: &Preferences,
    drafts: &FileDrafts,
    change: impl FnOnce(&str) -> Result<String>,
) -> Result<SetupEdit> {
    let path = preferences.config_path()?.clone();
    let old_text = drafts.read(&path)?;
    let new_text = change(old_text.as_deref().unwrap_or_default())?;
    Ok(SetupEdit {
        destination: EditDestination::File(path),
        old_text,
        new_text: Some(new_text),
        backup_text: None,
    })
}

/// Returns the edits that change something.
pub(super) fn edits_that_change(edits: &[SetupEdit]) -> Vec<&SetupEdit> {
    let mut changes = Vec::new();
    for edit in edits {
        if edit.changes_something() {
            changes.push(edit);
        }
    }
    changes
}

/// Returns one edit for each file: from what it is before the first edit to what it is after the
/// last one.
fn merge_by_file(edits: &[&SetupEdit]) -> Vec<SetupEdit> {
    let mut merged_edits: Vec<SetupEdit> = Vec::new();
    for edit in edits {
        let same_file = merged_edits
            .iter_mut()
            .find(|earlier_edit| earlier_edit.destination == edit.destination);
        match same_file {
            Some(earlier_edit) => earlier_edit.new_text.clone_from(&edit.new_text),
            None => merged_edits.push((*edit).clone()),
        }
    }
    merged_edits
}

/// Removes what a pgcred that was killed has left beside the files, also beside those that need no
/// change any more. Before a setup a copy stays: it may be what an edit counts on.
pub(super) fn clear_leftovers(edits: &[&SetupEdit], direction: SetupDirection) {
    for edit in edits {
        if let EditDestination::File(path) = &edit.destination {
            // Nothing is lost if this fails: the next run tries again.
            let _ = fs::clear_leftovers(path);
            if direction == SetupDirection::Undo && !edit.changes_something() {
                let _ = fs::remove_needless_copy(path);
            }
        }
    }
}

/// Makes the edits, with the commands before and after them.
pub(super) fn carry_out(
    edits: &[&SetupEdit],
    commands: &SetupCommands,
    direction: SetupDirection,
    machine: &Machine,
    output: Output,
) -> Result<()> {
    let is_undo = direction == SetupDirection::Undo;
    let may_run = !is_undo && edits.is_empty() && !commands.unchanged.is_empty();
    if may_run && run_tool_commands(&commands.unchanged).is_ok() {
        output.note("it runs already, and is left running");
        return Ok(());
    }
    for command_line in &commands.before {
        // These stop what runs; the user may have stopped it before.
        if let Err(error) = run_tool_command(command_line) {
            output.warn(&error.to_string());
        }
    }
    let mut made_edits: Vec<&SetupEdit> = Vec::new();
    let mut result = make_edits(edits, machine, output, &mut made_edits);
    if is_undo {
        result?;
        for command_line in &commands.after {
            // The files are gone, even if a program could not be told so.
            if let Err(error) = run_tool_command(command_line) {
                output.warn(&error.to_string());
            }
        }
        return Ok(());
    }
    if result.is_ok() {
        result = run_tool_commands(&commands.after);
    }
    match result {
        Ok(()) => Ok(()),
        Err(error) => {
            take_back(&made_edits, commands, machine, output);
            Err(error)
        }
    }
}

fn make_edits<'a>(
    edits: &[&'a SetupEdit],
    machine: &Machine,
    output: Output,
    made_edits: &mut Vec<&'a SetupEdit>,
) -> Result<()> {
    for edit in edits {
        let change = FileChange {
            old_text: edit.old_text.as_deref(),
            new_text: edit.new_text.as_deref(),
            backup: edit.backup_text.as_deref(),
        };
        let backup = change.make(&edit.destination, machine)?;
        made_edits.push(edit);
        let destination = &edit.destination;
        let outcome = if edit.new_text.is_some() {
            "written"
        } else {
            "removed"
        };
        output.note(&match backup {
            Some(path) => format!(
                "{destination}: {outcome}; the old one is {}",
                path.display()
            ),
            None => format!("{destination}: {outcome}"),
        });
    }
    Ok(())
}

/// Takes back edits that were made, the last one first, and tells the program that has heard of
/// them, if that can be.
fn take_back(
    made_edits: &[&SetupEdit],
    commands: &SetupCommands,
    machine: &Machine,
    output: Output,
) {
    for edit in made_edits.iter().rev() {
        let change = FileChange {
            old_text: edit.new_text.as_deref(),
            new_text: edit.old_text.as_deref(),
            backup: None,
        };
        match change.make(&edit.destination, machine) {
            Ok(_) => output.note(&format!("{}: as it was before", edit.destination)),
            Err(error) => output.warn(&format!("{} was not taken back: {error}", edit.destination)),
        }
    }
    if let Some(command_line) = commands.after.first()
        && !made_edits.is_empty()
    {
        // The error that made this necessary is the one to report.
        let _ = run_tool_command(command_line);
    }
}

/// An edit in one direction: as it was planned, or back.
struct FileChange<'a> {
    old_text: Option<&'a str>,
    new_text: Option<&'a str>,
    backup: Option<&'a str>,
}

impl FileChange<'_> {
    /// Returns the path of the backup, if one was made.
    fn make(&self, destination: &EditDestination, machine: &Machine) -> Result<Option<PathBuf>> {
        let path = match destination {
            EditDestination::File(path) => path,
            EditDestination::Crontab => {
                crontab::replace_crontab(self.old_text, self.new_text)?;
                return Ok(None);
            }
        };
        let backup = fs::replace(path, self.old_text, self.new_text, self.backup)?;
        if self.new_text.is_none() && machine.is_of_programs(path) {
            fs::remove_empty_directories(path);
        }
        Ok(backup)
    }
}

/// Puts the files of root certificates that the targets' tools will name into their place.
pub(super) fn provide_roots(targets: &[ToolTarget], preferences: &Preferences) -> Result<()> {
    for target in targets {
        roots::provide_file(
            &target.request,
            target.roots.as_ref(),
            &preferences.ask_policy,
        )?;
    }
    Ok(())
}

fn run_tool_commands(commands: &[Vec<String>]) -> Result<()> {
    commands
        .iter()
        .try_for_each(|command_line| run_tool_command(command_line))
}

fn run_tool_command(command_line: &[String]) -> Result<()> {
    run_within(command_line, Duration::from_secs(30))
}

/// Runs a command that a scheduler needs. What it writes to stderr is the cause if it fails.
pub(super) fn run_within(command_line: &[String], timeout: Duration) -> Result<()> {
    let reason = match child::output(
        command_line,
        Instant::now() + timeout,
        ChildAttachment::Alone,
    ) {
        Ok(program_output) if program_output.status.success() => return Ok(()),
        Ok(program_output) => String::from_utf8_lossy(&program_output.stderr)
            .trim()
            .to_owned(),
        Err(ProgramError::Failed(error)) => return Err(error),
        Err(ProgramError::TooLate) => format!("it did not end within {} s", timeout.as_secs()),
    };
    let line = command_line.join(" ");
    Err(Error::failure(format!("`{line}` failed: {reason}")).hint("run it by hand to see more"))
}

/// Asks the user. Only a clear yes is one.
pub(super) fn has_user_agreed(question: &str, preferences: &Preferences) -> Result<bool> {
    if !preferences.ask_policy.terminal {
        return Err(
            Error::usage("nothing was changed: there is no terminal to ask on")
                .hint("add --yes to change it without a question"),
        );
    }
    let answer = terminal::ask_for_line(question)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn diff(edit: &SetupEdit) -> String {
    let path = edit.destination.to_string();
    let name = |text: &Option<String>| match text {
        Some(_) => path.clone(),
        None => "/dev/null".to_owned(),
    };
    let diff = TextDiff::from_lines(
        edit.old_text.as_deref().unwrap_or_default(),
        edit.new_text.as_deref().unwrap_or_default(),
    );
    diff.unified_diff()
        .context_radius(2)
        .header(&name(&edit.old_text), &name(&edit.new_text))
        .to_string()
}
