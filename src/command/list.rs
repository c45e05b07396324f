//! `pgcred list`: the configured connections and where their tokens are, as the passfiles and the
//! cache say it; no secret, no keyring, no AWS.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::app::App;
use super::filed_tokens::{Found, Standing, known_passfiles};
use super::line_owners::{Clash, settle};
use super::passfile::PassfileOption;
use super::preferences::Preferences;
use super::refresh::background;
use super::run::Run;
use crate::cache::{Cache, EntryId, Index};
use crate::error::{Error, Result};
use crate::issue::last_failure;
use crate::output::Output;
use crate::output::table::Table;
use crate::passfile::block::PassfileKey;
use crate::provider;
use crate::request::Request;
use crate::sys::env;
use crate::sys::terminal::Stdin;
use crate::time::{Time, spoken};

#[derive(clap::Args)]
pub(crate) struct List {
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
#[derive(Default)]
struct Row {
    name: String,
    host: String,
    port: u16,
    user: String,
    profile: String,
    /// What `EXPIRES IN` is about: the token in the passfile, else the one in the cache.
    issued_at: Option<Time>,
    expires_at: Option<Time>,
    refresh_after: Option<Time>,
    token_in: String,
    cached_until: Option<Time>,
    lines: Vec<Line>,
    /// Addresses of its own that no passfile has a line for.
    missing: Vec<String>,
    /// The connection that has this one's line.
    line_of: Option<String>,
    trouble: String,
}

/// A token in a passfile.
struct Line {
    file: String,
    address: String,
    expires_at: Time,
    hidden_by: Option<usize>,
    /// It is known to be of another profile, or of other AWS settings.
    of_another: bool,
}

impl Run for List {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        PassfileOption::default().warn_about_other_files(&app.preferences);
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let standing = Standing::read(known_passfiles(&index));
        let mut requests = Vec::new();
        let mut broken = Vec::new();
        for connection in &app.preferences.config.connections {
            match app.preferences.connection(&connection.name) {
                Ok(request) => requests.push((connection.name.clone(), request)),
                Err(error) => broken.push((connection.name.clone(), error)),
            }
        }
        let clashes = settle(&mut requests);
        let mut rows: Vec<Row> = requests
            .iter()
            .map(|(name, request)| row(name, request, &index, &standing, &clashes, app))
            .collect();
        rows.extend(
            broken
                .into_iter()
                .map(|(name, error)| broken_row(name, &error, &app.preferences)),
        );
        let output = app.preferences.output;
        for row in &mut rows {
            row.trouble = output.masked(&row.trouble);
        }
        let order = |row: &Row| {
            app.preferences
                .config
                .connections
                .iter()
                .position(|known| known.name == row.name)
        };
        rows.sort_by_key(order);
        match self.format {
            Format::Json => {
                let rows: Vec<Value> = rows.iter().map(Row::json).collect();
                Output::answer(&format!("{}\n", Value::from(rows)))
            }
            Format::Table => {
                let mut notes: Vec<String> = rows.iter().flat_map(Row::notes).collect();
                notes.extend(clashes.iter().map(Clash::to_string));
                notes.extend(standing.troubles.iter().map(ToString::to_string));
                notes.extend(background::last(app.preferences.config_path.as_deref()));
                let mut lines = table(&rows);
                if !notes.is_empty() {
                    lines.push(String::new());
                }
                lines.extend(notes.iter().map(|note| output.masked(note)));
                Output::lines(lines)
            }
        }
    }
}

fn row(
    name: &str,
    request: &Request,
    index: &Index,
    standing: &Standing,
    clashes: &[Clash],
    app: &mut App,
) -> Row {
    let identity = app.issuer.identity(request);
    let id = EntryId::of(request, &*identity);
    let record = index.records.get(id.as_str());
    let is_cached = app.issuer.cache().is_some_and(|cache| cache.holds(&id));
    let cached = record.filter(|_| is_cached);
    let mut row = Row {
        name: name.to_owned(),
        host: request.host.clone(),
        port: request.port,
        user: request.user.clone(),
        profile: request.profile.clone().unwrap_or_default(),
        cached_until: cached.map(|record| record.expires_at),
        line_of: clashes
            .iter()
            .find(|clash| clash.later == name)
            .map(|clash| clash.owner.clone()),
        trouble: last_failure(index, &*identity)
            .map(|failure| failure.error.to_string())
            .unwrap_or_default(),
        ..Row::default()
    };
    let is_own = |found: &Found| {
        record.is_some_and(|record| found.is_of(record))
            || index
                .of_any_life(request, &*identity, found.expires_at)
                .any(|record| found.is_of(record))
    };
    let is_of_another = |found: &Found| {
        let mut known = index
            .records
            .values()
            .filter(|record| record.expires_at == found.expires_at && found.is_of(record));
        known.any(|record| record.is_signed_by_another(&*identity))
    };
    for key in request.keys() {
        let mut found = standing.of(&key).peekable();
        if found.peek().is_none() {
            row.missing.push(address(&key));
        }
        for found in found {
            if row.token_in.is_empty() {
                row.token_in = found.path.display().to_string();
                (row.issued_at, row.expires_at) = (found.issued_at, Some(found.expires_at));
                row.refresh_after = found.refresh_after();
            }
            row.lines.push(Line {
                file: found.path.display().to_string(),
                address: address(&key),
                expires_at: found.expires_at,
                hidden_by: found.hidden_by,
                of_another: !is_own(&found) && is_of_another(&found),
            });
        }
    }
    // One that has expired is worth saying, wherever it was.
    if let (true, Some(record)) = (
        row.token_in.is_empty(),
        record.filter(|record| is_cached || is_over(record.expires_at)),
    ) {
        row.token_in = if is_cached {
            "cache".to_owned()
        } else {
            String::new()
        };
        (row.issued_at, row.expires_at) = (Some(record.issued_at), Some(record.expires_at));
        row.refresh_after = Some(record.refresh_after());
    }
    row
}

