//! Lists the databases that the user's profiles may see, and makes connections of them, for `pgcred
//! discover`.
//!
//! ```text
//! scope      authorities, profiles and regions to ask: options, else configuration and environment
//!   |
//! search     asks side by side, logs in where that is missing     ◀── authority::Lister
//!   |
//!   +--> failures   one line for each profile that has not answered everything
//!   |
//! rows       each host once, with a name (names) and why it cannot be added
//!   |
//!   +--> report     table, JSON
//!   |
//!   +--> add_and_prune   shows the change of the configuration, asks, makes it
//!           |
//!           +--> add        which rows become connections
//!           +--> prune      which connections are gone
//! ```
//!
//! [`search`] is for other commands too: it returns what was found without printing it, and
//! [`DiscoveredHost::to_connection`] makes a connection of a row.
//!
//! Nothing of the configuration changes without `--add` or `--prune`. The texts of a database, such
//! as its tag `Name`, were written by others: they are cut, and escaped before they are shown.

mod add;
mod add_and_prune;
mod failures;
mod names;
mod prune;
mod report;
mod rows;
mod scope;
mod search;

use std::time::Instant;

use clap::ValueEnum;

use add_and_prune::ChangeOptions;
pub(crate) use rows::DiscoveredHost;
pub(crate) use scope::ScopeOptions;
use scope::{ListingAuthority, SearchContext};
use search::ProfileAnswer;

use super::app::App;
use super::config_file::ConfigNeed;
use super::errors::all_errors;
use super::needs::CommandNeeds;
use super::run::RunCommand;
use crate::authority::Authority;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::provider;
use crate::sys::terminal::InheritedStdin;
use crate::text::suggest;

#[derive(clap::Args)]
pub(crate) struct DiscoverCommand {
    #[command(flatten)]
    scope: ScopeOptions,
    /// Database user of what is listed, in the place of the one that the service has made
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "table", conflicts_with_all = ["add", "prune"])]
    format: DiscoverFormat,
    #[command(flatten)]
    change: ChangeOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum DiscoverFormat {
    Table,
    Json,
}

/// What a search has found.
pub(crate) struct DiscoveredHosts {
    pub(crate) rows: Vec<DiscoveredHost>,
    answers: Vec<ProfileAnswer>,
}

/// Asks those of the authorities that can list databases for the ones in this scope, and logs in
/// where a login is missing and the user may be asked. `user` is the database user of all of them,
/// in the place of the one that is known.
///
/// An error says that the scope cannot be asked. What was not answered is in
/// [`DiscoveredHosts::report_failures`].
pub(crate) fn search_databases(
    scope: &ScopeOptions,
    authorities: &[&'static dyn Authority],
    user: Option<&str>,
    app: &App,
) -> Result<DiscoveredHosts> {
    let preferences = &app.preferences;
    let listing_authorities = ListingAuthority::all_among(authorities)?;
    let context = SearchContext {
        listing_authorities: &listing_authorities,
        config: &preferences.config,
        ask_policy: &preferences.ask_policy,
        deadline: Instant::now() + preferences.ask_policy.timeout,
    };
    for warning in scope.region_warnings(&listing_authorities) {
        preferences.output.warn(&warning);
    }
    let questions = scope.questions(context)?;
    let answers = search::ask_catalogs(questions, context, preferences.output);
    let rows = rows::rows_of_answers(&answers, context.config, user);
    Ok(DiscoveredHosts { rows, answers })
}

impl DiscoveredHosts {
    /// Warns about what was not answered, in a line for each profile. It is an error if nobody has
    /// answered anything.
    pub(crate) fn report_failures(&self, output: Output) -> Result<()> {
        let errors = failures::errors_of_answers(&self.answers);
        if failures::is_anything_listed(&self.answers) {
            for error in &errors {
                output.warn(&error.to_string());
                if let Some(hint) = error.hint_text() {
                    output.hint(hint);
                }
            }
            return Ok(());
        }
        let exit = failures::exit_of_errors(&errors);
        let result = all_errors(errors, output, |count| {
            format!("none of {count} profiles could list anything")
        });
        result.map_err(|error| match exit {
            Some(exit) => error.exiting(exit),
            None => error,
        })
    }

    /// Tells whether there may be more, because not everything was answered.
    pub(crate) fn is_partial(&self) -> bool {
        !failures::errors_of_answers(&self.answers).is_empty()
    }

    /// Says where there is no database.
    fn no_database_text(&self, scope: &ScopeOptions) -> String {
        let mut regions: Vec<&str> = Vec::new();
        for answer in &self.answers {
            for region in &answer.regions {
                if !regions.contains(&region.as_str()) {
                    regions.push(region.as_str());
                }
            }
        }
        let regions = suggest::list_names(regions);
        if scope.all_regions {
            return format!("no database in {regions}");
        }
        let options = scope.with_all_regions().typed_options();
        format!("no database in {regions}; to ask for all regions: pgcred discover{options}")
    }
}

impl RunCommand for DiscoverCommand {
    type Outcome = ();

    /// `--add` makes the file of the configuration if it is missing.
    fn needs(&self) -> CommandNeeds {
        let mut needs = Self::NEEDS;
        if self.change.is_wanted() {
            needs.configuration = ConfigNeed::WholeOrNew;
        }
        needs
    }

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        self.check_user_option()?;
        self.change.check()?;
        let output = app.preferences.output;
        let authorities = provider::authorities();
        let hosts = search_databases(&self.scope, &authorities, self.user.as_deref(), app)?;
        hosts.report_failures(output)?;
        if self.change.is_wanted() {
            return self.change.apply(&hosts, app);
        }
        match self.format {
            DiscoverFormat::Json => report::print_json(&hosts.rows)?,
            DiscoverFormat::Table if hosts.rows.is_empty() => {}
            DiscoverFormat::Table => report::print_table(&hosts.rows)?,
        }
        if hosts.rows.is_empty() {
            output.note(&hosts.no_database_text(&self.scope));
            return Ok(());
        }
        let command = format!("pgcred discover{}", self.scope.typed_options());
        if hosts.rows.iter().any(DiscoveredHost::is_new) {
            output.note(&format!(
                "to make connections of what is new: {command} --add"
            ));
        }
        if hosts.rows.iter().any(DiscoveredHost::needs_user) {
            output.note(&format!(
                "to add what needs a user: {command} --add NAME --user USER"
            ));
        }
        Ok(())
    }
}

impl DiscoverCommand {
    fn check_user_option(&self) -> Result<()> {
        match &self.user {
            Some(user) if user.is_empty() => {
                Err(Error::usage("--user is empty").hint("name the database user"))
            }
            _ => Ok(()),
        }
    }
}
