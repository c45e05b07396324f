//! The user's AWS configuration: both shared files, merged as the AWS CLI merges them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use crate::aws::profile::ini::{self, Section};
use crate::aws::profile::words;
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::suggest;

/// Where the configuration and the credentials file are; neither has to exist.
fn paths() -> [Option<PathBuf>; 2] {
    let file = |variable: &str, name: &str| match env::var_or_empty(variable) {
        Some(path) => Some(env::expanded(&path)),
        None => Some(env::aws_home()?.join(".aws").join(name)),
    };
    [
        file("AWS_CONFIG_FILE", "config"),
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ]
}

/// Sections by name.
type Sections = HashMap<String, Section>;

#[derive(Default)]
pub(crate) struct Files {
    /// The profiles that both files have; the credentials file wins key by key.
    in_both: Sections,
    /// `[NAME]` of the credentials file.
    credentials: Sections,
    /// `[profile NAME]` of the configuration file.
    config: Sections,
    pub(crate) sso_sessions: Sections,
    pub(crate) services: Sections,
}

impl Files {
    /// Reads both. A file that is missing is empty; one that is malformed is an error with its
    /// line.
    pub(crate) fn read() -> Result<Self> {
        let [config, credentials] = paths();
        Ok(Self::of(sections(config)?, sections(credentials)?))
    }

    pub(crate) fn of(config: Vec<(String, Section)>, credentials: Vec<(String, Section)>) -> Self {
        let mut files = Self {
            config: HashMap::with_capacity(config.len()),
            ..Self::default()
        };
        for (name, section) in config {
            let kinds: [(&str, &mut Sections); 3] = [
                ("profile", &mut files.config),
                ("sso-session", &mut files.sso_sessions),
                ("services", &mut files.services),
            ];
            let kind = kinds
                .into_iter()
                .find(|(prefix, _)| name.starts_with(prefix));
            match kind {
                Some((_, known)) => {
                    if let Some(name) = second_word(&name) {
                        known.insert(name.into_owned(), section);
                    }
                }
                None if name == "default" => drop(files.config.insert(name, section)),
                None => {}
            }
        }
        for (name, section) in credentials {
            if let Some(of_config) = files.config.get(&name) {
                files
                    .in_both
                    .insert(name.clone(), of_config.overlaid(&section));
            }
            files.credentials.insert(name, section);
        }
        files
    }

    /// Returns what both files say of a profile.
    pub(crate) fn profile(&self, name: &str) -> Option<&Section> {
        [&self.in_both, &self.credentials, &self.config]
            .into_iter()
            .find_map(|sections| sections.get(name))
    }

    /// Returns what the credentials file says of a profile.
    pub(crate) fn credentials(&self, name: &str) -> Option<&Section> {
        self.credentials.get(name)
    }

    /// Returns what the configuration file says of a profile.
    pub(crate) fn config(&self, name: &str) -> Option<&Section> {
        self.config.get(name)
    }
}

/// Returns the second of two words, as in `profile NAME`; of fewer or more words, nothing.
fn second_word(text: &str) -> Option<Cow<'_, str>> {
    let is_plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if let Some((first, second)) = text.split_once(' ')
        && is_plain(first)
        && is_plain(second)
    {
        return Some(second.into()); // the usual name, of which there may be hundreds
    }
    match words::posix(text)?.as_mut_slice() {
        [_, second] => Some(std::mem::take(second).into()),
        _ => None,
    }
}

/// Returns the names of all profiles: those of the configuration file, then what the credentials
/// file adds.
pub(crate) fn profile_names() -> Result<Vec<String>> {
    let [config, credentials] = paths();
    let mut names = Vec::new();
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for (name, _) in sections(config)? {
        if name == "default" {
            add(name);
        } else if name.starts_with("profile")
            && let Some(own) = second_word(&name)
        {
            add(own.into_owned());
        }
    }
    sections(credentials)?
        .into_iter()
        .for_each(|(name, _)| add(name));
    Ok(names)
}

/// Says which profiles there are, for who named none or one that is not there.
pub(crate) fn profiles_hint(typed: Option<&str>) -> String {
    let names = profile_names().unwrap_or_default();
    let all = || names.iter().map(String::as_str);
    let meant =
        typed.and_then(|typed| suggest::nearest(typed, all().filter(|name| *name != typed)));
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if names.is_empty() => {
            let [config, _] = paths();
            let file = config
                .map(|path| path.display().to_string())
                .unwrap_or_default();
            format!(
                "there are no profiles: write one into {file}, or let the AWS CLI do it: aws configure sso"
            )
        }
        None => format!(
            "the profiles are {}: name one with --profile PROFILE or AWS_PROFILE",
            suggest::listed(all())
        ),
    }
}

/// Returns the sections of a file; of none, none.
pub(crate) fn sections(path: Option<PathBuf>) -> Result<Vec<(String, Section)>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let name = path.display();
    let wrong = |line: usize, why: &str| {
        Error::usage(format!("{name}, line {line}: {why}"))
            .hint(format!("correct {name}, then retry"))
    };
    let bytes = fs::read_foreign_settings(&path).map_err(|error| {
        error.hint(format!(
            "let {name} be readable: what it says may decide whose keys sign"
        ))
    })?;
    let Some(bytes) = bytes else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        wrong(before.split(|byte| *byte == b'\n').count(), "not UTF-8")
    })?;
    ini::parse(&text).map_err(|error| wrong(error.line, error.why))
}
