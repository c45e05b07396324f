//! The only file that writes files: whole, private, atomically, one writer at a time.

mod edit;
mod foreign;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "windows.rs")]
mod platform;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::env;
use crate::error::{Error, Result};
use crate::time::Time;
pub(crate) use edit::{edit, edit_cache, edit_text, replace, swap_in, swap_in_dated};
pub(crate) use foreign::{read_foreign, read_foreign_cache, read_foreign_settings, read_foreign_text};

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// How the names of a file's lock ends, and of the file that is going to replace it up to what makes it unique.
const LOCK_SUFFIX: &str = ".pgcred-lock";
const NEW_SUFFIX: &str = ".pgcred-new-";

/// Held until dropped; the system drops it with the process, however that ends.
pub(crate) struct Lock {
    #[expect(dead_code, reason = "what holds the lock is the open file")]
    file: File,
    /// The lock's file, if it goes with the lock. What a killed process leaves is taken over by the next one.
    passing: Option<PathBuf>,
}

impl Drop for Lock {
    /// The file goes while it is locked: whoever waits for it finds that out, see [`lock`].
    fn drop(&mut self) {
        if let Some(path) = &self.passing {
            platform::remove_lock(path);
        }
    }
}

/// Returns a file's bytes; whatever is in the way, it is a file that is not there.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

/// Returns the text of a file, if it is there; an error if it cannot be read, is not text, or is no regular file.
pub(crate) fn read_plain(path: &Path) -> Result<Option<String>> {
    Ok(read_dated(path)?.map(|(text, _)| text))
}

/// As [`read_plain`], with the time of the last change before it was read.
///
/// Only where there is certainly no file is there none. Whatever else is in the way is an error: the caller must not take
/// settings that cannot be read for settings that nobody has made.
pub(crate) fn read_dated(path: &Path) -> Result<Option<(String, Option<SystemTime>)>> {
    let cannot = |error: &io::Error| Error::usage(format!("cannot read {}", path.display())).caused_by(error);
    let Some((bytes, metadata)) = settled(path).map_err(|error| cannot(&error))? else { return Ok(None) };
    if !metadata.is_file() {
        return Err(Error::usage(format!("{} is not a regular file", path.display())));
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not UTF-8", path.display())))?;
    Ok(Some((text, metadata.modified().ok())))
}

/// Reads a file once no program seems to be writing it; of what is no regular file nothing is read.
///
/// Editors that save a file in place make it empty first. Who reads then must not take it for the whole file.
fn settled(path: &Path) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + LONGEST_PAUSE;
    loop {
        let read = read_once(path)?;
        match &read {
            Some((_, metadata)) if may_be_cut(metadata) && Instant::now() < deadline => sleep(PAUSE),
            _ => return Ok(read),
        }
    }
}

fn read_once(path: &Path) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
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
        bytes.reserve(usize::try_from(metadata.len()).unwrap_or_default().saturating_add(1));
        file.take(u64::MAX).read_to_end(&mut bytes)?;
    }
    Ok(Some((bytes, metadata)))
}

/// Tells whether a file looks like one that a program writes at this moment: it was changed just now, and is empty or as
/// long as some full buffers.
fn may_be_cut(metadata: &fs::Metadata) -> bool {
    const BUFFER: u64 = 4096;
    let is_recent = |changed: SystemTime| {
        let (changed, now) = (Time::from_system(changed), Time::now());
        changed <= now && changed.until(now) <= 1
    };
    metadata.is_file() && metadata.len().is_multiple_of(BUFFER) && metadata.modified().is_ok_and(is_recent)
}

/// Tells whether an error says that there is no such file: not in its folder, or the folder is none.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Tells whether a path is a link, wherever that leads.
pub(crate) fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// Returns the bytes of a file if it is there and a regular one: a pipe would never end.
pub(crate) fn read_if_plain(path: &Path) -> Result<Option<Vec<u8>>> {
    if path.is_file() { read_bytes(path).map(Some) } else { Ok(None) }
}

/// Returns the bytes of a file that has to be there.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::usage(format!("cannot read {}", path.display())).caused_by(&error))
}

/// Tells whether a folder exists and is the user's own.
pub(crate) fn is_own_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir() && platform::is_own(&metadata))
}

