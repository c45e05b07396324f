//! Takes back what `pgcred setup` has set up: for every tool, for one, or for single entries of
//! one. `setup --undo`, `remove` and `erase` use it.
//!
//! All of it is shown before it is made, and an error at one tool does not keep pgcred from the
//! others. Connections and tokens stay: a note says which command removes them.

use crate::command::app::App;
use crate::command::edits::{
    EditDecision, EditPolicy, carry_out, clear_leftovers, edits_that_change,
};
use crate::command::errors::all_errors;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::output::Output;
use crate::setup::{Machine, SetupCommands, SetupDirection, SetupEdit, Tool, ToolFiles, ToolKind};

/// Takes back everything that was set up for a tool, or the entries that are named.
pub(super) fn undo_tool(
    policy: EditPolicy,
    tool: &'static Tool,
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
        let undo = ToolUndo::plan(tool, files, machine)?;
        let edits: Vec<&SetupEdit> = undo.edits.iter().collect();
        if policy.decide(&edits, &app.preferences)? == EditDecision::Make {
            undo.make(machine, app.preferences.output)?;
        }
        return Ok(());
    }
    let edits = edits_without(tool, files, entries, machine)?;
    policy.apply(&edits, &SetupCommands::default(), &[], machine, app)?;
    Ok(())
}

/// What takes back everything of one tool.
struct ToolUndo {
    tool: &'static Tool,
    files: &'static dyn ToolFiles,
    edits: Vec<SetupEdit>,
}

impl ToolUndo {
    fn plan(tool: &'static Tool, files: &'static dyn ToolFiles, machine: &Machine) -> Result<Self> {
        let edits = files.undo(machine)?;
        Ok(Self { tool, files, edits })
    }

    fn make(&self, machine: &Machine, output: Output) -> Result<()> {
        let commands = self.files.commands(machine, SetupDirection::Undo);
        carry_out(
            &edits_that_change(&self.edits),
            &commands,
            SetupDirection::Undo,
            machine,
            output,
        )?;
        print_notes(&self.files.leftovers(machine), output);
        Ok(())
    }
}

/// Takes back everything for every tool: shows all of it, asks once, and makes it. An error at one
/// tool does not keep pgcred from the others.
pub(super) fn undo_all(policy: EditPolicy, machine: &Machine, app: &App) -> Result<()> {
    let output = app.preferences.output;
    let (undos, mut errors) = undo_of_every_tool(machine);
    let edits: Vec<&SetupEdit> = undos.iter().flat_map(|undo| &undo.edits).collect();
    let mut to_undo = Vec::new();
    for undo in &undos {
        if !edits_that_change(&undo.edits).is_empty() {
            to_undo.push(undo);
        }
    }
    let entries = to_undo.len() + errors.len();
    if entries == 0 {
        if !policy.dry_run {
            clear_leftovers(&edits, policy.direction);
        }
        output.note("nothing is set up");
    }
    if !to_undo.is_empty() && policy.decide(&edits, &app.preferences)? == EditDecision::Make {
        for undo in to_undo {
            if let Err(error) = undo.make(machine, output) {
                errors.push(error.about(undo.tool.name));
            }
        }
        note_what_stays(app);
    }
    all_errors(errors, output, |count| {
        format!("{count} of {entries} tools could not be undone")
    })
}

/// Says what an undo of everything leaves, and what removes it: connections are the user's, also
/// those that setup has added, and tokens are of use without any tool.
fn note_what_stays(app: &App) {
    let preferences = &app.preferences;
    let erase = "`pgcred erase --all` removes every token";
    let note = match &preferences.config_path {
        Some(path) if !preferences.config.connections.is_empty() => format!(
            "your connections stay in {}: `pgcred remove NAME` removes one with its tokens; \
             {erase}",
            path.display()
        ),
        _ => format!("tokens stay: {erase}"),
    };
    preferences.output.note(&note);
}

/// Returns what takes back every tool, also if that changes nothing, and the errors of those for
/// which it is not known.
fn undo_of_every_tool(machine: &Machine) -> (Vec<ToolUndo>, Vec<Error>) {
    let mut machine = machine.clone();
    let (mut undos, mut errors) = (Vec::new(), Vec::new());
    for tool in TOOLS {
        let Some(files) = tool.files() else {
            continue;
        };
        match ToolUndo::plan(tool, files, &machine) {
            Ok(undo) => {
                machine.planned_files.add(&undo.edits);
                undos.push(undo);
            }
            // A scheduler that is not on this machine, or that this user may not use, does not run
            // pgcred; nor does what runs a service.
            Err(_) if tool.kind.is_background() && files.configured_names(&machine).is_empty() => {}
            Err(error) => errors.push(error.about(tool.name)),
        }
    }
    (undos, errors)
}

/// Returns the edits that take these entries out of a tool, and nothing else of pgcred's.
fn edits_without(
    tool: &Tool,
    files: &dyn ToolFiles,
    entries: &[String],
    machine: &Machine,
) -> Result<Vec<SetupEdit>> {
    let name = tool.name;
    if let Some(work) = tool.kind.background_work() {
        let title = tool.title;
        return Err(
            Error::usage(format!("{title} {work}, and has no entry for a single one"))
                .hint(format!("run `pgcred setup {name} --undo` without targets")),
        );
    }
    let all_entries = files.entries(machine);
    let mut unknown: Vec<&str> = Vec::new();
    for entry in entries {
        if !all_entries.contains(entry) {
            unknown.push(entry);
        }
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        let message = if all_entries.is_empty() {
            format!("{unknown} is not set up in {name}; nothing is")
        } else {
            format!(
                "{unknown} is not set up in {name}; {} is",
                all_entries.join(", ")
            )
        };
        return Err(Error::no_target(message).hint(format!(
            "run `pgcred setup {name} --undo` to take back all of it"
        )));
    }
    if all_entries.iter().all(|entry| entries.contains(entry)) {
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
            && !tool.kind.is_background()
            && files
                .entries(machine)
                .iter()
                .any(|candidate| candidate == entry)
        {
            tools.push(tool);
        }
    }
    tools
}

/// Takes a connection that no longer exists out of every tool. Says what stays, and how the user
/// removes it.
pub(in crate::command) fn forget_connection(name: &str, machine: &Machine, output: Output) {
    for tool in tools_with(name, machine) {
        let Some(files) = tool.files() else {
            continue;
        };
        match forget_in(tool, files, name, machine, output) {
            Ok(()) => print_notes(&files.leftovers(machine), output),
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
    carry_out(
        &edits_that_change(&edits),
        &SetupCommands::default(),
        SetupDirection::Undo,
        machine,
        output,
    )
}

/// Tells whether a tool has entries of pgcred's in its files.
pub(in crate::command) fn is_anything_left(machine: &Machine) -> bool {
    TOOLS.iter().any(|tool| {
        tool.files()
            .is_some_and(|files| !files.entries(machine).is_empty())
    })
}

/// Returns the names of the tools of a kind that are set up.
pub(in crate::command) fn names_of_set_up_tools(
    kind: ToolKind,
    machine: &Machine,
) -> Vec<&'static str> {
    let mut names = Vec::new();
    for tool in TOOLS {
        if tool.kind == kind && tool.is_set_up(machine) {
            names.push(tool.name);
        }
    }
    names
}

fn print_notes(notes: &[String], output: Output) {
    for note in notes {
        output.note(note);
    }
}
