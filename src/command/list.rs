//! `pgcred list`: the configured connections and what is known of their tokens; no secret, no keyring, no AWS.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Context, Run, background};
use crate::cache::{EntryId, Index, Place as Filed, Record};
use crate::error::Result;
use crate::output::Output;
use crate::terminal::Stdin;
use crate::time::{Time, spoken};

#[derive(clap::Args)]
pub(super) struct List {
    /// Form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// One connection; an empty text is something that is not known.
struct Row {
    name: String,
    host: String,
    user: String,
    profile: String,
    record: Option<Record>,
    trouble: String,
}

impl Run for List {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let index = context.issuer.cache().map(crate::cache::Cache::index).unwrap_or_default();
        let names: Vec<_> = context.world.config.connections.iter().map(|connection| connection.name.clone()).collect();
        let rows: Vec<Row> = names.into_iter().map(|name| row(name, &index, context)).collect();
        Output::answer(&match self.format {
            Format::Table => table(&rows) + &background::last().map(|last| format!("\n{last}\n")).unwrap_or_default(),
            Format::Json => format!("{}\n", Value::from(rows.iter().map(Row::json).collect::<Vec<_>>())),
        })
    }
}

fn row(name: String, index: &Index, context: &mut Context) -> Row {
    match context.world.connection(&name) {
        Err(error) => Row {
            name,
            host: String::new(),
            user: String::new(),
            profile: String::new(),
            record: None,
            trouble: error.to_string(),
        },
        Ok(request) => {
            let identity = context.issuer.identity(request.profile.as_deref());
            let failure = index.failures.get(identity.as_str());
            Row {
                name,
                record: index.records.get(EntryId::of(&request, &identity).as_str()).cloned(),
                host: format!("{}:{}", request.host, request.port),
                user: request.user,
                profile: request.profile.unwrap_or_default(),
                trouble: failure.map(|failure| failure.error.to_string()).unwrap_or_default(),
            }
        }
    }
}

impl Row {
    fn left(&self) -> String {
        let now = Time::now();
        match &self.record {
            None => "-".to_owned(),
            Some(record) if record.expires_at <= now => "expired".to_owned(),
            Some(record) => spoken(now.until(record.expires_at)),
        }
    }

    fn filed(&self) -> String {
        match self.record.as_ref().map(|record| &record.place) {
            None => "-".to_owned(),
            Some(Filed::Cache) => "cache".to_owned(),
            Some(Filed::Passfile(path)) => path.display().to_string(),
        }
    }

    fn json(&self) -> Value {
        let known = |text: &str| (!text.is_empty() && text != "-").then(|| text.to_owned());
        json!({
            "name": self.name,
            "host": known(&self.host),
            "user": known(&self.user),
            "profile": known(&self.profile),
            "issued_at": self.record.as_ref().map(|record| record.issued_at.rfc3339()),
            "expiration": self.record.as_ref().map(|record| record.expires_at.rfc3339()),
            "refresh_after": self.record.as_ref().map(|record| record.refresh_after().rfc3339()),
            "token_in": known(&self.filed()),
            "error": known(&self.trouble),
        })
    }
}

/// Columns as wide as their widest cell; the last one as it comes.
fn table(rows: &[Row]) -> String {
    let mut lines =
        vec![["NAME", "HOST", "USER", "PROFILE", "EXPIRES IN", "TOKEN IN", "LAST ERROR"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        [&row.name, &row.host, &row.user, &row.profile, &row.left(), &row.filed(), &row.trouble].map(Clone::clone)
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
