//! From TOML to values: every value is checked as on the command line, and every error names its
//! line and key.

use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, TableLike};

use super::{CacheChoice, Config, Connection, Life, Rule, check_connection_name};
use crate::authority::LoginPolicy;
use crate::aws::normal_region;
use crate::error::{Error, Result};
use crate::provider;
use crate::request::check_name;
use crate::request::target::RootsChoice;
use crate::text::host::{self, HostPort};
use crate::time::Seconds;

/// Turns places in a text into line numbers; counts only when an error asks, so that reading stays
/// linear.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a>(Option<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(Some(text))
    }

    /// For a text that no user has seen: errors name the key alone.
    pub(super) const UNSEEN: Self = Self(None);

    /// Puts line and key in front of an error.
    pub(super) fn locate(self, error: Error, span: Option<Range<usize>>, key: &str) -> Error {
        let error = if key.is_empty() {
            error
        } else {
            error.about(key)
        };
        let before = self
            .0
            .zip(span)
            .and_then(|(text, span)| text.as_bytes().get(..span.start));
        match before {
            Some(before) => error.about(&format!("line {}", before.split(|b| *b == b'\n').count())),
            None => error,
        }
    }
}

/// Reads the text as TOML.
pub(super) fn document(text: &str) -> Result<Document<&str>> {
    Document::parse(text).map_err(|error| {
        let at = error.span().unwrap_or(text.len()..text.len());
        let piece = text
            .get(at.clone())
            .filter(|piece| !piece.trim().is_empty());
        let piece = piece
            .map(|piece| format!(" at {}", host::quoted(piece)))
            .unwrap_or_default();
        let what = error.message().lines().next().unwrap_or("not TOML");
        Lines::of(text).locate(Error::usage(format!("{what}{piece}")), Some(at), "")
    })
}

pub(super) fn config(document: &Document<&str>, lines: Lines<'_>) -> Result<Config> {
    let mut config = Config::default();
    for field in fields(document.as_table(), "", lines) {
        match field.key {
            "cache" => config.cache = Some(field.read(|item| CacheChoice::parse(text(item)?))?),
            "login" => config.login = Some(field.read(|item| LoginPolicy::parse(text(item)?))?),
            "max_expires_in" => config.max_life = Some(field.read(seconds)?),
            "connections" => config.connections = connections(&field)?,
            "match" => config.rules = rules(&field)?,
            _ => {
                return Err(field.unknown(&[
                    "cache",
                    "login",
                    "max_expires_in",
                    "connections",
                    "match",
                ]));
            }
        }
    }
    let names = config.connections.iter().zip(0..);
    config.by_name = names
        .map(|(connection, at)| (connection.name.clone(), at))
        .collect();
    Ok(config)
}

/// One key of a table and its value.
struct Field<'a> {
    lines: Lines<'a>,
    /// The table's name; empty for the file itself.
    table: &'a str,
    key: &'a str,
    item: &'a Item,
}

fn fields<'a>(
    table: &'a dyn TableLike,
    name: &'a str,
    lines: Lines<'a>,
) -> impl Iterator<Item = Field<'a>> {
    table.iter().map(move |(key, item)| Field {
        lines,
        table: name,
        key,
        item,
    })
}

impl<'a> Field<'a> {
    /// Takes the value apart; an error gets the line and the key.
    fn read<T>(&self, value: impl FnOnce(&'a Item) -> Result<T>) -> Result<T> {
        value(self.item).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: Error) -> Error {
        self.wrong_at(error, self.item.span())
    }

    fn wrong_at(&self, error: Error, span: Option<Range<usize>>) -> Error {
        let dot = if self.table.is_empty() { "" } else { "." };
        self.lines
            .locate(error, span, &format!("{}{dot}{}", self.table, self.key))
    }

    fn unknown(&self, known: &[&str]) -> Error {
        let why = Error::usage(format!("no such key; known: {}", known.join(", ")));
        let dot = if self.table.is_empty() { "" } else { "." };
        // A key in quotes can hold anything.
        let key = if self
            .key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            self.key.to_owned()
        } else {
            host::quoted(self.key)
        };
        self.lines
            .locate(why, self.item.span(), &format!("{}{dot}{key}", self.table))
    }
}

