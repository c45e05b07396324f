//! `pgcred setup`: sets up a tool so that it connects without a typed password. It shows first what
//! it would change, and takes it back with `--undo`.
//!
//! ```text
//! mod       options; dialogs are printed, files are edited
//!  +--> targets    which connections, and what may be wrong with them
//!  +--> add_connection   the edit of pgcred's own configuration: a target becomes a connection
//!  +--> undo       the edits that take back what was set up
//!  +--> overview   `pgcred setup` without a tool
//! ```

mod add_connection;
mod overview;
mod targets;
pub(super) mod undo;

use std::time::Duration;

use super::app::App;
use super::config_file::ConfigNeed;
use super::edits::{EditPolicy, provide_roots, run_within};
use super::errors::all_errors;
use super::needs::Needs;
use super::passfile_option::warn_about_variables;
use super::preferences::Preferences;
use super::run::Run;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::output::Output;
use crate::provider;
use crate::resolve::ConnectionOptions;
use crate::setup::{
    CommandLines, Machine, SetupMethod, Target, Tool, ToolFiles, ToolKind, check_texts, fill,
};
use crate::sys::terminal::Stdin;
use crate::text::suggest;

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per option")]
pub(crate) struct Setup {
    /// The tool; without one, setup lists the tools, where they were found and what is set up
    tool: Option<String>,
    /// Connections, hosts, DSQL cluster IDs or postgres:// URIs [default: every connection]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["print", "yes"])]
    dry_run: bool,
    /// Print what the tool needs, for you to paste, and change nothing
    #[arg(long, conflicts_with = "undo")]
    print: bool,
    /// Take back what setup has changed: for every tool, for one tool, or only for the entries that
    /// you name
    #[arg(long)]
    undo: bool,
    /// Do not ask before changing files
    #[arg(long, short)]
    yes: bool,
}

impl Run for Setup {
    type Outcome = ();

    /// An undo works even if the configuration cannot be read.
    fn needs(&self) -> Needs {
        let mut needs = Self::NEEDS;
        if self.undo {
            needs.configuration = ConfigNeed::Optional;
        }
        needs
    }

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let machine = Machine::current(app.options.config.as_deref())?;
        let Some(name) = &self.tool else {
            return if self.undo {
                undo::undo_all(self.policy(), &machine, app)
            } else {
                Output::lines(overview::lines(&machine))
            };
        };
        let tool = tool_named(name)?;
        if self.undo {
            let entries = self.entries(tool, &machine, &app.preferences);
            return undo::tool(self.policy(), tool, &entries, &machine, app);
        }
        let (mut targets, mut errors) = self.targets(tool, app)?;
        let all = targets.len() + errors.len();
        if let SetupMethod::Files(files) = tool.method
            && !self.print
        {
            remove_conflicts(files, &machine, &mut targets, &mut errors);
        }
        check_texts(&machine, &targets)?;
        if !targets.is_empty() {
            if tool.kind != ToolKind::Scheduler {
                targets::warn(tool, &mut targets, &app.preferences);
            }
            self.set_up(tool, &machine, &targets, app)?;
        }
        all_errors(errors, app.preferences.output, |failed| {
            format!("{failed} of {all} targets failed")
        })
    }
}

impl Setup {
    fn policy(&self) -> EditPolicy {
        EditPolicy {
            undo: self.undo,
            dry_run: self.dry_run,
            yes: self.yes,
        }
    }

    /// Returns the names of the entries to take back. A host that belongs to a connection stands
    /// for the name of the connection.
    fn entries(&self, tool: &Tool, machine: &Machine, preferences: &Preferences) -> Vec<String> {
        let mut entries = Vec::new();
        for target in &self.targets {
            let is_entry = undo::tools_with(target, machine)
                .iter()
                .any(|known| known.name == tool.name);
            let resolver = preferences.silent_resolver();
            if !is_entry
                && let Ok(request) =
                    resolver.resolve_without_variables(&self.connection, Some(target))
                && let Some(connection) = request.connection
            {
                entries.push(connection);
            } else {
                entries.push(target.clone());
            }
        }
        entries
    }

    fn set_up(&self, tool: &Tool, machine: &Machine, targets: &[Target], app: &App) -> Result<()> {
        let is_done = match tool.method {
            SetupMethod::Dialog(template) => {
                print_dialog(template, tool, machine, targets, app)?;
                true
            }
            SetupMethod::Files(files) if self.print => {
                provide_roots(targets, app)?;
                Output::answer(&files.printed(machine, targets))?;
                false
            }
            SetupMethod::Files(files) => self.edit_files(files, tool, machine, targets, app)?,
        };
        if is_done && !self.dry_run && !self.print {
            note_what_tool_needs(tool, machine, app)?;
        }
        Ok(())
    }

    /// Edits the tool's files. Tells whether they are now as they have to be.
    fn edit_files(
        &self,
        files: &dyn ToolFiles,
        tool: &Tool,
        machine: &Machine,
        targets: &[Target],
        app: &App,
    ) -> Result<bool> {
        if tool.kind == ToolKind::Scheduler && !self.dry_run {
            check_scheduler(tool, files, machine)?;
        }
        let new = add_connection::new_connections(tool, targets);
        let mut edits = Vec::new();
        edits.extend(add_connection::edit(&new, app)?);
        edits.extend(files.set_up(machine, targets)?);
        let commands = files.commands(machine, false);
        if !self
            .policy()
            .apply(&edits, &commands, targets, machine, app)?
        {
            return Ok(false);
        }
        if let Some(cache) = app.issuer.cache()
            && !new.is_empty()
        {
            cache.forget_due()?;
        }
        for step in files.steps(machine, targets) {
            app.preferences.output.note(&step);
        }
        Ok(true)
    }
}

