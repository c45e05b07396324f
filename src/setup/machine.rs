//! Describes the machine that a tool is set up on: its system and its directories, as values, so
//! that tests can set up a tool for every system on one.

use std::path::{Path, PathBuf};

use super::drafts::FileDrafts;
use crate::error::{Error, Result};
use crate::sys::child;
use crate::sys::env;
use crate::sys::paths;
use crate::text::quote;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Os {
    Linux,
    Mac,
    Windows,
}

#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) os: Os,
    pub(crate) home: PathBuf,
    /// `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
    pub(crate) config_home: PathBuf,
    /// pgcred's own configuration directory.
    pub(crate) pgcred_config: PathBuf,
    /// The file that `--config` names.
    pub(crate) named_config: Option<PathBuf>,
    /// The absolute path of pgcred.
    pub(crate) pgcred: PathBuf,
    /// The user's libpq service file.
    pub(crate) service_file: PathBuf,
    /// What the edits that are planned so far will leave in files.
    pub(crate) planned_files: FileDrafts,
}

impl Os {
    pub(crate) fn current() -> Self {
        match std::env::consts::OS {
            "macos" => Self::Mac,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Mac => "macOS",
            Self::Windows => "Windows",
        }
    }

    /// Quotes a word for the shell that a desktop tool of this system starts.
    pub(crate) fn shell_word(self, word: &str) -> String {
        match self {
            Self::Windows => quote::cmd(word),
            Self::Linux | Self::Mac => quote::posix_in_tool(word),
        }
    }

    /// Returns the name of the tool that runs commands by the clock.
    pub(crate) fn scheduler(self) -> &'static str {
        match self {
            Self::Mac => "launchd",
            Self::Windows => "task-scheduler",
            Self::Linux if Path::new("/run/systemd/system").is_dir() => "systemd",
            Self::Linux => "cron",
        }
    }
}

impl Machine {
    /// Returns the machine that pgcred runs on.
    pub(crate) fn current(named_config: Option<&Path>) -> Result<Self> {
        let (Some(home), Some(config_home), Some(file)) =
            (env::home(), env::config_directory(), paths::config_file())
        else {
            return Err(Error::no_directory("home").hint("set HOME, then try again"));
        };
        let os = Os::current();
        let service_file = match env::var_os("PGSERVICEFILE") {
            Some(file) => PathBuf::from(file),
            None if os == Os::Windows => config_home.join("postgresql").join(".pg_service.conf"),
            None => home.join(".pg_service.conf"),
        };
        Ok(Self {
            os,
            home,
            config_home,
            pgcred_config: file.parent().unwrap_or(&file).to_owned(),
            named_config: named_config.map(|file| env::current_directory().join(file)),
            pgcred: child::own_path()?,
            service_file,
            planned_files: FileDrafts::default(),
        })
    }

    /// Tells whether programs, and not users, make the directories above a file: then pgcred may
    /// remove those that it leaves empty.
    pub(crate) fn is_of_programs(&self, path: &Path) -> bool {
        let is_of_dbeaver = path
            .components()
            .any(|part| part.as_os_str() == "workspace6");
        is_of_dbeaver
            || path.starts_with(&self.config_home)
            || path.starts_with(&self.pgcred_config)
    }

    /// Returns the first of these programs that PATH has.
    pub(crate) fn program(programs: &[&str]) -> Option<PathBuf> {
        programs
            .iter()
            .find_map(|program| child::find(program.as_ref()))
    }

    /// Returns what shows that a tool is installed: its program, or one of its traces.
    pub(crate) fn find(&self, programs: &[&str], traces: &[&str]) -> Option<PathBuf> {
        if let Some(program) = Self::program(programs) {
            return Some(program);
        }
        for trace in traces {
            for root in [
                &self.home,
                &self.config_home,
                Path::new("/Applications"),
                Path::new("/"),
            ] {
                let path = root.join(trace);
                if path.exists() {
                    return Some(path);
                }
            }
        }
        None
    }
}
