//! `pgcred setup --undo`: takes back what was set up, for every tool, for one, or for single
//! entries of one.

use crate::command::app::App;
use crate::command::edits::{EditPolicy, carry_out};
use crate::command::errors::all_errors;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::output::Output;
use crate::setup::{Edit, Machine, SetupCommands, Tool, ToolFiles, ToolKind};

/// Takes back everything that was set up for a tool, or the entries that are named.
pub(super) fn tool(
    policy: EditPolicy,
    tool: &Tool,
    entries: &[String],
    machine: &Machine,
    app: &App,
) -> Result<()> {
    let Some(files) = tool.files() else {
        let title = tool.title;
        return Err(Error::usage(format!("{title} was set up by hand"))
            .hint(format!("remove the connection in {title} itself")));
    };
    if entries.is_empty() {
        return undo_whole(policy, files, machine, app);
    }
    let edits = edits_without(tool, files, entries, machine)?;
    policy.apply(&edits, &SetupCommands::default(), &[], machine, app)?;
    Ok(())
}

fn undo_whole(
    policy: EditPolicy,
    files: &dyn ToolFiles,
    machine: &Machine,
    app: &App,
) -> Result<()> {
    let edits = files.undo(machine)?;
    let is_done = policy.apply(&edits, &files.commands(machine, true), &[], machine, app)?;
    if is_done && edits.iter().any(Edit::changes_something) {
        note_all(&files.leftovers(machine), app.preferences.output);
    }
    Ok(())
}

/// Takes back everything for every tool, one after the other. An error at one tool does not keep
/// pgcred from the others.
pub(super) fn undo_all(policy: EditPolicy, machine: &Machine, app: &App) -> Result<()> {
    let mut errors = Vec::new();
    let mut found = 0;
    for tool in TOOLS {
        let Some(files) = tool.files() else {
            continue;
        };
        let undone = match files.undo(machine) {
            Ok(edits) if !edits.iter().any(Edit::changes_something) => continue,
            // A scheduler that is not on this machine, or that this user may not use, does not run
            // pgcred.
            Err(_)
                if tool.kind == ToolKind::Scheduler && files.what_is_set_up(machine).is_empty() =>
            {
                continue;
            }
            Ok(_) => undo_whole(policy, files, machine, app),
            Err(error) => Err(error),
        };
        found += 1;
        if let Err(error) = undone {
            errors.push(error.about(tool.name));
        }
    }
    if found == 0 {
        app.preferences.output.note("nothing is set up");
    }
    all_errors(errors, app.preferences.output, |failed| {
        format!("{failed} of {found} tools could not be undone")
    })
}

/// Returns the edits that take these entries out of a tool, and nothing else of pgcred's.
fn edits_without(
    tool: &Tool,
    files: &dyn ToolFiles,
    entries: &[String],
    machine: &Machine,
) -> Result<Vec<Edit>> {
    let name = tool.name;
    if tool.kind == ToolKind::Scheduler {
        let title = tool.title;
        return Err(Error::usage(format!(
            "{title} refreshes every connection, and has no entry for a single one"
        ))
        .hint(format!("pgcred setup {name} --undo")));
    }
    let known = files.entries(machine);
    let mut unknown: Vec<&str> = Vec::new();
    for entry in entries {
        if !known.contains(entry) {
            unknown.push(entry);
        }
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        let message = if known.is_empty() {
            format!("{unknown} is not set up in {name}; nothing is")
        } else {
            format!("{unknown} is not set up in {name}; {} is", known.join(", "))
        };
        return Err(Error::no_target(message)
            .hint(format!("pgcred setup {name} --undo takes back all of it")));
    }
    if known.iter().all(|entry| entries.contains(entry)) {
        files.undo(machine)
    } else {
        files.remove(machine, entries)
    }
}

/// Returns the tools whose files have an entry of this name.
pub(in crate::command) fn tools_with(entry: &str, machine: &Machine) -> Vec<&'static Tool> {
    let mut tools = Vec::new();
    for tool in TOOLS {
        if let Some(files) = tool.files()
            && tool.kind != ToolKind::Scheduler
            && files.entries(machine).iter().any(|known| known == entry)
        {
            tools.push(tool);
        }
    }
    tools
}

/// Takes a connection that no longer exists out of every tool. Says what stays, and how the user
/// removes it.
pub(in crate::command) fn forget(name: &str, machine: &Machine, output: Output) {
    for tool in tools_with(name, machine) {
        let Some(files) = tool.files() else {
            continue;
        };
        match forget_in(tool, files, name, machine, output) {
            Ok(()) => note_all(&files.leftovers(machine), output),
            Err(error) => {
                let tool = tool.name;
                output.warn(&format!(
                    "`{name}` stays in {tool}: {error}; \
                     to remove it later: pgcred setup {tool} {name} --undo"
                ));
            }
        }
    }
}

fn forget_in(
    tool: &Tool,
    files: &dyn ToolFiles,
    name: &str,
    machine: &Machine,
    output: Output,
) -> Result<()> {
    let edits = edits_without(tool, files, &[name.to_owned()], machine)?;
    let mut changes: Vec<&Edit> = Vec::new();
    for edit in &edits {
        if edit.changes_something() {
            changes.push(edit);
        }
    }
    carry_out(&changes, &SetupCommands::default(), true, machine, output)
}

/// Tells whether a tool has entries of pgcred's in its files.
pub(in crate::command) fn is_anything_left(machine: &Machine) -> bool {
    TOOLS.iter().any(|tool| match tool.files() {
        Some(files) => !files.entries(machine).is_empty(),
        None => false,
    })
}

/// Returns the names of the schedulers that run pgcred.
pub(in crate::command) fn schedulers(machine: &Machine) -> Vec<&'static str> {
    let mut names = Vec::new();
    for tool in TOOLS {
        if tool.is_scheduler_at_work(machine) {
            names.push(tool.name);
        }
    }
    names
}

fn note_all(notes: &[String], output: Output) {
    for note in notes {
        output.note(note);
    }
}
