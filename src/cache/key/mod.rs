//! Finds, makes and forgets the cache's key. It is in the system's keyring, or else in a private
//! file. If neither can hold it, tokens are not cached.
//!
//! ```text
//! cache                 holds `key.lock` while a key is made
//!   |
//!   v   the places that the user's choice allows, one after the other
//! mod ------> kernel            Linux: the kernel's keyring of the user
//!   |-------> native            macOS: Keychain; Windows: Credential Manager
//!   |-------> secret_service    Linux, in a build that chooses it: GNOME Keyring, KWallet
//!   '-------> file              a private file, in the runtime directory where there is one
//!   |
//!   |   a place that may wait for the user or another program is asked in a thread, and given up
//!   |   after 2 s
//!   v
//! the first that has a key, or keeps a new one, wins. A new key makes those of later places
//! worthless, so they are forgotten. No place: the reasons, one for each
//!
//! trial                 for `pgcred doctor`: asks the same places to keep an entry that is no key
//! ```
//!
//! Each place implements [`KeyStore`]. No lock is taken here.

mod file;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(any(target_os = "macos", target_os = "windows"))]
mod native;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
mod secret_service;
mod trial;

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cache::seal::SealingKey;
use crate::config::CacheChoice;
use crate::error::{Error, Result};
use crate::sys::fs;
use crate::sys::paths::pgcred_directory_in;
pub(crate) use trial::{KeyTrial, try_out};

/// How long a keyring may take in all. A keyring that waits for the user to unlock it is given up
/// after this time.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Which cache's key is meant, and where a file with the key may be.
#[derive(Clone, Debug)]
pub(crate) struct KeyPaths {
    /// A part of the item's name, so that each scope has a key of its own.
    pub(crate) scope: String,
    /// The user's runtime directory, which the system empties when the user has logged out. It is
    /// not used if it is missing or belongs to another user.
    pub(crate) runtime: Option<PathBuf>,
    /// The directory for the file if there is no runtime directory. It is made with access for the
    /// user alone.
    pub(crate) fallback: PathBuf,
}

/// The result of a search for the key. A missing key is no error: tokens are then not cached.
#[derive(Debug)]
pub(crate) enum KeyLookup {
    Found {
        key: SealingKey,
        location: KeyLocation,
    },
    /// `reason` is lower case, without a period, one clause for each place.
    Missing { reason: String },
}

/// What a search does if there is no key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingKey {
    /// It says so.
    Leave,
    /// It makes a key.
    Create,
}

/// The place that holds the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyLocation {
    /// A keyring of the system, by the name that its users know.
    Keyring(&'static str),
    File(PathBuf),
}

impl fmt::Display for KeyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(name) => f.write_str(name),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// A place that can hold the key.
trait KeyStore: Send {
    fn location(&self) -> KeyLocation;

    /// Returns whether a call may take long, because it waits for another program or for the user.
    fn may_hang(&self) -> bool {
        false
    }

    /// Returns the bytes that the place holds, of any length; `None` if it holds none.
    fn read(&self) -> Result<Option<Vec<u8>>>;

    /// Keeps these bytes, and forgets all others.
    fn write(&self, bytes: &[u8]) -> Result<()>;

    /// Forgets the bytes that the place holds, if there are any.
    fn erase(&self) -> Result<()>;
}

/// Finds the key. With [`MissingKey::Create`] it also makes one if there is none; the caller then
/// holds the lock of the key.
///
/// The first place that has a key, or can keep a new one, wins. Call this so before each write: if
/// the key had to be kept in a file and the keyring works now, the key moves to the keyring.
/// Entries that were sealed with the old key cannot be read then.
pub(crate) fn load_key(
    choice: CacheChoice,
    paths: &KeyPaths,
    missing_key: MissingKey,
) -> KeyLookup {
    match choice {
        CacheChoice::None => KeyLookup::Missing {
            reason: "switched off".to_owned(),
        },
        choice => first_key(stores_of_choice(choice, paths), missing_key),
    }
}

/// Forgets the key in every place that `choice` can mean. A text that was sealed with it can never
/// be opened again.
///
/// All places are tried. The error is that of the first place that may still hold the key.
pub(crate) fn erase_key(choice: CacheChoice, paths: &KeyPaths) -> Result<()> {
    let erased: Vec<Result<()>> = stores_of_choice(choice, paths)
        .into_iter()
        .map(forget_key)
        .collect();
    erased.into_iter().collect()
}

fn stores_of_choice(choice: CacheChoice, paths: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    match choice {
        CacheChoice::Auto => keyring_stores(paths)
            .into_iter()
            .chain(file_stores(paths))
            .collect(),
        CacheChoice::Keyring => keyring_stores(paths),
        CacheChoice::SecretService => secret_service_stores(paths),
        CacheChoice::File => file_stores(paths),
        CacheChoice::None => Vec::new(),
    }
}

