//! Decides whether pgcred believes a file or a directory, by its owner and mode, and says why not.
//!
//! pgcred believes root and the user, and nobody else. It checks
//!
//! - the owner of `PGCRED_HOME`, and for root that of HOME, once in each run. The mode of
//!   `PGCRED_HOME` is not checked, because volumes of containers are open to all users. Each file
//!   and directory in it is checked by itself;
//! - the configuration, the index, root certificates and other files that pgcred keeps for itself,
//!   whenever one is read. The open file is checked, which nobody can exchange;
//! - the directories on the way to a configuration that defines commands, as OpenSSH does for its
//!   own: who can exchange the file could have pgcred run anything;
//! - the directories of the cache and of private files, when something is made in them;
//! - links, locks and passfiles, when they are used for writing;
//! - the directories of package managers and everything above them, when a program is looked for;
//! - the owner of the directory for temporary files and everything above it, when a private
//!   directory is made or removed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::platform;
use crate::error::{Error, ErrorReason, Result};
use crate::sys::{env, paths};
use crate::text::quote;

/// The hint about another user's file. It does not say how to take the file over, because the file
/// may be a trap: its text may be false, and it may be a link.
const FIND_OUT_WHY: &str = "find out why that user made it, then remove it, or name another one";

/// Tells whether a file belongs to the user or root, and no other user can change it.
pub(super) fn is_trusted(metadata: &Metadata) -> bool {
    platform::untrusted_owner(metadata).is_none() && platform::mode_for_others(metadata).is_none()
}

/// Tells whether only the user and root can put files into a directory, or another directory in its
/// place.
pub(crate) fn is_trusted_directory(path: &Path) -> bool {
    if !is_trusted_place(path) {
        return false;
    }
    match fs::metadata(path) {
        Ok(metadata) => is_trusted(&metadata),
        Err(_) => false,
    }
}

/// Tells whether only the user and root can put another directory in the place of a directory.
/// Other users may be able to make files in it.
///
/// A user who can change a directory above it, or a link that leads to it, could exchange it.
/// Therefore each of them is checked.
pub(crate) fn is_trusted_place(path: &Path) -> bool {
    untrusted_part(path, |_| false).is_none()
}

/// Refuses a file in whose place other users can put another one.
///
/// A directory on a file system that is mounted read-only is as it is: Kubernetes opens such
/// volumes to all users. What is above the home directory is not looked at, as OpenSSH does not:
/// who can exchange that has the start files of the user's shell too.
pub(crate) fn check_place(path: &Path) -> Result<()> {
    let Ok(absolute) = std::path::absolute(path) else {
        return Ok(()); // the directory in which pgcred runs is gone
    };
    let home = env::home();
    let is_spared = |place: &Path| match &home {
        Some(home) if home != place && home.starts_with(place) => true,
        _ => platform::is_read_only(place),
    };
    let Some(part) = untrusted_part(&absolute, is_spared) else {
        return Ok(());
    };
    let (shown, place) = (path.display(), part.display());
    let Ok(metadata) = fs::symlink_metadata(&part) else {
        return Err(Error::changed_meanwhile(place));
    };
    if let Some(owner) = platform::untrusted_owner(&metadata) {
        return Err(Error::usage(format!(
            "{shown} is not used: {place} belongs to {owner}, who can replace it"
        ))
        .hint("move it to a directory of your own"));
    }
    let mode = platform::mode_for_others(&metadata).unwrap_or_default();
    Err(Error::usage(format!(
        "{shown} is not used: other users can replace it, because {place} has the mode {mode:03o}"
    ))
    .hint(format!(
        "run `chmod go-w {}`",
        quote::posix(&part.to_string_lossy())
    )))
}

