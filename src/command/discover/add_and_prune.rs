//! Carries out `--add` and `--prune`: one change of the configuration, which is shown before it is
//! made.
//!
//! Without a terminal and without --yes nothing is changed. New connections come in one edit, and
//! those that are gone go with their tokens and their entries in tools. At most ten reasons why a
//! database is not added are shown.

use super::DiscoveredHosts;
use super::add::{ConnectionAdditions, EVERYTHING};
use super::prune::UnlistedConnections;
use crate::command::app::App;
use crate::command::connection_advice;
use crate::command::edits::{self, EditDecision, EditPolicy};
use crate::command::errors::all_errors;
use crate::command::remove;
use crate::config::{self, Connection};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::setup::{Machine, SetupCommands, SetupDirection};
use crate::text::suggest;

/// Says what is not added and why, for the first reasons.
fn note_refusals(refusals: &[String], output: Output) {
    const MAX_SHOWN: usize = 10;
    for refusal in refusals.iter().take(MAX_SHOWN) {
        output.note(&format!("not added: {refusal}"));
    }
    if refusals.len() > MAX_SHOWN {
        let hidden_count = refusals.len() - MAX_SHOWN;
        output.note(&format!(
            "not added for {hidden_count} more reasons, which `pgcred discover --format json` has"
        ));
    }
}

/// Says which profiles may lead to another account than before.
fn warn_about_lost(unlisted: &UnlistedConnections, output: Output) {
    for lost_profile in &unlisted.lost_profiles {
        let names = suggest::list_names(lost_profile.names.iter().map(String::as_str));
        output.warn(&format!(
            "the profile `{}` lists none of its connections any more: {names}; it may lead to \
             another account now",
            lost_profile.profile
        ));
    }
}

#[derive(clap::Args)]
pub(super) struct ChangeOptions {
    /// Make connections of what is new: of all, or of what PATTERN fits, by name, identifier or
    /// host; `*` stands for any text; may be repeated. Shows the change and asks
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    #[arg(num_args = 0..=1, default_missing_value = EVERYTHING)]
    add: Vec<String>,
    /// Take out the connections that --add has made and that are gone. Shows the change and asks
    #[arg(long)]
    prune: bool,
    /// Show the change and make none
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask before the change
    #[arg(long)]
    yes: bool,
}

impl ChangeOptions {
    /// Tells whether the configuration is to be changed.
    pub(super) fn is_wanted(&self) -> bool {
        self.prune || !self.add.is_empty()
    }

    /// Refuses options that would have no effect.
    pub(super) fn check(&self) -> Result<()> {
        if (self.yes || self.dry_run) && !self.is_wanted() {
            return Err(
                Error::usage("there is nothing to change without --add or --prune")
                    .hint("run `pgcred discover --add` or `pgcred discover --prune`"),
            );
        }
        Ok(())
    }

    /// Shows the change, asks, makes it, and says what comes next.
    pub(super) fn apply(&self, hosts: &DiscoveredHosts, app: &mut App) -> Result<()> {
        let output = app.preferences.output;
        let additions = ConnectionAdditions::pick(&hosts.rows, &self.add)?;
        let mut unlisted = UnlistedConnections::default();
        if self.prune {
            unlisted =
                UnlistedConnections::find(&app.preferences.config, &hosts.rows, &hosts.answers);
            warn_about_lost(&unlisted, output);
            if self.yes && !unlisted.lost_profiles.is_empty() {
                unlisted.spare_lost_profiles();
                output.note("these are kept: without --yes pgcred shows them and asks");
            }
        }
        if unlisted.names.is_empty() {
            additions.check()?;
        }
        note_refusals(&additions.refusals(), output);
        if !unlisted.unconfirmed.is_empty() {
            let names = suggest::list_names(&unlisted.unconfirmed);
            output.note(&format!(
                "kept: {names}: not listed, but not everything was asked and answered"
            ));
        }
        if additions.new.is_empty() && unlisted.names.is_empty() {
            output.note("nothing to change");
            return Ok(());
        }
        let names: Vec<&str> = unlisted.names.iter().map(String::as_str).collect();
        self.apply_changes(&additions.new, &names, app)
    }

    /// Makes the change, unless the user says no: `new` connections come, and those that
    /// `removed_names` names go with their tokens and their entries in tools.
    fn apply_changes(
        &self,
        new: &[Connection],
        removed_names: &[&str],
        app: &mut App,
    ) -> Result<()> {
        let machine = Machine::current(app.options.config.as_deref())?;
        let edit = edits::edit_configuration(&app.preferences, &machine.planned_files, |text| {
            config::change_connections(text, new, removed_names)
        })?;
        let policy = EditPolicy {
            direction: SetupDirection::SetUp,
            dry_run: self.dry_run,
            yes: self.yes,
        };
        if policy.decide(&[&edit], &app.preferences)? != EditDecision::Make {
            return Ok(());
        }
        let mut errors = Vec::new();
        if !removed_names.is_empty() {
            // The tokens go first: if pgcred ends in between, the connections are still there, and
            // the same command completes the work.
            app.open_cache_to_forget();
            errors = remove::forget_tokens(removed_names, app);
        }
        let output = app.preferences.output;
        let commands = SetupCommands::default();
        edits::carry_out(&[&edit], &commands, policy.direction, &machine, output)?;
        app.forget_due_file();
        if !removed_names.is_empty() {
            remove::forget_in_tools(removed_names, &machine, app);
        }
        if !new.is_empty() {
            let names: Vec<&str> = new.iter().map(|new| new.name.as_str()).collect();
            connection_advice::print_advice(&names, &[], app);
        }
        all_errors(errors, output, |count| {
            format!("{count} places still have tokens of connections that were taken out")
        })
    }
}
