//! The only module that writes files: whole, private, atomically, one writer at a time.

mod edit;
mod foreign;
mod session;
#[cfg(test)]
mod tests;
pub(crate) mod trust;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, Result};
use crate::sys::env;
use crate::text::quote;
use crate::time::Time;
pub(crate) use edit::{
    edit, edit_cache, edit_text, replace, swap_in, swap_in_dated, swap_in_for_owner,
};
pub(crate) use foreign::{
    read_foreign, read_foreign_cache, read_foreign_settings, read_foreign_text,
};
pub(crate) use session::{
    SessionDirectory, is_in_session, own_session_parents, remove_left_sessions, remove_sessions,
    session_directory,
};
#[cfg(unix)]
use unix as platform;
#[cfg(not(unix))]
use windows as platform;

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// No file that pgcred reads whole is larger, in bytes: ten thousand tokens are some 20 MiB.
const LARGEST: u64 = 64 << 20;
/// How the names of a file's lock ends, and of the file that is going to replace it up to what
/// makes it unique.
const LOCK_SUFFIX: &str = ".pgcred-lock";
const NEW_SUFFIX: &str = ".pgcred-new-";

/// Held until dropped; the system drops it with the process, however that ends.
pub(crate) struct Lock {
    file: File,
    /// The lock's file, if it goes with the lock. What a killed process leaves is taken over by the
    /// next one.
    passing: Option<PathBuf>,
}

impl Lock {
    /// Tells whether a path leads to the lock's file.
    fn is_at(&self, path: &Path) -> bool {
        platform::has_name(&self.file, path)
    }
}

impl Drop for Lock {
    /// The file goes while it is locked: whoever waits for it finds that out, see [`lock`].
    fn drop(&mut self) {
        if let Some(path) = &self.passing {
            platform::remove_lock(path);
        }
    }
}

/// Returns the bytes of a regular file. A file that cannot be read counts as missing, and so does a
/// pipe, which would never end.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    read_regular(path).ok().map(|(bytes, _)| bytes)
}

/// As [`read`], for a file that pgcred keeps for itself: a file that another user owns or can
/// change counts as missing.
pub(crate) fn read_own(path: &Path) -> Option<Vec<u8>> {
    let (bytes, metadata) = read_regular(path).ok()?;
    trust::is_trusted(&metadata).then_some(bytes)
}

fn read_regular(path: &Path) -> io::Result<(Vec<u8>, fs::Metadata)> {
    let (bytes, metadata) = read_once(path)?.ok_or(io::ErrorKind::NotFound)?;
    if metadata.is_file() {
        Ok((bytes, metadata))
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// Returns the text of a file, if it is there; an error if it cannot be read, is not text, or is no
/// regular file.
pub(crate) fn read_plain(path: &Path) -> Result<Option<String>> {
    Ok(read_dated(path, false)?.map(|(text, _)| text))
}

/// As [`read_plain`], with the time of the last change before it was read.
///
/// Only where there is certainly no file is there none. Whatever else is in the way is an error:
/// the caller must not take settings that cannot be read for settings that nobody has made. A file
/// that `must_be_own` is no other user's, and no other user can change it.
pub(crate) fn read_dated(
    path: &Path,
    must_be_own: bool,
) -> Result<Option<(String, Option<SystemTime>)>> {
    let cannot = |error: &io::Error| {
        Error::usage(format!("cannot read {}", path.display())).caused_by(error)
    };
    let Some((bytes, metadata)) = settled(path).map_err(|error| cannot(&error))? else {
        return Ok(None);
    };
    if !metadata.is_file() {
        return Err(Error::usage(format!(
            "{} is not a regular file",
            path.display()
        )));
    }
    if must_be_own {
        trust::check(path, &metadata)?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::usage(format!("{} is not UTF-8", path.display())))?;
    Ok(Some((text, metadata.modified().ok())))
}

/// Reads a file once no program seems to be writing it; of what is no regular file nothing is read.
///
/// Editors that save a file in place make it empty first. Who reads then must not take it for the
/// whole file.
fn settled(path: &Path) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + LONGEST_PAUSE;
    loop {
        let read = read_once(path)?;
        match &read {
            Some((_, metadata)) if may_be_cut(metadata) && Instant::now() < deadline => {
                sleep(PAUSE);
            }
            _ => return Ok(read),
        }
    }
}

fn read_once(path: &Path) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
    let read = read_at_most(path, LARGEST + 1)?;
    match &read {
        Some((bytes, _)) if bytes.len() as u64 > LARGEST => Err(io::Error::other(format!(
            "it is larger than {} MiB",
            LARGEST >> 20
        ))),
        _ => Ok(read),
    }
}

