//! Edits the passfile that the options name, and warns of what keeps clients from reading it.
//!
//! It is the file of `--passfile`, else the one that libpq reads: PGPASSFILE, else the default of
//! the system. Inside `pgcred exec` it is the user's own file, not the private one. The warnings
//! are about variables that lead clients past the file, and about other files that look like a
//! passfile.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::one_time_warnings;
use super::preferences::Preferences;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::Passfile;
use crate::passfile::survey::survey_passfile;
use crate::sys::child::{self, ChildAttachment};
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;

#[derive(clap::Args, Default)]
pub(super) struct PassfileOption {
    /// Passfile to edit [default: PGPASSFILE, else ~/.pgpass; Windows:
    /// %APPDATA%\postgresql\pgpass.conf]
    #[arg(long, value_name = "FILE")]
    passfile: Option<PathBuf>,
}

/// Edits pgcred's block under the lock of the file, and removes expired lines in any case. Warns
/// about what keeps clients from reading it.
pub(super) fn edit_passfile<T>(
    path: &Path,
    output: Output,
    mut change: impl FnMut(&mut Passfile) -> Result<T>,
) -> Result<T> {
    let edited = fs::edit(path, |text| {
        let mut passfile = Passfile::parse_or_new(text)
            .map_err(|error| error.about(&path.display().to_string()))?;
        let value = change(&mut passfile)?;
        passfile.drop_expired(Time::now());
        let new_text = if passfile.is_empty_and_own() {
            None
        } else {
            Some(passfile.render())
        };
        Ok((new_text, (passfile, value)))
    })?;
    let shown_path = path.display();
    if edited.was_open_to_others {
        output.warn(&format!(
            "{shown_path} could be read by other users; its mode is 0600 now"
        ));
    }
    if edited.had_hard_links {
        output.warn(&format!(
            "{shown_path} was one of several hard links to a file; the other links keep \
             the old text"
        ));
    }
    let (passfile, value) = edited.value;
    if !output.quiet {
        warn_about_content(path, &edited.text, &passfile, output);
    }
    Ok(value)
}

/// Warns about what keeps clients from reading the tokens, and about tokens that may become public.
fn warn_about_content(path: &Path, text: &[u8], passfile: &Passfile, output: Output) {
    let mut remarks = survey_passfile(text, passfile.token_lines());
    if passfile.token_lines().next().is_some() && may_be_published(path) {
        remarks.push(
            "is in a git repository: `git add` would publish tokens; add the file to \
             .gitignore, or name another file: --passfile FILE or PGPASSFILE"
                .to_owned(),
        );
    }
    for remark in one_time_warnings::new_remarks(path, remarks) {
        output.warn(&format!("{}: {remark}", path.display()));
    }
}

impl PassfileOption {
    /// Edits the passfile of this run as [`edit_passfile`] does.
    pub(super) fn edit<T>(
        &self,
        output: Output,
        change: impl FnMut(&mut Passfile) -> Result<T>,
    ) -> Result<(PathBuf, T)> {
        let path = self.path()?;
        if cfg!(windows)
            && env::default_passfile().as_ref() == Some(&path)
            && let Some(directory) = path.parent()
        {
            fs::create_private_directory(directory)?; // libpq's manual tells its users to make it
        }
        let value = edit_passfile(&path, output, change)?;
        Ok((path, value))
    }

    /// Tells whether no option names another file for this run.
    pub(super) fn is_usual(&self) -> bool {
        self.passfile.is_none()
    }

    pub(super) fn path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.passfile {
            return Ok(path.clone());
        }
        if let Some(path) = env::passfile() {
            return Ok(path);
        }
        match env::default_passfile() {
            Some(path) => Ok(path),
            None => Err(Error::no_directory("home")
                .hint("name the file with --passfile FILE or PGPASSFILE")),
        }
    }

    /// Warns if clients may read another passfile than the one that pgcred writes.
    pub(super) fn warn_about_other_files(&self, preferences: &Preferences) {
        let output = preferences.output;
        warn_about_variables(preferences);
        match env::passfile() {
            _ if self.passfile.is_some() => {}
            _ if env::is_in_exec() => {
                output.warn(
                    "this is inside `pgcred exec`, whose program reads a private passfile and not \
                     this one",
                );
            }
            Some(path) if path.starts_with("~") => {
                output.warn("PGPASSFILE begins with ~, and no client expands that");
            }
            Some(path) if path.is_relative() => {
                output.warn(
                    "PGPASSFILE is relative: clients look for it in the directory that they run in",
                );
            }
            Some(_) => {}
            None => {
                if let Some(home) = env::other_home() {
                    let home = home.display();
                    output.warn(&format!(
                        "libpq 14 and older, pgx 4 and pgjdbc look for the passfile in {home}, \
                         not in HOME"
                    ));
                }
            }
        }
    }
}

/// Warns about variables that keep clients from using the passfile. A service with the name of a
/// connection is one that `pgcred setup psql` has made.
pub(super) fn warn_about_variables(preferences: &Preferences) {
    if env::var_os("PGPASSWORD").is_some() {
        preferences
            .output
            .warn("PGPASSWORD is set: clients use it and do not read the passfile");
    }
    if let Some(service) = env::var("PGSERVICE")
        && preferences.config.connection(&service).is_none()
    {
        let text = format!(
            "PGSERVICE is set: clients go to the host and user of the service `{service}`, unless \
             a client names others"
        );
        preferences.output.warn(&text);
    }
}

/// Tells whether a file is in a git repository that does not ignore it.
pub(super) fn may_be_published(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    }; // a link may lead into a repository
    if !path
        .ancestors()
        .skip(1)
        .any(|directory| directory.join(".git").exists())
    {
        return false;
    }
    let directory = path.parent().unwrap_or(&path).display().to_string();
    let command_line = child::words([
        "git",
        "-C",
        &directory,
        "check-ignore",
        "--quiet",
        "--",
        &path.display().to_string(),
    ]);
    let deadline = Instant::now() + Duration::from_secs(2);
    match child::output(&command_line, deadline, ChildAttachment::Alone) {
        Ok(program_output) => !program_output.status.success(),
        Err(_) => true,
    }
}
