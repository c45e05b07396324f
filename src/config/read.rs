//! From TOML to values: every value is checked as on the command line, and every error names its
//! line and key.
//!
//! The parser keeps no comments: that takes half the time, and each `pgcred token` reads the whole
//! file. It does keep where each key and value stands, for errors and for `edit`.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{CacheChoice, Config, Connection, Life, Rule, check_connection_name};
use crate::authority::LoginPolicy;
use crate::error::{Error, Result};
use crate::provider;
use crate::request::check_name;
use crate::request::target::RootsChoice;
use crate::text::host::{self, HostPort};
use crate::time::Seconds;

/// A value and where it stands: of a table with a header that is the header.
pub(super) type Item<'t> = Spanned<DeValue<'t>>;

/// Turns places in a text into line numbers. It counts only when an error asks, so that the time
/// to read a file grows with its length and no faster.
#[derive(Clone, Copy)]
pub(super) struct LineNumbers<'a>(Option<&'a str>);

impl<'a> LineNumbers<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(Some(text))
    }

    /// For a text that no user has seen: errors name the key alone.
    pub(super) const OF_UNSEEN_TEXT: Self = Self(None);

    /// Puts line and key in front of an error.
    pub(super) fn locate(self, error: Error, span: Range<usize>, key: &str) -> Error {
        let error = if key.is_empty() {
            error
        } else {
            error.about(key)
        };
        match self.0.and_then(|text| text.as_bytes().get(..span.start)) {
            Some(before) => error.about(&format!("line {}", before.split(|b| *b == b'\n').count())),
            None => error,
        }
    }
}

/// Reads the text as TOML.
pub(super) fn document(text: &str) -> Result<DeTable<'_>> {
    let error = match DeTable::parse(text) {
        Ok(document) => return Ok(document.into_inner()),
        Err(error) => error,
    };
    let span = error.span().unwrap_or(text.len()..text.len());
    let what = error.message().lines().next().unwrap_or("not TOML");
    let piece = text.get(span.clone()).unwrap_or_default();
    let error = if piece.trim().is_empty() {
        Error::usage(what)
    } else {
        Error::usage(format!("{what} at {}", host::quoted(piece)))
    };
    let error = error.hint("correct the line; CONFIGURATION in `pgcred man` shows the whole form");
    Err(LineNumbers::of(text).locate(error, span, ""))
}

pub(super) fn config(document: &DeTable<'_>, lines: LineNumbers<'_>) -> Result<Config> {
    let mut config = Config::default();
    for field in fields(document, TableName::File, lines) {
        match field.key {
            "cache" => config.cache = Some(field.read(|item| CacheChoice::parse(text(item)?))?),
            "login" => config.login = Some(field.read(|item| LoginPolicy::parse(text(item)?))?),
            "max_expires_in" => config.max_life = Some(field.read(seconds)?),
            "connections" => config.connections = connections(&field)?,
            "match" => config.rules = rules(&field)?,
            _ => return Err(field.unknown(FILE_KEYS)),
        }
    }
    for (position, connection) in config.connections.iter().enumerate() {
        config.by_name.insert(connection.name.clone(), position);
    }
    Ok(config)
}

const FILE_KEYS: &[&str] = &["cache", "login", "max_expires_in", "connections", "match"];

/// What a table is called in errors.
#[derive(Clone, Copy)]
pub(super) enum TableName<'a> {
    /// The file itself.
    File,
    Connection(&'a str),
    Rule,
}

impl fmt::Display for TableName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Connection(name) => write!(f, "connections.{name}"),
            Self::Rule => f.write_str("match"),
        }
    }
}

/// One key of a table and its value.
pub(super) struct Field<'a> {
    lines: LineNumbers<'a>,
    table: TableName<'a>,
    pub(super) key: &'a str,
    item: &'a Item<'a>,
}

pub(super) fn fields<'a>(
    table: &'a DeTable<'a>,
    name: TableName<'a>,
    lines: LineNumbers<'a>,
) -> impl Iterator<Item = Field<'a>> {
    table.iter().map(move |(key, item)| Field {
        lines,
        table: name,
        key: key.get_ref(),
        item,
    })
}

impl<'a> Field<'a> {
    /// Takes the value apart; an error gets the line and the key.
    fn read<T>(&self, value: impl FnOnce(&'a DeValue<'a>) -> Result<T>) -> Result<T> {
        value(self.item.get_ref()).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: Error) -> Error {
        self.wrong_at(error, self.item.span())
    }

    fn wrong_at(&self, error: Error, span: Range<usize>) -> Error {
        self.lines.locate(error, span, &self.path(self.key))
    }

    fn unknown(&self, known: &[&str]) -> Error {
        let hint = format!("the keys are {}", known.join(", "));
        self.refused(Error::usage("no such key").hint(hint))
    }

    pub(super) fn refused(&self, why: Error) -> Error {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        // A key in quotes can hold anything.
        let key = if self.key.bytes().all(is_plain) {
            self.key.to_owned()
        } else {
            host::quoted(self.key)
        };
        self.lines.locate(why, self.item.span(), &self.path(&key))
    }