/// Returns a directory or link on the way to a path that other users can exchange, or what is in
/// it. Those that are spared do not count.
fn untrusted_part(path: &Path, is_spared: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    const MAX_LINKS: usize = 40;
    let mut links = 0;
    let mut here = PathBuf::new();
    let mut rest = path.to_owned();
    loop {
        let mut parts = rest.components();
        let part = parts.next()?;
        here.push(part);
        let after = parts.as_path().to_owned();
        if matches!(part, Component::Prefix(_)) {
            rest = after;
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(&here) else {
            return Some(here);
        };
        if platform::untrusted_owner(&metadata).is_some() && !is_spared(&here) {
            return Some(here);
        }
        if metadata.is_symlink() {
            links += 1;
            let Ok(target) = fs::read_link(&here) else {
                return Some(here);
            };
            if links > MAX_LINKS {
                return Some(here);
            }
            here.pop();
            rest = target.join(after);
        } else {
            // In a sticky directory other users can make files, but they cannot replace the files
            // of the user and of root.
            let is_above = !after.as_os_str().is_empty();
            if is_above
                && !platform::is_sticky(&metadata)
                && platform::mode_for_others(&metadata).is_some()
                && !is_spared(&here)
            {
                return Some(here);
            }
            rest = after;
        }
    }
}

/// Tells whether other users can exchange the files in a directory.
pub(super) fn can_be_exchanged_in(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else {
        return true;
    };
    if platform::untrusted_owner(&metadata).is_some() {
        return true;
    }
    !platform::is_sticky(&metadata) && platform::mode_for_others(&metadata).is_some()
}

/// Refuses a file that another user owns or can change.
pub(super) fn check_trust(path: &Path, metadata: &Metadata) -> Result<()> {
    check_owner(path, metadata)?;
    let Some(mode) = platform::mode_for_others(metadata) else {
        return Ok(());
    };
    Err(Error::usage(format!(
        "{} is not used: its mode {mode:03o} lets other users change it",
        path.display()
    ))
    .hint(format!(
        "run `chmod go-w {}`",
        quote::posix(&path.to_string_lossy())
    ))
    .because(ErrorReason::NotOwn))
}

/// Refuses a file that another user owns. The mode is not checked, because that of a link says
/// nothing.
pub(super) fn check_owner(path: &Path, metadata: &Metadata) -> Result<()> {
    let Some(owner) = platform::untrusted_owner(metadata) else {
        return Ok(());
    };
    let path = path.display();
    let as_owner = if platform::is_root() {
        format!("; or run pgcred as {owner}")
    } else {
        String::new()
    };
    Err(
        Error::usage(format!("{path} is not used: it belongs to {owner}"))
            .hint(format!("{FIND_OUT_WHY}{as_owner}"))
            .because(ErrorReason::NotOwn),
    )
}

/// Checks the owner of a path, and if it is a link also the owner of the file to which it leads. A
/// path that does not exist or cannot be read is not an error here; its use will be one.
pub(crate) fn check_owner_of_path(path: &Path) -> Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    check_owner(path, &metadata)?;
    if metadata.is_symlink() {
        return match fs::metadata(path) {
            Ok(metadata) => check_owner(path, &metadata),
            Err(_) => Ok(()),
        };
    }
    Ok(())
}

/// Checks a path as [`check_trust`] does. A path that does not exist or cannot be read is not an
/// error here.
pub(crate) fn check_path(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) => check_trust(path, &metadata),
        Err(_) => Ok(()),
    }
}

/// Returns an error if this is root in the home directory of another user. That user could not use
/// the files that root makes there, and root must not believe the files of that user.
///
/// Returns `None` if `PGCRED_HOME` is set, because then pgcred does not use HOME.
pub(crate) fn root_in_foreign_home_error() -> Option<Error> {
    if !platform::is_root() || paths::own_home().is_some() {
        return None;
    }
    let home = env::home()?;
    let owner = platform::untrusted_owner(&fs::metadata(&home).ok()?)?;
    let home = home.display();
    let message = format!("HOME is {home}, which belongs to {owner}, and this is root");
    Some(Error::usage(message).hint(format!(
        "use `sudo -H`, which gives root its own HOME; in a container set HOME, or PGCRED_HOME and \
         PGPASSFILE, to root's own directories; to act for {owner}, run `sudo -u {owner} -H pgcred \
         ...`"
    )))
}