/// Returns the first bytes of a file, as many as are wanted; of what is no regular file, none.
fn read_at_most(path: &Path, most: u64) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
    let mut options = OpenOptions::new();
    platform::at_once(options.read(true)); // a pipe without a writer must not hold pgcred up
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    if metadata.is_file() {
        bytes.reserve(
            usize::try_from(metadata.len().min(most))
                .unwrap_or_default()
                .saturating_add(1),
        );
        file.take(most).read_to_end(&mut bytes)?;
    }
    Ok(Some((bytes, metadata)))
}

/// Tells whether a file looks like one that a program writes at this moment: it was changed just
/// now, and is empty or as long as some full buffers.
fn may_be_cut(metadata: &fs::Metadata) -> bool {
    const BUFFER: u64 = 4096;
    let is_recent = |changed: SystemTime| {
        let (changed, now) = (Time::from_system(changed), Time::now());
        changed <= now && changed.until(now) <= 1
    };
    metadata.is_file()
        && metadata.len().is_multiple_of(BUFFER)
        && metadata.modified().is_ok_and(is_recent)
}

/// Tells whether an error says that there is no such file: not in its directory, or the directory
/// is none.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Says what keeps a file that is not there from being there: a link that leads nowhere, itself or
/// on the way to it, or a file in the place of a directory. Who puts a device there, such as
/// `/dev/null`, or names a file as HOME wants nothing to be there.
pub(crate) fn check_absence(path: &Path) -> Result<()> {
    for place in path.ancestors() {
        let Ok(found) = fs::symlink_metadata(place) else {
            continue;
        };
        let reached = if found.is_symlink() {
            fs::metadata(place).ok()
        } else {
            Some(found)
        };
        let kind = if place == path { "file" } else { "directory" };
        let shown = place.display();
        return match reached {
            None => Err(
                Error::usage(format!("{shown} is a link to a {kind} that does not exist")).hint(
                    format!("make the {kind} available again, or remove the link"),
                ),
            ),
            Some(reached)
                if reached.is_file()
                    && place != path
                    && env::home().is_none_or(|home| home != place) =>
            {
                Err(Error::usage(format!("{shown} is not a directory"))
                    .hint("move that file away, or name a configuration file with --config"))
            }
            Some(_) => Ok(()),
        };
    }
    Ok(())
}

/// Returns the bytes of a file if it is there and a regular one: a pipe would never end.
pub(crate) fn read_if_plain(path: &Path) -> Result<Option<Vec<u8>>> {
    let read = read_once(path);
    let read = read.map_err(|error| {
        Error::failure(format!("cannot read {}", path.display())).caused_by(&error)
    })?;
    match read {
        Some((bytes, metadata)) if metadata.is_file() => Ok(Some(bytes)),
        _ => Ok(None),
    }
}

/// Tells whether a directory exists, is the user's own, and nobody else can change it.
pub(crate) fn is_own_directory(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => {
            metadata.is_dir() && platform::is_own(&metadata) && trust::is_trusted(&metadata)
        }
        Err(_) => false,
    }
}

/// Returns the bytes of a small file that only the user can read; `None` where it is missing or
/// open to others.
pub(crate) fn read_private(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::failure(format!("cannot read {}", path.display())).caused_by(&error))
        }
        Ok((_, metadata)) if !platform::is_own(&metadata) => Err(Error::failure(format!(
            "{} belongs to another user",
            path.display()
        ))),
        Ok((_, metadata)) if platform::is_open_to_others(&metadata) => Ok(None),
        Ok((bytes, _)) => Ok(Some(bytes)),
    }
}

/// Returns what is in a directory. One that cannot be read counts as empty.
pub(crate) fn list(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Returns a text that changes whenever the text of the file does; none if there is no file.
pub(crate) fn stamp(path: &Path) -> Option<String> {
    fs::metadata(path)
        .ok()
        .map(|metadata| platform::state(&metadata))
}

/// As [`stamp`], but of no directory, which changes with what is in it.
pub(crate) fn stamp_of_file(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    (!metadata.is_dir()).then(|| platform::state(&metadata))
}

/// What is known of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    /// Its directory can be looked into, and has no such file.
    Gone,
    /// This directory of it is not there now, or cannot be looked into: the file may come back.
    OutOfReach(PathBuf),
}

