//! Reads files of pgcred and of the user. Each read is limited in length, a pipe never makes it
//! wait, and a file that an editor is saving at this moment is read when it is whole. No lock is
//! taken: each file is replaced as a whole.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use super::path::PAUSE;
use super::{platform, trust};
use crate::error::{Error, ErrorReason, Result};
use crate::sys::{env, typed_commands};

/// The longest file that pgcred reads as a whole, in bytes. Ten thousand tokens have 20 MiB.
const MAX_FILE_SIZE: u64 = 64 << 20;

/// Returns the bytes of a regular file. A file that cannot be read counts as missing. So does a
/// pipe, because reading it might never end.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    let (bytes, _) = read_regular(path).ok()?;
    Some(bytes)
}

/// Reads a file that pgcred keeps for itself, as [`read`] does. A file that another user owns or
/// can change counts as missing.
pub(crate) fn read_own(path: &Path) -> Option<Vec<u8>> {
    let (bytes, metadata) = read_regular(path).ok()?;
    if trust::is_trusted(&metadata) {
        Some(bytes)
    } else {
        None
    }
}

fn read_regular(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let Some((bytes, metadata)) = read_once(path)? else {
        return Err(io::ErrorKind::NotFound.into());
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok((bytes, metadata))
}

/// Returns the text of a file; `None` if the file does not exist. A file that cannot be read, is
/// not UTF-8 or is not a regular file is an error. A caller knows by which option another file is
/// named, and gives that as the hint.
pub(crate) fn read_plain(path: &Path) -> Result<Option<String>> {
    match read_dated(path, FileTrust::Any)? {
        Some((text, _)) => Ok(Some(text)),
        None => Ok(None),
    }
}

/// Whose files are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileTrust {
    /// Those that only the user, or root, owns and can change.
    OwnOnly,
    Any,
}

/// Returns a text as [`read_plain`] does, with the time of its last change.
///
/// Returns `None` only if the file certainly does not exist. Otherwise a caller would take settings
/// that cannot be read for settings that nobody has made. With [`FileTrust::OwnOnly`] a file that
/// another user owns or can change is an error too.
pub(crate) fn read_dated(
    path: &Path,
    file_trust: FileTrust,
) -> Result<Option<(String, Option<SystemTime>)>> {
    let shown = path.display();
    let file = match read_settled(path) {
        Ok(file) => file,
        Err(error) => return Err(Error::reading(path, &error)),
    };
    let Some((bytes, metadata)) = file else {
        return Ok(None);
    };
    if !metadata.is_file() {
        // No hint: the caller knows by which option another file is named.
        return Err(Error::usage(format!("{shown} is not a regular file")));
    }
    if file_trust == FileTrust::OwnOnly {
        trust::check_trust(path, &metadata)?;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some((text, metadata.modified().ok()))),
        Err(_) => Err(Error::not_utf8(shown)),
    }
}

/// Returns the bytes of a file; `None` if it does not exist or is not a regular file.
pub(crate) fn read_if_plain(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_once(path) {
        Ok(Some((bytes, metadata))) if metadata.is_file() => Ok(Some(bytes)),
        Ok(_) => Ok(None),
        Err(error) => Err(Error::reading(path, &error)),
    }
}

/// Returns the bytes of a small file that only the user can read; `None` if it does not exist or
/// other users can read it. A file of another user is an error.
pub(crate) fn read_private(path: &Path) -> Result<Option<Vec<u8>>> {
    let (bytes, metadata) = match read_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::reading(path, &error)),
    };
    if !platform::is_own(&metadata) {
        let shown = path.display();
        let remove = typed_commands::remove_file(path);
        return Err(
            Error::usage(format!("{shown} is not used: it belongs to another user"))
                .hint(format!("find out which user made it, then run `{remove}`"))
                .because(ErrorReason::NotOwn),
        );
    }
    if platform::is_open_to_others(&metadata) {
        return Ok(None);
    }
    Ok(Some(bytes))
}

