//! Implements the Windows half of `sys::fs`, by the name `platform`: owners and locks. The
//! directories of a user's profile are private, and the files in them inherit that, so there is no
//! mode to set or to check.

use std::fs::{File, Metadata, OpenOptions, create_dir_all};
use std::io;
use std::path::Path;
use std::time::Duration;

pub(super) fn is_own(_: &Metadata) -> bool {
    true
}

pub(super) fn is_root() -> bool {
    false
}

pub(super) fn untrusted_owner(_: &Metadata) -> Option<String> {
    None
}

pub(super) fn mode_for_others(_: &Metadata) -> Option<u32> {
    None
}

pub(super) fn is_sticky(_: &Metadata) -> bool {
    false
}

pub(super) fn is_read_only(_: &Path) -> bool {
    false
}

pub(super) fn has_other_names(_: &Metadata) -> bool {
    false
}

pub(super) fn other_owner(_: &Metadata) -> Option<String> {
    None
}

pub(super) fn is_open_to_others(_: &Metadata) -> bool {
    false
}

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
pub(super) fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

pub(super) fn keep_mode(new: &File, old: &Metadata) -> io::Result<()> {
    new.set_permissions(old.permissions())
}

/// Returns true: the file of a lock is never removed, so its name always leads to it.
pub(super) fn has_name(_: &File, _: &Path) -> bool {
    true
}

/// Keeps the file of a lock. A waiting process could not tell a removed file from a new one of the
/// same name.
pub(super) fn remove_lock(_: &Path) {}

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
pub(super) fn make_private(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Returns a text that changes whenever the file's text does: its size and its times.
pub(super) fn stamp(metadata: &Metadata) -> String {
    let times = (metadata.modified().ok(), metadata.created().ok());
    format!("{} {times:?}", metadata.len())
}

/// Takes no lock: the file would still be locked for a moment after the rename, and its readers
/// would fail.
pub(super) fn lock_as_writer(_: &File) {}

/// Tells whether a new file is old: its writer needs only a moment to rename it.
pub(super) fn is_abandoned(new: &Path) -> bool {
    const MAX_WRITE_TIME: Duration = Duration::from_mins(10);
    let Ok(metadata) = std::fs::metadata(new) else {
        return false;
    };
    let Ok(modified_at) = metadata.modified() else {
        return false;
    };
    match modified_at.elapsed() {
        Ok(age) => age > MAX_WRITE_TIME,
        Err(_) => false, // the clock was set back
    }
}

pub(super) fn private_mode(_: &mut OpenOptions) {}

pub(super) fn nonblocking(_: &mut OpenOptions) {}
pub(super) fn nonblocking_without_links(_: &mut OpenOptions) {}

pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    create_dir_all(path)
}

pub(super) fn private_temporary_directory(
    prefix: &str,
    parent: &Path,
) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(prefix).tempdir_in(parent)
}

pub(super) fn sync_directory(_: &Path) {}

pub(super) fn is_locked(file: &File) -> bool {
    file.try_lock().is_err()
}
