//! Makes what is run for one scope and profile: the words with their placeholders filled in, and
//! the digests of it. Two connections with the same words share one identity, and so one run.

use std::path::PathBuf;

use super::definition::{self, CommandDefinition};
use super::template::PlaceholderLookup;
use crate::authority::{CredentialQuery, TokenScope};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::digest::digest;

/// A file of `watch` that is longer than this goes by its stamp. The others go by their bytes,
/// because a program may write the same again with every run.
const MAX_WATCHED_LENGTH: usize = 1 << 20;
/// Of a directory of `watch`, so many files count.
const MAX_WATCHED: usize = 100;

/// The placeholders that are different with each request. They decide how long a token lives, and
/// not whose it is, so that they are no part of the identity.
const PER_REQUEST_PLACEHOLDERS: [&str; 2] = ["life", "min_valid"];

/// The placeholders that pgcred fills in itself. All others are the connection's `vars`.
const OWN_PLACEHOLDERS: [&str; 7] = [
    "host",
    "port",
    "user",
    "dbname",
    "profile",
    "life",
    "min_valid",
];

/// Tells whether pgcred fills in a placeholder itself.
pub(crate) fn is_own_placeholder(name: &str) -> bool {
    OWN_PLACEHOLDERS.contains(&name)
}

/// Returns the words to run. With an answer to a query they are whole; without one, the
/// placeholders of a single request stay as they are.
pub(super) fn invocation_words(
    definition: &CommandDefinition,
    profile: Option<&str>,
    scope: Option<&TokenScope<'_>>,
    query: Option<&CredentialQuery<'_>>,
) -> Result<Vec<String>> {
    let lookup = |name: &str| match query {
        Some(query) if name == "life" => Some(query.lifetime_seconds.to_string()),
        // A program that caches can be told to hand out no token that is about to end.
        Some(query) if name == "min_valid" => {
            Some(query.min_valid.max(definition.spare_seconds).to_string())
        }
        None if PER_REQUEST_PLACEHOLDERS.contains(&name) => Some(format!("{{{name}}}")),
        _ => placeholder_value(name, profile, scope?),
    };
    check_values(definition, &lookup)?;
    let mut command_line = Vec::new();
    for template in &definition.run {
        command_line.push(template.fill(&lookup)?);
    }
    // Only a path of the user's own home, or a name that PATH has, is the same in every directory.
    if let Some(program) = command_line.first_mut()
        && program.starts_with("~/")
    {
        *program = env::with_home(program).display().to_string();
    }
    Ok(command_line)
}

/// Refuses a value that would change the meaning of its word.
fn check_values(definition: &CommandDefinition, lookup: PlaceholderLookup<'_>) -> Result<()> {
    for name in definition.placeholders() {
        let value = lookup(name).unwrap_or_default();
        if let Some(c) = value.chars().find(|&c| definition.forbidden.contains(c)) {
            return Err(Error::usage(format!(
                "{{{name}}} has the character {c}, which command.{} cannot pass on",
                definition.name
            ))
            .hint(format!("write the value of {{{name}}} without {c}")));
        }
        for start in definition.forbidden_starts {
            let begins = value.get(..start.len());
            if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(start)) {
                return Err(Error::usage(format!(
                    "{{{name}}} begins with {start}, for which the program of command.{} reads \
                     something else",
                    definition.name
                ))
                .hint(format!(
                    "write a value of {{{name}}} that begins with something else"
                )));
            }
        }
    }
    Ok(())
}

fn placeholder_value(name: &str, profile: Option<&str>, scope: &TokenScope<'_>) -> Option<String> {
    let value = match name {
        "host" => scope.host.to_owned(),
        "port" => scope.port?.to_string(),
        "user" => scope.user?.to_owned(),
        "dbname" => scope.dbname.to_owned(),
        "profile" => profile?.to_owned(),
        _ => {
            let (_, value) = scope.vars.iter().find(|(var, _)| var == name)?;
            value.clone()
        }
    };
    if value.is_empty() { None } else { Some(value) }
}

/// Returns the digest of who signs: the definition's name, what is run, its variables, and those of
/// the environment that decide who logs in.
pub(super) fn digest_of(
    definition: &CommandDefinition,
    command_line: &Result<Vec<String>>,
) -> String {
    let mut parts = vec!["command".to_owned(), definition.name.clone()];
    match command_line {
        Ok(command_line) => parts.extend(command_line.iter().cloned()),
        Err(error) => parts.push(format!("\0{error}")),
    }
    for (name, value) in &definition.env {
        parts.push(format!("\0{name}"));
        parts.push(value.clone());
    }
    for name in deciding_variables(definition) {
        if let Some(value) = env::var(&name) {
            parts.push(format!("\0{name}"));
            parts.push(value);
        }
    }
    digest(parts.iter().map(String::as_str))
}

/// Returns the variables that decide who logs in, and of those that end in `*` the ones that are
/// set.
pub(super) fn deciding_variables(definition: &CommandDefinition) -> Vec<String> {
    let mut names = Vec::new();
    for name in definition.deciding_variables() {
        let Some(start) = name.strip_suffix('*') else {
            names.push(name.to_owned());
            continue;
        };
        for variable in env::names_that_begin_with(start) {
            let is_set_by_definition = definition.env.iter().any(|(name, _)| *name == variable);
            if !names.contains(&variable) && !is_set_by_definition {
                names.push(variable);
            }
        }
    }
    names
}

/// Returns the files that change when another user logs in.
pub(super) fn watched_files(definition: &CommandDefinition) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in &definition.watch {
        let path = match definition::split_variable(path) {
            None => env::with_home(path),
            Some((name, inside)) => match env::var_os(name).map(PathBuf::from) {
                Some(file) if inside.is_empty() => file,
                Some(directory) => directory.join(inside),
                None => continue,
            },
        };
        let mut inside = fs::list(&path);
        if inside.is_empty() {
            files.push(path);
            continue;
        }
        inside.sort();
        inside.truncate(MAX_WATCHED);
        files.extend(inside);
    }
    files
}

/// Returns a digest that changes with every write to these files, also of the same bytes: a login
/// may write them again.
pub(super) fn stamp_of_files(own_digest: &str, files: &[PathBuf]) -> String {
    let mut parts = vec![own_digest.to_owned()];
    for file in files {
        parts.push(fs::stamp_of_file(file).unwrap_or_default());
    }
    digest(parts.iter().map(String::as_str))
}

/// Returns a digest of these files as they are now.
pub(super) fn digest_of_files(own_digest: &str, files: &[PathBuf]) -> String {
    let mut parts = vec![own_digest.to_owned()];
    for file in files {
        parts.push(match fs::read(file) {
            Some(bytes) if bytes.len() <= MAX_WATCHED_LENGTH => {
                digest([&*String::from_utf8_lossy(&bytes)])
            }
            Some(_) => fs::stamp_of_file(file).unwrap_or_default(),
            None => String::new(),
        });
    }
    digest(parts.iter().map(String::as_str))
}
