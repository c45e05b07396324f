//! Finds the names in files of settings, also in those that cannot be parsed: errors repeat them.
//! It is pure.

use crate::provider;
use crate::text::host;

/// The settings of pgcred's configuration whose values identify the user. Those of an authority's
/// files are the authority's.
const PRIVATE_KEYS: [&str; 7] = [
    "host",
    "sign_host",
    "hostaddr",
    "user",
    "dbname",
    "database",
    "profile",
];

/// The words in the headers of sections that are nobody's.
const HARMLESS_WORDS: [&str; 7] = [
    "connections",
    "match",
    "profile",
    "sso-session",
    "services",
    "default",
    "plugins",
];

/// Returns the words in the headers of sections, and the values that identify somebody.
pub(super) fn names_in(text: &str) -> Vec<String> {
    let keys = private_settings();
    let mut names = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let ends = |c: char| c.is_whitespace() || "[].'\"#".contains(c);
            for word in header.split(ends) {
                if !word.is_empty() && !HARMLESS_WORDS.contains(&word) {
                    names.push(word.to_owned());
                }
            }
        } else if let Some((key, value)) = line.split_once('=')
            && keys.contains(&key.trim())
        {
            names.extend(value_of(value));
        }
    }
    names
}

/// Returns the settings whose values identify the user, those of authorities too.
fn private_settings() -> Vec<&'static str> {
    let mut keys = PRIVATE_KEYS.to_vec();
    for authority in provider::authorities() {
        keys.extend(authority.private_settings());
    }
    keys
}

/// Returns a value without its quotes and without a comment.
fn value_of(text: &str) -> Option<String> {
    let text = text.trim();
    let value = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split(quote).next().unwrap_or_default(),
        _ => text.split([' ', '#', ';']).next().unwrap_or_default(),
    };
    // A cloud's name of a host is known by its look, and a single letter says nothing.
    if value.chars().count() > 1 && !provider::knows_host(host::host_of(value)) {
        Some(value.to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_a_file_that_nobody_can_parse() {
        let text = "[connections.\"corp prod\"]\nhost = \"db.corp.example\" # x\nuser='ann\n\
                    [profile dev]\nsource_profile = base ; c\nregion = us-east-1\n= =\n[\nuser=";
        assert_eq!(
            names_in(text),
            ["corp", "prod", "db.corp.example", "ann", "dev", "base"]
        );
    }
}
