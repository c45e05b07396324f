//! Edits of `config.toml`: `add` and `remove` touch one connection, and every other line of the
//! file stays as the user has written it, byte for byte.
//!
//! ```text
//! text --toml_edit--> document --change--> printed
//!   |                                         |
//!   +---------- merge, line by line ----------+
//!                     |
//!                     +--> new text --read--> means the same?   yes: the answer
//!                                                               no:  an error
//! ```

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::merge::{self, edit_error, merge};
use super::read::{self, LineNumbers};
use super::{Config, Connection, Life, check_connection_name};
use crate::error::{Error, Result};
use crate::text::host::quoted;
use crate::text::suggest;

/// Returns the text with the connection added at the end, or in the place of the one that has its
/// name.
pub(crate) fn add(text: &str, connection: &Connection, replace: bool) -> Result<String> {
    let wanted = checked(connection)?;
    let name = wanted.name.clone();
    let (mark, text) = split_byte_order_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, LineNumbers::of(text))?;
    let mut edited = editable(text, &name)?;
    let mut known = expected.connections.iter_mut();
    match known.find(|known| known.name == name) {
        Some(known) if replace => {
            change(&mut edited["connections"], |all| {
                if let Some(item) = all.get_mut(&name) {
                    let has_lines = !item.is_inline_table();
                    change(item, |table| rewrite(table, has_lines, known, &wanted));
                }
            });
            *known = wanted;
        }
        Some(_) => {
            let why = Error::usage("a connection of that name is there already")
                .hint("to change it, add --replace");
            let key = format!("connections.{name}");
            let place = merge::item(&document, &name).map_or(0..0, read::Item::span);
            return Err(LineNumbers::of(text).locate(why, place, &key));
        }
        None => {
            append(&mut edited, &wanted);
            expected.connections.push(wanted);
        }
    }
    let new = merge(text, &document, &edited.to_string(), &name)?;
    proven(mark, &new, &expected, &name)
}

/// Returns the text without the connection and without the comment that stands apart right above
/// it.
pub(crate) fn remove(text: &str, name: &str) -> Result<String> {
    let (mark, text) = split_byte_order_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, LineNumbers::of(text))?;
    if expected.connection(name).is_none() {
        return Err(no_connection(name, &expected));
    }
    expected.connections.retain(|known| known.name != name);
    let mut edited = editable(text, name)?;
    change(&mut edited["connections"], |all| {
        all.remove(name);
    });
    let new = merge(text, &document, &edited.to_string(), name)?;
    proven(mark, &new, &expected, name)
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
    let mut alone = DocumentMut::new();
    append(&mut alone, connection);
    let mut config = read::config(
        &read::document(&alone.to_string())?,
        LineNumbers::OF_UNSEEN_TEXT,
    )?;
    match config.connections.pop() {
        Some(connection) => Ok(connection),
        None => Err(Error::usage("the connection is empty")),
    }
}

/// Sets a byte order mark apart: it is no part of the first line. A second one is an error, which
/// the parser finds.
fn split_byte_order_mark(text: &str) -> (&str, &str) {
    const MARK: char = '\u{feff}';
    let marks = text.chars().take_while(|c| *c == MARK).count();
    text.split_at(if marks == 1 { MARK.len_utf8() } else { 0 })
}

/// Reads the text for a change. Each line ends with LF, also the last one.
fn editable(text: &str, name: &str) -> Result<DocumentMut> {
    let mut plain = String::with_capacity(text.len() + 1);
    for line in merge::lines(text) {
        plain.push_str(line.text);
        plain.push('\n');
    }
    plain.parse().map_err(|_| edit_error(name))
}

/// Returns the edited text if it reads as expected. A way of writing TOML that the edits do not
/// know must not do harm.
fn proven(mark: &str, edited: &str, expected: &Config, name: &str) -> Result<String> {
    match Config::parse(edited) {
        Ok(config) if config.says_the_same_as(expected) => Ok(format!("{mark}{edited}")),
        _ => Err(edit_error(name)),
    }
}

