//! The user's AWS configuration: both shared files, merged as the AWS CLI merges them.

use std::collections::HashMap;
use std::path::PathBuf;

use super::ini::{self, Section};
use super::words;
use crate::env;
use crate::error::{Error, Result};
use crate::fs;

/// Where the configuration and the credentials file are; neither has to exist.
pub(crate) fn paths() -> [Option<PathBuf>; 2] {
    let file = |variable: &str, name: &str| match env::var_os(variable).map(PathBuf::from) {
        Some(path) => Some(match path.strip_prefix("~") {
            Ok(rest) => env::aws_home()?.join(rest),
            Err(_) => path,
        }),
        None => Some(env::aws_home()?.join(".aws").join(name)),
    };
    [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
}

/// Sections by name.
type Sections = HashMap<String, Section>;

#[derive(Default)]
pub(super) struct Files {
    /// Both files; the credentials file wins key by key.
    profiles: Sections,
    /// `[NAME]` of the credentials file.
    pub(super) credentials: Sections,
    /// `[profile NAME]` of the configuration file.
    pub(super) config: Sections,
    pub(super) sso_sessions: Sections,
    pub(super) services: Sections,
}

impl Files {
    /// Reads both. A file that is missing is empty; one that is malformed is an error with its line.
    pub(super) fn read() -> Result<Self> {
        let [config, credentials] = paths();
        let mut files = Self::default();
        for (name, section) in sections(config)? {
            let kinds: [(&str, &mut Sections); 3] = [
                ("profile", &mut files.config),
                ("sso-session", &mut files.sso_sessions),
                ("services", &mut files.services),
            ];
            let kind = kinds.into_iter().find(|(prefix, _)| name.starts_with(prefix));
            match kind {
                Some((_, known)) => {
                    if let Some([_, name]) = words::posix(&name).as_deref() {
                        known.insert(name.clone(), section);
                    }
                }
                None if name == "default" => drop(files.config.insert(name, section)),
                None => {}
            }
        }
        files.profiles.clone_from(&files.config);
        for (name, section) in sections(credentials)? {
            files.profiles.entry(name.clone()).or_default().extend(section.clone());
            files.credentials.insert(name, section);
        }
        Ok(files)
    }

    pub(super) fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }
}

fn sections(path: Option<PathBuf>) -> Result<Vec<(String, Section)>> {
    let Some(path) = path.filter(|path| path.is_file()) else { return Ok(Vec::new()) };
    let name = path.display();
    let text = fs::read_text(&path)?;
    ini::parse(&text).map_err(|wrong| {
        Error::usage(format!("{name}, line {}: {}", wrong.line, wrong.why)).hint(format!("correct {name}, then retry"))
    })
}