/// Refuses, for root, to write a file that may be a trap or that would be in a user's way.
///
/// - A file that belongs neither to root nor to the owner of its directory may be a trap for root,
///   unless only root can put files into that directory.
/// - A new file of root's in another user's directory could not be changed by that user.
pub(super) fn check_for_root(path: &Path, directory: &Path, old: Option<&Metadata>) -> Result<()> {
    if !platform::is_root() {
        return Ok(());
    }
    let mut directory_owner = None;
    let mut is_trusted_directory = false;
    if let Ok(metadata) = fs::metadata(directory) {
        directory_owner = platform::untrusted_owner(&metadata);
        is_trusted_directory = is_trusted(&metadata);
    }
    match (old, directory_owner) {
        (None, None) => Ok(()),
        (None, Some(owner)) => Err(root_file_in_user_directory_error(&owner, path)),
        (Some(old), directory_owner) => match platform::untrusted_owner(old) {
            Some(owner) if !is_trusted_directory && directory_owner.as_ref() != Some(&owner) => {
                Err(foreign_file_error(&owner, path))
            }
            _ => Ok(()),
        },
    }
}

fn root_file_in_user_directory_error(owner: &str, path: &Path) -> Error {
    let shown = path.display();
    Error::usage(format!(
        "{shown} would be a file of root's in a directory that belongs to {owner}"
    ))
    .hint(format!(
        "run `sudo -u {owner} -H pgcred ...` to write it as {owner}, or name another file"
    ))
}

fn foreign_file_error(owner: &str, path: &Path) -> Error {
    let quoted_path = quote::posix(&path.to_string_lossy());
    Error::usage(format!(
        "{} belongs to {owner}, but its directory does not",
        path.display()
    ))
    .hint(format!(
        "check who has put it there, then run `chown root {quoted_path}`"
    ))
}

/// Adds to a permission error which file or directory belongs to another user, and how to get it
/// back. Older versions of pgcred left such files when root ran them in a user's home.
pub(super) fn explain_denial(path: &Path, cause: &io::Error, error: Error) -> Error {
    if cause.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    for place in path.ancestors() {
        let Ok(metadata) = fs::symlink_metadata(place) else {
            continue;
        };
        if let Some(owner) = platform::other_owner(&metadata) {
            let is_owned_by_root = platform::untrusted_owner(&metadata).is_none();
            return if place == path && !metadata.is_dir() {
                explain_file(path, &owner, is_owned_by_root, error)
            } else {
                explain_directory(place, &owner, is_owned_by_root, error)
            };
        }
        if metadata.is_dir() {
            break;
        }
    }
    error
}

fn explain_file(path: &Path, owner: &str, is_owned_by_root: bool, error: Error) -> Error {
    let error = error.noting(&format!("it belongs to {owner}"));
    if !is_owned_by_root {
        return error.hint(FIND_OUT_WHY);
    }
    let quoted_path = quote::posix(&path.to_string_lossy());
    error.hint(format!(
        "make it yours with `sudo chown \"$(id -un)\" {quoted_path}`, or name another file"
    ))
}

/// Gives a hint only for a directory of root's inside the user's home. Elsewhere root may have made
/// it on purpose.
fn explain_directory(directory: &Path, owner: &str, is_owned_by_root: bool, error: Error) -> Error {
    let error = error.noting(&format!("{} belongs to {owner}", directory.display()));
    let is_in_home =
        env::home().is_some_and(|home| directory.starts_with(&home) && directory != home);
    if !is_in_home || !is_owned_by_root {
        return error;
    }
    let quoted_path = quote::posix(&directory.to_string_lossy());
    error.hint(format!(
        "make it yours with `sudo chown -R \"$(id -un)\" {quoted_path}`"
    ))
}