fn connections(all: &Field<'_>) -> Result<Vec<Connection>> {
    let table = all.item.as_table_like();
    let table = table
        .ok_or_else(|| all.wrong(Error::usage("write each connection as [connections.NAME]")))?;
    table
        .iter()
        .map(|(name, item)| connection(all, name, item))
        .collect()
}

fn connection(all: &Field<'_>, name: &str, item: &Item) -> Result<Connection> {
    let host = item
        .as_table_like()
        .and_then(|table| table.get("host"))
        .and_then(Item::as_str);
    check_connection_name(name, host).map_err(|error| all.wrong_at(error, item.span()))?;
    let path = format!("connections.{name}");
    let wrong = |why: &str| all.lines.locate(Error::usage(why), item.span(), &path);
    let table = item
        .as_table_like()
        .ok_or_else(|| wrong("write it as a table: [connections.NAME]"))?;
    let mut found = Connection {
        name: name.to_owned(),
        ..Connection::default()
    };
    let mut cluster_id = None;
    for field in fields(table, &path, all.lines) {
        match field.key {
            "host" => {
                let host = field.read(|item| host_alone(text(item)?))?;
                cluster_id = provider::of_id(&host, "").map(|_| field.item.span());
                found.target.host = Some(host);
            }
            "port" => found.target.port = Some(field.read(port)?),
            "user" => {
                found.target.user =
                    Some(field.read(|item| check_name("user", text(item)?.to_owned()))?);
            }
            "dbname" => {
                found.target.dbname =
                    Some(field.read(|item| check_name("dbname", text(item)?.to_owned()))?);
            }
            "profile" => found.profile = Some(field.read(profile)?),
            "region" => found.region = Some(field.read(|item| normal_region(text(item)?))?),
            "provider" => {
                let provider = field.read(|item| provider::named(text(item)?))?;
                found.provider = Some(provider.name.to_owned());
            }
            "sign_host" => {
                found.sign_host = Some(field.read(|item| HostPort::parse(text(item)?))?);
            }
            "roots" => found.roots = Some(field.read(roots)?),
            "sslmode" => found.target.set_option("sslmode", field.read(sslmode)?),
            "hostaddr" => found.target.set_option("hostaddr", field.read(hostaddr)?),
            "expires_in" => found.life = Some(field.read(life)?),
            "aliases" => found.aliases = aliases(&field)?,
            _ => return Err(field.unknown(CONNECTION_KEYS)),
        }
    }
    found.target.options.sort(); // the order of the keys means nothing
    if found.target.host.is_none() {
        return Err(wrong("host is missing").hint("add a line: host = \"HOST\""));
    }
    if let (Some(span), None) = (cluster_id, &found.region) {
        let why = Error::usage("a cluster ID needs a region")
            .hint("add a line like: region = \"us-east-1\"");
        return Err(all.lines.locate(why, span, &format!("{path}.host")));
    }
    Ok(found)
}

#[rustfmt::skip]
const CONNECTION_KEYS: &[&str] = &[
    "host", "port", "user", "dbname", "sslmode", "hostaddr", "roots", "profile", "region", "provider", "sign_host",
    "expires_in", "aliases",
];

fn rules(all: &Field<'_>) -> Result<Vec<Rule>> {
    if let Some(tables) = all.item.as_array_of_tables() {
        return tables
            .iter()
            .map(|table| rule(table, table.span(), all.lines))
            .collect();
    }
    let wrong = || Error::usage("write each rule as a table: [[match]]");
    let values = all.item.as_array().ok_or_else(|| all.wrong(wrong()))?;
    let read = |value: &toml_edit::Value| match value.as_inline_table() {
        Some(table) => rule(table, value.span(), all.lines),
        None => Err(all.wrong_at(wrong(), value.span())),
    };
    values.iter().map(read).collect()
}

fn rule(table: &dyn TableLike, span: Option<Range<usize>>, lines: Lines<'_>) -> Result<Rule> {
    let mut found = Rule::default();
    for field in fields(table, "match", lines) {
        match field.key {
            "host" => found.host = field.read(|item| pattern(text(item)?))?,
            "profile" => found.profile = Some(field.read(profile)?),
            "region" => found.region = Some(field.read(|item| normal_region(text(item)?))?),
            "expires_in" => found.life = Some(field.read(life)?),
            "user" => {
                found.user = Some(field.read(|item| check_name("user", text(item)?.to_owned()))?);
            }
            "roots" => found.roots = Some(field.read(roots)?),
            _ => {
                return Err(field.unknown(&[
                    "host",
                    "profile",
                    "region",
                    "expires_in",
                    "user",
                    "roots",
                ]));
            }
        }
    }
    if found.host.is_empty() {
        let why = Error::usage("host is missing")
            .hint("add a line like: host = \"*.dsql.us-east-1.on.aws\"");
        return Err(lines.locate(why, span, "match"));
    }
    if found
        == (Rule {
            host: found.host.clone(),
            ..Rule::default()
        })
    {
        let why =
            Error::usage("the rule sets nothing; give profile, region, expires_in, user or roots");
        return Err(lines.locate(why, span, "match"));
    }
    Ok(found)
}

