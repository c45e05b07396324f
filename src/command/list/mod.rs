//! Lists the configured connections and where their tokens are, as the passfiles and the index say
//! it, for `pgcred list`. It needs no secret, no keyring and no AWS. `row` is one connection.

mod row;

use clap::ValueEnum;
use row::{ListRow, OfferedPort};
use serde_json::Value;

use super::app::App;
use super::line_owners::assign_line_owners;
use super::needs::CommandNeeds;
use super::passfile_option::PassfileOption;
use super::passfile_tokens::{PassfileTokens, known_passfiles};
use super::refresh::background;
use super::run::RunCommand;
use crate::cache::Cache;
use crate::error::Result;
use crate::output::Output;
use crate::output::table::TextTable;
use crate::sys::terminal::InheritedStdin;

#[derive(clap::Args)]
pub(crate) struct ListCommand {
    /// Form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: ListFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum ListFormat {
    Table,
    Json,
}

impl RunCommand for ListCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        asks_authority: false,
        ..CommandNeeds::USUAL
    };

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        PassfileOption::default().warn_about_other_files(&app.preferences);
        let (rows, mut notes) = rows_and_notes(app);
        if rows.is_empty() {
            app.preferences.output.note(
                "no connection is configured; to add one: pgcred add NAME HOST --profile PROFILE",
            );
        }
        match self.format {
            ListFormat::Json => {
                let rows: Vec<Value> = rows.iter().map(ListRow::json).collect();
                Output::answer(&format!("{}\n", Value::from(rows)))
            }
            ListFormat::Table => {
                notes.extend(background::last_run_in_words(
                    app.preferences.config_path.as_deref(),
                ));
                let mut lines = table_lines(&rows);
                if !notes.is_empty() {
                    lines.push(String::new());
                }
                let output = app.preferences.output;
                lines.extend(notes.iter().map(|note| output.masked(note)));
                Output::lines(lines)
            }
        }
    }
}

/// Returns a row for each connection, in the order of the configuration, and what the user has to
/// know besides.
fn rows_and_notes(app: &mut App) -> (Vec<ListRow>, Vec<String>) {
    let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
    let in_passfiles = PassfileTokens::read(known_passfiles(&index));
    let mut names = Vec::new();
    let mut requests = Vec::new();
    let mut rows = Vec::new();
    for connection in &app.preferences.config.connections {
        let name = connection.name.clone();
        names.push(name.clone());
        match app.preferences.connection(&name) {
            Ok(request) => requests.push((name, request)),
            Err(error) => rows.push(ListRow::unusable(name, &error, &app.preferences)),
        }
    }
    let conflicts = assign_line_owners(&mut requests);
    for (name, request) in &requests {
        rows.push(ListRow::gather(
            name,
            request,
            &index,
            &in_passfiles,
            &conflicts,
            app,
        ));
    }
    rows.sort_by_key(|row| names.iter().position(|name| *name == row.name));
    let mut notes = Vec::new();
    for row in &mut rows {
        let connection = app.preferences.config.connection(&row.name);
        if let Some(connection) = connection {
            row.discovered = connection.discovered;
            row.gateway = connection.gateway.map(OfferedPort::read);
        }
        row.error = app.preferences.output.masked(&row.error);
        notes.extend(row.notes());
    }
    notes.extend(conflicts.iter().map(ToString::to_string));
    notes.extend(in_passfiles.errors.iter().map(ToString::to_string));
    (rows, notes)
}

/// Lays out the connections within a terminal's 80 columns where that can be. A column without any
/// value is left out.
fn table_lines(rows: &[ListRow]) -> Vec<String> {
    const WIDTH: usize = 80;
    const MIN_HOST_LENGTH: usize = 24;
    const MAX_CELL_LENGTH: usize = 100;
    let column =
        |value: fn(&ListRow) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let mut table = TextTable::new(rows.len(), MAX_CELL_LENGTH);
    table.add_unless_empty("NAME", &column(|row| row.name.clone()));
    table.add_unless_empty("USER", &column(|row| row.user.clone()));
    table.add_unless_empty("PROFILE", &column(|row| row.profile.clone()));
    table.add_unless_empty("EXPIRES IN", &column(ListRow::time_left));
    table.add_unless_empty("TOKEN IN", &column(ListRow::token_in));
    let max_width = WIDTH.saturating_sub(table.width()).max(MIN_HOST_LENGTH);
    let hosts: Vec<String> = rows.iter().map(|row| row.address(max_width)).collect();
    table.add("HOST", &hosts);
    table.lines()
}
