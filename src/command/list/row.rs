//! Tells what `pgcred list` knows of one connection, as columns, as notes and as JSON.
//!
//! A row is gathered from three places: the request says the address, the user and the profile; the
//! passfiles say which lines have a token, when it expires and which line hides it; and the index
//! of the cache says when a token was issued, for which identity, and what failed last. The columns
//! are about one token: the first in a passfile, else the one in the cache. Notes tell what no
//! column shows, each with a command to type. The JSON has all of it, and `null` for what is not
//! known.
//!
//! Nothing is resolved here that asks an authority, and no token is decrypted.

use serde_json::{Value, json};

use crate::authority::Identity;
use crate::cache::{CacheIndex, EntryId, TokenRecord};
use crate::command::app::App;
use crate::command::line_owners::LineConflict;
use crate::command::passfile_tokens::{PassfileToken, PassfileTokens};
use crate::command::preferences::Preferences;
use crate::config::GatewaySettings;
use crate::error::Error;
use crate::gateway;
use crate::issue::last_failure;
use crate::passfile::block::PassfileLine;
use crate::provider;
use crate::request::Request;
use crate::sys::env;
use crate::time::{Time, spoken_duration};

/// One connection. An empty text means that it is not known.
#[derive(Default)]
pub(super) struct ListRow {
    pub(super) name: String,
    host: String,
    port: u16,
    pub(super) user: String,
    pub(super) profile: String,
    /// The name of the authority in sentences.
    authority: &'static str,
    token_in: DisplayedLocation,
    /// The times of that token.
    issued_at: Option<Time>,
    expires_at: Option<Time>,
    fresh_until: Option<Time>,
    /// When the token in the cache expires, if there is one.
    cached_until: Option<Time>,
    lines: Vec<TokenInPassfile>,
    /// The connection's addresses for which no passfile has a line.
    missing: Vec<String>,
    /// The connection to which this one's line in the passfile belongs.
    line_owner: Option<String>,
    /// Why no token can be issued.
    pub(super) error: String,
    /// `pgcred discover` has written the connection.
    pub(super) discovered: bool,
    /// How the gateway offers the connection.
    pub(super) gateway: Option<OfferedPort>,
}

/// A port of the gateway.
pub(super) struct OfferedPort {
    settings: GatewaySettings,
    /// A program listens on it, such as a gateway.
    is_port_in_use: bool,
}

impl OfferedPort {
    pub(super) fn read(settings: GatewaySettings) -> Self {
        Self {
            settings,
            is_port_in_use: gateway::is_port_in_use(settings.port),
        }
    }

    fn note(&self, name: &str) -> String {
        let port = self.settings.port;
        if self.is_port_in_use {
            format!("{name}: the gateway's port 127.0.0.1:{port} is open")
        } else {
            format!(
                "{name}: nobody listens on the gateway's port 127.0.0.1:{port}; `pgcred proxy` does"
            )
        }
    }

    fn json(&self) -> Value {
        json!({
            "port": self.settings.port,
            "socket": self.settings.socket,
            "auth": self.settings.auth.as_str(),
            "listening": self.is_port_in_use,
        })
    }
}

/// Where the token is whose times the columns show.
#[derive(Default)]
enum DisplayedLocation {
    /// There is none, or it is not known where it was.
    #[default]
    Unknown,
    Cache,
    Passfile(String),
}

/// A token in a passfile.
struct TokenInPassfile {
    file: String,
    address: String,
    expires_at: Time,
    hidden_by: Option<usize>,
    /// The index knows that another profile signed it, or the same one with other settings
    /// of the authority.
    is_of_another_identity: bool,
}

