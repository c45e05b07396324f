//! Sets up a tool so that it connects without a typed password, for `pgcred setup`. It shows first
//! what it would change, and takes it back with `--undo`.
//!
//! ```text
//! mod       options; dialogs are printed
//!  +--> all        `--all`: the tools that were found, and every connection
//!  |     |
//!  +-----+--> plan     what setting up tools would change, as a value
//!  |           |  +--> targets          which connections, and what may be wrong with them
//!  |           |  |     +--> gateway  which of them the gateway offers
//!  |           |  |     '--> users      those that come with each token
//!  |           |  +--> add_connection   the edit of pgcred's own configuration: a target becomes
//!  |           |  |                     a connection
//!  |           |  +--> scheduler        which one works here
//!  |           v
//!  |          apply    shows a plan, asks once, and carries it out
//!  +--> guided     without a tool, at a terminal: a conversation from the profile to a login
//!  +--> overview   `pgcred setup` without a tool
//! ```

mod add_connection;
mod all;
mod apply;
mod gateway;
mod guided;
mod overview;
mod plan;
mod scheduler;
mod targets;
#[cfg(test)]
mod tests;
mod users;

use std::process::ExitCode;

use super::app::App;
use super::config_file::ConfigNeed;
use super::edits::{EditPolicy, provide_roots};
use super::errors::all_errors;
use super::needs::CommandNeeds;
use super::preferences::Preferences;
use super::run::RunCommand;
use super::tool_undo;
use crate::error::{Error, Result};
use crate::gateway::local_password::PasswordKey;
use crate::integrations::{DIALOG_OF_GATEWAY, TOOLS};
use crate::output::Output;
use crate::resolve::ConnectionOptions;
use crate::setup::{
    CommandLines, Machine, SetupDirection, SetupMethod, Tool, ToolFiles, ToolKind, ToolTarget,
    check_texts, fill_template,
};
use crate::sys::terminal::{self, InheritedStdin};
use crate::text::suggest;
use apply::AppliedPlan;
use plan::SetupPlan;
use targets::{TargetChoice, ToolTargets};
use users::TokenUsers;

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per option")]
pub(crate) struct SetupCommand {
    /// The tool; without one, setup asks what to set up, from the profile to the tools. Where there
    /// is no terminal, and with --dry-run, it lists the tools
    tool: Option<String>,
    /// Connections, hosts, DSQL cluster IDs or postgres:// URIs [default: every connection]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Set up every tool that is found here, with every connection and the scheduler that works
    /// here; with --undo, take everything back
    #[arg(long, conflicts_with = "print")]
    all: bool,
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
    /// Let the tool connect through the local gateway, `pgcred proxy`: every connection that has
    /// `proxy`, or those that are named
    #[arg(long, requires = "tool", conflicts_with_all = ["all", "undo"])]
    proxy: bool,
    /// Do not ask before changing files
    #[arg(long, short)]
    yes: bool,
}

impl RunCommand for SetupCommand {
    type Outcome = ExitCode;

