//! Reads TOML into values: every value is checked as on the command line, and every error names its
//! line and key.
//!
//! The parser keeps no comments: that takes half the time, and each `pgcred token` reads the whole
//! file. It does keep where each key and value stands, for errors and for `edit`.

use std::ops::Range;

use toml::de::DeTable;

use super::command;
use super::field::{ConfigField, ConfigItem, LineNumbers, TableName, fields};
use super::values::{
    parse_boolean, parse_gateway, parse_host, parse_hostaddr, parse_lifetime, parse_pattern,
    parse_seconds, parse_sslmode, parse_text, read_name, read_port, read_roots,
};
use super::{CacheChoice, Config, Connection, HostRule, check_connection_name, gateway};
use crate::authority::LoginPolicy;
use crate::error::{Error, Result};
use crate::provider;
use crate::provider::command::CommandDefinition;
use crate::text::backquoted;
use crate::text::host::HostPort;

/// Reads the text as TOML.
pub(super) fn parse_document(text: &str) -> Result<DeTable<'_>> {
    let error = match DeTable::parse(text) {
        Ok(document) => return Ok(document.into_inner()),
        Err(error) => error,
    };
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = error.message().lines().next().unwrap_or("not TOML");
    let piece = text.get(span.clone()).unwrap_or_default();
    let error = if piece.trim().is_empty() {
        Error::usage(message)
    } else {
        Error::usage(format!("{message} at {}", backquoted(piece)))
    };
    let error = error.hint("correct the line; CONFIGURATION in `pgcred man` shows the whole form");
    Err(LineNumbers::from_text(text).locate(error, span, ""))
}

pub(super) fn parse_config(document: &DeTable<'_>, lines: LineNumbers<'_>) -> Result<Config> {
    parse_config_with(document, lines, Vec::new())
}

/// Reads a file whose connections may name these commands, unless it has its own.
pub(super) fn parse_config_with(
    document: &DeTable<'_>,
    lines: LineNumbers<'_>,
    commands: Vec<CommandDefinition>,
) -> Result<Config> {
    let mut config = Config {
        commands,
        ..Config::default()
    };
    // The connections and the rules name commands.
    if let Some(all) = fields(document, TableName::File, lines).find(|field| field.key == "command")
    {
        config.commands = command::parse_commands(&all)?;
    }
    for field in fields(document, TableName::File, lines) {
        match field.key {
            "command" => {}
            "cache" => {
                config.cache = Some(field.read(|item| CacheChoice::parse(parse_text(item)?))?);
            }
            "login" => {
                config.login = Some(field.read(|item| LoginPolicy::parse(parse_text(item)?))?);
            }
            "max_expires_in" => config.max_lifetime_seconds = Some(field.read(parse_seconds)?),
            "connections" => config.connections = parse_connections(&field, &config.commands)?,
            "match" => config.rules = parse_rules(&field, &config.commands)?,
            _ => return Err(field.unknown_key(FILE_KEYS)),
        }
    }
    for (position, connection) in config.connections.iter().enumerate() {
        config.by_name.insert(connection.name.clone(), position);
    }
    Ok(config)
}

#[rustfmt::skip]
const FILE_KEYS: &[&str] = &[
    "cache", "login", "max_expires_in", "connections", "match", "command",
];

fn parse_connections(
    section: &ConfigField<'_>,
    commands: &[CommandDefinition],
) -> Result<Vec<Connection>> {
    let Some(table) = section.item.get_ref().as_table() else {
        let error = Error::usage("not a table of connections");
        return Err(section
            .located_error(error.hint("write each connection as a table: [connections.NAME]")));
    };
    let mut connections = Vec::with_capacity(table.len());
    for (name, item) in table {
        connections.push(parse_connection(section, name.get_ref(), item, commands)?);
    }
    Ok(connections)
}

fn parse_connection(
    section: &ConfigField<'_>,
    name: &str,
    item: &ConfigItem<'_>,
    commands: &[CommandDefinition],
) -> Result<Connection> {
    let table = item.get_ref().as_table();
    let host = table.and_then(|table| table.get("host")?.get_ref().as_str());
    check_connection_name(name, host)
        .map_err(|error| section.located_error_at(error, item.span()))?;
    let table_name = TableName::Connection(name);
    let located_error = |message: &str| {
        let error = Error::usage(message); // No hint: those who call this add one.
        section
            .lines
            .locate(error, item.span(), &table_name.to_string())
    };
    let Some(table) = table else {
        return Err(located_error("not a table").hint("write it as a table: [connections.NAME]"));
    };
    let mut connection = Connection {
        name: name.to_owned(),
        ..Connection::default()
    };
    for field in fields(table, table_name, section.lines) {
        read_field_of_connection(&mut connection, &field, commands)?;
    }
    command::check_connection(&connection, commands).map_err(|error| {
        section
            .lines
            .locate(error, item.span(), &table_name.to_string())
    })?;
    gateway::check_port(&connection).map_err(|error| {
        section
            .lines
            .locate(error, item.span(), &format!("{table_name}.proxy"))
    })?;
    connection.target.options.sort(); // the order of the keys means nothing
    let (Some(host), Some(host_item)) = (&connection.target.host, table.get("host")) else {
        return Err(located_error("host is missing").hint("add a line: host = \"HOST\""));
    };
    if connection.region.is_none() && provider::find_by_id(host, "").is_some() {
        let error = Error::usage("a cluster ID needs a region")
            .hint("add a line like: region = \"us-east-1\"");
        let key = format!("{table_name}.host");
        return Err(section.lines.locate(error, host_item.span(), &key));
    }
    Ok(connection)
}

