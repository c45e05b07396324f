//! Carries out a plan: shows all of it, asks once, and makes one part after the other.
//!
//! A part is made as a whole or not at all: if one of its edits fails, or the command that tells a
//! scheduler, what was done of that part is taken back. The other parts stay, because a tool does
//! not need the scheduler to be of use, and a second run makes what is missing. Only the first
//! part, pgcred's own configuration, ends everything if it fails.

use super::plan::{PlanPart, SetupPlan};
use super::{gateway, scheduler};
use crate::command::app::App;
use crate::command::edits::{
    EditDecision, EditPolicy, carry_out, edits_that_change, provide_roots,
};
use crate::command::passfile_option::warn_about_variables;
use crate::command::preferences::Preferences;
use crate::error::{Error, Result};
use crate::setup::{EditDestination, Machine, Tool, ToolKind};

/// How far a plan was carried out.
#[derive(Default)]
pub(super) struct AppliedPlan {
    /// Whether the parts were made, unless an error says otherwise. If not, the user has said no,
    /// or only wanted to see them.
    pub(super) is_made: bool,
    /// Why parts were not made.
    pub(super) errors: Vec<Error>,
}

impl SetupPlan {
    /// Shows the plan and carries it out, unless the user says no. `preferences` are those that it
    /// was made from.
    pub(super) fn apply(
        &self,
        policy: EditPolicy,
        machine: &Machine,
        preferences: &Preferences,
        app: &App,
    ) -> Result<AppliedPlan> {
        if !self.ask_for_agreement(policy, preferences)? {
            return Ok(AppliedPlan::default());
        }
        self.make(policy, machine, preferences, app)
    }

    /// Shows the plan, and asks the user.
    pub(super) fn ask_for_agreement(
        &self,
        policy: EditPolicy,
        preferences: &Preferences,
    ) -> Result<bool> {
        for warning in &self.warnings {
            preferences.output.warn(warning);
        }
        if self.parts.is_empty() {
            return Ok(false);
        }
        Ok(policy.decide(&self.edits(), preferences)? == EditDecision::Make)
    }

    /// Carries the plan out.
    pub(super) fn make(
        &self,
        policy: EditPolicy,
        machine: &Machine,
        preferences: &Preferences,
        app: &App,
    ) -> Result<AppliedPlan> {
        let mut applied_plan = AppliedPlan {
            is_made: true,
            errors: Vec::new(),
        };
        let mut made_parts = Vec::new();
        for part in &self.parts {
            match part.make(policy, machine, preferences, app) {
                Ok(()) => made_parts.push(part),
                Err(error) if part.tool.is_none() => return Err(error),
                Err(error) => applied_plan
                    .errors
                    .push(self.with_tool_name(part.tool, error)),
            }
        }
        self.say_next_steps(&made_parts, machine, preferences)?;
        Ok(applied_plan)
    }

    /// Tells the user what is left to do, first for each tool and then once for all.
    fn say_next_steps(
        &self,
        made_parts: &[&PlanPart],
        machine: &Machine,
        preferences: &Preferences,
    ) -> Result<()> {
        let mut tools = Vec::new();
        for part in made_parts {
            // Of many tools those that were ready before need nothing more. Who names one tool asks
            // what to do with it.
            if self.names_tools && edits_that_change(&part.edits).is_empty() {
                continue;
            }
            for step in &part.steps {
                preferences.output.note(step);
            }
            tools.extend(part.tool);
        }
        if self.uses_gateway {
            if let Some(start_hint) = gateway::start_hint(machine) {
                preferences.output.note(&start_hint);
            }
            return Ok(());
        }
        let advice = match &self.no_scheduler_reason {
            _ if self.omits_refresh_advice => None,
            Some(reason) => Some(scheduler::refresh_advice_without_scheduler(reason)),
            None => Some(scheduler::refresh_advice(machine)),
        };
        note_needs_of_tools(&tools, advice.as_deref(), preferences)
    }
}

impl PlanPart {
    fn make(
        &self,
        policy: EditPolicy,
        machine: &Machine,
        preferences: &Preferences,
        app: &App,
    ) -> Result<()> {
        provide_roots(&self.targets, preferences)?;
        let edits = edits_that_change(&self.edits);
        carry_out(
            &edits,
            &self.commands,
            policy.direction,
            machine,
            preferences.output,
        )?;
        if self.changes_configuration(preferences) {
            app.forget_due_file();
        }
        Ok(())
    }

    /// Tells whether pgcred's own configuration is among the files, which shell hooks follow.
    fn changes_configuration(&self, preferences: &Preferences) -> bool {
        let Some(path) = &preferences.config_path else {
            return false;
        };
        let own_file = EditDestination::File(path.clone());
        self.edits
            .iter()
            .any(|edit| edit.destination == own_file && edit.changes_something())
    }
}

/// Tells the user what else the tools need to get a password. `advice` says how the passfile is
/// kept fresh, if that is left to the user.
pub(super) fn note_needs_of_tools(
    tools: &[&Tool],
    advice: Option<&str>,
    preferences: &Preferences,
) -> Result<()> {
    note_login(tools, preferences)?;
    if tools.iter().any(|tool| tool.kind == ToolKind::Passfile) {
        warn_about_variables(preferences);
        if let Some(advice) = advice {
            preferences.output.note(advice);
        }
    }
    Ok(())
}

/// Tells the user what the tools that run pgcred do when a login is needed.
fn note_login(tools: &[&Tool], preferences: &Preferences) -> Result<()> {
    let mut titles = Vec::new();
    for tool in tools {
        if tool.kind == ToolKind::Command {
            titles.push(tool.title);
        }
    }
    if titles.is_empty() || preferences.config.login.is_some() {
        return Ok(());
    }
    let shows = if titles.len() == 1 { "shows" } else { "show" };
    preferences.output.note(&format!(
        "when a token needs a login, {} {shows} only an error; \
         with the line login = \"browser\" in {} pgcred opens the login page",
        titles.join(" and "),
        preferences.config_path()?.display(),
    ));
    Ok(())
}