/// Tells whether a file is there; a link stands for what it leads to.
pub(crate) fn presence(path: &Path) -> Presence {
    let path = resolve(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(_) => Presence::Here,
        Err(error) if error.kind() == io::ErrorKind::NotFound && parts(&path).is_ok() => {
            Presence::Gone
        }
        Err(_) => Presence::OutOfReach(path.parent().unwrap_or(&path).to_owned()),
    }
}

/// Returns when a file was changed last.
pub(crate) fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Writes a private file that may be lost: readers check what they read, so it is neither synced
/// nor swapped in.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    platform::private(options.write(true).create_new(true));
    remove(path)?;
    let write = || options.open(path)?.write_all(bytes);
    let written = write();
    written.map_err(|error| trust::explain_denial(path, &error, Error::writing(path, &error)))
}

/// Returns the text that [`replace`] has kept of a file.
pub(crate) fn backup(path: &Path) -> Option<Vec<u8>> {
    let path = resolve(path).ok()?;
    let (directory, name) = parts(&path).ok()?;
    read(&backup_path(directory, name))
}

fn backup_path(directory: &Path, name: &OsStr) -> PathBuf {
    directory.join(suffixed(name, ".pgcred-backup"))
}

/// Tells whether another program holds a lock on a file.
pub(crate) fn is_locked(path: &Path) -> bool {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .is_ok_and(|file| platform::is_locked(&file))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::failure(format!("cannot remove {}", path.display())).caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Removes a directory of ours with all that is in it.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::failure(format!("cannot remove {}", path.display())).caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Removes what is ours from a directory of ours but for what is `kept`, and the directory if it is
/// empty then. Tells whether that changed anything.
pub(crate) fn empty_directory(
    path: &Path,
    kept: &[PathBuf],
    is_ours: impl Fn(&str) -> bool,
) -> Result<bool> {
    let name = |part: &PathBuf| {
        part.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let goes = |part: &PathBuf| !kept.contains(part) && is_ours(&name(part));
    let parts: Vec<PathBuf> = list(path).into_iter().filter(goes).collect();
    for part in &parts {
        let is_directory = fs::symlink_metadata(part).is_ok_and(|metadata| metadata.is_dir());
        if is_directory {
            remove_directory(part)
        } else {
            remove(part)
        }?;
    }
    let gone = fs::remove_dir(path).is_ok(); // not where something is kept
    Ok(gone || !parts.is_empty())
}

/// Removes the directories above a file that have nothing in them, as far as they are the user's:
/// below the home directory.
pub(crate) fn remove_empty_directories(path: &Path) {
    let Some(home) = env::home() else { return };
    let directories = path
        .ancestors()
        .skip(1)
        .take_while(|directory| directory.starts_with(&home) && **directory != *home);
    for directory in directories {
        if fs::remove_dir(directory).is_err() {
            break;
        }
    }
}

/// Creates a directory that only the user can enter, if it is missing.
pub(crate) fn private_directory(path: &Path) -> Result<()> {
    platform::create_private_directory(path).map_err(|error| {
        let failed = Error::failure(format!("cannot create the directory {}", path.display()))
            .caused_by(&error);
        trust::explain_denial(path, &error, failed)
    })
}

/// As [`private_directory`], for one in which pgcred keeps its own files: nobody else may be able
/// to change it.
pub(crate) fn own_directory(path: &Path) -> Result<()> {
    private_directory(path)?;
    trust::check_path(path)
}

/// Follows links by hand, so that a link to a file that does not exist yet works too. A link of
/// another user's is not followed: it would lead what is written to a file of that user's choice.
fn resolve(path: &Path) -> Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            return Ok(path);
        };
        if let Ok(link) = fs::symlink_metadata(&path) {
            trust::check_owner(&path, &link)?;
        }
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(Error::usage(format!("{}: too many links", path.display())))
}

