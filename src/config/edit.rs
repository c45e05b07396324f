//! Edits `config.toml`: `change` touches the connections that it is given, and every other line of
//! the file stays as the user has written it, byte for byte. `add_connection` and
//! `remove_connection` are cases of it.
//!
//! ```text
//! text --toml_edit--> document --Changes-> printed
//!   |                                         |
//!   +---------- merge, line by line ----------+
//!                     |
//!                     +--> new text --read--> means the same?   yes: the answer
//!                                                               no:  an error
//! ```

use std::collections::{HashMap, HashSet};
use std::{mem, slice};

use toml::de::DeTable;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::field::{ConfigItem as SpannedValue, LineNumbers};
use super::merge::{self, edit_error, merge_texts};
use super::read;
use super::{
    Config, Connection, GatewaySettings, LocalAuth, RequestedLifetime, check_connection_name,
};
use crate::error::{Error, Result};
use crate::text::backquoted;
use crate::text::suggest;

/// Returns the text with the connection added at the end, or in the place of the one that has its
/// name.
pub(crate) fn add_connection(text: &str, connection: &Connection, replace: bool) -> Result<String> {
    let name = connection.name.as_str();
    let (_, unmarked) = split_byte_order_mark(text);
    let mut old = Vec::new();
    if replace && Config::parse(unmarked)?.connection(name).is_some() {
        old.push(name);
    }
    change_connections(text, slice::from_ref(connection), &old)
}

/// Returns the text without the connection and without the comment that stands apart right above
/// it.
pub(crate) fn remove_connection(text: &str, name: &str) -> Result<String> {
    change_connections(text, &[], &[name])
}

/// Returns the text with all these connections added and removed. One that is removed and added is
/// changed in its place.
pub(crate) fn change_connections(
    text: &str,
    add: &[Connection],
    remove: &[&str],
) -> Result<String> {
    let (mark, text) = split_byte_order_mark(text);
    let document = read::parse_document(text)?;
    let old_config = read::parse_config(&document, LineNumbers::from_text(text))?;
    let new = check_connections(add, &old_config)?;
    for name in remove {
        if old_config.connection(name).is_none() {
            return Err(no_connection(name, &old_config));
        }
    }
    let changes = match ConnectionChanges::new(new, remove, &old_config) {
        Ok(changes) => changes,
        Err(name) => return Err(taken_name_error(&name, text, &document)),
    };
    let new_text = changed_text(&changes, text, &document, &old_config)?;
    Ok(format!("{mark}{new_text}"))
}

/// Returns the text with the changes made. It is an error if the new text does not say what it
/// should: a way of writing TOML that the edits do not know must not do harm.
fn changed_text(
    changes: &ConnectionChanges,
    text: &str,
    document: &DeTable<'_>,
    old_config: &Config,
) -> Result<String> {
    let names = changes.names();
    let mut new_document = editable_document(text, &names)?;
    changes.apply(&mut new_document, old_config);
    let new_text = merge_texts(text, document, &new_document.to_string(), &names)?;
    match Config::parse(&new_text) {
        Ok(config) if config.has_same_meaning_as(&changes.expected(old_config)) => Ok(new_text),
        _ => Err(edit_error(&names)),
    }
}

/// Returns the error that points to the connection which has the name already.
fn taken_name_error(name: &str, text: &str, document: &DeTable<'_>) -> Error {
    let error =
        Error::usage("a connection of that name exists already").hint("add --replace to change it");
    let span = merge::item_of_connection(document, name).map_or(0..0, SpannedValue::span);
    LineNumbers::from_text(text).locate(error, span, &format!("connections.{name}"))
}

/// What happens to which connection. None of them is in two places.
struct ConnectionChanges<'a> {
    added: Vec<Connection>,
    replaced: HashMap<String, Connection>,
    removed: HashSet<&'a str>,
}

