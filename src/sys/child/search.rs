//! Finds programs: in PATH, then in the directories in which package managers install. Programs
//! that a desktop starts have a short PATH.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;

/// Returns PATH with the directories of package managers behind it.
///
/// A directory that belongs to another user, or that another user can change, is left out:
/// otherwise the user who installed Homebrew on a shared machine could run programs as every other
/// user.
pub(super) fn search_path() -> OsString {
    let path = env::path();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for directory in env::program_directories() {
        if !directories.contains(&directory) && fs::trust::is_trusted_directory(&directory) {
            directories.push(directory);
        }
    }
    match std::env::join_paths(directories) {
        Ok(joined) => joined,
        Err(_) => path,
    }
}

/// Returns the path of a program.
pub(crate) fn find(program: &OsStr) -> Option<PathBuf> {
    if let Some(path) = find_name(program) {
        return Some(path);
    }
    if cfg!(windows) {
        // Windows tries the extensions in PATHEXT. The usual ones are tried here too, because some
        // environments lack that variable.
        for extension in ["exe", "cmd"] {
            let mut name = program.to_owned();
            name.push(".");
            name.push(extension);
            if let Some(path) = find_name(&name) {
                return Some(path);
            }
        }
    }
    None
}

/// Returns a link in PATH that has the name of a program and leads nowhere.
pub(crate) fn find_broken_link(program: &str) -> Option<PathBuf> {
    for directory in std::env::split_paths(&env::path()) {
        let path = directory.join(program);
        if path.is_symlink() && !path.exists() {
            return Some(path);
        }
    }
    None
}

fn find_name(name: &OsStr) -> Option<PathBuf> {
    // Most programs are in PATH. For them the other directories need not be checked.
    if let Some(path) = find_in(env::path(), name) {
        return Some(path);
    }
    find_in(search_path(), name)
}

fn find_in(path: OsString, name: &OsStr) -> Option<PathBuf> {
    which::which_in(name, Some(path), env::current_directory()).ok()
}

/// Returns the path of the running program. If an upgrade has moved it, returns the path that its
/// name leads to now.
pub(crate) fn own_program() -> Result<PathBuf> {
    let path = match env::own_program() {
        Ok(path) => path,
        Err(error) => {
            return Err(Error::system("pgcred's own path is unknown", &error)
                .hint("run pgcred by its whole path"));
        }
    };
    if path.exists() {
        return Ok(path);
    }
    let name = env::arguments().into_iter().next().unwrap_or_default();
    match find(&name) {
        Some(path_now) => Ok(path_now),
        None => Err(Error::failure(format!(
            "pgcred is no longer at {}, and was not found in PATH",
            path.display()
        ))
        .hint("install it there again, or add its directory to PATH")),
    }
}

/// Returns the path at which a search for pgcred finds the running program, and otherwise the
/// program's own path, which may change with its version.
pub(crate) fn own_path() -> Result<PathBuf> {
    let running = own_program()?;
    if let Some(in_path) = find("pgcred".as_ref())
        && in_path.canonicalize().ok() == running.canonicalize().ok()
        && let Ok(in_path) = std::path::absolute(in_path)
    {
        return Ok(in_path);
    }
    Ok(running)
}