/// Returns the keys that the connection has, with their values.
fn values(connection: &Connection) -> Vec<(&'static str, Value)> {
    let Connection {
        target, aliases, ..
    } = connection;
    let option = |keyword: &str| {
        let found = target.options.iter().find(|(key, _)| key == keyword);
        found.map(|(_, value)| Value::from(value))
    };
    let text = |text: &Option<String>| text.as_ref().map(Value::from);
    let roots = connection.roots.as_ref().map(ToString::to_string);
    let region = connection.region.as_ref().map(ToString::to_string);
    let sign_host = connection.sign_host.as_ref().map(ToString::to_string);
    let mut values = Vec::new();
    for (key, value) in [
        ("host", text(&target.host)),
        ("port", target.port.map(|port| i64::from(port).into())),
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
        values.push(("aliases", aliases.iter().map(ToString::to_string).collect()));
    }
    values
}

/// Returns a number of seconds as a number, and everything else as a text.
fn life(life: Life) -> Value {
    let text = life.to_string();
    match text.parse::<i64>() {
        Ok(seconds) => seconds.into(),
        Err(_) => text.into(),
    }
}

/// Adds a table at the end, below a blank line; or in the braces, if all connections are in them.
fn append(document: &mut DocumentMut, connection: &Connection) {
    let mut above = document.trailing().as_str().unwrap_or_default().to_owned();
    if !document.to_string().is_empty() {
        above.push('\n');
    }
    let mut no_connection = Table::new();
    no_connection.set_implicit(true);
    let all = document
        .entry("connections")
        .or_insert(Item::Table(no_connection));
    let values = values(connection).into_iter();
    let is_in_braces = all.is_inline_table();
    let new = if is_in_braces {
        Item::Value(values.collect())
    } else {
        let mut table: Table = values.collect();
        table.set_position(Some(isize::MAX));
        table.decor_mut().set_prefix(above);
        Item::Table(table)
    };
    change(all, |all| {
        all.insert(&connection.name, new);
    });
    if !is_in_braces {
        document.set_trailing(""); // it is above the new table now
    }
}

/// Changes values that differ, takes out keys that are no longer given, and adds new keys behind
/// the last key that stays. In a table with lines they begin as far to the right as that.
fn rewrite(table: &mut dyn TableLike, has_lines: bool, old: &Connection, new: &Connection) {
    let (old, new) = (values(old), values(new));
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let mut indent = String::new();
    for key in &keys {
        if new.iter().all(|(kept, _)| kept != key) {
            table.remove(key);
        } else if let Some(key) = table.key(key)
            && let Some(above) = key.leaf_decor().prefix()
        {
            let above = above.as_str().unwrap_or_default();
            let last_line = above.rsplit('\n').next();
            indent = last_line.unwrap_or_default().into();
        }
    }
    for (key, mut value) in new {
        let is_same = |old: &Value| old.to_string() == value.to_string();
        if old.iter().any(|(known, old)| *known == key && is_same(old)) {
            continue;
        }
        if let Some(known) = table.get_mut(key).and_then(Item::as_value_mut) {
            *value.decor_mut() = known.decor().clone();
            *known = value;
            continue;
        }
        table.insert(key, Item::Value(value));
        if has_lines && let Some(mut key) = table.key_mut(key) {
            key.leaf_decor_mut().set_prefix(indent.as_str());
        }
    }
}

/// Changes a table. In braces, the blanks before the closing one stay there.
fn change(table: &mut Item, change: impl FnOnce(&mut dyn TableLike)) {
    let Some(braces) = table.as_inline_table_mut() else {
        if let Some(table) = table.as_table_mut() {
            change(table);
        }
        return;
    };
    let mut blanks = None;
    if let Some((_, last)) = braces.iter_mut().last() {
        blanks = last.decor().suffix().cloned();
        last.decor_mut().set_suffix("");
    }
    change(braces);
    if let (Some((_, last)), Some(blanks)) = (braces.iter_mut().last(), blanks) {
        last.decor_mut().set_suffix(blanks);
    }
}

#[cfg(test)]
mod tests;
