//! Replaces files: as a whole, private, and only while they are as they were read.
//!
//! 1. Take the lock beside the file, and remove the new files that killed writers have left.
//! 2. Read the file, and let the caller make the new text.
//! 3. Write the new text into a new file beside the old one.
//! 4. Look at the old file again. If another program has changed it meanwhile, go back to 2.
//! 5. Rename the new file over the old one.
//!
//! Steps 3 and 5 alone are in `swap`.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::lock::{lock_file, remove_leftovers};
use super::path::{PAUSE, backup_path, cannot_write, directory_and_name, resolve_link};
use super::read::{read, read_once, read_settled};
use super::remove::remove;
use super::swap::{make_directory_of, new_file, replace_atomically, swap, sync};
use super::{platform, trust};
use crate::error::{Error, Result};

/// The result of [`edit`].
pub(crate) struct EditOutcome<T> {
    /// The value that the caller's editor returned.
    pub(crate) value: T,
    /// The file's text as it is now.
    pub(crate) text: Vec<u8>,
    /// Set if other users could read the file before.
    pub(crate) was_open_to_others: bool,
    /// Set if the file had other names (hard links), which still lead to the old text.
    pub(crate) had_hard_links: bool,
}

/// A file as it was read.
struct FileSnapshot {
    bytes: Vec<u8>,
    /// `None` if the file did not exist.
    metadata: Option<Metadata>,
}

impl FileSnapshot {
    fn read(path: &Path) -> Result<Self> {
        match read_settled(path) {
            Ok(None) => Ok(Self {
                bytes: Vec::new(),
                metadata: None,
            }),
            Ok(Some((_, metadata))) if !metadata.is_file() => Err(not_plain(path)),
            Ok(Some((bytes, metadata))) => Ok(Self {
                bytes,
                metadata: Some(metadata),
            }),
            Err(error) => Err(cannot_read(path, &error)),
        }
    }

    fn text(&self) -> Option<&[u8]> {
        match &self.metadata {
            Some(_) => Some(&self.bytes),
            None => None,
        }
    }

    /// Tells whether the file is still as it was read. A program that does not know pgcred's lock
    /// may have written it since.
    fn is_current(&self, path: &Path) -> bool {
        match (&self.metadata, read_once(path)) {
            (None, Ok(None)) => true,
            (Some(metadata), Ok(Some((bytes, now)))) => {
                let Ok(last) = fs::metadata(path) else {
                    return false;
                };
                let stamp_before = platform::stamp(metadata);
                // The bytes are compared too, because two changes within one tick of the system's
                // clock have the same time.
                stamp_before == platform::stamp(&now)
                    && bytes == self.bytes
                    && stamp_before == platform::stamp(&last)
            }
            _ => false,
        }
    }
}

/// Replaces a file's text by the text that `editor` returns, and returns the editor's second value.
/// `None` stands for no file, before and after.
///
/// Readers find the old text or the new one, and never a part of it. The same holds after a failure
/// or a kill at any point. Other calls of this function wait, in this process and in others. If the
/// path is a link, the file to which it leads is replaced. The new file is private, and keeps its
/// owner.
///
/// The file is compared for the last time just before it is replaced. If a program that knows no
/// lock has changed it meanwhile, the editor is called again with the new text. If that program
/// writes later, into the file that it opened before, its text is lost.
pub(crate) fn edit<T>(
    path: &Path,
    mut editor: impl FnMut(Option<&[u8]>) -> Result<(Option<Vec<u8>>, T)>,
) -> Result<EditOutcome<T>> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let path = &resolve_link(path)?;
    let (directory, name) = directory_and_name(path)?;
    if let Ok(metadata) = fs::metadata(path)
        && !metadata.is_file()
    {
        return Err(not_plain(path)); // before a lock is made beside it
    }
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        let snapshot = FileSnapshot::read(path)?;
        trust::check_for_root(path, directory, snapshot.metadata.as_ref())?;
        let result = match editor(snapshot.text()) {
            Ok((Some(text), value)) => replace_if_unchanged(path, &snapshot, text, value),
            Ok((None, value)) => remove_if_unchanged(path, &snapshot, value),
            Err(error) => Err(error),
        };
        match result {
            Ok(Some(outcome)) => return Ok(outcome),
            Err(error) if snapshot.is_current(path) => return Err(error),
            // The file has changed. An error may have come from a part of its text.
            Ok(None) | Err(_) => sleep(PAUSE),
        }
    }
    let (shown, seconds) = (path.display(), TIMEOUT.as_secs());
    let message = format!("another program has been changing {shown} for {seconds} s");
    Err(Error::failure(message).hint("end that program, then try again"))
}

/// Replaces the text of a file. Returns `None` if the file is no longer as it was seen: then
/// nothing was changed.
fn replace_if_unchanged<T>(
    path: &Path,
    snapshot: &FileSnapshot,
    text: Vec<u8>,
    value: T,
) -> Result<Option<EditOutcome<T>>> {
    let mut was_open_to_others = false;
    let mut had_hard_links = false;
    if let Some(old) = &snapshot.metadata {
        was_open_to_others = platform::is_open_to_others(old);
    }
    if text != snapshot.bytes || was_open_to_others {
        let new = new_file(path, &text)?;
        if let Some(old) = &snapshot.metadata {
            had_hard_links = platform::has_other_names(old);
            let file = new.as_file();
            platform::keep_owner(file, old).map_err(|error| cannot_write(path, &error))?;
            platform::make_private(file, old).map_err(|error| cannot_write(path, &error))?;
        }
        sync(&new, path)?;
        if !snapshot.is_current(path) {
            return Ok(None);
        }
        swap(new, path).map_err(|error| cannot_write(path, &error))?;
        sync_directory_of(path);
    }
    Ok(Some(EditOutcome {
        value,
        text,
        was_open_to_others,
        had_hard_links,
    }))
}