impl<'a> ConnectionChanges<'a> {
    /// Sorts the changes. The error is the name of a connection that is there and would have to be
    /// removed first.
    fn new(new: Vec<Connection>, remove: &[&'a str], old_config: &Config) -> Result<Self, String> {
        let mut changes = Self {
            added: Vec::new(),
            replaced: HashMap::new(),
            removed: remove.iter().copied().collect(),
        };
        for connection in new {
            let name = connection.name.clone();
            if changes.removed.remove(name.as_str()) {
                changes.replaced.insert(name, connection);
            } else if old_config.connection(&name).is_some() {
                return Err(name);
            } else {
                changes.added.push(connection);
            }
        }
        Ok(changes)
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.removed.iter().copied().collect();
        names.extend(self.replaced.keys().map(String::as_str));
        names.extend(self.added.iter().map(|connection| connection.name.as_str()));
        names
    }

    fn apply(&self, document: &mut DocumentMut, old_config: &Config) {
        if let Some(item) = document.get_mut("connections") {
            change_table(item, |connections| {
                for name in &self.removed {
                    connections.remove(name);
                }
                for (name, new) in &self.replaced {
                    if let (Some(item), Some(old)) =
                        (connections.get_mut(name), old_config.connection(name))
                    {
                        let has_lines = !item.is_inline_table();
                        change_table(item, |table| rewrite_connection(table, has_lines, old, new));
                    }
                }
            });
        }
        append_connections(document, &self.added);
    }

    /// Returns what the configuration has to be afterwards.
    fn expected(&self, old_config: &Config) -> Config {
        let mut config = old_config.clone();
        config
            .connections
            .retain(|connection| !self.removed.contains(connection.name.as_str()));
        for connection in &mut config.connections {
            if let Some(new) = self.replaced.get(&connection.name) {
                connection.clone_from(new);
            }
        }
        config.connections.extend_from_slice(&self.added);
        config
    }
}

fn no_connection(name: &str, config: &Config) -> Error {
    let names = config
        .connections
        .iter()
        .map(|connection| connection.name.as_str());
    let hint = match suggest::nearest_word(name, names) {
        Some(nearest) => format!("did you mean the connection `{nearest}`?"),
        None => "run `pgcred list` to see the connections".to_owned(),
    };
    Error::no_target(format!("there is no connection {}", backquoted(name))).hint(hint)
}

/// Tells whether a connection keeps this keyword of libpq, besides the address; `sslrootcert` it
/// keeps as `roots`.
pub(crate) fn keeps_keyword(keyword: &str) -> bool {
    ["sslmode", "hostaddr"].contains(&keyword)
}

/// Returns the connections as they read once they are in this file: checked and normalised.
fn check_connections(connections: &[Connection], file: &Config) -> Result<Vec<Connection>> {
    let mut names = HashSet::new();
    for connection in connections {
        let name = &connection.name;
        for (keyword, _) in &connection.target.options {
            if !keeps_keyword(keyword) {
                let message =
                    format!("connections.{name}: {keyword} cannot be kept in config.toml");
                return Err(Error::usage(message).hint("leave it out; it belongs to the client"));
            }
        }
        check_connection_name(name, connection.target.host.as_deref())?;
        if !names.insert(name) {
            let message = format!("connections.{name}: two connections have this name");
            return Err(Error::usage(message).hint("give one of them another name"));
        }
    }
    let mut new_document = DocumentMut::new();
    append_connections(&mut new_document, connections);
    let text = new_document.to_string();
    let (document, lines) = (read::parse_document(&text)?, LineNumbers::OF_UNSEEN_TEXT);
    let config = read::parse_config_with(&document, lines, file.commands.clone())?;
    Ok(config.connections)
}

/// Sets a byte order mark apart: it is no part of the first line. A second one is an error, which
/// the parser finds.
fn split_byte_order_mark(text: &str) -> (&str, &str) {
    const MARK: char = '\u{feff}';
    let marks = text.chars().take_while(|c| *c == MARK).count();
    text.split_at(if marks == 1 { MARK.len_utf8() } else { 0 })
}

/// Reads the text for a change. Each line ends with LF, also the last one.
fn editable_document(text: &str, names: &[&str]) -> Result<DocumentMut> {
    let mut lf_text = String::with_capacity(text.len() + 1);
    for line in merge::merge_lines(text) {
        lf_text.push_str(line.text);
        lf_text.push('\n');
    }
    lf_text.parse().map_err(|_| edit_error(names))
}

/// Returns the keys that the connection has, with their values.
fn values_of_connection(connection: &Connection) -> Vec<(&'static str, Value)> {
    let Connection {
        target, aliases, ..
    } = connection;
    let option = |keyword: &str| {
        let option = target.options.iter().find(|(key, _)| key == keyword);
        option.map(|(_, value)| Value::from(value))
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
        ("expires_in", connection.lifetime.map(value_of_lifetime)),
        ("discovered", connection.discovered.then(|| true.into())),
    ] {
        if let Some(value) = value {
            values.push((key, value));
        }
    }
    if !connection.vars.is_empty() {
        let vars = connection.vars.iter();
        let vars: InlineTable = vars
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        values.push(("vars", vars.into()));
    }
    if let Some(gateway) = connection.gateway {
        values.push(("proxy", value_of_gateway(gateway)));
    }
    if !aliases.is_empty() {
        values.push(("aliases", aliases.iter().map(ToString::to_string).collect()));
    }
    values
}

/// Returns the settings of the gateway, without those that are the usual ones.
fn value_of_gateway(gateway: GatewaySettings) -> Value {
    let mut table = InlineTable::new();
    table.insert("port", i64::from(gateway.port).into());
    if gateway.socket {
        table.insert("socket", true.into());
    }
    if gateway.auth != LocalAuth::default() {
        table.insert("auth", gateway.auth.as_str().into());
    }
    table.into()
}

/// Returns a number of seconds as a number, and everything else as a text.
fn value_of_lifetime(lifetime: RequestedLifetime) -> Value {
    let text = lifetime.to_string();
    match text.parse::<i64>() {
        Ok(seconds) => seconds.into(),
        Err(_) => text.into(),
    }
}

/// Adds tables at the end, each below a blank line; or in the braces, if all connections are in
/// them.
fn append_connections(document: &mut DocumentMut, connections: &[Connection]) {
    if connections.is_empty() {
        return;
    }
    let mut prefix = document.trailing().as_str().unwrap_or_default().to_owned();
    if !document.to_string().is_empty() {
        prefix.push('\n');
    }
    let mut no_connection = Table::new();
    no_connection.set_implicit(true);
    let item = document
        .entry("connections")
        .or_insert(Item::Table(no_connection));
    let is_in_braces = item.is_inline_table();
    change_table(item, |all_connections| {
        for connection in connections {
            let values = values_of_connection(connection).into_iter();
            let new = if is_in_braces {
                Item::Value(values.collect())
            } else {
                let mut table: Table = values.collect();
                table.set_position(Some(isize::MAX));
                table
                    .decor_mut()
                    .set_prefix(mem::replace(&mut prefix, "\n".to_owned()));
                Item::Table(table)
            };
            all_connections.insert(&connection.name, new);
        }
    });
    if !is_in_braces {
        document.set_trailing(""); // it is above the new tables now
    }
}

/// Changes values that differ, takes out keys that are no longer given, and adds new keys behind
/// the last key that stays. In a table with lines they begin as far to the right as that.
fn rewrite_connection(
    table: &mut dyn TableLike,
    has_lines: bool,
    old: &Connection,
    new: &Connection,
) {
    let (old, new) = (values_of_connection(old), values_of_connection(new));
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let mut indent = String::new();
    for key in &keys {
        if new.iter().all(|(new_key, _)| new_key != key) {
            table.remove(key);
        } else if let Some(key) = table.key(key)
            && let Some(prefix) = key.leaf_decor().prefix()
        {
            let prefix = prefix.as_str().unwrap_or_default();
            let last_line = prefix.rsplit('\n').next();
            indent = last_line.unwrap_or_default().into();
        }
    }
    for (key, mut value) in new {
        let is_same = |old: &Value| old.to_string() == value.to_string();
        if old
            .iter()
            .any(|(old_key, old)| *old_key == key && is_same(old))
        {
            continue;
        }
        if let Some(old_value) = table.get_mut(key).and_then(Item::as_value_mut) {
            *value.decor_mut() = old_value.decor().clone();
            *old_value = value;
            continue;
        }
        table.insert(key, Item::Value(value));
        if has_lines && let Some(mut key) = table.key_mut(key) {
            key.leaf_decor_mut().set_prefix(indent.as_str());
        }
    }
}

/// Changes a table. In braces, the blanks before the closing one stay there.
fn change_table(table: &mut Item, change: impl FnOnce(&mut dyn TableLike)) {
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
