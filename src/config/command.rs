//! Reads `[command.NAME]`: a command that prints tokens, as the user defines it. Whether the file
//! may define one at all is decided where the file is read.
//!
//! The keys are checked one by one, and then for what they say together. The program is a name that
//! is searched in PATH, or an absolute path; its words are never read by a shell. A connection has
//! to have a value for each placeholder of its command, no other value, and none that the program
//! would take for an option.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Connection;
use super::field::{ConfigField, ConfigItem, TableName, fields};
use super::values::{parse_seconds, parse_text, read_roots};
use crate::error::{Error, Exit, Result};
use crate::provider;
use crate::provider::command::{
    CommandDefinition, CommandKind, CommandPreset, ExpiryField, JsonPath, LOGIN_PROFILE,
    WordTemplate, is_own_placeholder,
};
use crate::text::backquoted;

const KEYS: &[&str] = &[
    "run",
    "token",
    "user",
    "expires",
    "life",
    "kind",
    "spare",
    "watch",
    "variables",
    "login",
    "login_if",
    "roots",
    "env",
];

/// Characters that mean something to a shell. None reads `login`.
const SHELL_CHARACTERS: &str = "\"'`$&|;<>()\\*?";

/// Reads every `[command.NAME]`.
pub(super) fn parse_commands(section: &ConfigField<'_>) -> Result<Vec<CommandDefinition>> {
    let Some(table) = section.item.get_ref().as_table() else {
        let error = Error::usage("not a table of commands");
        return Err(
            section.located_error(error.hint("write each command as a table: [command.NAME]"))
        );
    };
    let mut definitions = Vec::with_capacity(table.len());
    for (name, item) in table {
        definitions.push(parse_command(section, name.get_ref(), item)?);
    }
    Ok(definitions)
}

fn parse_command(
    section: &ConfigField<'_>,
    name: &str,
    item: &ConfigItem<'_>,
) -> Result<CommandDefinition> {
    check_name(name).map_err(|error| section.located_error_at(error, item.span()))?;
    let table_name = TableName::Command(name);
    let locate = |error: Error| {
        section
            .lines
            .locate(error, item.span(), &table_name.to_string())
    };
    let Some(table) = item.get_ref().as_table() else {
        return Err(locate(
            Error::usage("not a table").hint("write it as a table: [command.NAME]"),
        ));
    };
    let mut definition = match CommandPreset::from_name(name) {
        Some(preset) => preset.definition().map_err(locate)?,
        None => CommandDefinition::new(name),
    };
    for field in fields(table, table_name, section.lines) {
        read_field(&mut definition, &field)?;
    }
    check_keys(&definition, table).map_err(locate)?;
    Ok(definition)
}

fn read_field(definition: &mut CommandDefinition, field: &ConfigField<'_>) -> Result<()> {
    match field.key {
        "run" => definition.run = read_words(field)?,
        "token" => definition.token = Some(field.read(|item| JsonPath::parse(parse_text(item)?))?),
        "user" => definition.user = Some(field.read(|item| JsonPath::parse(parse_text(item)?))?),
        "expires" => {
            definition.expires = Some(field.read(|item| ExpiryField::parse(parse_text(item)?))?);
        }
        "life" => definition.lifetime_seconds = Some(field.read(parse_seconds)?),
        "kind" => definition.kind = field.read(|item| CommandKind::parse(parse_text(item)?))?,
        "spare" => definition.spare_seconds = field.read(parse_seconds)?,
        "watch" => definition.watch = read_watched_files(field)?,
        "variables" => definition.variables = parse_variables(field)?,
        "login" => definition.login = Some(field.read(parse_login)?),
        "login_if" => definition.login_if = field.read(parse_login_texts)?,
        "roots" => definition.roots = Some(field.read(|item| Ok(read_roots(item)?.to_string()))?),
        "env" => definition.env = parse_env(field)?,
        _ => return Err(field.unknown_key(KEYS)),
    }
    Ok(())
}

/// Checks the name, which `--provider` takes and which stands in the names of files and locks.
fn check_name(name: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) || name.starts_with('-') {
        return Err(Error::usage("not the name of a command")
            .hint("use letters, digits, `_` and, after the first, `-`; 64 at most"));
    }
    if provider::is_built_in(name) {
        return Err(
            Error::usage(format!("pgcred has a provider `{name}` of its own"))
                .hint("choose another name"),
        );
    }
    Ok(())
}