    fn path(&self, key: &str) -> String {
        match self.table {
            TableName::File => key.to_owned(),
            table => format!("{table}.{key}"),
        }
    }
}

fn connections(all: &Field<'_>) -> Result<Vec<Connection>> {
    let Some(table) = all.item.get_ref().as_table() else {
        let wrong = Error::usage("not a table of connections");
        return Err(all.wrong(wrong.hint("write each connection as a table: [connections.NAME]")));
    };
    let mut found = Vec::with_capacity(table.len());
    for (name, item) in table {
        found.push(connection(all, name.get_ref(), item)?);
    }
    Ok(found)
}

fn connection(all: &Field<'_>, name: &str, item: &Item<'_>) -> Result<Connection> {
    let table = item.get_ref().as_table();
    let host = table.and_then(|table| table.get("host")?.get_ref().as_str());
    check_connection_name(name, host).map_err(|error| all.wrong_at(error, item.span()))?;
    let table_name = TableName::Connection(name);
    let wrong = |why: &str| {
        all.lines
            .locate(Error::usage(why), item.span(), &table_name.to_string())
    };
    let Some(table) = table else {
        return Err(wrong("not a table").hint("write it as a table: [connections.NAME]"));
    };
    let mut found = Connection {
        name: name.to_owned(),
        ..Connection::default()
    };
    for field in fields(table, table_name, all.lines) {
        read_field_of_connection(&mut found, &field)?;
    }
    found.target.options.sort(); // the order of the keys means nothing
    let (Some(host), Some(host_item)) = (&found.target.host, table.get("host")) else {
        return Err(wrong("host is missing").hint("add a line: host = \"HOST\""));
    };
    if found.region.is_none() && provider::of_id(host, "").is_some() {
        let why = Error::usage("a cluster ID needs a region")
            .hint("add a line like: region = \"us-east-1\"");
        let key = format!("{table_name}.host");
        return Err(all.lines.locate(why, host_item.span(), &key));
    }
    Ok(found)
}

fn read_field_of_connection(found: &mut Connection, field: &Field<'_>) -> Result<()> {
    match field.key {
        "host" => found.target.host = Some(field.read(|item| host_alone(text(item)?))?),
        "port" => found.target.port = Some(field.read(port)?),
        "user" => found.target.user = Some(field.read(|item| name("user", item))?),
        "dbname" => found.target.dbname = Some(field.read(|item| name("dbname", item))?),
        "profile" => found.profile = Some(field.read(|item| name("profile", item))?),
        "region" => found.region = Some(field.read(|item| provider::parse_region(text(item)?))?),
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
        "aliases" => found.aliases = aliases(field)?,
        "discovered" => found.discovered = field.read(boolean)?,
        _ => return Err(field.unknown(CONNECTION_KEYS)),
    }
    Ok(())
}

#[rustfmt::skip]
const CONNECTION_KEYS: &[&str] = &[
    "host", "port", "user", "dbname", "sslmode", "hostaddr", "roots", "profile", "region",
    "provider", "sign_host", "expires_in", "aliases", "discovered",
];

/// Reads the rules, whether they are written as `[[match]]` or as a list.
fn rules(all: &Field<'_>) -> Result<Vec<Rule>> {
    let not_a_table = || Error::usage("not a table").hint("write each rule as a table: [[match]]");
    let Some(items) = all.item.get_ref().as_array() else {
        return Err(all.wrong(not_a_table()));
    };
    let mut found = Vec::new();
    for item in items {
        let Some(table) = item.get_ref().as_table() else {
            return Err(all.wrong_at(not_a_table(), item.span()));
        };
        found.push(rule(table, &item.span(), all.lines)?);
    }
    Ok(found)
}

const RULE_KEYS: &[&str] = &["host", "profile", "region", "expires_in", "user", "roots"];

fn rule(table: &DeTable<'_>, span: &Range<usize>, lines: LineNumbers<'_>) -> Result<Rule> {
    let mut found = Rule::default();
    for field in fields(table, TableName::Rule, lines) {
        match field.key {
            "host" => found.host = field.read(|item| pattern(text(item)?))?,
            "profile" => found.profile = Some(field.read(|item| name("profile", item))?),
            "region" => {
                found.region = Some(field.read(|item| provider::parse_region(text(item)?))?);
            }
            "expires_in" => found.life = Some(field.read(life)?),
            "user" => found.user = Some(field.read(|item| name("user", item))?),
            "roots" => found.roots = Some(field.read(roots)?),
            _ => return Err(field.unknown(RULE_KEYS)),
        }
    }
    let wrong = |error: Error| lines.locate(error, span.clone(), &TableName::Rule.to_string());
    if found.host.is_empty() {
        return Err(wrong(
            Error::usage("host is missing")
                .hint("add a line like: host = \"*.dsql.us-east-1.on.aws\""),
        ));
    }
    let sets_nothing = Rule {
        host: found.host.clone(),
        ..Rule::default()
    };
    if found == sets_nothing {
        return Err(wrong(Error::usage("the rule sets nothing").hint(
            "add profile, region, expires_in, user or roots, or remove the rule",
        )));
    }
    Ok(found)
}

