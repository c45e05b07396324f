//! Files of other users of the machine, and programs that run as another user. Root can make both.

#![cfg_attr(
    not(target_os = "linux"),
    allow(
        dead_code,
        unused_macros,
        unused_imports,
        reason = "most tests that use it run on Linux only"
    )
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::sandbox::Run;

/// Gives a path and all that is below it to a user.
pub fn give(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).expect("root may chown");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("a directory") {
            give(&entry.expect("an entry").path(), user);
        }
    }
}

pub fn run_as(mut command: Command, user: u32) -> Run {
    Run::of({
        command.uid(user).gid(user);
        command
    })
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

pub fn files_in(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
