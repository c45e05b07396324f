//! Shows the rows: as a table for people, and as JSON for programs. Texts of others reach the
//! terminal with their control characters escaped.

use serde_json::{Value, json};

use super::rows::{DiscoveredHost, NotAddedReason};
use crate::authority::EndpointRole;
use crate::error::Result;
use crate::output::Output;
use crate::output::table::TextTable;
use crate::provider;
use crate::text::{printable_json, shortened};

/// Prints the rows for people. All within a terminal's 80 columns where that can be: the status
/// is left out if all are ready, and the identifier is cut, or left to the JSON if too little of it
/// would be seen.
pub(super) fn print_table(rows: &[DiscoveredHost]) -> Result<()> {
    const WIDTH: usize = 80;
    const MIN_IDENTIFIER_LENGTH: usize = 10;
    const MAX_CELL_LENGTH: usize = 64;
    let column =
        |value: fn(&DiscoveredHost) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let mut table = TextTable::new(rows.len(), MAX_CELL_LENGTH);
    table.add("NAME", &column(|row| row.name.clone()));
    table.add("WHAT", &column(DiscoveredHost::kind_in_words));
    table.add("REGION", &column(|row| row.database.region.to_string()));
    table.add_unless_empty(
        "PROFILE",
        &column(|row| row.profile.clone().unwrap_or_default()),
    );
    table.add_unless_empty("STATUS", &column(unusual_status));
    table.add("STATE", &column(|row| configured_state(row).to_owned()));
    let free_width = WIDTH.saturating_sub(table.width());
    if free_width >= MIN_IDENTIFIER_LENGTH {
        let mut identifiers = Vec::new();
        for row in rows {
            identifiers.push(shortened(&row.database.identifier, free_width));
        }
        table.add("IDENTIFIER", &identifiers);
    }
    Output::lines(table.lines())
}

/// Returns the service's word for a state in which no client can connect, or that is not known.
fn unusual_status(row: &DiscoveredHost) -> String {
    if row.database.is_ready == Some(true) {
        return String::new();
    }
    row.database.status.clone()
}

fn configured_state(row: &DiscoveredHost) -> &'static str {
    match row.not_added {
        _ if row.is_configured => "configured",
        Some(reason) => reason.column_text(row.listing_authority.lister),
        None => "new",
    }
}

/// Prints the rows for programs, with the number of the account.
pub(super) fn print_json(rows: &[DiscoveredHost]) -> Result<()> {
    let mut values = Vec::new();
    for row in rows {
        values.push(to_json(row));
    }
    let text = Value::from(values).to_string();
    Output::answer(&(printable_json(&text) + "\n"))
}

fn to_json(row: &DiscoveredHost) -> Value {
    let database = &row.database;
    let (mut provider_name, mut dbname) = (None, database.dbname.as_deref());
    if let Some(provider) = row.provider {
        provider_name = Some(provider.name);
        dbname = dbname.or(Some(provider.dbname));
    }
    json!({
        "name": row.name,
        "provider": provider_name,
        "host": row.host,
        "port": database.port.unwrap_or(provider::DEFAULT_PORT),
        "dbname": dbname,
        "user": row.user,
        "region": database.region.as_str(),
        "profile": row.profile,
        "account": row.account,
        "status": database.status,
        "iam": database.takes_tokens,
        "resource_id": database.resource_id,
        "engine": database.engine,
        "kind": database.kind,
        "identifier": database.identifier,
        "label": database.label,
        "public": database.is_public,
        "reader": database.role == EndpointRole::Reader,
        "configured": row.is_configured,
        "addable": row.is_new(),
        "why_not": not_added_text(row),
    })
}

/// Returns why a row is not added, and what to type where that is known.
pub(super) fn not_added_text(row: &DiscoveredHost) -> Option<String> {
    if row.is_configured {
        return Some("it is configured".to_owned());
    }
    let reason = row.not_added?;
    let text = reason.clause(row.listing_authority.lister);
    if reason == NotAddedReason::NoTokens
        && let Some(advice) = row.how_to_take_tokens()
    {
        return Some(format!("{text}; to enable it: {advice}"));
    }
    Some(text.to_owned())
}