/// Checks what the keys say together.
fn check_keys(definition: &CommandDefinition, table: &DeTable<'_>) -> Result<()> {
    if definition.run.is_empty() {
        return Err(Error::usage("run is missing")
            .hint("add a line like: run = [\"program\", \"argument\"]"));
    }
    if definition.token.is_none() && definition.answers_in_json() {
        return Err(Error::usage("token is missing").hint(
            "add a line like token = \"PATH\", the field of the answer that has the token, as user \
             and expires are",
        ));
    }
    if definition.uses("life") && definition.lifetime_seconds.is_none() {
        return Err(Error::usage("life is missing")
            .hint("add a line like life = \"1h\": {life} is the life that is asked for"));
    }
    if table.contains_key("spare") && definition.kind != CommandKind::Caches {
        return Err(
            Error::usage("spare is for commands that print the same token again")
                .hint("add kind = \"caches\", or leave spare out"),
        );
    }
    if !definition.login_if.is_empty() && definition.login.is_none() {
        return Err(Error::usage("login is missing")
            .hint("add how to log in, like login = \"az login\": login_if says only when"));
    }
    Ok(())
}

/// Reads the words to run. The program itself is the same for every connection.
fn read_words(field: &ConfigField<'_>) -> Result<Vec<WordTemplate>> {
    let mut word_templates = Vec::new();
    for word in parse_texts(field)? {
        word_templates
            .push(WordTemplate::parse(&word).map_err(|error| field.located_error(error))?);
    }
    let Some(program) = word_templates.first() else {
        return Err(field.located_error(
            Error::usage("the list is empty").hint("write the program and its arguments"),
        ));
    };
    let path = program.literal_prefix();
    let is_relative = path.contains(['/', '\\']) && !Path::new(path).is_absolute();
    if is_relative && !path.starts_with("~/") {
        return Err(field.located_error(
            Error::usage("the path of the program is not absolute")
                .hint("write the program's name, its whole path, or ~/ in front of it"),
        ));
    }
    if program.placeholder_names().next().is_some() {
        return Err(field.located_error(
            Error::usage("the program has a placeholder").hint("write the program's name"),
        ));
    }
    Ok(word_templates)
}

/// Reads a list of texts.
fn parse_texts(field: &ConfigField<'_>) -> Result<Vec<String>> {
    let not_texts =
        || Error::usage("not a list of strings").hint("write each in quotes: [\"one\", \"two\"]");
    let Some(items) = field.item.get_ref().as_array() else {
        return Err(field.located_error(not_texts()));
    };
    let mut texts = Vec::new();
    for item in items {
        let Some(text) = item.get_ref().as_str() else {
            return Err(field.located_error_at(not_texts(), item.span()));
        };
        if text.contains('\0') {
            let error = Error::usage("no program takes the NUL character").hint("leave it out");
            return Err(field.located_error_at(error, item.span()));
        }
        texts.push(text.to_owned());
    }
    Ok(texts)
}

/// Reads a table of texts: variables of a command, or the values of a connection.
fn parse_table_of_texts(field: &ConfigField<'_>) -> Result<Vec<(String, String)>> {
    let not_texts =
        || Error::usage("not a table of strings").hint("write it like { name = \"value\" }");
    let Some(table) = field.item.get_ref().as_table() else {
        return Err(field.located_error(not_texts()));
    };
    let mut texts = Vec::new();
    for (name, item) in table {
        let Some(value) = item.get_ref().as_str() else {
            return Err(field.located_error_at(not_texts(), item.span()));
        };
        if value.contains(char::is_control) {
            let error = Error::usage("the value has a control character")
                .hint("write the value without it; a newline counts as one");
            return Err(field.located_error_at(error, item.span()));
        }
        texts.push((name.get_ref().to_string(), value.to_owned()));
    }
    Ok(texts)
}

fn parse_env(field: &ConfigField<'_>) -> Result<Vec<(String, String)>> {
    let variables = parse_table_of_texts(field)?;
    for (name, _) in &variables {
        check_variable(name, field)?;
    }
    Ok(variables)
}

fn parse_variables(field: &ConfigField<'_>) -> Result<Vec<String>> {
    let variables = parse_texts(field)?;
    for name in &variables {
        check_variable(name.strip_suffix('*').unwrap_or(name), field)?;
    }
    Ok(variables)
}

/// Reads the paths of files. One that depends on the working directory would name another file in
/// each.
fn read_watched_files(field: &ConfigField<'_>) -> Result<Vec<String>> {
    let paths = parse_texts(field)?;
    for path in &paths {
        if let Some(after) = path.strip_prefix('$') {
            check_variable(after.split('/').next().unwrap_or_default(), field)?;
        } else if !path.starts_with("~/") && !Path::new(path).is_absolute() {
            return Err(field.located_error(
                Error::usage("not the whole path of a file").hint(
                    "begin it with ~/, with the root directory, or with $NAME for a variable",
                ),
            ));
        }
    }
    Ok(paths)
}