/// What is known of a connection that no token can be issued for.
fn broken_row(name: String, error: &Error, preferences: &Preferences) -> Row {
    let trouble = error.to_string();
    match preferences.connection_of_any_life(&name) {
        Ok(Request {
            host,
            port,
            user,
            profile,
            ..
        }) => Row {
            name,
            host,
            port,
            user,
            profile: profile.unwrap_or_default(),
            trouble,
            ..Row::default()
        },
        Err(_) => Row {
            name,
            trouble,
            ..Row::default()
        },
    }
}

fn is_over(expires_at: Time) -> bool {
    expires_at <= Time::now()
}

fn address(key: &PassfileKey) -> String {
    format!("{}:{}", key.host, key.port)
}

/// A file below the home directory as people write it.
fn short_path(path: &str) -> String {
    let below = env::home().and_then(|home| {
        path.strip_prefix(&*home.to_string_lossy())
            .map(str::to_owned)
    });
    below
        .filter(|below| below.starts_with('/'))
        .map_or_else(|| path.to_owned(), |below| format!("~{below}"))
}

impl Row {
    fn left(&self) -> String {
        match self.expires_at {
            None => "-".to_owned(),
            Some(expires_at) if is_over(expires_at) => "expired".to_owned(),
            Some(expires_at) => spoken(Time::now().until(expires_at)),
        }
    }

    fn place(&self) -> String {
        match &*self.token_in {
            "" => "-".to_owned(),
            "cache" => "cache only".to_owned(),
            path => short_path(path),
        }
    }

    /// The host, cut in its middle where a terminal would break the line; the port where it is not
    /// the usual one.
    fn address(&self, most: usize) -> String {
        const HEAD: usize = 10;
        let port = if self.port == provider::DEFAULT_PORT || self.host.is_empty() {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        let whole: Vec<char> = format!("{}{port}", self.host).chars().collect();
        if whole.len() <= most {
            return whole.into_iter().collect();
        }
        let tail = whole.len() - (most - HEAD - 3);
        whole[..HEAD]
            .iter()
            .chain(&['.', '.', '.'])
            .chain(&whole[tail..])
            .collect()
    }

    /// What a person has to know beyond the columns.
    fn notes(&self) -> Vec<String> {
        let name = &self.name;
        let mut notes = Vec::new();
        for line in &self.lines {
            if let Some(number) = line.hidden_by {
                let (file, address) = (short_path(&line.file), &line.address);
                notes.push(format!("{name}: clients take line {number} of {file} for {address}, not the token: remove it, or move it below pgcred's block"));
            }
        }
        if let Some(line) = self.lines.iter().find(|line| line.of_another) {
            let file = short_path(&line.file);
            notes.push(format!(
                "{name}: the token in {file} was signed for another profile or with other AWS settings; \
                 `pgcred refresh {name}` replaces it"
            ));
        }
        if !self.lines.is_empty() && !self.missing.is_empty() {
            notes.push(format!(
                "{name}: no passfile has a token for {}",
                self.missing.join(", ")
            ));
        }
        if !self.trouble.is_empty() {
            notes.push(format!("{name}: {}", self.trouble));
        }
        notes
    }

    fn json(&self) -> Value {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let time = |time: Option<Time>| time.map(Time::rfc3339);
        let line = |line: &Line| {
            json!({
                "file": line.file,
                "address": line.address,
                "expiration": line.expires_at.rfc3339(),
                "hidden_by_line": line.hidden_by,
                "of_another_profile": line.of_another,
            })
        };
        let host = known(&self.host).map(|host| format!("{host}:{}", self.port));
        json!({
            "name": self.name,
            "host": host,
            "user": known(&self.user),
            "profile": known(&self.profile),
            "issued_at": time(self.issued_at),
            "expiration": time(self.expires_at),
            "refresh_after": time(self.refresh_after),
            "token_in": known(&self.token_in),
            "cached_until": time(self.cached_until),
            "in_passfiles": self.lines.iter().map(line).collect::<Vec<_>>(),
            "missing": self.missing,
            "line_of": self.line_of,
            "error": known(&self.trouble),
        })
    }
}

/// Lays out the connections within a terminal's 80 columns where that can be. A column without any
/// value is left out.
fn table(rows: &[Row]) -> Vec<String> {
    const WIDTH: usize = 80;
    const SHORTEST_HOST: usize = 24;
    const LONGEST_CELL: usize = 100;
    let column = |value: fn(&Row) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let mut table = Table::new(rows.len(), LONGEST_CELL);
    table.add_unless_empty("NAME", &column(|row| row.name.clone()));
    table.add_unless_empty("USER", &column(|row| row.user.clone()));
    table.add_unless_empty("PROFILE", &column(|row| row.profile.clone()));
    table.add_unless_empty("EXPIRES IN", &column(Row::left));
    table.add_unless_empty("TOKEN IN", &column(Row::place));
    let most = WIDTH.saturating_sub(table.width()).max(SHORTEST_HOST);
    let hosts: Vec<String> = rows.iter().map(|row| row.address(most)).collect();
    table.add("HOST", &hosts);
    table.lines()
}