/// Removes a file. Returns `None` if the file is no longer as it was seen: then it stays.
fn remove_if_unchanged<T>(
    path: &Path,
    snapshot: &FileSnapshot,
    value: T,
) -> Result<Option<EditOutcome<T>>> {
    if !snapshot.is_current(path) {
        return Ok(None);
    }
    if snapshot.metadata.is_some() {
        remove(path)?;
    }
    Ok(Some(EditOutcome {
        value,
        text: Vec::new(),
        was_open_to_others: false,
        had_hard_links: false,
    }))
}

/// Replaces a file that only pgcred writes, and that may be lost in a power cut: this does not wait
/// for the disk. A file that another user owns or can change counts as empty, and is replaced by a
/// file of the user's own.
pub(crate) fn edit_cache(path: &Path, editor: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<()> {
    let path = &resolve_link(path)?;
    let (directory, name) = directory_and_name(path)?;
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let mut old = Vec::new();
    let mut is_private = false;
    match read_once(path) {
        Ok(None) => {}
        Ok(Some((_, metadata))) if !metadata.is_file() => return Err(not_plain(path)),
        Ok(Some((bytes, metadata))) => {
            if trust::is_trusted(&metadata) {
                old = bytes;
                is_private = !platform::is_open_to_others(&metadata);
            }
        }
        Err(error) => return Err(cannot_read(path, &error)),
    }
    let text = editor(&old);
    if is_private && old == text {
        return Ok(());
    }
    swap(new_file(path, &text)?, path).map_err(|error| cannot_write(path, &error))
}

/// Replaces a text as [`edit`] does, and makes the directory if it does not exist. If the new text
/// is empty, the file is removed, except behind a link.
pub(crate) fn edit_text(path: &Path, mut editor: impl FnMut(&str) -> Result<String>) -> Result<()> {
    make_directory_of(path)?;
    let name = path.display().to_string();
    edit(path, |old| {
        let Ok(old) = std::str::from_utf8(old.unwrap_or_default()) else {
            return Err(Error::not_utf8(&name));
        };
        let text = editor(old).map_err(|error| error.about(&name))?;
        if text.is_empty() && !path.is_symlink() {
            return Ok((None, ()));
        }
        Ok((Some(text.into_bytes()), ()))
    })?;
    Ok(())
}

/// Replaces a file by another text, or removes it. The file keeps its owner and mode. If the file
/// no longer has `old_text`, this is an error and nothing is changed.
///
/// `kept_text`, if it is given, is written into a copy beside the file, and the path of the copy is
/// returned.
pub(crate) fn replace(
    path: &Path,
    old_text: Option<&str>,
    new_text: Option<&str>,
    kept_text: Option<&str>,
) -> Result<Option<PathBuf>> {
    let path = &resolve_link(path)?;
    if old_text.is_some() || new_text.is_some() {
        make_directory_of(path)?;
    }
    let (directory, name) = directory_and_name(path)?;
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let snapshot = FileSnapshot::read(path)?;
    if snapshot.text() != old_text.map(str::as_bytes) {
        return Err(has_changed(path));
    }
    let copy = update_copy(directory, name, new_text, kept_text)?;
    let Some(new_text) = new_text else {
        if !snapshot.is_current(path) {
            return Err(has_changed(path));
        }
        remove(path)?;
        return Ok(copy);
    };
    let new = new_file(path, new_text.as_bytes())?;
    sync(&new, path)?;
    if let Some(old) = &snapshot.metadata {
        let result = platform::keep_owner(new.as_file(), old);
        let result = result.and_then(|()| platform::keep_mode(new.as_file(), old));
        result.map_err(|error| cannot_write(path, &error))?;
    }
    if !snapshot.is_current(path) {
        return Err(has_changed(path));
    }
    swap(new, path).map_err(|error| cannot_write(path, &error))?;
    Ok(copy)
}

/// Writes a text into the copy beside a file and returns the path of the copy. Without
/// `kept_text`, removes a copy that is the same as the file will be.
fn update_copy(
    directory: &Path,
    name: &OsStr,
    new_text: Option<&str>,
    kept_text: Option<&str>,
) -> Result<Option<PathBuf>> {
    let copy = backup_path(directory, name);
    if let Some(kept_text) = kept_text {
        replace_atomically(&copy, kept_text.as_bytes())?;
        return Ok(Some(copy));
    }
    if let Some(copy_text) = read(&copy)
        && copy_text == new_text.unwrap_or_default().as_bytes()
    {
        remove(&copy)?;
    }
    Ok(None)
}

/// Removes the copy beside a file that is the same as the file: a writer that was killed before it
/// changed the file has left it.
pub(crate) fn remove_needless_copy(path: &Path) -> Result<()> {
    let path = &resolve_link(path)?;
    let (directory, name) = directory_and_name(path)?;
    let copy = backup_path(directory, name);
    if read(&copy).is_none() {
        return Ok(());
    }
    let _lock = lock_file(directory, name)?;
    if read(path) == read(&copy) {
        remove(&copy)?;
    }
    Ok(())
}

fn has_changed(path: &Path) -> Error {
    Error::changed_meanwhile(path.display())
}

fn not_plain(path: &Path) -> Error {
    Error::usage(format!("{} is not a regular file", path.display()))
        .hint("move it away, or name another file")
}

fn cannot_read(path: &Path, cause: &io::Error) -> Error {
    trust::explain_denial(path, cause, Error::reading(path, cause))
}

fn sync_directory_of(path: &Path) {
    if let Ok((directory, _)) = directory_and_name(path) {
        platform::sync_directory(directory);
    }
}
