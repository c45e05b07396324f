//! Plans everything that setting up tools would change, as one value, before anything is done.
//!
//! It is made from a list of tools and from preferences, whose configuration may be one that is not
//! written yet. The texts of files are read, and nothing is written. Each tool is a part of the
//! plan, and pgcred's own configuration is the first one. A later part begins with the texts that
//! the earlier ones leave. An error of a tool, or of one connection, is kept in the plan and does
//! not stop the others.
//!
//! `apply` shows a plan, asks once, and carries it out.

use super::targets::{self, TargetChoice, ToolTargets};
use super::{add_connection, scheduler};
use crate::command::preferences::Preferences;
use crate::error::{Error, Result};
use crate::setup::{
    Machine, SetupCommands, SetupDirection, SetupEdit, SetupMethod, Tool, ToolFiles, ToolKind,
    ToolTarget, check_texts,
};

/// What a plan is made of.
pub(super) struct PlanRequest<'a> {
    /// The tools to set up by their files. A tool that has a dialog instead is an error.
    pub(super) tools: &'a [&'static Tool],
    pub(super) choice: TargetChoice<'a>,
    /// Whether the scheduler that works here is set up too, if one of the tools needs it.
    pub(super) with_scheduler: bool,
    /// Edits that come before those of all tools: of pgcred's configuration, which the preferences
    /// have as it will be.
    pub(super) first_edits: Vec<SetupEdit>,
}

/// See the head of this file.
#[derive(Default)]
pub(super) struct SetupPlan {
    pub(super) parts: Vec<PlanPart>,
    /// What may be wrong, though it can be set up.
    pub(super) warnings: Vec<String>,
    /// What cannot be set up: a tool, or a connection in a tool.
    pub(super) errors: Vec<Error>,
    /// Why no scheduler will keep the passfile fresh, if one was to be set up.
    pub(super) no_scheduler_reason: Option<String>,
    /// Whether tokens are written right after this, and a scheduler of this plan goes on with it,
    /// or none can: then the user is not told to do so.
    pub(super) omits_refresh_advice: bool,
    /// Whether the tools connect through the local gateway, and need no token.
    pub(super) uses_gateway: bool,
    /// Whether there are several tools: then errors name theirs.
    pub(super) names_tools: bool,
}

/// What is made as a whole or not at all.
#[derive(Default)]
pub(super) struct PlanPart {
    /// `None` for the edits that come first, without which the others make no sense.
    pub(super) tool: Option<&'static Tool>,
    pub(super) edits: Vec<SetupEdit>,
    pub(super) commands: SetupCommands,
    /// The targets whose root certificates have to be in their place.
    pub(super) targets: Vec<ToolTarget>,
    /// What is left to the user.
    pub(super) steps: Vec<String>,
}

impl SetupPlan {
    pub(super) fn new(request: PlanRequest, machine: &Machine, preferences: &Preferences) -> Self {
        let mut planner = SetupPlanner {
            machine: machine.clone(),
            preferences,
            choice: request.choice,
            added: Vec::new(),
            plan: Self {
                uses_gateway: request.choice.uses_gateway,
                names_tools: request.tools.len() > 1 || request.with_scheduler,
                ..Self::default()
            },
        };
        if !request.first_edits.is_empty() {
            planner.add_part(PlanPart {
                edits: request.first_edits,
                ..PlanPart::default()
            });
        }
        for tool in request.tools {
            if let Err(error) = planner.add_tool(tool) {
                planner.plan.add_error(Some(tool), error);
            }
        }
        if request.with_scheduler {
            planner.add_scheduler();
        }
        planner.plan
    }

    /// Returns the plan of one tool alone.
    pub(super) fn for_tool(
        tool: &'static Tool,
        choice: TargetChoice<'_>,
        machine: &Machine,
        preferences: &Preferences,
    ) -> Self {
        let request = PlanRequest {
            tools: &[tool],
            choice,
            with_scheduler: false,
            first_edits: Vec::new(),
        };
        Self::new(request, machine, preferences)
    }

    /// Returns the edits of all parts, in their order.
    pub(super) fn edits(&self) -> Vec<&SetupEdit> {
        self.parts.iter().flat_map(|part| &part.edits).collect()
    }

    /// Returns how many targets the tools get.
    pub(super) fn number_of_targets(&self) -> usize {
        self.parts.iter().map(|part| part.targets.len()).sum()
    }

    /// Tells whether a tool gets this target.
    pub(super) fn has_target(&self, name: &str) -> bool {
        self.parts
            .iter()
            .flat_map(|part| &part.targets)
            .any(|target| target.name == name)
    }

