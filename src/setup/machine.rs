//! The machine that a tool is set up on: its system and its directories, as values, so that every
//! system can be tried on one.

use std::path::{Path, PathBuf};

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

pub(crate) struct Machine {
    pub(crate) os: Os,
    pub(crate) home: PathBuf,
    /// `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
    pub(crate) config: PathBuf,
    /// pgcred's own configuration directory.
    pub(crate) own: PathBuf,
    /// The file that `--config` names.
    pub(crate) named_config: Option<PathBuf>,
    /// The absolute path of pgcred.
    pub(crate) pgcred: PathBuf,
    /// The user's libpq service file.
    pub(crate) service_file: PathBuf,
}

impl Os {
    pub(crate) fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::Mac,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }

    /// Quotes a word for the shell that a desktop tool of this system starts.
    pub(crate) fn shell_word(self, word: &str) -> String {
        match self {
            Self::Windows => quote::cmd(word),
            Self::Linux | Self::Mac => quote::posix_in_tool(word),
        }
    }

    /// Returns the tool that runs commands by the clock.
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
    pub(crate) fn this(named_config: Option<&Path>) -> Result<Self> {
        let missing = || Error::failure("no home directory is known").hint("set HOME");
        let os = Os::here();
        let home = env::home().ok_or_else(missing)?;
        let config = env::config_directory().ok_or_else(missing)?;
        let own = paths::config_file()
            .and_then(|file| Some(file.parent()?.to_owned()))
            .ok_or_else(missing)?;
        let service_file = env::var_os("PGSERVICEFILE").map(PathBuf::from);
        let service_file = service_file.unwrap_or_else(|| match os {
            Os::Windows => config.join("postgresql").join(".pg_service.conf"),
            Os::Linux | Os::Mac => home.join(".pg_service.conf"),
        });
        let named_config = named_config.map(|file| env::current_directory().join(file));
        Ok(Self {
            os,
            config,
            own,
            named_config,
            pgcred: child::own_path()?,
            service_file,
            home,
        })
    }

    /// Tells whether the directories above a file are made by programs and not by people, so that
    /// an empty one is nobody's.
    pub(crate) fn is_of_programs(&self, path: &Path) -> bool {
        let of_dbeaver = path
            .components()
            .any(|part| part.as_os_str() == "workspace6");
        of_dbeaver
            || [&self.config, &self.own]
                .iter()
                .any(|directory| path.starts_with(directory))
    }

    /// Returns the first of these programs that is there.
    pub(crate) fn program(programs: &[&str]) -> Option<PathBuf> {
        programs
            .iter()
            .find_map(|program| child::find(program.as_ref()))
    }

    /// Returns where a tool shows that it is there.
    pub(crate) fn find(&self, programs: &[&str], traces: &[&str]) -> Option<PathBuf> {
        let roots = [
            &self.home,
            &self.config,
            Path::new("/Applications"),
            Path::new("/"),
        ];
        let program = Self::program(programs);
        let traces = traces
            .iter()
            .flat_map(|trace| roots.iter().map(move |root| root.join(trace)));
        program.or_else(|| traces.into_iter().find(|path| path.exists()))
    }
}
