//! Removes every token, and all that pgcred keeps besides its configuration and the files of tools,
//! for `pgcred erase --all`.
//!
//! The order is: the passfiles, then the cache with the index. Where a passfile cannot be cleared,
//! the index stays and goes on naming it, so that the next run finds it again.

use std::path::{Path, PathBuf};

use super::EraseCommand;
use super::tokens::{check_reachable, erase_in_passfile};
use crate::cache::{Cache, CacheIndex};
use crate::command::app::App;
use crate::command::errors::all_errors;
use crate::command::tool_undo;
use crate::error::Result;
use crate::output::Output;
use crate::roots;
use crate::setup::Machine;
use crate::sys::fs;

impl EraseCommand {
    /// Removes everything. It goes on where something cannot be removed, and names it.
    pub(super) fn erase_everything(&self, app: &mut App) -> Result<()> {
        let output = app.preferences.output;
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let mut errors = Vec::new();
        let mut passfiles_left = Vec::new();
        let mut has_erased = false;
        for path in self.passfiles(&index)? {
            match erase_all_in(&path, &index, output) {
                Ok(had_token) => has_erased |= had_token,
                Err(error) => {
                    errors.push(error);
                    passfiles_left.push(path);
                }
            }
        }
        if passfiles_left.is_empty() {
            for removed in remove_own_files(app) {
                match removed {
                    Ok(path) => {
                        has_erased = true;
                        output.note(&format!("{}: removed", path.display()));
                    }
                    Err(error) => errors.push(error),
                }
            }
        } else if let Some(cache) = app.issuer.cache()
            && let Err(error) = cache.erase_tokens(passfiles_left)
        {
            errors.push(error);
        }
        if !has_erased && errors.is_empty() {
            output.note("there was nothing to erase");
        }
        all_errors(errors, output, |count| {
            format!("{count} places could not be erased")
        })
    }
}

/// Removes every token from a passfile. Tells whether there was one.
fn erase_all_in(path: &Path, index: &CacheIndex, output: Output) -> Result<bool> {
    if index.known_passfiles().contains(path) {
        check_reachable(path)?;
    }
    let erased_lines = erase_in_passfile(path, output, |_| true)?;
    Ok(!erased_lines.is_empty())
}

/// Removes cached tokens, the index, the key, what programs that were killed have left, and root
/// certificates. Returns what was there, and what could not be removed.
fn remove_own_files(app: &mut App) -> Vec<Result<PathBuf>> {
    let output = app.preferences.output;
    let mut results = Vec::new();
    if let Some(cache) = app.issuer.take_cache() {
        match cache.erase() {
            Ok(Some(directory)) => results.push(Ok(directory.to_owned())),
            Ok(None) => {}
            Err(error) => results.push(Err(error)),
        }
    }
    results.extend(remove_private_directories(output));
    results.extend(remove_roots(output));
    results
}

/// Removes what programs that were killed have left. Programs that run keep theirs.
fn remove_private_directories(output: Output) -> Vec<Result<PathBuf>> {
    let (removed, directories_in_use) = fs::remove_private_directories();
    for directory in directories_in_use {
        output.note(&format!(
            "{} stays: the program of a `pgcred exec` runs and needs it",
            directory.display()
        ));
    }
    removed
}

/// Removes root certificates, unless a tool that is set up names them.
fn remove_roots(output: Output) -> Vec<Result<PathBuf>> {
    let files = roots::written_files();
    if files.is_empty() {
        return Vec::new();
    }
    if let Ok(machine) = Machine::current(None)
        && tool_undo::is_anything_left(&machine)
    {
        output.note(
            "root certificates stay, because tools that are set up name them; \
             `pgcred setup --undo` first",
        );
        return Vec::new();
    }
    let remove = |file: PathBuf| -> Result<PathBuf> {
        roots::remove_file(&file)?;
        Ok(file)
    };
    files.into_iter().map(remove).collect()
}