fn parts(path: &Path) -> Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else {
        let shown = path.display();
        return Err(Error::usage(format!("{shown} is not a file's name")));
    };
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    if directory.is_dir() {
        return Ok((directory, name));
    }
    let missing = Error::failure(format!(
        "the directory {} does not exist",
        directory.display()
    ));
    if directory.starts_with("~") {
        let inside = path.strip_prefix("~").unwrap_or(path).display();
        return Err(missing.hint(format!(
            "the shell did not expand ~: write \"$HOME/{inside}\""
        )));
    }
    Err(missing.hint(format!(
        "mkdir -p -m 700 {}",
        quote::posix(&directory.to_string_lossy())
    )))
}

fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// The error without the name of a temporary file that was put beside the file.
fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let said = error.to_string();
    let said = match said.split_once(" at path ") {
        Some((said, _)) => said,
        None => &said,
    };
    trust::explain_denial(
        path,
        error,
        Error::failure(format!("cannot write {}: {said}", path.display())),
    )
}

/// Takes the lock for a file of another directory than pgcred's own; nothing of it is left there.
fn lock_file(directory: &Path, name: &OsStr) -> Result<Lock> {
    let path = directory.join(suffixed(name, LOCK_SUFFIX));
    let mut lock = lock(&path, PATIENCE)?;
    lock.passing = Some(path);
    Ok(lock)
}

/// Takes the lock that an empty file stands for. Only the file that has this name now counts: the
/// one that was waited for may have been removed by whoever held it, and the next writer makes
/// another.
pub(crate) fn lock(path: &Path, patience: Duration) -> Result<Lock> {
    let failed = |error: &io::Error| {
        let failed = Error::failure(format!("cannot lock {}", path.display())).caused_by(error);
        trust::explain_denial(path, error, failed)
    };
    let mut options = OpenOptions::new();
    platform::private(options.write(true).create(true).truncate(false));
    platform::at_once_without_links(&mut options);
    let open = || {
        let odd = |what: &str| {
            Err(
                Error::failure(format!("cannot lock {}: {what}", path.display())).hint(format!(
                    "see who has put it there, then: rm {}",
                    quote::posix(&path.to_string_lossy())
                )),
            )
        };
        let file = match options.open(path) {
            Err(_) if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) => {
                return odd("it is no regular file");
            }
            opened => opened.map_err(|error| failed(&error))?,
        };
        let metadata = file.metadata().map_err(|error| failed(&error))?;
        if !metadata.is_file() {
            return odd("it is no regular file");
        }
        match platform::stranger(&metadata) {
            // The lock of a user for whom root works here.
            Some(_) if platform::is_root() => Ok(file),
            Some(owner) => odd(&format!("it belongs to {owner}")),
            None => Ok(file),
        }
    };
    let deadline = Instant::now() + patience;
    let mut file = open()?;
    loop {
        match file.try_lock() {
            Ok(()) if platform::has_name(&file, path) => {
                return Ok(Lock {
                    file,
                    passing: None,
                });
            }
            Ok(()) => file = open()?,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
    let waited = patience.as_secs();
    Err(Error::failure(format!(
        "another pgcred has held {} for {waited} s",
        path.display()
    ))
    .hint("try again"))
}

/// Returns the files that were to replace a file.
fn new_files(directory: &Path, name: &OsStr) -> impl Iterator<Item = PathBuf> {
    let prefix = suffixed(name, NEW_SUFFIX);
    let name = |path: &PathBuf| {
        path.file_name()
            .unwrap_or_default()
            .as_encoded_bytes()
            .to_owned()
    };
    list(directory)
        .into_iter()
        .filter(move |path| name(path).starts_with(prefix.as_encoded_bytes()))
}

/// Removes what a killed writer left behind; whoever holds the lock is the only writer.
fn remove_leftovers(directory: &Path, name: &OsStr) {
    for path in new_files(directory, name) {
        let _ = remove(&path); // it holds nothing that is missed
    }
}

/// Removes what a killed writer of a file left beside it, also its lock; where there is nothing,
/// nothing is made.
pub(crate) fn clear_leftovers(path: &Path) -> Result<()> {
    let path = resolve(path)?;
    let Ok((directory, name)) = parts(&path) else {
        return Ok(());
    };
    if stamp(&directory.join(suffixed(name, LOCK_SUFFIX))).is_some()
        || new_files(directory, name).next().is_some()
    {
        let _lock = lock_file(directory, name)?;
        remove_leftovers(directory, name);
    }
    Ok(())
}
