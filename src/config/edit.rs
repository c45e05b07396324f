//! Edits of `config.toml` as text: `add` and `remove` touch one connection, and every other byte of
//! the file stays as the user has written it.
//!
//! ```text
//! text --read--> where each key stands + what the file means
//!        \                                    | change
//!         splices --> new text --read--> means the same?  yes: the answer
//!                                                         no:  an error, nothing is changed
//! ```
//!
//! A document that is parsed, changed and written back (`toml_edit`) does not keep every byte: CRLF
//! becomes LF, also where a file has both, and the dotted keys of a connection are gathered in one
//! place. It would be a second parser in the program, too: the one that reads the configuration
//! keeps no comments, because that takes half the time.

use toml::de::DeTable;
use toml_writer::ToTomlValue;

use super::read::{self, Lines};
use super::splice::{self, Notation, Splice};
use super::{Config, Connection, Life, check_connection_name};
use crate::error::{Error, Result};
use crate::text::host::quoted;
use crate::text::suggest;

/// Returns the text with the connection added at the end, or in the place of the one that has its
/// name.
pub(crate) fn add(text: &str, connection: &Connection, replace: bool) -> Result<String> {
    let wanted = checked(connection)?;
    let (mark, text) = split_byte_order_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, Lines::of(text))?;
    let name = wanted.name.clone();
    let position = expected
        .connections
        .iter()
        .position(|known| known.name == name);
    let splices = match (position, item(&document, &name)) {
        (Some(position), Some(item)) if replace => {
            let known = std::mem::replace(&mut expected.connections[position], wanted.clone());
            rewrite(text, item, &known, &wanted)
        }
        (Some(_), Some(item)) => {
            let why = Error::usage("a connection of that name is there already")
                .hint("to change it, add --replace");
            let key = format!("connections.{name}");
            return Err(Lines::of(text).locate(why, item.span(), &key));
        }
        _ => {
            expected.connections.push(wanted.clone());
            append(text, &document, &wanted)
        }
    };
    proven(mark, &splice::apply(text, splices), &expected, &name)
}

/// Returns the text without the connection and without the comment that stands apart right above
/// it.
pub(crate) fn remove(text: &str, name: &str) -> Result<String> {
    let (mark, text) = split_byte_order_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, Lines::of(text))?;
    let (Some(all), Some(item)) = (document.get("connections"), item(&document, name)) else {
        return Err(no_connection(name, &expected));
    };
    expected.connections.retain(|known| known.name != name);
    let keys = splice::keys(all);
    let splices = match Notation::of(text, all) {
        Notation::Braces => splice::cut_from_braces(&keys, |key| key != name),
        _ => splice::cut_lines(text, splice::lines_of_table(text, name, &keys, item)),
    };
    proven(mark, &splice::apply(text, splices), &expected, name)
}

fn no_connection(name: &str, config: &Config) -> Error {
    let names = config.connections.iter().map(|known| known.name.as_str());
    let hint = match suggest::nearest(name, names) {
        Some(meant) => format!("did you mean the connection `{meant}`?"),
        None => "pgcred list shows the connections".to_owned(),
    };
    Error::no_target(format!("no connection {}", quoted(name))).hint(hint)
}

/// Tells whether a connection keeps this keyword of libpq, besides the address; `sslrootcert` it
/// keeps as `roots`.
pub(crate) fn keeps(keyword: &str) -> bool {
    ["sslmode", "hostaddr"].contains(&keyword)
}

/// Returns the connection as it reads once it is in a file: checked and normalised.
fn checked(connection: &Connection) -> Result<Connection> {
    for (keyword, _) in &connection.target.options {
        if !keeps(keyword) {
            let name = &connection.name;
            let why = format!("connections.{name}: {keyword} cannot be kept in the config");
            return Err(Error::usage(why).hint("leave it out; it belongs to the client"));
        }
    }
    check_connection_name(&connection.name, connection.target.host.as_deref())?;
    let statements = statements(connection).join("\n");
    let text = format!("{}\n{statements}\n", header(&connection.name));
    let mut config = read::config(&read::document(&text)?, Lines::UNSEEN)?;
    match config.connections.pop() {
        Some(connection) => Ok(connection),
        None => Err(Error::usage("the connection is empty")),
    }
}

/// Returns the edited text if it reads as expected. A way of writing TOML that the edits do not
/// know must not do harm.
fn proven(mark: &str, edited: &str, expected: &Config, name: &str) -> Result<String> {
    if let Ok(config) = Config::parse(edited)
        && config.says_the_same_as(expected)
    {
        return Ok(format!("{mark}{edited}"));
    }
    Err(Error::failure(format!(
        "connections.{name}: cannot be edited as it is written"
    ))
    .hint("edit the file by hand; a table [connections.NAME] can be edited"))
}