/// Returns the bytes of a small file that only the user can read; `None` where it is missing or open to others.
pub(crate) fn read_private(path: &Path) -> Result<Option<Vec<u8>>> {
    let (bytes, metadata) = read_with_metadata(path)?;
    match metadata {
        Some(metadata) if !platform::is_own(&metadata) => {
            Err(Error::failure(format!("{} belongs to another user", path.display())))
        }
        Some(metadata) if !platform::is_open_to_others(&metadata) => Ok(Some(bytes)),
        _ => Ok(None),
    }
}

/// Returns the files of a folder; of none, none.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Returns what changes whenever the text of a file does; of no file, nothing.
pub(crate) fn stamp(path: &Path) -> Option<String> {
    fs::metadata(path).ok().map(|metadata| platform::state(&metadata))
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
    /// Its folder can be looked into, and has no such file.
    Gone,
    /// This folder of it is not there now, or cannot be looked into: the file may come back.
    OutOfReach(PathBuf),
}

/// Tells whether a file is there; a link stands for what it leads to.
pub(crate) fn presence(path: &Path) -> Presence {
    let path = resolve(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(_) => Presence::Here,
        Err(error) if error.kind() == io::ErrorKind::NotFound && parts(&path).is_ok() => Presence::Gone,
        Err(_) => Presence::OutOfReach(path.parent().unwrap_or(&path).to_owned()),
    }
}

/// Returns when a file was changed last.
pub(crate) fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Writes a private file that may be lost: readers check what they read, so it is neither synced nor swapped in.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    platform::private(options.write(true).create_new(true));
    remove(path)?;
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Error::failure(format!("cannot write {}", path.display())).caused_by(&error))
}

/// Returns the text that [`replace`] has kept of a file.
pub(crate) fn backup(path: &Path) -> Option<Vec<u8>> {
    let path = resolve(path).ok()?;
    let (folder, name) = parts(&path).ok()?;
    read(&backup_path(folder, name))
}

fn backup_path(folder: &Path, name: &std::ffi::OsStr) -> PathBuf {
    folder.join(suffixed(name, ".pgcred-backup"))
}

/// Tells whether another program holds a lock on a file.
pub(crate) fn is_locked(path: &Path) -> bool {
    OpenOptions::new().read(true).write(true).open(path).is_ok_and(|file| platform::is_locked(&file))
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

/// Removes a folder of ours with all that is in it.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::failure(format!("cannot remove {}", path.display())).caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Removes all that is in a folder of ours but what is `kept`, and the folder if it is empty then. Tells whether that
/// changed anything.
pub(crate) fn empty_folder(path: &Path, kept: &[PathBuf]) -> Result<bool> {
    let parts: Vec<PathBuf> = list(path).into_iter().filter(|part| !kept.contains(part)).collect();
    for part in &parts {
        let is_folder = fs::symlink_metadata(part).is_ok_and(|metadata| metadata.is_dir());
        if is_folder { remove_folder(part) } else { remove(part) }?;
    }
    let gone = fs::remove_dir(path).is_ok(); // not where something is kept
    Ok(gone || !parts.is_empty())
}

/// Removes the folders above a file that have nothing in them, as far as they are the user's: below the home folder.
pub(crate) fn remove_empty_folders(path: &Path) {
    let Some(home) = env::home() else { return };
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&home) && **folder != *home);
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// A private folder for as long as this lives. A crash leaves it, until the next one is made.
pub(crate) struct SessionFolder {
    folder: tempfile::TempDir,
    lock: Option<Lock>,
}

impl Drop for SessionFolder {
    /// The secrets go first and the lock last: as long as anything is left, the next pgcred knows by the lock what it is.
    fn drop(&mut self) {
        let _ = remove_contents(self.folder.path()); // the next one tries again
        drop(self.lock.take());
    }
}

impl SessionFolder {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The lock of whoever made a private folder, in it.
const LOCK: &str = "lock";
/// How the names of private folders begin: in a folder of the user's, and in one of everybody's.
const OWN_PREFIX: &str = "run-";
const SHARED_PREFIX: &str = "pgcred-run-";

/// Returns the private folders that [`session_folder`] has made in another folder.
fn sessions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let metadata = fs::symlink_metadata(path);
        name.to_string_lossy().starts_with(prefix)
            && metadata.is_ok_and(|metadata| metadata.is_dir() && platform::is_own(&metadata))
    };
    list(parent).into_iter().filter(is_ours).collect()
}

