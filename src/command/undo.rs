//! `pgcred setup --undo`: takes back what was set up, for every tool, for one, or single entries of
//! it.

use super::app::App;
use super::edits::{Manner, ToRun, carry_out};
use super::errors::all_errors;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::output::Output;
use crate::setup::{Edit, Files, Machine, Tool, Way, Work};

/// Takes back all that was set up for a tool, or the entries that are named.
pub(super) fn one(
    manner: Manner,
    tool: &Tool,
    names: &[String],
    machine: &Machine,
    app: &App,
) -> Result<()> {
    match &tool.work {
        Work::Dialog(_) => Err(Error::usage(format!("{} was set up by hand", tool.title))
            .hint(format!("remove the connection in {} itself", tool.title))),
        Work::Files(files) if names.is_empty() => whole(manner, *files, machine, app),
        Work::Files(files) => {
            let edits = without(tool, *files, names, machine)?;
            manner
                .apply(&edits, &ToRun::default(), &[], machine, app)
                .map(drop)
        }
    }
}

fn whole(manner: Manner, files: &dyn Files, machine: &Machine, app: &App) -> Result<()> {
    let edits = files.undo(machine)?;
    let stands = manner.apply(&edits, &files.commands(machine, true), &[], machine, app)?;
    if stands && edits.iter().any(Edit::changes_something) {
        say(&files.left(machine), app.preferences.output);
    }
    Ok(())
}

/// The same for every tool, one after the other; one that fails does not keep the others.
pub(super) fn all(manner: Manner, machine: &Machine, app: &App) -> Result<()> {
    let mut errors = Vec::new();
    let mut found = 0;
    for tool in TOOLS {
        let Work::Files(files) = &tool.work else {
            continue;
        };
        let undone = match files.undo(machine) {
            Ok(edits) if !edits.iter().any(Edit::changes_something) => continue,
            // A scheduler that is not on this machine, or may not be asked, does nothing for
            // pgcred.
            Err(_) if tool.way == Way::Scheduler && files.state(machine).is_empty() => continue,
            Ok(_) => whole(manner, *files, machine, app),
            Err(error) => Err(error),
        };
        found += 1;
        errors.extend(undone.err().map(|error| error.about(tool.name)));
    }
    if found == 0 {
        app.preferences.output.note("nothing is set up");
    }
    all_errors(errors, app.preferences.output, |failed| {
        format!("{failed} of {found} tools could not be undone")
    })
}

/// The edits that take these entries out of a tool, and nothing else of pgcred's.
fn without(
    tool: &Tool,
    files: &dyn Files,
    names: &[String],
    machine: &Machine,
) -> Result<Vec<Edit>> {
    if tool.way == Way::Scheduler {
        let why = format!(
            "{} refreshes every connection, and has no entry for one",
            tool.title
        );
        return Err(Error::usage(why).hint(format!("pgcred setup {} --undo", tool.name)));
    }
    let known = files.names(machine);
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !known.contains(name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        let known = if known.is_empty() {
            "nothing".to_owned()
        } else {
            known.join(", ")
        };
        let error = Error::no_target(format!(
            "{} is not set up in {}; {known} is",
            unknown.join(", "),
            tool.name
        ));
        return Err(error.hint(format!(
            "pgcred setup {} --undo takes back all of it",
            tool.name
        )));
    }
    if known.iter().all(|name| names.contains(name)) {
        return files.undo(machine);
    }
    files.without(machine, names)
}

/// Returns the tools whose files have an entry of this name.
pub(super) fn tools_with<'a>(
    name: &'a str,
    machine: &'a Machine,
) -> impl Iterator<Item = &'static Tool> + 'a {
    let has_entry = move |tool: &&Tool| match &tool.work {
        Work::Files(files) => {
            tool.way != Way::Scheduler && files.names(machine).iter().any(|known| known == name)
        }
        Work::Dialog(_) => false,
    };
    TOOLS.iter().filter(has_entry)
}

/// Takes a connection that is no more out of every tool; says what stays, and how it gets out.
pub(super) fn forget(name: &str, machine: &Machine, output: Output) {
    let names = [name.to_owned()];
    for tool in TOOLS {
        let Work::Files(files) = &tool.work else {
            continue;
        };
        if !files.names(machine).contains(&names[0]) {
            continue;
        }
        let done = without(tool, *files, &names, machine).and_then(|edits| {
            let edits: Vec<&Edit> = edits
                .iter()
                .filter(|edit| edit.changes_something())
                .collect();
            carry_out(&edits, &ToRun::default(), true, machine, output)
        });
        match done {
            Ok(()) => say(&files.left(machine), output),
            Err(error) => {
                let tool = tool.name;
                output.warn(&format!(
                    "`{name}` stays in {tool}: {error}; later: pgcred setup {tool} {name} --undo"
                ));
            }
        }
    }
}

/// Whether a tool has entries of pgcred's in its files.
pub(super) fn is_anything_left(machine: &Machine) -> bool {
    let has_entries =
        |tool: &Tool| matches!(&tool.work, Work::Files(files) if !files.names(machine).is_empty());
    TOOLS.iter().any(has_entries)
}

/// The schedulers that run pgcred.
pub(super) fn schedulers(machine: &Machine) -> Vec<&'static str> {
    let runs = |tool: &&Tool| match &tool.work {
        Work::Files(files) => tool.way == Way::Scheduler && !files.state(machine).is_empty(),
        Work::Dialog(_) => false,
    };
    TOOLS.iter().filter(runs).map(|tool| tool.name).collect()
}

fn say(left: &[String], output: Output) {
    for left in left {
        output.note(left);
    }
}
