//! Replaces files: whole, private, and only while they are as they were read.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tempfile::NamedTempFile;

use super::{
    NEW_SUFFIX, PAUSE, backup_path, cannot_write, lock_file, new_files, parts, platform,
    private_directory, read, read_once, remove, remove_leftovers, resolve, settled, suffixed,
    trust,
};
use crate::error::{Error, Result};

/// What [`edit`] did besides calling its editor.
pub(crate) struct Edited<T> {
    pub(crate) value: T,
    /// The file's text as it now is.
    pub(crate) text: Vec<u8>,
    /// Set where others could read the file before.
    pub(crate) was_open_to_others: bool,
    /// Set where the file had other names (hard links), which still lead to the old text.
    pub(crate) had_other_names: bool,
}

/// A file as it was read.
struct Seen {
    bytes: Vec<u8>,
    /// None where there is no file.
    metadata: Option<Metadata>,
}

impl Seen {
    fn of(path: &Path) -> Result<Self> {
        let failed = |error: &io::Error| {
            Error::failure(format!("cannot read {}", path.display())).caused_by(error)
        };
        match settled(path) {
            Ok(None) => Ok(Self {
                bytes: Vec::new(),
                metadata: None,
            }),
            Ok(Some((_, metadata))) if !metadata.is_file() => Err(not_plain(path)),
            Ok(Some((bytes, metadata))) => Ok(Self {
                bytes,
                metadata: Some(metadata),
            }),
            Err(error) => Err(trust::explain_denial(path, &error, failed(&error))),
        }
    }

    fn text(&self) -> Option<&[u8]> {
        self.metadata.as_ref().map(|_| &*self.bytes)
    }

    /// Tells whether the file is as it was read. Programs that do not know pgcred's lock may have
    /// written it since.
    fn is_current(&self, path: &Path) -> bool {
        match (&self.metadata, read_once(path)) {
            (None, Ok(None)) => true,
            (Some(before), Ok(Some((bytes, now)))) => {
                // The bytes too: two changes in one tick of the system's clock have the same time.
                let is_as_before =
                    |metadata: &Metadata| platform::state(before) == platform::state(metadata);
                let Ok(last) = fs::metadata(path) else {
                    return false;
                };
                is_as_before(&now) && bytes == self.bytes && is_as_before(&last)
            }
            _ => false,
        }
    }
}

/// Replaces a file's text by what `editor` makes of it and hands on the editor's second value.
/// `None` is no file, before and after.
///
/// Readers see the old text or the new one, never a part; a failure or kill at any point leaves one
/// of the two. Other writers that come through here wait. A link is followed and stays. The file is
/// private afterwards and keeps its owner.
///
/// The last look at the file is just before it is replaced: if a program that knows no lock has
/// changed it meanwhile, the editor is called again with the new text. What that program writes
/// later, into the file that it has opened before, is lost with that file.
pub(crate) fn edit<T>(
    path: &Path,
    mut editor: impl FnMut(Option<&[u8]>) -> Result<(Option<Vec<u8>>, T)>,
) -> Result<Edited<T>> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let path = &resolve(path)?;
    let (directory, name) = parts(path)?;
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(not_plain(path)); // before a lock is made beside it
    }
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let seen = Seen::of(path)?;
        trust::check_for_root(path, directory, seen.metadata.as_ref())?;
        let edited = editor(seen.text());
        match edited.and_then(|(text, value)| edit_once(path, &seen, text, value)) {
            Ok(Some(edited)) => return Ok(edited),
            Err(error) if seen.is_current(path) => return Err(error),
            // What was wrong may be that only a part of the file was there.
            Ok(None) | Err(_) => sleep(PAUSE),
        }
    }
    let waited = PATIENCE.as_secs();
    Err(Error::failure(format!(
        "another program has been changing {} for {waited} s",
        path.display()
    ))
    .hint("end that program, then try again"))
}