/// Sets a byte order mark apart: it is no part of the first line. A second one is an error, which
/// the parser finds.
fn split_byte_order_mark(text: &str) -> (&str, &str) {
    const MARK: char = '\u{feff}';
    let marks = text.chars().take_while(|c| *c == MARK).count();
    text.split_at(if marks == 1 { MARK.len_utf8() } else { 0 })
}

fn item<'d>(document: &'d DeTable<'d>, name: &str) -> Option<&'d read::Item<'d>> {
    document.get("connections")?.get_ref().as_table()?.get(name)
}

/// Returns the keys that the connection has, with their values as TOML.
fn values(connection: &Connection) -> Vec<(&'static str, String)> {
    let Connection {
        target, aliases, ..
    } = connection;
    let text = |text: &Option<String>| text.as_ref().map(String::to_toml_value);
    let option = |keyword: &str| {
        let found = target.options.iter().find(|(key, _)| key == keyword);
        found.map(|(_, value)| value.to_toml_value())
    };
    let roots = connection.roots.as_ref().map(ToString::to_string);
    let region = connection.region.as_ref().map(ToString::to_string);
    let sign_host = connection.sign_host.as_ref().map(ToString::to_string);
    let mut values = Vec::new();
    for (key, value) in [
        ("host", text(&target.host)),
        ("port", target.port.map(|port| port.to_string())),
        ("user", text(&target.user)),
        ("dbname", text(&target.dbname)),
        ("sslmode", option("sslmode")),
        ("hostaddr", option("hostaddr")),
        ("roots", text(&roots)),
        ("profile", text(&connection.profile)),
        ("region", text(&region)),
        ("provider", text(&connection.provider)),
        ("sign_host", text(&sign_host)),
        ("expires_in", connection.life.map(life)),
    ] {
        if let Some(value) = value {
            values.push((key, value));
        }
    }
    if !aliases.is_empty() {
        let aliases: Vec<String> = aliases
            .iter()
            .map(|alias| alias.to_string().to_toml_value())
            .collect();
        values.push(("aliases", format!("[{}]", aliases.join(", "))));
    }
    values
}

/// Returns a number of seconds as a number, and everything else as a text.
fn life(life: Life) -> String {
    let text = life.to_string();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text
    } else {
        text.to_toml_value()
    }
}

fn statements(connection: &Connection) -> Vec<String> {
    let mut statements = Vec::new();
    for (key, value) in values(connection) {
        statements.push(format!("{key} = {value}"));
    }
    statements
}

/// Returns the line above a connection's keys. Its name consists of letters, digits, `-` and `_`,
/// so that it needs no quotes.
fn header(name: &str) -> String {
    format!("[connections.{name}]")
}

/// Adds a table at the end, below a blank line. A file without a last newline stays one: `remove`
/// can then undo it.
fn append(text: &str, document: &DeTable<'_>, wanted: &Connection) -> Vec<Splice> {
    if let Some(all) = document.get("connections")
        && Notation::of(text, all) == Notation::Braces
    {
        let new = format!("{} = {{ {} }}", wanted.name, statements(wanted).join(", "));
        return vec![match splice::keys(all).last() {
            Some(last) => Splice::insert(last.value.end, format!(", {new}")),
            None => Splice::replace(all.span(), format!("{{ {new} }}")),
        }];
    }
    let newline = splice::newline_of(text);
    let mut lines = vec![header(&wanted.name)];
    lines.extend(statements(wanted));
    let table = lines.join(newline);
    let new = match text {
        "" => format!("{table}{newline}"),
        text if text.ends_with('\n') => format!("{newline}{table}{newline}"),
        _ => format!("{newline}{newline}{table}"),
    };
    vec![Splice::insert(text.len(), new)]
}

/// Changes values that differ, takes out keys that are no longer given, and adds new keys behind
/// the last key that stays.
fn rewrite(text: &str, item: &read::Item<'_>, old: &Connection, new: &Connection) -> Vec<Splice> {
    let keys = splice::keys(item);
    let in_braces = Notation::of(text, item) == Notation::Braces;
    let (old, new) = (values(old), values(new));
    let stays = |key: &str| new.iter().any(|(kept, _)| *kept == key);
    let mut splices = Vec::new();
    if in_braces {
        splices = splice::cut_from_braces(&keys, stays);
    }
    for key in &keys {
        if !stays(key.name) && !in_braces {
            splices.push(Splice::cut(key.lines(text)));
        }
        for value in &new {
            if value.0 == key.name && !old.contains(value) {
                splices.push(Splice::replace(key.value.clone(), value.1.clone()));
            }
        }
    }
    let mut added = Vec::new();
    for (name, value) in &new {
        if keys.iter().all(|key| key.name != *name) {
            added.push(format!("{name} = {value}"));
        }
    }
    let kept = keys.iter().filter(|key| stays(key.name));
    if let Some(last) = kept.max_by_key(|key| key.value.end)
        && !added.is_empty()
    {
        splices.push(if in_braces {
            Splice::insert(last.value.end, format!(", {}", added.join(", ")))
        } else {
            last.insert_below(text, &added)
        });
    }
    splices
}