fn file_stores(paths: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    vec![Box::new(file::KeyFile::new(paths))]
}

#[cfg(target_os = "linux")]
fn keyring_stores(paths: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    vec![Box::new(kernel::KernelKeyring::new(paths))]
}

#[cfg(any(target_os = "macos", target_os = "windows"))]
fn keyring_stores(paths: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    vec![Box::new(native::SystemKeyring::new(&paths.scope))]
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn keyring_stores(_: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    Vec::new()
}

#[cfg(all(target_os = "linux", feature = "secret-service"))]
fn secret_service_stores(paths: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    vec![Box::new(secret_service::DesktopKeyring::new(&paths.scope))]
}

#[cfg(not(all(target_os = "linux", feature = "secret-service")))]
fn secret_service_stores(_: &KeyPaths) -> Vec<Box<dyn KeyStore>> {
    Vec::new()
}

fn first_key(stores: Vec<Box<dyn KeyStore>>, missing_key: MissingKey) -> KeyLookup {
    let mut reasons = Vec::new();
    let mut stores = stores.into_iter();
    while let Some(store) = stores.next() {
        let location = store.location();
        match ask_store(store, missing_key) {
            Ok(Some(StoredKey { key, is_new })) => {
                if is_new {
                    // a key that nothing uses any more
                    stores.for_each(|later| drop(forget_key(later)));
                }
                return KeyLookup::Found { key, location };
            }
            Ok(None) => reasons.push(format!("{location}: no key yet")),
            Err(error) => reasons.push(format!("{location}: {error}")),
        }
    }
    if reasons.is_empty() {
        reasons.push("this system has no such keyring".to_owned());
    }
    KeyLookup::Missing {
        reason: reasons.join("; "),
    }
}

/// The key of a store.
struct StoredKey {
    key: SealingKey,
    /// Whether it was made just now.
    is_new: bool,
}

fn ask_store(store: Box<dyn KeyStore>, missing_key: MissingKey) -> Result<Option<StoredKey>> {
    run_within_timeout(store, move |store| {
        if let Some(key) = read_key(store)? {
            return Ok(Some(StoredKey { key, is_new: false }));
        }
        if missing_key == MissingKey::Leave {
            return Ok(None);
        }
        store.write(SealingKey::generate()?.expose())?;
        // All other processes will read the key that the store returns now, even if it is not the
        // one that was given to it.
        let key = read_key(store)?.ok_or_else(|| {
            // No hint: the user reads the reasons of all places in one error.
            Error::failure("it did not return the key that was just stored")
        })?;
        Ok(Some(StoredKey { key, is_new: true }))
    })
}

/// Bytes that are no key count as no key, so that a new key replaces them.
fn read_key(store: &dyn KeyStore) -> Result<Option<SealingKey>> {
    match store.read()? {
        Some(bytes) => Ok(SealingKey::from_bytes(&bytes)),
        None => Ok(None),
    }
}

fn forget_key(store: Box<dyn KeyStore>) -> Result<()> {
    let location = store.location();
    run_within_timeout(store, |store| store.erase())
        .map_err(|error| error.about(&location.to_string()))
}

/// Runs `work` in this thread. A store that may hang runs in a thread of its own, which is given up
/// after [`TIMEOUT`] and ends with the process.
fn run_within_timeout<T: Send + 'static>(
    store: Box<dyn KeyStore>,
    work: impl FnOnce(&dyn KeyStore) -> Result<T> + Send + 'static,
) -> Result<T> {
    if !store.may_hang() {
        return work(&*store);
    }
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || drop(sender.send(work(&*store))))
        .map_err(|error| Error::system("cannot start a thread", &error))?;
    match receiver.recv_timeout(TIMEOUT) {
        Ok(answer) => answer,
        Err(_) => Err(
            Error::failure(format!("it did not answer within {} s", TIMEOUT.as_secs()))
                .hint("unlock it, or set PGCRED_CACHE=file to keep the key in a file"),
        ),
    }
}

/// Returns the name of the item for the stores that show names to people.
#[cfg(any(
    all(target_os = "linux", feature = "secret-service"),
    target_os = "macos",
    target_os = "windows"
))]
fn item_name(scope: &str) -> String {
    format!("pgcred cache key ({scope})")
}

/// Returns the directory for a file with the key.
fn key_directory(paths: &KeyPaths) -> PathBuf {
    match &paths.runtime {
        Some(runtime) if fs::is_own_directory(runtime) => pgcred_directory_in(runtime),
        _ => paths.fallback.clone(),
    }
}

#[cfg(test)]
mod tests;