/// Reads a file as [`read_once`] does, but waits up to a second while a program seems to write it.
///
/// An editor that saves a file in place empties it first. Without the wait pgcred would take the
/// empty file for the whole one.
pub(super) fn read_settled(path: &Path) -> io::Result<Option<(Vec<u8>, Metadata)>> {
    const MAX_WAIT: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + MAX_WAIT;
    loop {
        let file = read_once(path)?;
        match &file {
            Some((_, metadata)) if may_be_cut(metadata) && Instant::now() < deadline => {
                sleep(PAUSE);
            }
            _ => return Ok(file),
        }
    }
}

/// Tells whether a program seems to write a file at this moment: the file was changed in the last
/// two seconds, and its length is that of some full buffers, or 0.
fn may_be_cut(metadata: &Metadata) -> bool {
    const BUFFER: u64 = 4096;
    const RECENT_TIME: Duration = Duration::from_secs(2);
    if !metadata.is_file() || !metadata.len().is_multiple_of(BUFFER) {
        return false;
    }
    let Ok(modified_at) = metadata.modified() else {
        return false;
    };
    match modified_at.elapsed() {
        Ok(age) => age < RECENT_TIME,
        Err(_) => false, // the clock was set back
    }
}

/// Returns the bytes of a file, none if it is not a regular one; `None` if it does not exist. A
/// file that is too long is an error.
pub(super) fn read_once(path: &Path) -> io::Result<Option<(Vec<u8>, Metadata)>> {
    let file = read_at_most(path, MAX_FILE_SIZE + 1)?;
    match &file {
        Some((bytes, _)) if bytes.len() as u64 > MAX_FILE_SIZE => Err(io::Error::other(format!(
            "it is larger than {} MiB",
            MAX_FILE_SIZE >> 20
        ))),
        _ => Ok(file),
    }
}

/// Returns at most so many bytes from the beginning of a file, none if it is not a regular one.
pub(super) fn read_at_most(path: &Path, max_bytes: u64) -> io::Result<Option<(Vec<u8>, Metadata)>> {
    let mut options = OpenOptions::new();
    platform::nonblocking(options.read(true)); // a pipe without a writer must not stop pgcred
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    if metadata.is_file() {
        let length = usize::try_from(metadata.len().min(max_bytes)).unwrap_or_default();
        bytes.reserve(length.saturating_add(1));
        file.take(max_bytes).read_to_end(&mut bytes)?;
    }
    Ok(Some((bytes, metadata)))
}

/// Tells whether an error means that a file does not exist. The path of its directory may lead to a
/// file that is not a directory.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Checks why a file does not exist. It is an error if the file or a directory above it is a link
/// to nowhere, and if a regular file stands in the place of a directory: the user has a file in
/// mind.
///
/// It is no error if a device such as `/dev/null` stands there, or if HOME is a file: then the user
/// wants to have no files.
pub(crate) fn check_absence(path: &Path) -> Result<()> {
    for place in path.ancestors() {
        if let Ok(metadata) = fs::symlink_metadata(place) {
            return check_existing(place, &metadata, path);
        }
    }
    Ok(())
}

/// Checks the nearest part of the path that exists.
fn check_existing(place: &Path, metadata: &Metadata, path: &Path) -> Result<()> {
    let shown = place.display();
    let mut is_file = metadata.is_file();
    if metadata.is_symlink() {
        let Ok(target) = fs::metadata(place) else {
            let kind = if place == path { "file" } else { "directory" };
            let message = format!("{shown} is a link to a {kind} that does not exist");
            let hint = format!("make the {kind} available again, or remove the link");
            return Err(Error::usage(message).hint(hint));
        };
        is_file = target.is_file();
    }
    if is_file && place != path && env::home().as_deref() != Some(place) {
        return Err(Error::usage(format!("{shown} is not a directory"))
            .hint("move that file away, or name a configuration file with --config"));
    }
    Ok(())
}
