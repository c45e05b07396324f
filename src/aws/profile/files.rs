//! Reads the user's AWS configuration: both shared files, merged as the AWS CLI merges them.
//!
//! ```text
//! ~/.aws/config         [default], [profile NAME], [sso-session NAME], [services NAME]
//! ~/.aws/credentials    [NAME]
//! ```
//!
//! `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name other files. A file that is missing
//! counts as empty. If both files have a profile, the credentials file wins key by key. Some keys
//! count only in one of the files, so each is kept on its own as well. The line of every key is
//! known, for `--debug` and for errors.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::aws::profile::command_line;
use crate::aws::profile::ini::{self, ProfileSection};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::text::suggest;

/// The settings whose values identify the user.
pub(crate) const PRIVATE_SETTINGS: [&str; 6] = [
    "source_profile",
    "sso_session",
    "role_session_name",
    "sso_role_name",
    "sso_account_name",
    "services",
];

/// Where the configuration and the credentials file are; neither has to exist.
pub(crate) fn shared_file_paths() -> [Option<PathBuf>; 2] {
    let file = |variable: &str, name: &str| match env::var_or_empty(variable) {
        Some(path) => Some(env::expand_home(&path)),
        None => Some(env::aws_home()?.join(".aws").join(name)),
    };
    [
        file("AWS_CONFIG_FILE", "config"),
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ]
}

/// Sections by name.
type SectionsByName = HashMap<String, ProfileSection>;

#[derive(Default)]
pub(crate) struct ProfileFiles {
    /// The profiles that both files have; the credentials file wins key by key.
    in_both: SectionsByName,
    /// `[NAME]` of the credentials file.
    credentials: SectionsByName,
    /// `[profile NAME]` of the configuration file.
    config: SectionsByName,
    pub(crate) sso_sessions: SectionsByName,
    pub(crate) services: SectionsByName,
}

impl ProfileFiles {
    /// Reads both files. A missing file counts as empty; a malformed one is an error with its line.
    pub(crate) fn read() -> Result<Self> {
        let [config, credentials] = shared_file_paths();
        Ok(Self::new(
            read_sections(config)?,
            read_sections(credentials)?,
        ))
    }