/// Tells whether whoever made a private folder is gone: its lock is free, or gone before the rest. An empty folder may be
/// one that is being made.
fn is_left(session: &Path) -> bool {
    let path = session.join(LOCK);
    let has_contents = !list(session).is_empty(); // asked first: nothing is put into such a folder before its lock
    match stamp(&path) {
        Some(_) => lock(&path, Duration::ZERO).is_ok(),
        None => has_contents,
    }
}

/// Removes what is in a private folder, but for its lock.
fn remove_contents(session: &Path) -> Result<()> {
    for part in list(session).into_iter().filter(|part| *part != session.join(LOCK)) {
        let is_folder = fs::symlink_metadata(&part).is_ok_and(|metadata| metadata.is_dir());
        if is_folder { remove_folder(&part) } else { remove(&part) }?;
    }
    Ok(())
}

/// Tells whether a file stands in a private folder whose maker still runs.
pub(crate) fn is_in_session(file: &Path, own: &[PathBuf], shared: &Path) -> bool {
    let mut places = own.iter().map(|parent| (&**parent, OWN_PREFIX)).chain([(shared, SHARED_PREFIX)]);
    let is_plain = fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file());
    let Ok(file) = std::path::absolute(file) else { return false }; // as tempfile makes the folder's path
    let is_its = |session: &PathBuf| {
        let session = std::path::absolute(session).unwrap_or_default();
        file.parent() == Some(&session) && stamp(&session.join(LOCK)).is_some()
    };
    is_plain && places.any(|(parent, prefix)| sessions(parent, prefix).iter().any(|one| is_its(one) && !is_left(one)))
}

/// Returns what it has removed.
fn remove_left_sessions(parent: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for session in sessions(parent, prefix) {
        // The system removes only an empty one: its maker was killed before it had a lock, or makes another one.
        let was_empty = fs::remove_dir(&session).is_ok();
        if !was_empty {
            if !is_left(&session) {
                continue;
            }
            remove_contents(&session)?;
            remove_folder(&session)?;
        }
        removed.push(session);
    }
    Ok(removed)
}

/// Removes the private folders of [`session_folder`] whose makers are gone, and of the user's own folders and those above
/// what is empty then. Returns what it has removed, and the private folders whose makers still run.
pub(crate) fn remove_sessions(own: &[PathBuf], shared: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let places = own.iter().map(|parent| (&**parent, OWN_PREFIX)).chain([(shared, SHARED_PREFIX)]);
    let (mut removed, mut running) = (Vec::new(), Vec::new());
    for (parent, prefix) in places {
        removed.extend(remove_left_sessions(parent, prefix).unwrap_or_default()); // the next one says what is in the way
        running.extend(sessions(parent, prefix));
    }
    for parent in own {
        let _ = fs::remove_dir(parent).and_then(|()| parent.parent().map_or(Ok(()), fs::remove_dir));
    }
    (removed, running)
}

/// Makes a private folder in the first of these folders of the user's where that can be done, which are made if they are
/// missing, or else in a `shared` one. Removes those whose makers are gone.
pub(crate) fn session_folder(own: &[PathBuf], shared: &Path) -> Result<SessionFolder> {
    let mut failed = Vec::new();
    for parent in own {
        match private_folder(parent).and_then(|()| session_folder_in(parent, OWN_PREFIX)) {
            Ok(folder) => return Ok(folder),
            Err(error) => failed.push(error.to_string()),
        }
    }
    session_folder_in(shared, SHARED_PREFIX).map_err(|error| {
        failed.push(error.to_string());
        Error::failure(format!("there is no place for a private file: {}", failed.join("; ")))
            .hint("let XDG_RUNTIME_DIR or TMPDIR name a directory in which you can write")
    })
}