fn check_variable(name: &str, field: &ConfigField<'_>) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(field.located_error(
            Error::usage("not the name of a variable").hint("use letters, digits and `_`"),
        ));
    }
    Ok(())
}

/// Reads the values of a connection for placeholders, in the order of their names.
pub(super) fn read_vars(field: &ConfigField<'_>) -> Result<Vec<(String, String)>> {
    let mut vars = parse_table_of_texts(field)?;
    vars.sort();
    for (name, value) in &vars {
        check_var(name, value).map_err(|error| field.located_error(error))?;
    }
    Ok(vars)
}

/// Reads a value for a placeholder as it is typed: `KEY=VALUE`.
pub(crate) fn parse_var(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            check_var(name, value)?;
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(Error::usage("not a name and a value").hint("write it as KEY=VALUE")),
    }
}

fn check_var(name: &str, value: &str) -> Result<()> {
    if is_own_placeholder(name) {
        let error = Error::usage(format!("pgcred fills in {{{name}}} itself"));
        return Err(error.hint("choose another name"));
    }
    if value.is_empty() {
        let error = Error::usage(format!("the value of {} is empty", backquoted(name)));
        return Err(error.hint("name a value, or leave the name out too"));
    }
    Ok(())
}

/// Reads the name of a provider: a command of this file, or one that pgcred knows.
pub(super) fn read_provider_name(name: &str, commands: &[CommandDefinition]) -> Result<String> {
    if commands.iter().any(|definition| definition.name == name) {
        return Ok(name.to_owned());
    }
    match provider::from_name(name) {
        Ok(provider) => Ok(provider.name.to_owned()),
        Err(error) => Err(error.exiting(Exit::Usage)),
    }
}

/// Checks the values that a connection has for its command, if it names the command: else a rule
/// may.
pub(super) fn check_connection(
    connection: &Connection,
    commands: &[CommandDefinition],
) -> Result<()> {
    match &connection.provider {
        Some(provider) => check_vars(provider, &connection.vars, commands),
        None => Ok(()),
    }
}

/// Checks that there is a value for every placeholder of the provider's command, no other value,
/// and none that the program would take for an option.
pub(crate) fn check_vars(
    provider: &str,
    vars: &[(String, String)],
    commands: &[CommandDefinition],
) -> Result<()> {
    let name = provider;
    let file_definition = commands.iter().find(|definition| definition.name == name);
    let definition = match (file_definition, CommandPreset::from_name(name)) {
        (Some(definition), _) => definition.clone(),
        (None, Some(preset)) => preset.definition()?,
        (None, None) if vars.is_empty() || !provider::is_built_in(name) => return Ok(()),
        (None, None) => {
            return Err(Error::usage(format!("{name} takes no vars"))
                .hint("leave vars out: they are for a command"));
        }
    };
    for name in definition.placeholders() {
        let is_open = !is_own_placeholder(name) && definition.needs(name);
        if is_open && vars.iter().all(|(var, _)| var != name) {
            return Err(Error::usage(format!(
                "vars has no `{name}`, and command.{} needs it",
                definition.name
            ))
            .hint(format!(
                "write vars = {{ {name} = \"VALUE\" }} in config.toml, or give `pgcred add` \
                 --var {name}=VALUE"
            )));
        }
    }
    for (name, value) in vars {
        if !definition.uses(name) {
            return Err(Error::usage(format!(
                "command.{} has no placeholder {}",
                definition.name,
                backquoted(name)
            ))
            .hint("correct the name, or leave it out of vars"));
        }
        for word in &definition.run {
            word.check_value(name, value)?;
        }
    }
    Ok(())
}

/// Reads what the user types to log in. Its words are run without a shell.
fn parse_login(item: &DeValue<'_>) -> Result<String> {
    let text = parse_text(item)?;
    if text.trim().is_empty()
        || text.contains(|c: char| SHELL_CHARACTERS.contains(c) || c.is_control())
    {
        return Err(Error::usage("not a command without quotes")
            .hint("write the words with spaces between them; no shell reads them"));
    }
    for word in text.split_whitespace() {
        let without = word.replace(LOGIN_PROFILE, "");
        if without.contains(['{', '}']) || word.starts_with(LOGIN_PROFILE) {
            return Err(Error::usage(
                "login takes only the placeholder {profile}, and only inside a word",
            )
            .hint("write it as in --profile={profile}; without a profile the word is left out"));
        }
    }
    Ok(text.trim().to_owned())
}

/// Reads texts with `|` between them.
fn parse_login_texts(item: &DeValue<'_>) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for part in parse_text(item)?.split('|') {
        if part.trim().is_empty() {
            return Err(
                Error::usage("an empty text would be found in every message")
                    .hint("write texts of the program's stderr with | between them"),
            );
        }
        texts.push(part.to_owned());
    }
    Ok(texts)
}
