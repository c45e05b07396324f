//! Decides for `--add` which rows become connections, and why others do not. It is pure.

use super::report::not_added_text;
use super::rows::DiscoveredHost;
use crate::config::{self, Connection};
use crate::error::{Error, Result};
use crate::text::suggest;
use crate::text::{backquoted, glob};

/// What `--add` means without a pattern.
pub(super) const EVERYTHING: &str = "*";

/// How many reasons an error repeats.
const MAX_REASONS: usize = 3;

/// The rows that `--add` means, by what becomes of them.
#[derive(Default)]
pub(super) struct ConnectionAdditions {
    pub(super) new: Vec<Connection>,
    /// How many are connections already.
    pub(super) configured: usize,
    /// Those that cannot be added, by the reason.
    pub(super) refused: Vec<(String, Vec<String>)>,
}

impl ConnectionAdditions {
    /// Picks the rows that fit one of the patterns. A pattern that fits nothing is an error.
    pub(super) fn pick(rows: &[DiscoveredHost], patterns: &[String]) -> Result<Self> {
        check_patterns(rows, patterns)?;
        let mut additions = Self::default();
        for row in rows {
            if !patterns.iter().any(|pattern| matches_pattern(row, pattern)) {
                continue;
            }
            if row.is_configured {
                additions.configured += 1;
                continue;
            }
            match connection_of_row(row) {
                Ok(connection) => additions.new.push(connection),
                Err(reason) => additions.refuse(row.name.clone(), reason),
            }
        }
        Ok(additions)
    }

    fn refuse(&mut self, name: String, reason: String) {
        match self
            .refused
            .iter_mut()
            .find(|(refused_reason, _)| *refused_reason == reason)
        {
            Some((_, names)) => names.push(name),
            None => self.refused.push((reason, vec![name])),
        }
    }

    /// Returns a line for each reason: `a, b: needs --user`.
    pub(super) fn refusals(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (reason, names) in &self.refused {
            let names = suggest::list_names(names);
            lines.push(format!("{names}: {reason}"));
        }
        lines
    }

    /// Returns the error if nothing of what is meant is a connection, or can be one.
    pub(super) fn check(&self) -> Result<()> {
        if !self.new.is_empty() || self.configured > 0 || self.refused.is_empty() {
            return Ok(());
        }
        let mut refusals = self.refusals();
        refusals.truncate(MAX_REASONS);
        let error = Error::usage(format!("not added: {}", refusals.join("; ")));
        Err(error.hint("run `pgcred discover --format json` to see why, for each database"))
    }
}

/// Returns the connection of a row as it can be written, or why there is none.
fn connection_of_row(row: &DiscoveredHost) -> Result<Connection, String> {
    let Some(connection) = row.to_connection() else {
        return Err(not_added_text(row).unwrap_or_default());
    };
    // One that cannot be written must not keep the others out of the file.
    match config::change_connections("", std::slice::from_ref(&connection), &[]) {
        Ok(_) => Ok(connection),
        Err(error) => Err(error.to_string()),
    }
}

/// Tells whether a row is meant: by its name, its identifier or its host, in any case.
fn matches_pattern(row: &DiscoveredHost, pattern: &str) -> bool {
    let pattern = pattern.trim().to_lowercase();
    let mut texts = row.texts().into_iter();
    texts.any(|text| glob::matches_pattern(&pattern, &text.to_lowercase()))
}

fn check_patterns(rows: &[DiscoveredHost], patterns: &[String]) -> Result<()> {
    for pattern in patterns {
        if pattern == EVERYTHING || rows.iter().any(|row| matches_pattern(row, pattern)) {
            continue;
        }
        let error = Error::no_target(format!("no database matches {}", backquoted(pattern)));
        if rows.is_empty() {
            return Err(error.hint("run `pgcred discover` to see where it looks: it found none"));
        }
        let names = suggest::list_names(rows.iter().map(|row| &row.name));
        return Err(error.hint(format!("choose one of {names}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