/// The folder's name cannot be foreseen, and nobody else can enter it.
fn session_folder_in(parent: &Path, prefix: &str) -> Result<SessionFolder> {
    const TRIES: u32 = 3;
    remove_left_sessions(parent, prefix)?;
    let failed = |error: &io::Error| Error::failure(format!("cannot write to {}", parent.display())).caused_by(error);
    let mut tried = 0;
    loop {
        tried += 1;
        let folder = platform::private_temporary_folder(prefix, parent).map_err(|error| failed(&error))?;
        if !is_own_folder(folder.path()) && folder.path().exists() {
            return Err(Error::failure(format!("{} belongs to another user", folder.path().display())));
        }
        match lock(&folder.path().join(LOCK), Duration::ZERO) {
            Ok(lock) => return Ok(SessionFolder { folder, lock: Some(lock) }),
            // Another pgcred has taken the folder for one that is left, in the moment before it had its lock.
            Err(_) if tried < TRIES && !folder.path().exists() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Creates a folder that only the user can enter, if it is missing.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    platform::create_private_folder(path)
        .map_err(|error| Error::failure(format!("cannot create the folder {}", path.display())).caused_by(&error))
}

/// Follows links by hand, so that a link to a file that does not exist yet works too.
fn resolve(path: &Path) -> Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(Error::usage(format!("{}: too many links", path.display())))
}

fn parts(path: &Path) -> Result<(&Path, &std::ffi::OsStr)> {
    let name = path.file_name().ok_or_else(|| Error::usage(format!("{} is not a file's name", path.display())))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok((folder, name));
    }
    let missing = Error::failure(format!("the folder {} does not exist", folder.display()));
    if folder.starts_with("~") {
        let inside = path.strip_prefix("~").unwrap_or(path).display();
        return Err(missing.hint(format!("the shell did not expand ~: write \"$HOME/{inside}\"")));
    }
    Err(missing.hint(format!("mkdir -p -m 700 '{}'", folder.display())))
}

fn suffixed(name: &std::ffi::OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

fn read_with_metadata(path: &Path) -> Result<(Vec<u8>, Option<fs::Metadata>)> {
    let failed = |error: &io::Error| Error::failure(format!("cannot read {}", path.display())).caused_by(error);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Vec::new(), None)),
        Err(error) => Err(failed(&error)),
        Ok(metadata) => {
            let bytes = fs::read(path).map_err(|error| of_another(path, &metadata, failed(&error)))?;
            Ok((bytes, Some(metadata)))
        }
    }
}

/// The error without the name of a temporary file that was put beside the file.
fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let said = error.to_string();
    let said = said.split_once(" at path ").map_or(said.as_str(), |(said, _)| said);
    Error::failure(format!("cannot write {}: {said}", path.display()))
}

/// Says whose the file is, if that is why it cannot be used.
fn of_another(path: &Path, metadata: &fs::Metadata, error: Error) -> Error {
    let Some(owner) = platform::other_owner(metadata) else { return error };
    let path = path.display();
    error
        .noting(&format!("it belongs to {owner}"))
        .hint(format!("make it yours with: sudo chown \"$(id -un)\" '{path}'; or name another file"))
}

/// Takes the lock for a file of another folder than pgcred's own; nothing of it is left there.
fn lock_file(folder: &Path, name: &std::ffi::OsStr) -> Result<Lock> {
    let path = folder.join(suffixed(name, LOCK_SUFFIX));
    let mut lock = lock(&path, PATIENCE)?;
    lock.passing = Some(path);
    Ok(lock)
}

/// Takes the lock that an empty file stands for. Only the file that has this name now counts: the one that was waited
/// for may have been removed by whoever held it, and the next writer makes another.
pub(crate) fn lock(path: &Path, patience: Duration) -> Result<Lock> {
    let failed = |error: &io::Error| Error::failure(format!("cannot lock {}", path.display())).caused_by(error);
    let mut options = OpenOptions::new();
    platform::private(options.write(true).create(true).truncate(false));
    let open = || options.open(path).map_err(|error| failed(&error));
    let deadline = Instant::now() + patience;
    let mut file = open()?;
    loop {
        match file.try_lock() {
            Ok(()) if platform::has_name(&file, path) => return Ok(Lock { file, passing: None }),
            Ok(()) => file = open()?,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
    let waited = patience.as_secs();
    Err(Error::failure(format!("another pgcred has held {} for {waited} s", path.display())).hint("try again"))
}

/// Removes what a killed writer left behind; whoever holds the lock is the only writer.
fn remove_leftovers(folder: &Path, prefix: &std::ffi::OsStr) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            let _ = fs::remove_file(entry.path()); // it holds nothing that is missed
        }
    }
}

/// Removes what a killed writer of a file left beside it, also its lock; where there is nothing, nothing is made.
pub(crate) fn clear_leftovers(path: &Path) -> Result<()> {
    let path = resolve(path)?;
    let Ok((folder, name)) = parts(&path) else { return Ok(()) };
    let (lock, new) = (suffixed(name, LOCK_SUFFIX), suffixed(name, NEW_SUFFIX));
    let is_left = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name == lock || name.as_encoded_bytes().starts_with(new.as_encoded_bytes())
    };
    if list(folder).iter().any(is_left) {
        let _lock = lock_file(folder, name)?;
        remove_leftovers(folder, &new);
    }
    Ok(())
}