impl ListRow {
    /// Returns what is known of a connection.
    pub(super) fn gather(
        name: &str,
        request: &Request,
        index: &CacheIndex,
        in_passfiles: &PassfileTokens,
        conflicts: &[LineConflict],
        app: &mut App,
    ) -> Self {
        let identity = app.issuer.identity(request);
        let mut row = Self::from_request(name.to_owned(), request);
        let id = EntryId::new(request, &*identity);
        let record = index.records.get(id.as_str());
        if let Some(record) = record
            && row.user.is_empty()
        {
            row.user.clone_from(&record.line.user);
        }
        for conflict in conflicts {
            if conflict.later == name && row.line_owner.is_none() {
                row.line_owner = Some(conflict.owner.clone());
            }
        }
        if let Some(failure) = last_failure(index, request, &*identity) {
            row.error = failure.error.to_string();
        }
        for line in request.passfile_lines() {
            let line = line.or_user(&row.user);
            let tokens = in_passfiles.valid_tokens(&line, index, request.provider.authority);
            if tokens.is_empty() {
                row.missing.push(address_of_line(&line));
            }
            for token in &tokens {
                row.add_line(
                    token,
                    &line,
                    is_of_another_identity(token, request, index, &*identity),
                );
            }
        }
        if let Some(record) = record {
            row.add_record(record, &id, app);
        }
        row
    }

    /// Returns what is known of a connection for which no token can be issued.
    pub(super) fn unusable(name: String, error: &Error, preferences: &Preferences) -> Self {
        let mut row = match preferences.connection_of_any_lifetime(&name) {
            Ok(request) => Self::from_request(name, &request),
            Err(_) => Self {
                name,
                ..Self::default()
            },
        };
        row.error = error.to_string();
        row
    }

    fn from_request(name: String, request: &Request) -> Self {
        Self {
            name,
            host: request.host.clone(),
            port: request.port,
            user: request.user.clone(),
            profile: request.profile.clone().unwrap_or_default(),
            authority: request.provider.authority.title(),
            ..Self::default()
        }
    }

    /// Adds a token in a passfile. The first one is the one that the columns are about.
    fn add_line(
        &mut self,
        token: &PassfileToken,
        line: &PassfileLine,
        is_of_another_identity: bool,
    ) {
        let file = token.path().display().to_string();
        if self.lines.is_empty() {
            self.token_in = DisplayedLocation::Passfile(file.clone());
            self.issued_at = token.issued_at;
            self.expires_at = Some(token.expires_at);
            self.fresh_until = token.fresh_until;
        }
        self.lines.push(TokenInPassfile {
            file,
            address: address_of_line(line),
            expires_at: token.expires_at,
            hidden_by: token.hidden_by(),
            is_of_another_identity,
        });
    }

    /// Adds what the index knows of the token. Without a token in a passfile the columns are about
    /// this one, if it is in the cache or has expired.
    fn add_record(&mut self, record: &TokenRecord, id: &EntryId, app: &App) {
        let is_cached = app.issuer.cache().is_some_and(|cache| cache.holds(id));
        if is_cached {
            self.cached_until = Some(record.expires_at);
        }
        if self.lines.is_empty() && (is_cached || has_expired(record.expires_at)) {
            if is_cached {
                self.token_in = DisplayedLocation::Cache;
            }
            self.issued_at = Some(record.issued_at);
            self.expires_at = Some(record.expires_at);
            self.fresh_until = Some(record.fresh_until);
        } else if self.issued_at.is_none() && self.expires_at == Some(record.expires_at) {
            // The token in the passfile does not say itself when it was issued.
            self.issued_at = Some(record.issued_at);
            self.fresh_until = Some(record.fresh_until);
        }
    }

    /// Returns how long the token is still valid.
    pub(super) fn time_left(&self) -> String {
        match self.expires_at {
            None => "-".to_owned(),
            Some(expires_at) if has_expired(expires_at) => "expired".to_owned(),
            Some(expires_at) => spoken_duration(Time::now().until(expires_at)),
        }
    }

    pub(super) fn token_in(&self) -> String {
        match &self.token_in {
            DisplayedLocation::Unknown => "-".to_owned(),
            DisplayedLocation::Cache => "cache only".to_owned(),
            DisplayedLocation::Passfile(path) => short_path(path),
        }
    }