/// Moves the targets that the tool cannot take, because the user has something of that name there,
/// from the targets to the errors.
fn remove_conflicts(
    files: &dyn ToolFiles,
    machine: &Machine,
    targets: &mut Vec<Target>,
    errors: &mut Vec<Error>,
) {
    targets.retain(|target| match files.conflict(machine, target) {
        Some(error) => {
            errors.push(error);
            false
        }
        None => true,
    });
}

/// Prints what the user has to enter, once for each target.
fn print_dialog(
    template: &str,
    tool: &Tool,
    machine: &Machine,
    targets: &[Target],
    app: &App,
) -> Result<()> {
    provide_roots(targets, app)?;
    let mut texts = Vec::new();
    for target in targets {
        texts.push(fill(template, &CommandLines { machine, target }));
    }
    Output::answer(&texts.join("\n"))?;
    for target in add_connection::new_connections(tool, targets) {
        let add = CommandLines { machine, target }.line("add", &[&target.name]);
        app.preferences.output.note(&format!(
            "to have its token kept fresh, make it a connection: {add}"
        ));
    }
    Ok(())
}

/// Tells the user what else the tool needs to get a password.
fn note_what_tool_needs(tool: &Tool, machine: &Machine, app: &App) -> Result<()> {
    let preferences = &app.preferences;
    match tool.kind {
        ToolKind::Passfile => {
            warn_about_variables(preferences);
            preferences.output.note(&keep_fresh(machine));
        }
        ToolKind::Command if preferences.config.login.is_none() => {
            let file = preferences.config_path()?.display();
            preferences.output.note(&format!(
                "when {} needs a login, {} shows only an error; \
                 with the line login = \"browser\" in {file} pgcred opens the login page",
                provider::authority_titles(),
                tool.title
            ));
        }
        ToolKind::Command | ToolKind::Scheduler => {}
    }
    Ok(())
}

/// Says which scheduler keeps the passfile fresh on this machine, or could.
fn keep_fresh(machine: &Machine) -> String {
    for tool in TOOLS {
        if tool.is_scheduler_at_work(machine) {
            return format!(
                "keep the passfile fresh: run `pgcred refresh` now; {} repeats it",
                tool.title
            );
        }
    }
    format!(
        "keep the passfile fresh: run `pgcred refresh` now, \
         and once `pgcred setup {}`, which repeats it",
        machine.os.scheduler()
    )
}

/// Refuses a scheduler that does not run here, before anything is written for it, and names one
/// that does.
fn check_scheduler(tool: &Tool, files: &dyn ToolFiles, machine: &Machine) -> Result<()> {
    let Err(why) = probe(tool, files) else {
        return Ok(());
    };
    let hint = if could_use(tool, "cron", "crontab") {
        "`pgcred setup cron` does the same by cron"
    } else if machine.os.scheduler() == "systemd" && could_use(tool, "systemd", "systemctl") {
        "`pgcred setup systemd` does the same by systemd"
    } else {
        "`pgcred refresh --watch` does the same for as long as it runs"
    };
    Err(Error::failure(format!(
        "{} is not running here, and nothing was changed: {why}",
        tool.title
    ))
    .hint(hint))
}

/// Returns why a scheduler cannot be used.
fn probe(tool: &Tool, files: &dyn ToolFiles) -> std::result::Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    if Machine::program(tool.programs).is_none() {
        return Err(format!("there is no program {}", tool.programs.join(", ")));
    }
    let Some(probe) = files.probe() else {
        return Ok(());
    };
    let words: Vec<String> = probe.iter().map(|word| (*word).to_owned()).collect();
    run_within(&words, TIMEOUT).map_err(|error| error.to_string())
}

/// Tells whether the user could take another scheduler, by its name and its program.
fn could_use(instead_of: &Tool, name: &str, program: &str) -> bool {
    instead_of.name != name && Machine::program(&[program]).is_some()
}

/// Returns the tool of that name, in upper or lower case.
fn tool_named(name: &str) -> Result<&'static Tool> {
    for tool in TOOLS {
        if tool.name.eq_ignore_ascii_case(name) {
            return Ok(tool);
        }
    }
    let hint = if let Some(similar) = similar(name) {
        format!("did you mean {similar}?")
    } else {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        format!("one of {}", names.join(", "))
    };
    Err(Error::usage(format!("no such tool: {name}")).hint(hint))
}

/// Returns the name of a tool whose name is written almost like this, or whose title has it.
fn similar(name: &str) -> Option<&'static str> {
    let nearest = suggest::nearest(name, TOOLS.iter().map(|tool| tool.name));
    if nearest.is_some() {
        return nearest;
    }
    let typed = name.to_lowercase();
    for tool in TOOLS {
        if typed.len() > 2 && tool.title.to_lowercase().contains(&typed) {
            return Some(tool.name);
        }
    }
    None
}