fn text<'a>(item: &'a DeValue<'_>) -> Result<&'a str> {
    match item {
        DeValue::String(text) => Ok(text),
        _ => Err(Error::usage("not a text").hint("write the value in quotes")),
    }
}

/// Reads the name of a user, a database or a profile.
fn name(what: &str, item: &DeValue<'_>) -> Result<String> {
    check_name(what, text(item)?.to_owned())
}

/// Reads `system`, `provider` or a path, which must not depend on where pgcred runs.
fn roots(item: &DeValue<'_>) -> Result<RootsChoice> {
    match RootsChoice::parse(text(item)?)? {
        RootsChoice::File(file) if !Path::new(&file).has_root() => Err(Error::usage(
            "the path of the file of root certificates is not absolute",
        )
        .hint("write the whole path of a file, or system, or provider")),
        choice => Ok(choice),
    }
}

fn sslmode(item: &DeValue<'_>) -> Result<String> {
    const MODES: [&str; 6] = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];
    let mode = text(item)?;
    if MODES.contains(&mode) {
        Ok(mode.to_owned())
    } else {
        let mode = host::quoted(mode);
        Err(Error::usage(format!("no such sslmode: {mode}"))
            .hint(format!("write one of {}", MODES.join(", "))))
    }
}

/// Reads the IP address that libpq dials instead of looking the host's name up.
fn hostaddr(item: &DeValue<'_>) -> Result<String> {
    match text(item)?.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Error::usage("not an IP address").hint("write it like 127.0.0.1")),
    }
}

fn boolean(item: &DeValue<'_>) -> Result<bool> {
    match item.as_bool() {
        Some(value) => Ok(value),
        None => Err(Error::usage("not true or false").hint("write true or false, without quotes")),
    }
}

fn port(item: &DeValue<'_>) -> Result<u16> {
    match integer(item).map(u16::try_from) {
        Some(Ok(number @ 1..)) => Ok(number),
        _ => Err(Error::usage("not a port").hint("write a number from 1 to 65535, without quotes")),
    }
}

/// Returns an integer; none if the value is something else, or larger than any that is allowed.
fn integer(item: &DeValue<'_>) -> Option<i64> {
    let number = item.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Returns an integer's or a text's text, for what may be written as either.
fn number_or_text(item: &DeValue<'_>) -> String {
    match (integer(item), item.as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(text)) => text.to_owned(),
        (None, None) => String::new(),
    }
}

fn life(item: &DeValue<'_>) -> Result<Life> {
    match number_or_text(item).parse() {
        Ok(Life::Seconds(0)) => Err(no_time()),
        parsed => parsed.map_err(Error::usage),
    }
}

fn seconds(item: &DeValue<'_>) -> Result<u32> {
    match number_or_text(item).parse() {
        Ok(Seconds(0)) => Err(no_time()),
        Ok(Seconds(seconds)) => Ok(seconds),
        Err(why) => Err(Error::usage(why)),
    }
}

fn no_time() -> Error {
    Error::usage("0 s is too short").hint("write 1 s or more, like 900, 90s, 15m, 12h or 7d")
}

fn host_alone(text: &str) -> Result<String> {
    let HostPort { host, port } = HostPort::parse(text)?;
    match port {
        None => Ok(host),
        Some(port) => {
            let hint = format!("write the name alone, and a line: port = {port}");
            Err(Error::usage("the host has a port").hint(hint))
        }
    }
}

fn aliases(field: &Field<'_>) -> Result<Vec<HostPort>> {
    let not_hosts = || {
        Error::usage("not a list of hosts")
            .hint("write each as HOST or HOST:PORT in quotes: [\"a.example.com\", \"b:5433\"]")
    };
    let Some(items) = field.item.get_ref().as_array() else {
        return Err(field.wrong(not_hosts()));
    };
    let mut found = Vec::new();
    for item in items {
        let alias = match item.get_ref().as_str() {
            Some(text) => HostPort::parse(text),
            None => Err(not_hosts()),
        };
        found.push(alias.map_err(|error| field.wrong_at(error, item.span()))?);
    }
    Ok(found)
}

/// Returns a host pattern in lower case. A pattern that is no host name, with a letter for each
/// `*`, would fit no host.
fn pattern(text: &str) -> Result<String> {
    let pattern = text.trim().to_ascii_lowercase();
    match HostPort::parse(&pattern.replace('*', "x")) {
        Ok(HostPort { port: None, .. }) => match pattern.strip_suffix('.') {
            Some(without_dot) => Ok(without_dot.to_owned()),
            None => Ok(pattern),
        },
        _ => Err(Error::usage(format!(
            "pattern {}: not the name of a host",
            host::quoted(text)
        ))
        .hint("write a host name without a port, with * for any run of characters")),
    }
}

#[cfg(test)]
mod tests;