/// Replaces a file, unless it is no longer as it was seen: then nothing is done.
fn edit_once<T>(
    path: &Path,
    seen: &Seen,
    text: Option<Vec<u8>>,
    value: T,
) -> Result<Option<Edited<T>>> {
    let Some(text) = text else {
        if !seen.is_current(path) {
            return Ok(None);
        }
        if seen.metadata.is_some() {
            remove(path)?;
        }
        return Ok(Some(Edited {
            value,
            text: Vec::new(),
            was_open_to_others: false,
            had_other_names: false,
        }));
    };
    let old = seen.metadata.as_ref();
    let was_open_to_others = old.is_some_and(platform::is_open_to_others);
    let mut had_other_names = false;
    if text != seen.bytes || was_open_to_others {
        let new = new_file(path, &text)?;
        if let Some(old) = old {
            had_other_names = platform::has_other_names(old);
            let failed = |error: io::Error| cannot_write(path, &error);
            platform::keep_owner(new.as_file(), old).map_err(failed)?;
            platform::make_private(new.as_file(), old).map_err(failed)?;
        }
        sync(&new, path)?;
        if !seen.is_current(path) {
            return Ok(None);
        }
        swap(new, path).map_err(|error| cannot_write(path, &error))?;
        sync_directory_of(path);
    }
    Ok(Some(Edited {
        value,
        text,
        was_open_to_others,
        had_other_names,
    }))
}

/// As [`edit`], for a file that only pgcred writes and that may be lost in a power cut: it does not
/// wait for the disk.
pub(crate) fn edit_cache(path: &Path, editor: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<()> {
    let path = &resolve(path)?;
    let (directory, name) = parts(path)?;
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let old = match read_once(path) {
        Ok(Some((_, metadata))) if !metadata.is_file() => return Err(not_plain(path)),
        old => old.map_err(|error| {
            let failed =
                Error::failure(format!("cannot read {}", path.display())).caused_by(&error);
            trust::explain_denial(path, &error, failed)
        })?,
    };
    // What another user has put there is not believed, and is replaced by a file of the user's own.
    let old = old.filter(|(_, metadata)| trust::is_trusted(metadata));
    let text = editor(old.as_ref().map_or(&[], |(bytes, _)| bytes));
    if old.is_some_and(|(bytes, metadata)| bytes == text && !platform::is_open_to_others(&metadata))
    {
        return Ok(());
    }
    swap(new_file(path, &text)?, path).map_err(|error| cannot_write(path, &error))
}

/// As [`edit`], for text; the directory is made if it is missing. Of an empty text no file is left,
/// but behind a link.
pub(crate) fn edit_text(path: &Path, mut editor: impl FnMut(&str) -> Result<String>) -> Result<()> {
    make_directory_of(path)?;
    let name = path.display().to_string();
    let edited = edit(path, |old| {
        let old = std::str::from_utf8(old.unwrap_or_default())
            .map_err(|_| Error::usage("it is not UTF-8"));
        let text = old
            .and_then(&mut editor)
            .map_err(|error| error.about(&name))?;
        let goes = text.is_empty() && !path.is_symlink();
        Ok(((!goes).then(|| text.into_bytes()), ()))
    });
    edited.map(drop)
}

/// Replaces a file of another program's directory at once; private. Who else writes it is that
/// program's to settle.
pub(crate) fn swap_in(path: &Path, bytes: &[u8]) -> Result<()> {
    swap_in_prepared(path, bytes, |_| Ok(()))
}

/// As [`swap_in`], with a time of last change that is not now.
pub(crate) fn swap_in_dated(path: &Path, bytes: &[u8], changed: SystemTime) -> Result<()> {
    swap_in_prepared(path, bytes, |new| new.set_modified(changed))
}

/// As [`swap_in`]; what root writes belongs to whom the directory belongs to, whose programs read
/// and write the file too.
pub(crate) fn swap_in_for_owner(path: &Path, bytes: &[u8]) -> Result<()> {
    swap_in_prepared(path, bytes, |new| {
        if !platform::is_root() {
            return Ok(());
        }
        let directory = path.parent().unwrap_or(path);
        platform::keep_owner(new, &fs::metadata(directory)?)
    })
}

/// No lock is taken that others could see. A new file is locked itself while its writer lives: what
/// a killed writer has left is free, and goes.
fn swap_in_prepared(
    path: &Path,
    bytes: &[u8],
    prepare: impl Fn(&File) -> io::Result<()>,
) -> Result<()> {
    const TRIES: u32 = 3;
    make_directory_of(path)?;
    let (directory, name) = parts(path)?;
    remove_abandoned(directory, name);
    let mut tried = 0;
    loop {
        tried += 1;
        let new = new_file(path, bytes)?;
        match prepare(new.as_file()).and_then(|()| swap(new, path)) {
            // Another writer has taken it for abandoned, in the moment before it was locked.
            Err(error) if error.kind() == io::ErrorKind::NotFound && tried < TRIES => {}
            done => return done.map_err(|error| cannot_write(path, &error)),
        }
    }
}

/// Replaces a file that is still as it was before by another text, or removes it; its owner and
/// mode stay.
///
/// `keep` goes into a copy beside it, whose path is returned.
pub(crate) fn replace(
    path: &Path,
    before: Option<&str>,
    after: Option<&str>,
    keep: Option<&str>,
) -> Result<Option<PathBuf>> {
    let failed = |error: io::Error| cannot_write(path, &error);
    let path = &resolve(path)?;
    if before.is_some() || after.is_some() {
        make_directory_of(path)?;
    }
    let (directory, name) = parts(path)?;
    let _lock = lock_file(directory, name)?;
    remove_leftovers(directory, name);
    let has_changed = || {
        let why = format!(
            "{} has just been changed by another program",
            path.display()
        );
        Err(Error::failure(why).hint("try again"))
    };
    let seen = Seen::of(path)?;
    if seen.text() != before.map(str::as_bytes) {
        return has_changed();
    }
    let backup = backup_path(directory, name);
    if let Some(keep) = keep {
        swap_in(&backup, keep.as_bytes())?;
    } else if read(&backup).is_some_and(|copy| copy == after.unwrap_or_default().as_bytes()) {
        remove(&backup)?; // what is as it was once more needs no copy
    }
    let kept = keep.map(|_| backup);
    let Some(after) = after else {
        return if seen.is_current(path) {
            remove(path).map(|()| kept)
        } else {
            has_changed()
        };
    };
    let new = new_file(path, after.as_bytes())?;
    sync(&new, path)?;
    if let Some(metadata) = &seen.metadata {
        platform::keep_owner(new.as_file(), metadata).map_err(failed)?;
        platform::keep_mode(new.as_file(), metadata).map_err(failed)?;
    }
    if !seen.is_current(path) {
        return has_changed();
    }
    swap(new, path).map_err(failed)?;
    Ok(kept)
}

/// Makes the directory of a file, if it is missing.
fn make_directory_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(directory) => private_directory(directory),
        None => Ok(()),
    }
}

