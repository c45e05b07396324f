//! Which passfile a command means, and what is worth saying about it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::preferences::Preferences;
use super::remarks;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::Passfile;
use crate::passfile::survey::survey;
use crate::sys::child::{self, Bond};
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;

#[derive(clap::Args, Default)]
pub(super) struct PassfileArg {
    /// Passfile to write [default: PGPASSFILE, else ~/.pgpass; Windows:
    /// %APPDATA%\postgresql\pgpass.conf]
    #[arg(long, value_name = "FILE")]
    passfile: Option<PathBuf>,
}

/// Edits the block under the lock; lines whose time has passed go in any case. Warns about what
/// breaks readers.
pub(super) fn edit<T>(
    path: &Path,
    output: Output,
    mut change: impl FnMut(&mut Passfile) -> Result<T>,
) -> Result<T> {
    let edited = fs::edit(path, |text| {
        let mut passfile =
            Passfile::of(text).map_err(|error| error.about(&path.display().to_string()))?;
        let value = change(&mut passfile)?;
        passfile.drop_expired(Time::now());
        Ok((
            (!passfile.is_over()).then(|| passfile.render()),
            (passfile, value),
        ))
    })?;
    let (passfile, value) = edited.value;
    if edited.was_open_to_others {
        output.warn(&format!(
            "{} could be read by others; it is 0600 now",
            path.display()
        ));
    }
    if edited.had_other_names {
        let path = path.display();
        output.warn(&format!(
            "{path} was one of several hard links to a file; the others stay as they were"
        ));
    }
    if !output.quiet {
        let mut remarks = survey(&edited.text, passfile.keys());
        if passfile.keys().next().is_some() && may_be_published(path) {
            remarks.push(
                "is in a git repository: `git add` would publish tokens; add it to .gitignore, \
                 or name another file: --passfile FILE or PGPASSFILE"
                    .to_owned(),
            );
        }
        for remark in remarks::news(path, remarks) {
            output.warn(&format!("{}: {remark}", path.display()));
        }
    }
    Ok(value)
}

impl PassfileArg {
    /// As [`edit`], of the passfile that is meant.
    pub(super) fn edit<T>(
        &self,
        output: Output,
        change: impl FnMut(&mut Passfile) -> Result<T>,
    ) -> Result<(PathBuf, T)> {
        let path = self.path()?;
        if cfg!(windows) && env::default_passfile().as_ref() == Some(&path) {
            path.parent().map_or(Ok(()), fs::private_directory)?; // as libpq's documents have their users do
        }
        let value = edit(&path, output, change)?;
        Ok((path, value))
    }

    /// Tells whether no other file is named for this run.
    pub(super) fn is_usual(&self) -> bool {
        self.passfile.is_none()
    }

    pub(super) fn path(&self) -> Result<PathBuf> {
        if let Some(path) = self.passfile.clone().or_else(env::passfile) {
            return Ok(path);
        }
        env::default_passfile().ok_or_else(|| {
            Error::failure("no home directory is known")
                .hint("name the file: --passfile FILE or PGPASSFILE")
        })
    }

    /// Warns where clients may look elsewhere than where pgcred writes.
    pub(super) fn warn_about_other_files(&self, preferences: &Preferences) {
        let output = preferences.output;
        warn_about_variables(preferences);
        match env::passfile() {
            _ if self.passfile.is_some() => {}
            _ if env::is_in_exec() => {
                output.warn("this is inside `pgcred exec`, whose program reads a private passfile and not this one");
            }
            Some(path) if path.starts_with("~") => {
                output.warn("PGPASSFILE begins with ~, which no client expands");
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
                        "HOME is not {home}, where libpq 14 and older, pgx 4 and pgjdbc look"
                    ));
                }
            }
        }
    }
}

/// Warns of variables that keep clients from what pgcred writes. A service that is called like a
/// connection is the one that `pgcred setup psql` has made.
pub(super) fn warn_about_variables(preferences: &Preferences) {
    if env::var_os("PGPASSWORD").is_some() {
        preferences
            .output
            .warn("PGPASSWORD is set: clients use it and do not look into the passfile");
    }
    if let Some(service) =
        env::var("PGSERVICE").filter(|service| preferences.config.connection(service).is_none())
    {
        let text = format!(
            "PGSERVICE is set: clients go to the host and user of the service `{service}`, unless told otherwise"
        );
        preferences.output.warn(&text);
    }
}

/// Tells whether a file stands in a git repository that does not ignore it.
fn may_be_published(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    }; // a link may lead into one
    if !path
        .ancestors()
        .skip(1)
        .any(|directory| directory.join(".git").exists())
    {
        return false;
    }
    let directory = path.parent().unwrap_or(&path).display().to_string();
    let words = child::words([
        "git",
        "-C",
        &directory,
        "check-ignore",
        "--quiet",
        "--",
        &path.display().to_string(),
    ]);
    let ignored = child::output(&words, Instant::now() + Duration::from_secs(2), Bond::Alone);
    !ignored.is_ok_and(|ended| ended.status.success())
}