    pub(crate) fn new(
        config: Vec<(String, ProfileSection)>,
        credentials: Vec<(String, ProfileSection)>,
    ) -> Self {
        let mut files = Self {
            config: HashMap::with_capacity(config.len()),
            ..Self::default()
        };
        for (name, section) in config {
            let sections = if name.starts_with("profile") {
                &mut files.config
            } else if name.starts_with("sso-session") {
                &mut files.sso_sessions
            } else if name.starts_with("services") {
                &mut files.services
            } else {
                if name == "default" {
                    files.config.insert(name, section);
                }
                continue;
            };
            if let Some(name) = second_word(&name) {
                sections.insert(name.into_owned(), section);
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
    pub(crate) fn profile(&self, name: &str) -> Option<&ProfileSection> {
        for sections in [&self.in_both, &self.credentials, &self.config] {
            if let Some(section) = sections.get(name) {
                return Some(section);
            }
        }
        None
    }

    /// Says in which file and line a key of a profile stands. The credentials file wins.
    pub(crate) fn line_of_profile(&self, name: &str, key: &str) -> Option<String> {
        let [config, credentials] = shared_file_paths();
        if let Some(section) = self.credentials.get(name)
            && let Some(line) = section.line_of(key)
        {
            return Some(file_and_line(credentials, line));
        }
        Some(file_and_line(config, self.config.get(name)?.line_of(key)?))
    }

    /// Returns what the credentials file says of a profile.
    pub(crate) fn credentials(&self, name: &str) -> Option<&ProfileSection> {
        self.credentials.get(name)
    }

    /// Returns what the configuration file says of a profile.
    pub(crate) fn config(&self, name: &str) -> Option<&ProfileSection> {
        self.config.get(name)
    }
}

/// Says in which line a key of a section of the configuration file stands.
pub(crate) fn line_of_config(section: &ProfileSection, key: &str) -> Option<String> {
    let [config, _] = shared_file_paths();
    Some(file_and_line(config, section.line_of(key)?))
}

fn file_and_line(path: Option<PathBuf>, line: u32) -> String {
    let Some(path) = path else {
        return format!("line {line}");
    };
    if let Some(home) = env::aws_home()
        && let Ok(inside) = path.strip_prefix(home)
    {
        return format!("~/{} line {line}", inside.display());
    }
    format!("{} line {line}", path.display())
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Returns the second of two words, as in `profile NAME`; of fewer or more words, nothing.
fn second_word(text: &str) -> Option<Cow<'_, str>> {
    if let Some((first, second)) = text.split_once(' ')
        && is_plain(first)
        && is_plain(second)
    {
        return Some(second.into()); // the usual name, of which there may be hundreds
    }
    match command_line::split_as_posix(text)?.as_mut_slice() {
        [_, second] => Some(std::mem::take(second).into()),
        _ => None,
    }
}

/// Returns the names of all profiles: those of the configuration file, then what the credentials
/// file adds.
pub(crate) fn profile_names() -> Result<Vec<String>> {
    let [config, credentials] = shared_file_paths();
    let mut names = Vec::new();
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for (name, _) in read_sections(config)? {
        if name == "default" {
            add(name);
        } else if name.starts_with("profile")
            && let Some(profile) = second_word(&name)
        {
            add(profile.into_owned());
        }
    }
    read_sections(credentials)?
        .into_iter()
        .for_each(|(name, _)| add(name));
    Ok(names)
}

/// Returns the hint for a user who named no profile, or one that does not exist: which profiles
/// there are.
pub(crate) fn profiles_hint(typed_profile: Option<&str>) -> String {
    let names = profile_names().unwrap_or_default();
    let all_names = || names.iter().map(String::as_str);
    if let Some(typed_name) = typed_profile
        && let Some(nearest) =
            suggest::nearest_word(typed_name, all_names().filter(|name| *name != typed_name))
    {
        return format!("did you mean `{nearest}`?");
    }
    if names.is_empty() {
        let [config, _] = shared_file_paths();
        let file = config.unwrap_or_default();
        return format!(
            "write a profile into {}, or let `aws configure sso` do it: there are none",
            file.display()
        );
    }
    format!(
        "name one with --profile PROFILE or AWS_PROFILE: the profiles are {}",
        suggest::list_names(all_names())
    )
}

/// Returns the sections of a file. A file that does not exist has none.
pub(crate) fn read_sections(path: Option<PathBuf>) -> Result<Vec<(String, ProfileSection)>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let bytes = match fs::read_foreign_settings(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Vec::new()),
        Err(error) => {
            return Err(error.hint(format!(
                "make {} readable: its content may decide which keys sign",
                path.display()
            )));
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => ini::parse_sections(&text)
            .map_err(|error| malformed_line(&path, error.line, error.reason)),
        Err(error) => {
            let valid_bytes = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid_bytes.split(|byte| *byte == b'\n').count();
            Err(malformed_line(&path, line, "not UTF-8"))
        }
    }
}

fn malformed_line(path: &Path, line: usize, reason: &str) -> Error {
    let path = path.display();
    Error::usage(format!("{path}, line {line}: {reason}"))
        .hint(format!("correct {path}, then try again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str, credentials: &str) -> ProfileFiles {
        match (
            ini::parse_sections(config),
            ini::parse_sections(credentials),
        ) {
            (Ok(config), Ok(credentials)) => ProfileFiles::new(config, credentials),
            _ => panic!("the test's files are malformed"),
        }
    }

    #[test]
    fn the_credentials_file_wins_key_by_key() {
        let files = files(
            "[profile p]\nregion = a\noutput = json\n[profile only]\nregion = b\n",
            "[p]\nregion = c\n",
        );
        let both = files.profile("p").unwrap();
        assert_eq!(both.get("region"), Some("c"));
        assert_eq!(both.get("output"), Some("json"));
        assert_eq!(files.config("p").unwrap().get("region"), Some("a"));
        assert!(files.profile("only").is_some() && files.credentials("only").is_none());
    }

    #[test]
    fn a_section_of_the_configuration_file_counts_by_its_first_word() {
        let files = files(
            "[default]\nregion = a\n[p]\nregion = b\n[sso-session s]\nsso_region = c\n\
             [profile 'two words']\nregion = d\n",
            "",
        );
        assert!(files.profile("default").is_some());
        assert!(files.profile("p").is_none());
        assert!(files.profile("two words").is_some());
        assert!(files.sso_sessions.contains_key("s"));
    }

    #[test]
    fn a_section_has_exactly_two_words() {
        assert_eq!(second_word("profile dev").as_deref(), Some("dev"));
        assert_eq!(second_word("profile \"a b\"").as_deref(), Some("a b"));
        for text in ["profile", "profile a b", "profile \"a"] {
            assert_eq!(second_word(text), None, "{text}");
        }
    }
}