fn not_plain(path: &Path) -> Error {
    Error::usage(format!("{} is not a regular file", path.display()))
        .hint("move it away, or name another file")
}

/// Writes the text that is to take a file's place into a file beside it.
fn new_file(path: &Path, text: &[u8]) -> Result<NamedTempFile> {
    let failed = |error: io::Error| cannot_write(path, &error);
    let (directory, name) = parts(path)?;
    let mut new = tempfile::Builder::new()
        .prefix(&suffixed(name, NEW_SUFFIX))
        .tempfile_in(directory)
        .map_err(failed)?;
    platform::claim(new.as_file());
    new.write_all(text).map_err(failed)?;
    Ok(new)
}

fn sync(new: &NamedTempFile, path: &Path) -> Result<()> {
    new.as_file()
        .sync_all()
        .map_err(|error| cannot_write(path, &error))
}

fn sync_directory_of(path: &Path) {
    if let Ok((directory, _)) = parts(path) {
        platform::sync_directory(directory);
    }
}

/// Removes new files whose writers are gone.
fn remove_abandoned(directory: &Path, name: &OsStr) {
    for path in new_files(directory, name).filter(|path| platform::is_abandoned(path)) {
        let _ = remove(&path); // it holds nothing that is missed
    }
}

/// Renames over the target. Windows refuses while a reader has the file open, which is over in a
/// moment.
fn swap(mut new: NamedTempFile, path: &Path) -> io::Result<()> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        match new.persist(path) {
            Err(error)
                if cfg!(windows) && error.error.kind() == io::ErrorKind::PermissionDenied =>
            {
                new = error.file;
                sleep(PAUSE);
            }
            done => return done.map(drop).map_err(|error| error.error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the file is kept open by another program",
    ))
}