fn text(item: &Item) -> Result<&str> {
    item.as_str()
        .ok_or_else(|| Error::usage("give a text in quotes"))
}

fn profile(item: &Item) -> Result<String> {
    check_name("profile", text(item)?.to_owned())
}

/// Reads `system`, `provider` or a path, which must not depend on where pgcred runs.
fn roots(item: &Item) -> Result<RootsChoice> {
    match RootsChoice::parse(text(item)?)? {
        RootsChoice::File(file) if !Path::new(&file).has_root() => Err(Error::usage(
            "give the whole path of a file, or system, or provider",
        )),
        choice => Ok(choice),
    }
}

fn sslmode(item: &Item) -> Result<String> {
    const MODES: [&str; 6] = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];
    let mode = text(item)?;
    MODES
        .contains(&mode)
        .then(|| mode.to_owned())
        .ok_or_else(|| Error::usage(format!("one of {}", MODES.join(", "))))
}

/// Reads the IP address that libpq dials instead of looking the host's name up.
fn hostaddr(item: &Item) -> Result<String> {
    let address: Option<IpAddr> = text(item)?.parse().ok();
    address
        .map(|address| address.to_string())
        .ok_or_else(|| Error::usage("give an IP address, like 127.0.0.1"))
}

fn port(item: &Item) -> Result<u16> {
    let number = item
        .as_integer()
        .and_then(|number| host::parse_port(&number.to_string()).ok());
    number.ok_or_else(|| Error::usage("give a number from 1 to 65535"))
}

/// Returns an integer's or a text's text, for what may be written as either.
fn number_or_text(item: &Item) -> Option<String> {
    item.as_integer()
        .map(|number| number.to_string())
        .or_else(|| item.as_str().map(str::to_owned))
}

fn life(item: &Item) -> Result<Life> {
    let text = number_or_text(item).unwrap_or_default();
    match text.parse() {
        Ok(Life::Seconds(0)) => Err(Error::usage("give 1 s or more")),
        parsed => parsed.map_err(Error::usage),
    }
}

fn seconds(item: &Item) -> Result<u32> {
    let text = number_or_text(item).unwrap_or_default();
    match text.parse() {
        Ok(Seconds(0)) => Err(Error::usage("give 1 s or more")),
        parsed => parsed
            .map(|Seconds(seconds)| seconds)
            .map_err(|why: String| Error::usage(why)),
    }
}

fn host_alone(text: &str) -> Result<String> {
    let HostPort { host, port } = HostPort::parse(text)?;
    match port {
        None => Ok(host),
        Some(port) => Err(Error::usage(format!(
            "give the name alone, and a line port = {port}"
        ))),
    }
}

fn aliases(field: &Field<'_>) -> Result<Vec<HostPort>> {
    let wrong = || Error::usage("give a list of HOST or HOST:PORT in quotes");
    let values = field.item.as_array().ok_or_else(|| field.wrong(wrong()))?;
    let read = |value: &toml_edit::Value| {
        let alias = value.as_str().ok_or_else(wrong).and_then(HostPort::parse);
        alias.map_err(|error| field.wrong_at(error, value.span()))
    };
    values.iter().map(read).collect()
}

/// Returns a host pattern in lower case. What is no host with a letter for each `*` fits no host.
fn pattern(text: &str) -> Result<String> {
    let pattern = text.trim().to_ascii_lowercase();
    if HostPort::parse(&pattern.replace('*', "x")).is_ok_and(|host| host.port.is_none()) {
        return Ok(pattern
            .strip_suffix('.')
            .map_or(pattern.clone(), str::to_owned));
    }
    let shown = host::quoted(text);
    Err(Error::usage(format!(
        "pattern {shown}: give a host name, with * for any run of characters"
    )))
}
