//! Whose a file is, and who else can change it: the one place that decides what pgcred believes,
//! and that says why not.
//!
//! Root and the user are believed, nobody else. Where this is asked:
//! - The owner of `PGCRED_HOME` and, for root, of HOME: once in each run. The mode of `PGCRED_HOME`
//!   is not asked: volumes of containers are open to all, and each file and directory in it that
//!   pgcred believes is looked at by itself.
//! - The configuration, the index, root certificates and the other files that pgcred keeps for
//!   itself: of the open file, whenever one is read.
//! - The directories of the cache and of private files: when something is made in them.
//! - Links, locks and passfiles: when they are used for writing.
//! - The directories that are searched behind PATH, and all that lead there: when a program is
//!   looked for.
//! - The owner of the directory for temporary files, and all that lead there: when a private
//!   directory is made or removed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::platform;
use crate::error::{Error, Result};
use crate::sys::{env, paths};
use crate::text::quote;

/// What to do about another user's file. It may be a trap: who takes it over as it is believes what
/// is in it, and follows it where it is a link.
const SEE_WHO: &str = "see who has put it there and why, then remove it, or name another one";

/// Tells whether nobody but the user and root owns this or can change it.
pub(super) fn is_trusted(metadata: &Metadata) -> bool {
    platform::stranger(metadata).is_none() && platform::mode_for_others(metadata).is_none()
}

/// Tells whether nobody but the user and root decides what is found in a directory, now and later.
pub(crate) fn is_trusted_directory(path: &Path) -> bool {
    is_trusted_place(path) && fs::metadata(path).is_ok_and(|metadata| is_trusted(&metadata))
}

/// As [`is_trusted_directory`], but others may be able to make files in it: whoever can change a
/// directory or a link on the way to it could put another one in its place.
pub(crate) fn is_trusted_place(path: &Path) -> bool {
    const MOST_LINKS: usize = 40;
    let mut links = 0;
    let mut here = PathBuf::new();
    let mut rest = path.to_owned();
    loop {
        let mut parts = rest.components();
        let Some(part) = parts.next() else {
            return true;
        };
        here.push(part);
        let after = parts.as_path().to_owned();
        if matches!(part, Component::Prefix(_)) {
            rest = after;
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(&here) else {
            return false;
        };
        if platform::stranger(&metadata).is_some() {
            return false;
        }
        if metadata.is_symlink() {
            links += 1;
            let Ok(target) = fs::read_link(&here) else {
                return false;
            };
            if links > MOST_LINKS {
                return false;
            }
            here.pop();
            rest = target.join(after);
        } else {
            // In a sticky directory others can make files, but they cannot replace those of the
            // user and of root.
            let is_on_the_way = !after.as_os_str().is_empty();
            if is_on_the_way
                && !platform::is_sticky(&metadata)
                && platform::mode_for_others(&metadata).is_some()
            {
                return false;
            }
            rest = after;
        }
    }
}

/// Tells whether others can put something else in the place of what is in a directory.
pub(super) fn can_be_exchanged_in(path: &Path) -> bool {
    !fs::metadata(path).is_ok_and(|metadata| {
        platform::stranger(&metadata).is_none()
            && (platform::is_sticky(&metadata) || platform::mode_for_others(&metadata).is_none())
    })
}

/// Says who else owns this or can change it, and what to type.
pub(super) fn check(path: &Path, metadata: &Metadata) -> Result<()> {
    check_owner(path, metadata)?;
    let Some(mode) = platform::mode_for_others(metadata) else {
        return Ok(());
    };
    Err(Error::usage(format!(
        "{} is not used: its mode {mode:03o} lets other users change it",
        path.display()
    ))
    .hint(format!(
        "chmod go-w {}",
        quote::posix(&path.to_string_lossy())
    )))
}

/// As [`check`], of the owner alone: the mode of a link says nothing.
pub(super) fn check_owner(path: &Path, metadata: &Metadata) -> Result<()> {
    let Some(owner) = platform::stranger(metadata) else {
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
            .hint(format!("{SEE_WHO}{as_owner}")),
    )
}

/// As [`check_owner`], for a path, and for the link that it may be. A path that is missing, or that
/// cannot be looked at, is no error yet: using it will be one.
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

/// As [`check`], for a path. A path that is missing, or that cannot be looked at, is no error yet.
pub(crate) fn check_path(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) => check(path, &metadata),
        Err(_) => Ok(()),
    }
}

