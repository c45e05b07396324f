//! Makes the names of connections: from what people call the database, in small letters, digits and
//! dashes.
//!
//! Where several would get the same name, or a connection has it already, the region is added, then
//! the profile, then a number. All of those that share a name get the addition, so that a name does
//! not depend on the order of the answers. It is pure.

use std::collections::{HashMap, HashSet};

use crate::authority::FoundDatabase;
use crate::config::check_connection_name;
use crate::provider;

/// The longest name of a connection.
const MAX_NAME_LENGTH: usize = 64;
/// How much of it is taken from what others have written.
const MAX_BASE_LENGTH: usize = 40;
/// How much of an ID stands for the database.
const DIGITS_OF_ID: usize = 6;
/// What is added to a name, at most: nothing, the region, region and profile.
const MAX_ADDITIONS: usize = 2;

/// What a name is made from.
pub(super) struct NameParts<'a> {
    pub(super) base: String,
    /// Which of the database's hosts it is.
    pub(super) suffix: &'static str,
    pub(super) region: &'a str,
    pub(super) profile: &'a str,
    pub(super) host: Option<&'a str>,
}

/// Returns the name of a database itself, without what tells it from others of that name.
pub(super) fn base_name(database: &FoundDatabase) -> String {
    let mut texts: Vec<&str> = Vec::new();
    texts.extend(database.label.as_deref());
    let id = &database.identifier;
    let found_provider = provider::find_by_id(id, "");
    if found_provider.is_none() {
        texts.push(id);
    }
    for text in texts {
        let name = plain_name(text, MAX_BASE_LENGTH);
        if !name.is_empty() {
            return name;
        }
    }
    let prefix = found_provider.map_or("db", |(provider, _)| provider.name);
    plain_name(
        &format!("{prefix}-{}", cut_to_length(id, DIGITS_OF_ID)),
        MAX_BASE_LENGTH,
    )
}

/// Returns a text in small letters and digits, with a dash for every run of other characters.
fn plain_name(text: &str, max_length: usize) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() == max_length {
            break;
        }
    }
    name.trim_end_matches('-').to_owned()
}

/// Returns the beginning of a text in ASCII.
fn cut_to_length(text: &str, max_length: usize) -> &str {
    text.get(..max_length).unwrap_or(text)
}

impl NameParts<'_> {
    /// Returns the name with so many additions.
    fn name(&self, additions: usize) -> String {
        let mut name = format!("{}{}", self.base, self.suffix);
        for addition in [self.region, self.profile].iter().take(additions) {
            let addition = plain_name(addition, MAX_BASE_LENGTH);
            if !addition.is_empty() {
                name.push('-');
                name += &addition;
            }
        }
        let name = cut_to_length(&name, MAX_NAME_LENGTH).trim_end_matches('-');
        match check_connection_name(name, self.host) {
            Ok(()) => name.to_owned(),
            // It reads as a cluster ID, which has no dash.
            Err(_) => format!("db-{}", cut_to_length(name, MAX_NAME_LENGTH - "db-".len())),
        }
    }
}

/// The names that are taken.
pub(super) struct ConnectionNamer {
    taken: HashSet<String>,
}

impl ConnectionNamer {
    pub(super) fn with_taken<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            taken: names.map(str::to_ascii_lowercase).collect(),
        }
    }

    /// Returns a name for each of these, all different.
    pub(super) fn names(&mut self, all_parts: &[NameParts<'_>]) -> Vec<String> {
        let mut additions = vec![0; all_parts.len()];
        for _ in 0..MAX_ADDITIONS {
            let mut count: HashMap<String, usize> = HashMap::new();
            for (parts, additions) in all_parts.iter().zip(&additions) {
                *count.entry(parts.name(*additions)).or_default() += 1;
            }
            for (parts, additions) in all_parts.iter().zip(&mut additions) {
                let name = parts.name(*additions);
                if count[&name] > 1 || self.taken.contains(&name) {
                    *additions += 1;
                }
            }
        }
        let mut names = Vec::new();
        for (parts, additions) in all_parts.iter().zip(additions) {
            names.push(self.reserve_name(&parts.name(additions)));
        }
        names
    }

    /// Takes a name, with a number if it is taken already.
    fn reserve_name(&mut self, name: &str) -> String {
        let mut free_name = name.to_owned();
        let mut number = 2;
        while !self.taken.insert(free_name.clone()) {
            let end = format!("-{number}");
            let begin = cut_to_length(name, MAX_NAME_LENGTH - end.len()).trim_end_matches('-');
            free_name = format!("{begin}{end}");
            number += 1;
        }
        free_name
    }
}

#[cfg(test)]
mod tests;
