//! Sets up what is configured in every tool that was found on this machine, for `pgcred setup
//! --all`.
//!
//! Tools that have a dialog are named with the command that prints what to enter. The scheduler
//! that works here belongs to it where a tool reads the passfile, because a token in it is good for
//! minutes.

use super::plan::{PlanRequest, SetupPlan};
use super::targets::TargetChoice;
use super::users::TokenUsers;
use crate::command::app::App;
use crate::command::edits::EditPolicy;
use crate::command::errors::all_errors;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::resolve::ConnectionOptions;
use crate::setup::{Machine, SetupMethod, Tool};

/// The tools that were found on this machine, without schedulers, and without the gateway: it is a
/// door that only who names it opens.
pub(super) struct ToolOffer {
    pub(super) by_files: Vec<&'static Tool>,
    pub(super) by_dialog: Vec<&'static Tool>,
}

impl ToolOffer {
    pub(super) fn find(machine: &Machine) -> Self {
        let (mut by_files, mut by_dialog) = (Vec::new(), Vec::new());
        for tool in TOOLS {
            if tool.kind.is_background() || tool.find(machine).is_none() {
                continue;
            }
            match tool.method {
                SetupMethod::Files(_) => by_files.push(tool),
                SetupMethod::Dialog(_) => by_dialog.push(tool),
            }
        }
        Self {
            by_files,
            by_dialog,
        }
    }

    /// Returns a line for each tool that has a dialog: what prints the values for it.
    pub(super) fn dialog_notes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for tool in &self.by_dialog {
            let (title, name) = (tool.title, tool.name);
            lines.push(format!(
                "{title}: `pgcred setup {name}` prints what to enter"
            ));
        }
        lines
    }
}

/// Sets up every connection in every tool that was found.
pub(super) fn set_up_all(
    policy: EditPolicy,
    options: &ConnectionOptions,
    machine: &Machine,
    app: &mut App,
) -> Result<()> {
    let users = TokenUsers::from_cache(app);
    let preferences = &app.preferences;
    check_options(options)?;
    if preferences.config.connections.is_empty() {
        return Err(no_connection());
    }
    let tools = ToolOffer::find(machine);
    if tools.by_files.is_empty() && tools.by_dialog.is_empty() {
        return Err(Error::failure("no tool was found on this machine").hint(
            "run `pgcred setup --dry-run` to see the tools that pgcred knows, and `pgcred setup \
             TOOL` to set one up that was not found",
        ));
    }
    let request = PlanRequest {
        tools: &tools.by_files,
        choice: TargetChoice {
            names: &[],
            options,
            users: &users.known,
            uses_gateway: false,
            is_silent: false,
        },
        with_scheduler: true,
        first_edits: Vec::new(),
    };
    let mut plan = SetupPlan::new(request, machine, preferences);
    let applied_plan = plan.apply(policy, machine, preferences, app)?;
    if applied_plan.is_made || policy.dry_run || plan.parts.is_empty() {
        for line in tools.dialog_notes() {
            preferences.output.note(&line);
        }
    }
    let mut errors = std::mem::take(&mut plan.errors);
    errors.extend(applied_plan.errors);
    let others = if applied_plan.is_made {
        "; the others are"
    } else {
        ""
    };
    all_errors(errors, preferences.output, |count| {
        format!("{count} tools or connections could not be set up{others}")
    })
}

fn no_connection() -> Error {
    Error::no_target("no connection to set up").hint(
        "run `pgcred discover --add` to find your databases, or `pgcred add NAME HOST --profile \
         PROFILE` to add one",
    )
}

/// Refuses a host: what is set up is what the configuration has.
fn check_options(options: &ConnectionOptions) -> Result<()> {
    if options.address.host.is_some() {
        return Err(Error::usage(
            "--all sets up the connections of the configuration, and no other host",
        )
        .hint("run `pgcred add NAME HOST --profile PROFILE`, then `pgcred setup --all`"));
    }
    Ok(())
}
