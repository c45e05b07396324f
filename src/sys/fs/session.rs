//! Private directories that last as long as one run of pgcred: for the passfile of `exec`, and for
//! files that another program is to read. What a killed run leaves is removed by a later one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Lock, is_own_directory, list, lock, own_directory, platform, remove, stamp, trust};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::paths::{self, CacheDirectory};

/// A private directory for as long as this lives. A crash leaves it, until a later run removes it.
pub(crate) struct SessionDirectory {
    directory: PathBuf,
    lock: Option<Lock>,
}

impl SessionDirectory {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for SessionDirectory {
    /// Where others can exchange directories, another one may be in its place by now: then that
    /// keeps its files.
    fn drop(&mut self) {
        if self
            .lock
            .as_ref()
            .is_some_and(|lock| lock.is_at(&self.path(LOCK)))
        {
            let _ = remove_left(&self.directory, self.lock.take()); // a later run tries again
        }
    }
}

/// The lock of whoever made a private directory, in it.
const LOCK: &str = "lock";
/// How the names of private directories begin: in a directory of the user's, and in one of
/// everybody's.
const OWN_PREFIX: &str = "run-";
const SHARED_PREFIX: &str = "pgcred-run-";

/// Returns the user's own directories for private directories, the best first: memory, where the
/// system has such a directory. One that another user could change is passed over, and one that is
/// missing is not made.
pub(crate) fn own_session_parents() -> Vec<PathBuf> {
    let mut parents = Vec::new();
    if paths::own_home().is_none()
        && let Some(runtime) = env::runtime_directory()
        && is_own_directory(&runtime)
    {
        parents.push(paths::sessions_directory(&paths::own_in(&runtime)));
    }
    if let Some(cache) = CacheDirectory::of_user()
        && trust::roots_foreign_home().is_none()
    {
        parents.push(paths::sessions_directory(cache.path()));
    }
    parents
}

/// Every directory in which private directories may be, and how the names of those begin there.
fn places() -> Vec<(PathBuf, &'static str)> {
    let mut places = Vec::new();
    for parent in own_session_parents() {
        if is_own_place(&parent) {
            places.push((parent, OWN_PREFIX));
        }
    }
    if let Ok(parent) = shared_session_parent() {
        places.push((parent, SHARED_PREFIX));
    }
    places
}

/// Tells whether a directory for private directories, and the one that it is in, are the user's
/// own: another user may have made a link there to where the user has other things.
fn is_own_place(parent: &Path) -> bool {
    let is_own = |directory: &Path| {
        let Ok(link) = fs::symlink_metadata(directory) else {
            return false;
        };
        is_own_directory(directory) && platform::stranger(&link).is_none()
    };
    match parent.parent() {
        Some(above) => is_own(parent) && is_own(above),
        None => false,
    }
}

/// Makes a directory for private directories, if it is missing.
fn own_place(parent: &Path) -> Result<()> {
    own_directory(parent)?;
    if is_own_place(parent) {
        return Ok(());
    }
    Err(Error::failure(format!(
        "{} is not the user's own",
        parent.display()
    )))
}

/// Returns the directory in which everybody may make private directories. Whoever owns it could
/// exchange them.
fn shared_session_parent() -> Result<PathBuf> {
    let directory = env::temporary_directory();
    if trust::is_trusted_place(&directory) {
        return Ok(directory);
    }
    let shown = directory.display();
    Err(Error::failure(format!(
        "{shown} does not exist, belongs to another user, or others can exchange it"
    )))
}

/// Returns the private directories that [`session_directory`] has made in another directory. One
/// that others can look into was not made so: somebody may have moved it there.
fn sessions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut sessions = list(parent);
    sessions.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        // The name is asked first, because there may be thousands of other users' files.
        if !name.to_string_lossy().starts_with(prefix) {
            return false;
        }
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return false;
        };
        metadata.is_dir() && platform::is_own(&metadata) && !platform::is_open_to_others(&metadata)
    });
    sessions
}

/// Whether the run that made a private directory goes on.
enum Maker {
    Runs,
    /// With the lock, which nobody else must take before the directory is removed.
    IsGone(Option<Lock>),
}

/// An empty directory may be one that is being made: nothing is put into a directory before its
/// lock. Whoever is making it makes another one if this one is removed.
fn maker(session: &Path) -> Maker {
    let path = session.join(LOCK);
    let has_contents = !list(session).is_empty(); // asked first: the lock may come in between
    match stamp(&path) {
        Some(_) => match lock(&path, Duration::ZERO) {
            Ok(lock) => Maker::IsGone(Some(lock)),
            Err(_) => Maker::Runs,
        },
        None if has_contents => Maker::IsGone(None),
        None => Maker::Runs,
    }
}

/// Tells whether a file stands in a private directory whose maker still runs.
pub(crate) fn is_in_session(file: &Path) -> bool {
    match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => {}
        _ => return false,
    }
    // Absolute, because `tempfile` makes the path of the directory so.
    let Ok(file) = std::path::absolute(file) else {
        return false;
    };
    for (parent, prefix) in places() {
        for session in sessions(&parent, prefix) {
            let directory = std::path::absolute(&session).unwrap_or_default();
            if file.parent() == Some(&directory)
                && stamp(&directory.join(LOCK)).is_some()
                && matches!(maker(&session), Maker::Runs)
            {
                return true;
            }
        }
    }
    false
}

fn is_lock(file: &Path) -> bool {
    file.file_name() == Some(LOCK.as_ref())
}

/// Tells whether a file is one that pgcred puts into private directories: a passfile, also one that
/// is about to replace it, root certificates or a crontab.
fn is_put_there(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("passfile") || name.ends_with(".pem") || name == "crontab"
}

