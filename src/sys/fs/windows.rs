//! Windows: a user's profile directories are private by inheritance; there is no mode to keep.

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

pub(super) fn stranger(_: &Metadata) -> Option<String> {
    None
}

pub(super) fn mode_for_others(_: &Metadata) -> Option<u32> {
    None
}

pub(super) fn is_sticky(_: &Metadata) -> bool {
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

#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
pub(super) fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

pub(super) fn keep_mode(new: &File, old: &Metadata) -> io::Result<()> {
    new.set_permissions(old.permissions())
}

/// A lock's file stays, so it is always the one of that name.
pub(super) fn has_name(_: &File, _: &Path) -> bool {
    true
}

/// Stays: there is no safe way to tell a file that was removed from the one that was made after it.
pub(super) fn remove_lock(_: &Path) {}

#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
pub(super) fn make_private(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Returns what changes whenever a file's text does: here size and time.
pub(super) fn state(metadata: &Metadata) -> String {
    let times = (metadata.modified().ok(), metadata.created().ok());
    format!("{} {times:?}", metadata.len())
}

/// Nothing: readers could not read a file that is locked, and it is so until it has been closed in
/// its new place.
pub(super) fn claim(_: &File) {}

/// A new file stands in its place within a moment.
pub(super) fn is_abandoned(new: &Path) -> bool {
    const LONG: Duration = Duration::from_mins(10);
    let changed = std::fs::metadata(new).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > LONG))
}

pub(super) fn private(_: &mut OpenOptions) {}

pub(super) fn at_once(_: &mut OpenOptions) {}
pub(super) fn at_once_without_links(_: &mut OpenOptions) {}

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