    /// An undo works even if the configuration cannot be read.
    fn needs(&self) -> CommandNeeds {
        let mut needs = Self::NEEDS;
        if self.undo {
            needs.configuration = ConfigNeed::Optional;
        }
        needs
    }

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<ExitCode> {
        self.check_all()?;
        let machine = Machine::current(app.options.config.as_deref())?;
        let Some(name) = &self.tool else {
            return self.run_without_tool(&machine, app);
        };
        let tool = tool_named(name)?;
        if self.undo {
            let entries = self.entries(tool, &machine, &app.preferences);
            tool_undo::undo_tool(self.policy(), tool, &entries, &machine, app)?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.proxy {
            gateway::check_tool(tool)?;
        }
        match tool.method {
            SetupMethod::Files(files) if !self.print => {
                self.edit_files(files, tool, &machine, app)?;
            }
            _ => self.print(tool, &machine, app)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl SetupCommand {
    fn policy(&self) -> EditPolicy {
        EditPolicy {
            direction: if self.undo {
                SetupDirection::Undo
            } else {
                SetupDirection::SetUp
            },
            dry_run: self.dry_run,
            yes: self.yes,
        }
    }

    fn choice<'a>(&'a self, users: &'a TokenUsers) -> TargetChoice<'a> {
        TargetChoice {
            names: &self.targets,
            options: &self.connection,
            users: &users.known,
            is_silent: false,
            uses_gateway: self.proxy,
        }
    }

    /// Refuses a tool together with `--all`.
    fn check_all(&self) -> Result<()> {
        let Some(tool) = &self.tool else {
            return Ok(());
        };
        if !self.all {
            return Ok(());
        }
        let undo = if self.undo { " --undo" } else { "" };
        Err(
            Error::usage(format!("--all is for every tool, and `{tool}` names one")).hint(format!(
                "run `pgcred setup --all{undo}` or `pgcred setup {tool}{undo}`"
            )),
        )
    }

    /// Does what is asked for without a tool.
    fn run_without_tool(&self, machine: &Machine, app: &mut App) -> Result<ExitCode> {
        if self.undo {
            tool_undo::undo_all(self.policy(), machine, app)?;
        } else if self.all {
            all::set_up_all(self.policy(), &self.connection, machine, app)?;
        } else if self.asks_at_terminal(app) {
            return guided::set_up_by_questions(&self.connection, machine, app);
        } else {
            Output::lines(overview::overview_lines(machine))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Tells whether a setup without a tool is a conversation: the user reads and types at the
    /// terminal, and no option asks for something else.
    fn asks_at_terminal(&self, app: &App) -> bool {
        let is_plain = !self.dry_run && !self.print && !self.yes;
        is_plain && app.preferences.ask_policy.terminal && terminal::shows_answer()
    }

    /// Returns the names of the entries to take back. A host that belongs to a connection stands
    /// for the name of the connection.
    fn entries(&self, tool: &Tool, machine: &Machine, preferences: &Preferences) -> Vec<String> {
        let mut entries = Vec::new();
        for target in &self.targets {
            let is_entry = tool_undo::tools_with(target, machine)
                .iter()
                .any(|listed| listed.name == tool.name);
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

    /// Edits the tool's files.
    fn edit_files(
        &self,
        files: &dyn ToolFiles,
        tool: &'static Tool,
        machine: &Machine,
        app: &mut App,
    ) -> Result<()> {
        if tool.kind.is_background() && !self.dry_run {
            scheduler::check_scheduler(tool, files, machine)?;
        }
        if tool.kind == ToolKind::Service && !self.dry_run {
            PasswordKey::open()?; // the service would make one, and then seem to have changed
        }
        let mut users = if self.dry_run {
            TokenUsers::from_cache(app)
        } else {
            TokenUsers::issue(tool, &self.targets, &self.connection, app)?
        };
        let choice = self.choice(&users);
        let mut plan = SetupPlan::for_tool(tool, choice, machine, &app.preferences);
        if !self.yes {
            users.note_awaited(&plan, app.preferences.output);
        }
        let is_agreed = plan.ask_for_agreement(self.policy(), &app.preferences)?;
        if is_agreed && users.create_awaited(&plan, &self.connection, app)? {
            let choice = TargetChoice {
                is_silent: true,
                ..self.choice(&users)
            };
            plan = SetupPlan::for_tool(tool, choice, machine, &app.preferences);
        }
        plan.omits_refresh_advice = users.is_renewed_by_hand(plan.number_of_targets());
        let mut applied = AppliedPlan::default();
        if is_agreed {
            applied = plan.make(self.policy(), machine, &app.preferences, app)?;
        }
        let mut errors = std::mem::take(&mut plan.errors);
        let all = plan.number_of_targets() + errors.len();
        errors.extend(applied.errors);
        if applied.is_made
            && let Err(error) = users.write_tokens(app)
        {
            errors.push(error);
        }
        all_errors(errors, app.preferences.output, |count| {
            format!("{count} of {all} targets failed")
        })
    }

    /// Prints what the user has to enter or to paste, for all targets.
    fn print(&self, tool: &Tool, machine: &Machine, app: &mut App) -> Result<()> {
        let users = TokenUsers::from_cache(app);
        let preferences = &app.preferences;
        let ToolTargets {
            mut targets,
            errors,
            mut warnings,
        } = self.choice(&users).targets(tool, preferences)?;
        check_texts(machine, &targets)?;
        let all = targets.len() + errors.len();
        if !tool.kind.is_background() && !self.proxy {
            warnings.extend(targets::adapt_targets(tool, &mut targets));
        }
        for warning in &warnings {
            preferences.output.warn(warning);
        }
        if !targets.is_empty() {
            provide_roots(&targets, preferences)?;
            match tool.method {
                SetupMethod::Files(files) => Output::answer(&files.preview(machine, &targets))?,
                SetupMethod::Dialog(_) if self.proxy => {
                    print_dialog(DIALOG_OF_GATEWAY, tool, machine, &targets, preferences)?;
                    if let Some(start_hint) = gateway::start_hint(machine) {
                        preferences.output.note(&start_hint);
                    }
                }
                SetupMethod::Dialog(template) => {
                    print_dialog(template, tool, machine, &targets, preferences)?;
                    if !self.dry_run && !self.print {
                        let advice = scheduler::refresh_advice(machine);
                        apply::note_needs_of_tools(&[tool], Some(&advice), preferences)?;
                    }
                }
            }
        }
        all_errors(errors, preferences.output, |count| {
            format!("{count} of {all} targets failed")
        })
    }
}

/// Prints what the user has to enter, once for each target.
fn print_dialog(
    template: &str,
    tool: &Tool,
    machine: &Machine,
    targets: &[ToolTarget],
    preferences: &Preferences,
) -> Result<()> {
    let mut texts = Vec::new();
    for target in targets {
        texts.push(fill_template(template, &CommandLines { machine, target }));
    }
    Output::answer(&texts.join("\n"))?;
    for target in add_connection::new_connections(tool, targets) {
        let add = CommandLines { machine, target }.line("add", &[&target.name]);
        preferences.output.note(&format!(
            "to have its token kept fresh, make it a connection: {add}"
        ));
    }
    Ok(())
}

/// Returns the tool of that name, in upper or lower case.
fn tool_named(name: &str) -> Result<&'static Tool> {
    for tool in TOOLS {
        if tool.name.eq_ignore_ascii_case(name) {
            return Ok(tool);
        }
    }
    let hint = if let Some(similar) = similar_tool(name) {
        format!("did you mean `{similar}`?")
    } else {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        format!("choose one of {}", names.join(", "))
    };
    Err(Error::usage(format!("no such tool: {name}")).hint(hint))
}

/// Returns the name of a tool whose name is written almost like this, or whose title has it.
fn similar_tool(name: &str) -> Option<&'static str> {
    let nearest = suggest::nearest_word(name, TOOLS.iter().map(|tool| tool.name));
    if nearest.is_some() {
        return nearest;
    }
    let lower_name = name.to_lowercase();
    for tool in TOOLS {
        if lower_name.len() > 2 && tool.title.to_lowercase().contains(&lower_name) {
            return Some(tool.name);
        }
    }
    None
}