/// Root in the home directory of another user would lock that user out of the files that it makes
/// there, and must not believe what is there. Returns that as an error where it is so.
///
/// Only the directories that pgcred uses count: with `PGCRED_HOME` that is not HOME.
pub(crate) fn roots_foreign_home() -> Option<Error> {
    if !platform::is_root() || paths::own_home().is_some() {
        return None;
    }
    let home = env::home()?;
    let owner = platform::stranger(&fs::metadata(&home).ok()?)?;
    let home = home.display();
    let why = format!("HOME is {home}, which belongs to {owner}, and this is root");
    Some(Error::usage(why).hint(format!(
        "sudo -H gives root its own HOME; in a container set HOME, or PGCRED_HOME and PGPASSFILE, \
         to root's own directories; to act for {owner}: sudo -u {owner} -H pgcred ..."
    )))
}

/// Refuses what root would do to somebody else's file: a file that is neither root's nor of whom
/// its directory belongs to may have been put there for root to fall into, unless only root can put
/// files there; and a new file of root's in another user's directory is in that user's way.
pub(super) fn check_for_root(path: &Path, directory: &Path, old: Option<&Metadata>) -> Result<()> {
    if !platform::is_root() {
        return Ok(());
    }
    let of_directory = fs::metadata(directory).ok();
    let directories = of_directory.as_ref().and_then(platform::stranger);
    let files = old
        .and_then(platform::stranger)
        .filter(|_| !of_directory.as_ref().is_some_and(is_trusted));
    let shown = path.display();
    match (old, files, directories) {
        (None, _, Some(owner)) => Err(Error::usage(format!(
            "{shown} would be a file of root's in a directory that belongs to {owner}"
        ))
        .hint(format!(
            "sudo -u {owner} -H pgcred ... writes it as {owner}; or name another file"
        ))),
        (Some(_), Some(owner), directories) if directories.as_ref() != Some(&owner) => {
            Err(Error::usage(format!(
                "{shown} belongs to {owner}, but its directory does not"
            ))
            .hint(format!(
                "check who has put it there, then: chown root {}",
                quote::posix(&path.to_string_lossy())
            )))
        }
        _ => Ok(()),
    }
}

/// Adds to an error whose the file or directory in the way is, and how to get it back. One run as
/// root in a user's home used to leave such files.
pub(super) fn explain_denial(path: &Path, cause: &io::Error, error: Error) -> Error {
    if cause.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    for place in path.ancestors() {
        let Ok(metadata) = fs::symlink_metadata(place) else {
            continue;
        };
        let shown = place.display();
        if let Some(owner) = platform::other_owner(&metadata) {
            let is_roots = platform::stranger(&metadata).is_none();
            if place == path && !metadata.is_dir() {
                let make_yours = format!(
                    "make it yours with: sudo chown \"$(id -un)\" {}; or name another file",
                    quote::posix(&place.to_string_lossy())
                );
                let hint = if is_roots {
                    make_yours
                } else {
                    SEE_WHO.to_owned()
                };
                return error.noting(&format!("it belongs to {owner}")).hint(hint);
            }
            let error = error.noting(&format!("{shown} belongs to {owner}"));
            // Outside of the user's home it may be right as it is.
            let is_users = match env::home() {
                Some(home) => place.starts_with(&home) && place != home,
                None => false,
            };
            let hint = format!(
                "make it yours with: sudo chown -R \"$(id -un)\" {}",
                quote::posix(&place.to_string_lossy())
            );
            return if is_users && is_roots {
                error.hint(hint)
            } else {
                error
            };
        }
        if metadata.is_dir() {
            break;
        }
    }
    error
}
