//! Plans everything that the wishes change: it is shown at once, and made after the user's yes.

use super::surroundings::SetupWishes;
use crate::command::app::App;
use crate::command::edits::{self, EditPolicy};
use crate::command::preferences::Preferences;
use crate::command::setup::plan::{PlanRequest, SetupPlan};
use crate::command::setup::targets::TargetChoice;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::resolve::ConnectionOptions;
use crate::setup::{Machine, SetupDirection, TokenUser};

/// A plan, and the preferences as they will be when it is made.
pub(super) struct SetupChanges {
    plan: SetupPlan,
    pub(super) preferences: Preferences,
    /// The warnings that were shown.
    pub(super) warned: Vec<String>,
}

/// Plans what the wishes change. Writes nothing. `users` are those that came with tokens.
pub(super) fn plan_changes(
    wishes: &SetupWishes,
    users: &[TokenUser],
    machine: &Machine,
    app: &App,
) -> Result<SetupChanges> {
    let mut first_edits = Vec::new();
    let mut preferences = app.preferences.with_config(app.preferences.config.clone());
    if !wishes.connections.is_empty() {
        let edit = edits::edit_configuration(&preferences, &machine.planned_files, |text| {
            config::change_connections(text, &wishes.connections, &[])
        })?;
        let after = edit.new_text.as_deref().unwrap_or_default();
        preferences = app.preferences.with_config(Config::parse(after)?);
        first_edits.push(edit);
    }
    let mut tools = Vec::new();
    for tool in wishes.tools.iter().copied().chain(wishes.scheduler) {
        if tool.files().is_some() {
            tools.push(tool);
        }
    }
    let request = PlanRequest {
        tools: &tools,
        choice: TargetChoice {
            names: &[],
            options: &ConnectionOptions::default(),
            users,
            uses_gateway: false,
            is_silent: false,
        },
        with_scheduler: false,
        first_edits,
    };
    let mut plan = SetupPlan::new(request, machine, &preferences);
    plan.omits_refresh_advice = wishes.scheduler.is_some();
    Ok(SetupChanges {
        plan,
        preferences,
        warned: Vec::new(),
    })
}

impl SetupChanges {
    /// Shows everything, and warns before the user is asked. Tells whether that is anything.
    pub(super) fn show(&mut self) -> Result<bool> {
        for error in &self.plan.errors {
            self.preferences.output.report(error);
        }
        let edits = self.plan.edits();
        if !edits.iter().any(|edit| edit.changes_something()) {
            return Ok(false);
        }
        let policy = EditPolicy {
            direction: SetupDirection::SetUp,
            dry_run: true,
            yes: false,
        };
        policy.decide(&edits, &self.preferences)?;
        for warning in self.plan.warnings.drain(..) {
            self.preferences.output.warn(&warning);
            self.warned.push(warning);
        }
        Ok(true)
    }

    /// Makes everything, and says what is left to the user. Returns what could not be made.
    pub(super) fn make(&self, machine: &Machine, app: &App) -> Result<Vec<Error>> {
        let policy = EditPolicy {
            direction: SetupDirection::SetUp,
            dry_run: false,
            yes: true,
        };
        let applied_plan = self.plan.apply(policy, machine, &self.preferences, app)?;
        Ok(applied_plan.errors)
    }
}