    /// Returns the host, cut in its middle where a terminal would break the line, and the port
    /// unless it is the usual one.
    pub(super) fn address(&self, max_width: usize) -> String {
        const HEAD_LENGTH: usize = 10;
        const MARK: &str = "...";
        let address = if self.port == provider::DEFAULT_PORT || self.host.is_empty() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        };
        let characters: Vec<char> = address.chars().collect();
        if characters.len() <= max_width {
            return address;
        }
        let tail = characters.len() - (max_width - HEAD_LENGTH - MARK.len());
        let (head, tail) = (&characters[..HEAD_LENGTH], &characters[tail..]);
        head.iter().collect::<String>() + MARK + &tail.iter().collect::<String>()
    }

    /// Returns what the user has to know beyond the columns.
    pub(super) fn notes(&self) -> Vec<String> {
        let name = &self.name;
        let mut notes = Vec::new();
        for line in &self.lines {
            if let Some(number) = line.hidden_by {
                let (file, address) = (short_path(&line.file), &line.address);
                notes.push(format!(
                    "{name}: clients take line {number} of {file} for {address}, not the token: \
                     remove it, or move it below pgcred's block"
                ));
            }
        }
        if let Some(line) = self.lines.iter().find(|line| line.is_of_another_identity) {
            let (file, authority) = (short_path(&line.file), self.authority);
            notes.push(format!(
                "{name}: the token in {file} was signed for another profile \
                 or with other {authority} settings; `pgcred refresh {name}` replaces it"
            ));
        }
        if !self.lines.is_empty() && !self.missing.is_empty() {
            let missing_lines = self.missing.join(", ");
            notes.push(format!(
                "{name}: no passfile has a token for {missing_lines}"
            ));
        }
        if !self.error.is_empty() {
            notes.push(format!("{name}: {}", self.error));
        }
        if let Some(gateway) = &self.gateway {
            notes.push(gateway.note(name));
        }
        notes
    }

    pub(super) fn json(&self) -> Value {
        let host = format!("{}:{}", self.host, self.port);
        let token_in = match &self.token_in {
            DisplayedLocation::Unknown => Value::Null,
            DisplayedLocation::Cache => json!("cache"),
            DisplayedLocation::Passfile(path) => json!(path),
        };
        let lines: Vec<Value> = self.lines.iter().map(TokenInPassfile::json).collect();
        json!({
            "name": self.name,
            "host": if self.host.is_empty() { Value::Null } else { json!(host) },
            "user": text_or_null(&self.user),
            "profile": text_or_null(&self.profile),
            "issued_at": self.issued_at.map(Time::rfc3339),
            "expiration": self.expires_at.map(Time::rfc3339),
            "refresh_after": self.fresh_until.map(Time::rfc3339),
            "token_in": token_in,
            "cached_until": self.cached_until.map(Time::rfc3339),
            "in_passfiles": lines,
            "missing": self.missing,
            "line_of": self.line_owner,
            "discovered": self.discovered,
            "proxy": self.gateway.as_ref().map(OfferedPort::json),
            "error": text_or_null(&self.error),
        })
    }
}

impl TokenInPassfile {
    fn json(&self) -> Value {
        json!({
            "file": self.file,
            "address": self.address,
            "expiration": self.expires_at.rfc3339(),
            "hidden_by_line": self.hidden_by,
            "of_another_profile": self.is_of_another_identity,
        })
    }
}

/// Returns null for a text that is not known.
fn text_or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        json!(text)
    }
}

/// Tells whether the index knows that another identity signed a token, and not this one.
fn is_of_another_identity(
    token: &PassfileToken,
    request: &Request,
    index: &CacheIndex,
    identity: &dyn Identity,
) -> bool {
    let own_record = index.records.get(EntryId::new(request, identity).as_str());
    if own_record.is_some_and(|record| token.is_recorded_in(record)) {
        return false;
    }
    for record in index.records_of_any_lifetime(request, identity, token.expires_at) {
        if token.is_recorded_in(record) {
            return false;
        }
    }
    for record in index.records.values() {
        if record.expires_at == token.expires_at
            && record.is_signed_by_another(identity)
            && token.is_recorded_in(record)
        {
            return true;
        }
    }
    false
}

fn has_expired(expires_at: Time) -> bool {
    expires_at <= Time::now()
}

fn address_of_line(line: &PassfileLine) -> String {
    format!("{}:{}", line.host, line.port)
}

/// Returns a path below the home directory as users write it, with `~`.
fn short_path(path: &str) -> String {
    if let Some(home) = env::home()
        && let Some(path_below) = path.strip_prefix(&*home.to_string_lossy())
        && path_below.starts_with('/')
    {
        format!("~{path_below}")
    } else {
        path.to_owned()
    }
}