    /// Tells whether a tool of this kind is set up.
    pub(super) fn has(&self, kind: ToolKind) -> bool {
        self.parts
            .iter()
            .any(|part| part.tool.is_some_and(|tool| tool.kind == kind))
    }

    /// Adds an error that no other tool has said.
    fn add_error(&mut self, tool: Option<&Tool>, error: Error) {
        let error = self.with_tool_name(tool, error);
        let text = error.to_string();
        if self
            .errors
            .iter()
            .all(|error_before| error_before.to_string() != text)
        {
            self.errors.push(error);
        }
    }

    /// Returns the error with the name of its tool, if there are several tools.
    pub(super) fn with_tool_name(&self, tool: Option<&Tool>, error: Error) -> Error {
        match tool {
            Some(tool) if self.names_tools => error.about(tool.name),
            _ => error,
        }
    }
}

/// A plan that is being made.
struct SetupPlanner<'a> {
    /// The machine with the texts that the parts so far leave.
    machine: Machine,
    preferences: &'a Preferences,
    choice: TargetChoice<'a>,
    /// The targets that are connections once the parts so far are made.
    added: Vec<String>,
    plan: SetupPlan,
}

impl SetupPlanner<'_> {
    fn add_part(&mut self, part: PlanPart) {
        self.machine.planned_files.add(&part.edits);
        self.plan.parts.push(part);
    }

    fn add_tool(&mut self, tool: &'static Tool) -> Result<()> {
        let SetupMethod::Files(files) = tool.method else {
            let title = tool.title;
            return Err(
                Error::usage(format!("{title} is set up in its own dialog")).hint(format!(
                    "run `pgcred setup {}` to see what to enter",
                    tool.name
                )),
            );
        };
        let targets = self.choice.targets(tool, self.preferences);
        self.choice.is_silent = true;
        let ToolTargets {
            mut targets,
            mut errors,
            mut warnings,
        } = targets?;
        remove_conflicts(files, &self.machine, &mut targets, &mut errors);
        check_texts(&self.machine, &targets)?;
        if !tool.kind.is_background() && !self.choice.uses_gateway {
            warnings.extend(targets::adapt_targets(tool, &mut targets));
        }
        warnings.extend(files.warnings(&targets));
        if !targets.is_empty() {
            let part = self.plan_part(tool, files, targets)?;
            if tool.kind == ToolKind::Passfile {
                self.added
                    .extend(part.targets.iter().map(|target| target.name.clone()));
            }
            self.add_part(part);
        }
        for warning in warnings {
            if !self.plan.warnings.contains(&warning) {
                self.plan.warnings.push(warning);
            }
        }
        for error in errors {
            self.plan.add_error(None, error);
        }
        Ok(())
    }

    fn plan_part(
        &self,
        tool: &'static Tool,
        files: &dyn ToolFiles,
        targets: Vec<ToolTarget>,
    ) -> Result<PlanPart> {
        let mut new = add_connection::new_connections(tool, &targets);
        new.retain(|target| !self.added.contains(&target.name));
        let mut edits = Vec::new();
        edits.extend(add_connection::edit_of_configuration(
            &new,
            &self.machine,
            self.preferences,
        )?);
        edits.extend(files.set_up(&self.machine, &targets)?);
        Ok(PlanPart {
            tool: Some(tool),
            edits,
            commands: files.commands(&self.machine, SetupDirection::SetUp),
            steps: files.steps(&self.machine, &targets),
            targets,
        })
    }

    /// Adds the scheduler that works here, if a tool reads the passfile: a token in it is good for
    /// minutes. A machine without any is no error.
    fn add_scheduler(&mut self) {
        if !self.plan.has(ToolKind::Passfile) {
            return;
        }
        let mut refusals = Vec::new();
        for tool in scheduler::possible_schedulers(&self.machine) {
            let Some(files) = tool.files() else {
                continue;
            };
            let result = match scheduler::probe_scheduler(tool, files, &self.machine) {
                // It may do its work all the same, unseen from this session.
                Err(_) if tool.is_scheduler_at_work(&self.machine) => return,
                Err(reason) => Err(reason),
                Ok(()) => self.add_tool(tool).map_err(|error| error.to_string()),
            };
            match result {
                Ok(()) => return,
                Err(reason) => refusals.push(format!("{}: {reason}", tool.name)),
            }
        }
        self.plan.no_scheduler_reason = Some(refusals.join("; "));
    }
}

/// Moves the targets that the tool cannot take, because the user has something of that name there,
/// from the targets to the errors.
fn remove_conflicts(
    files: &dyn ToolFiles,
    machine: &Machine,
    targets: &mut Vec<ToolTarget>,
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