/// Removes what pgcred has put there, but for the lock, as far as that is possible.
fn remove_secrets(session: &Path) {
    for file in list(session) {
        if is_put_there(&file) {
            let _ = remove(&file); // what stays is seen by whoever removes the directory
        }
    }
}

/// Removes a directory whose maker is gone or ends: the secrets first, and the lock with the
/// directory, so that a kill in between leaves nothing that looks like the directory of a run that
/// is just beginning.
///
/// A maker that is just beginning may have put its lock there again: then the directory is not
/// empty, and stays. What cannot be removed keeps the lock, by which the next run finds it again.
fn remove_left(session: &Path, lock: Option<Lock>) -> Result<()> {
    remove_secrets(session);
    if list(session).iter().any(|file| !is_lock(file)) {
        return Err(Error::failure(format!(
            "cannot remove {}: it is not empty",
            session.display()
        ))
        .hint("see what is in it, and remove it by hand"));
    }
    if cfg!(windows) {
        drop(lock); // where a file that is open may keep its directory
    }
    remove(&session.join(LOCK))?;
    fs::remove_dir(session).map_err(|error| {
        Error::failure(format!("cannot remove {}", session.display())).caused_by(&error)
    })
}

/// Removes the private directories in a directory whose makers are gone. Returns for each whether
/// that was possible. Where others could exchange them meanwhile, as on a volume that is open to
/// all, they stay.
fn remove_left_in(parent: &Path, prefix: &str) -> Vec<Result<PathBuf>> {
    let mut removed = Vec::new();
    if trust::can_be_exchanged_in(parent) {
        return removed;
    }
    for session in sessions(parent, prefix) {
        // The system removes only an empty one: its maker was killed before it had a lock, or makes
        // another one.
        if fs::remove_dir(&session).is_ok() {
            removed.push(Ok(session));
        } else if let Maker::IsGone(lock) = maker(&session) {
            removed.push(remove_left(&session, lock).map(|()| session));
        }
    }
    removed
}

/// Removes what killed runs have left in the user's own directories, as far as that is possible.
/// The one of everybody's, which may be large, is left to the next run that makes a private
/// directory there.
pub(crate) fn remove_left_sessions() {
    for parent in own_session_parents() {
        if is_own_place(&parent) {
            remove_left_in(&parent, OWN_PREFIX);
        }
    }
}

/// Removes what killed runs have left everywhere, and of the user's own directories and those above
/// what is empty then. Returns what it has removed or could not remove, and the private directories
/// whose makers still run.
pub(crate) fn remove_sessions() -> (Vec<Result<PathBuf>>, Vec<PathBuf>) {
    let (mut removed, mut running) = (Vec::new(), Vec::new());
    for (parent, prefix) in places() {
        removed.extend(remove_left_in(&parent, prefix));
        for session in sessions(&parent, prefix) {
            if let Maker::Runs = maker(&session) {
                running.push(session);
            }
        }
    }
    for parent in own_session_parents() {
        if fs::remove_dir(&parent).is_ok()
            && let Some(above) = parent.parent()
        {
            let _ = fs::remove_dir(above); // not if something else is in it
        }
    }
    (removed, running)
}

/// Makes a private directory in the first of the user's own directories where that can be done,
/// which are made if they are missing, or else in the one of everybody's. Removes those whose
/// makers are gone.
pub(crate) fn session_directory() -> Result<SessionDirectory> {
    let mut failed = Vec::new();
    for parent in own_session_parents() {
        match own_session_directory(&parent) {
            Ok(directory) => return Ok(directory),
            Err(error) => failed.push(error.to_string()),
        }
    }
    match shared_session_directory() {
        Ok(directory) => return Ok(directory),
        Err(error) => failed.push(error.to_string()),
    }
    let failed = failed.join("; ");
    Err(
        Error::failure(format!("there is no place for a private file: {failed}"))
            .hint("let XDG_RUNTIME_DIR or TMPDIR name a directory in which you can write"),
    )
}

fn own_session_directory(parent: &Path) -> Result<SessionDirectory> {
    own_place(parent)?;
    session_directory_in(parent, OWN_PREFIX)
}

fn shared_session_directory() -> Result<SessionDirectory> {
    session_directory_in(&shared_session_parent()?, SHARED_PREFIX)
}

/// The directory's name cannot be foreseen, and nobody else can enter it.
///
/// Another run that cleans up may come between the making of the directory and the taking of its
/// lock. It takes the lock before it removes the directory, so whoever has the lock of a directory
/// that is there keeps the directory; who has not makes another.
fn session_directory_in(parent: &Path, prefix: &str) -> Result<SessionDirectory> {
    const TRIES: u32 = 100;
    remove_left_in(parent, prefix);
    let failed = |error: &std::io::Error| {
        Error::failure(format!("cannot write to {}", parent.display())).caused_by(error)
    };
    let mut last = None;
    for _ in 0..TRIES {
        let directory = platform::private_temporary_directory(prefix, parent)
            .map_err(|error| failed(&error))?;
        if !is_own_directory(directory.path()) && directory.path().exists() {
            return Err(Error::failure(format!(
                "{} belongs to another user",
                directory.path().display()
            )));
        }
        match lock(&directory.path().join(LOCK), Duration::ZERO) {
            Err(error) => last = Some(error),
            Ok(lock) if stamp(&directory.path().join(LOCK)).is_some() => {
                return Ok(SessionDirectory {
                    directory: directory.keep(),
                    lock: Some(lock),
                });
            }
            Ok(_) => {}
        }
    }
    Err(match last {
        Some(error) => error,
        None => Error::failure(format!(
            "cannot keep a private directory in {}",
            parent.display()
        )),
    })
}