fn read_field_of_connection(
    connection: &mut Connection,
    field: &ConfigField<'_>,
    commands: &[CommandDefinition],
) -> Result<()> {
    match field.key {
        "host" => connection.target.host = Some(field.read(|item| parse_host(parse_text(item)?))?),
        "port" => connection.target.port = Some(field.read(read_port)?),
        "user" => connection.target.user = Some(field.read(|item| read_name("user", item))?),
        "dbname" => connection.target.dbname = Some(field.read(|item| read_name("dbname", item))?),
        "profile" => connection.profile = Some(field.read(|item| read_name("profile", item))?),
        "region" => {
            connection.region = Some(field.read(|item| provider::parse_region(parse_text(item)?))?);
        }
        "provider" => {
            let provider =
                field.read(|item| command::read_provider_name(parse_text(item)?, commands))?;
            connection.provider = Some(provider);
        }
        "vars" => connection.vars = command::read_vars(field)?,
        "sign_host" => {
            connection.sign_host = Some(field.read(|item| HostPort::parse(parse_text(item)?))?);
        }
        "roots" => connection.roots = Some(field.read(read_roots)?),
        "sslmode" => connection
            .target
            .set_option("sslmode", field.read(parse_sslmode)?),
        "hostaddr" => connection
            .target
            .set_option("hostaddr", field.read(parse_hostaddr)?),
        "expires_in" => connection.lifetime = Some(field.read(parse_lifetime)?),
        "aliases" => connection.aliases = parse_aliases(field)?,
        "discovered" => connection.discovered = field.read(parse_boolean)?,
        "proxy" => connection.gateway = Some(field.read(parse_gateway)?),
        _ => return Err(field.unknown_key(CONNECTION_KEYS)),
    }
    Ok(())
}

#[rustfmt::skip]
const CONNECTION_KEYS: &[&str] = &[
    "host", "port", "user", "dbname", "sslmode", "hostaddr", "roots", "profile", "region",
    "provider", "sign_host", "expires_in", "aliases", "discovered", "vars", "proxy",
];

/// Reads the rules, whether they are written as `[[match]]` or as a list.
fn parse_rules(section: &ConfigField<'_>, commands: &[CommandDefinition]) -> Result<Vec<HostRule>> {
    let not_a_table = || Error::usage("not a table").hint("write each rule as a table: [[match]]");
    let Some(items) = section.item.get_ref().as_array() else {
        return Err(section.located_error(not_a_table()));
    };
    let mut rules = Vec::new();
    for item in items {
        let Some(table) = item.get_ref().as_table() else {
            return Err(section.located_error_at(not_a_table(), item.span()));
        };
        rules.push(parse_rule(table, &item.span(), section.lines, commands)?);
    }
    Ok(rules)
}

#[rustfmt::skip]
const RULE_KEYS: &[&str] = &[
    "host", "profile", "region", "expires_in", "user", "roots", "provider",
];

fn parse_rule(
    table: &DeTable<'_>,
    span: &Range<usize>,
    lines: LineNumbers<'_>,
    commands: &[CommandDefinition],
) -> Result<HostRule> {
    let mut rule = HostRule::default();
    for field in fields(table, TableName::Rule, lines) {
        match field.key {
            "host" => rule.host = field.read(|item| parse_pattern(parse_text(item)?))?,
            "profile" => rule.profile = Some(field.read(|item| read_name("profile", item))?),
            "region" => {
                rule.region = Some(field.read(|item| provider::parse_region(parse_text(item)?))?);
            }
            "expires_in" => rule.lifetime = Some(field.read(parse_lifetime)?),
            "user" => rule.user = Some(field.read(|item| read_name("user", item))?),
            "roots" => rule.roots = Some(field.read(read_roots)?),
            "provider" => {
                let provider =
                    field.read(|item| command::read_provider_name(parse_text(item)?, commands))?;
                rule.provider = Some(provider);
            }
            _ => return Err(field.unknown_key(RULE_KEYS)),
        }
    }
    let locate = |error: Error| lines.locate(error, span.clone(), &TableName::Rule.to_string());
    if rule.host.is_empty() {
        return Err(locate(
            Error::usage("host is missing")
                .hint("add a line like: host = \"*.dsql.us-east-1.on.aws\""),
        ));
    }
    let sets_nothing = HostRule {
        host: rule.host.clone(),
        ..HostRule::default()
    };
    if rule == sets_nothing {
        return Err(locate(Error::usage("the rule sets nothing").hint(
            "add profile, region, expires_in, user, roots or provider, or remove the rule",
        )));
    }
    Ok(rule)
}

fn parse_aliases(field: &ConfigField<'_>) -> Result<Vec<HostPort>> {
    let not_hosts = || {
        Error::usage("not a list of hosts")
            .hint("write each as HOST or HOST:PORT in quotes: [\"a.example.com\", \"b:5433\"]")
    };
    let Some(items) = field.item.get_ref().as_array() else {
        return Err(field.located_error(not_hosts()));
    };
    let mut aliases = Vec::new();
    for item in items {
        let alias = match item.get_ref().as_str() {
            Some(text) => HostPort::parse(text),
            None => Err(not_hosts()),
        };
        aliases.push(alias.map_err(|error| field.located_error_at(error, item.span()))?);
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests;
