//! Keeps the key in the Linux kernel's user keyring. All sessions of the user share it, it needs no
//! daemon, and it is gone after a reboot.

use std::path::Path;

use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, KeySerialId, Permission,
};

use super::{KeyLocation, KeyPaths};
use crate::error::{Error, Result};
use crate::sys::fs;

/// One byte more than a key has: a longer text then fills the buffer and is not taken for a key.
const BUFFER: usize = 33;
/// The first part of a key's description. The key's scope follows it.
const NAME: &str = "pgcred:cache-key:";
/// The second part of the description. The path of the cache's directory follows it. Keys of older
/// versions contain this word, so it must not change.
const DIRECTORY: &str = " folder=";

/// A quarter of the keys that a user may have.
pub(super) const MANY_KEYS: usize = 50;

pub(super) struct KernelKeyring {
    description: String,
}

impl KernelKeyring {
    pub(super) fn new(paths: &KeyPaths) -> Self {
        let mut description = format!("{NAME}{}", paths.scope);
        if let Some(directory) = paths.fallback.to_str()
            && is_describable(directory)
        {
            description.push_str(DIRECTORY);
            description.push_str(directory);
        }
        Self { description }
    }

    fn find(&self) -> Result<Option<(KeyRing, Key)>, KeyError> {
        let ring = user_keyring()?;
        let key = absent_is_none(ring.search(&self.description))?;
        Ok(key.map(|key| (ring, key)))
    }

    fn fetch(&self) -> Result<Option<Vec<u8>>, KeyError> {
        let Some((_, key)) = self.find()? else {
            return Ok(None);
        };
        let mut bytes = [0; BUFFER];
        let length = absent_is_none(key.read(&mut bytes))?;
        Ok(length.map(|length| bytes[..length.min(BUFFER)].to_vec()))
    }

    /// Makes the key in this process's own keyring, opens it to the user's other sessions, then
    /// links it.
    ///
    /// The detour is for sessions whose keyring does not contain the user keyring (systemd
    /// services, cron, containers). There a process does not possess a key that it makes in the
    /// user keyring, so it could not change the key's permissions, and by default only a possessor
    /// may read. The link replaces an older key in one step. Group and others get no permission.
    fn keep(&self, bytes: &[u8]) -> Result<(), KeyError> {
        let process_keyring = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let key = process_keyring.add_key(&self.description, bytes)?;
        // The possessor is no more than who makes the link: `su USER` hands on the session's
        // keyring, and with it the possession of this key, to another user.
        let possessor = Permission::VIEW | Permission::LINK;
        let user = Permission::VIEW | Permission::READ | Permission::SEARCH;
        key.set_perms(
            KeyPermissionsBuilder::builder()
                .posessor(possessor)
                .user(user)
                .build(),
        )?;
        user_keyring()?.link_key(key)?;
        process_keyring.unlink_key(key)
    }
}

impl super::KeyStore for KernelKeyring {
    fn location(&self) -> KeyLocation {
        KeyLocation::Keyring("kernel keyring")
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        self.fetch().map_err(kernel_keyring_error)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        forget_keys_of_missing_directories();
        self.keep(bytes).map_err(kernel_keyring_error)
    }

    fn erase(&self) -> Result<()> {
        let unlinked = match self.find() {
            Ok(Some((ring, key))) => ring.unlink_key(key),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match unlinked {
            Err(error) if is_missing(error) => Ok(()), // the keyring holds no key
            done => done.map_err(kernel_keyring_error),
        }
    }
}

/// Tells whether a directory can be a part of a key's description: it has to be short, and one line
/// of /proc/keys.
fn is_describable(directory: &str) -> bool {
    const MAX_PATH_LENGTH: usize = 400;
    directory.len() <= MAX_PATH_LENGTH && !directory.contains(char::is_control)
}

/// Removes the keys of caches that were thrown away: the kernel lets a user have no more than 200
/// keys at a time.
fn forget_keys_of_missing_directories() {
    let keys = fs::read(Path::new("/proc/keys")).unwrap_or_default();
    forget_keys(&keys_to_forget(&String::from_utf8_lossy(&keys)));
}

pub(super) fn forget_keys(ids: &[i32]) {
    let Ok(ring) = user_keyring() else { return };
    for id in ids {
        // A key that is not in the user's keyring does not belong to this user.
        let _ = ring.unlink_key(Key::from_id(KeySerialId(*id)));
    }
}

/// Returns the IDs of the keys whose caches are gone, if pgcred has many keys. If it has few, they
/// stay: in a sandbox, or before a volume is mounted, the directory of the user's own cache is not
/// visible either.
pub(super) fn keys_to_forget(listing: &str) -> Vec<i32> {
    let keys: Vec<(i32, &str)> = listing.lines().filter_map(key_in).collect();
    if keys.len() < MANY_KEYS {
        return Vec::new();
    }
    let mut unused_ids = Vec::new();
    for (id, directory) in keys {
        if let Ok(false) = Path::new(directory).try_exists() {
            unused_ids.push(id);
        }
    }
    unused_ids
}

/// Returns the ID of a key of pgcred's and the directory of its cache, from a line of /proc/keys:
/// `ID ... user DESCRIPTION: 32`.
fn key_in(line: &str) -> Option<(i32, &str)> {
    let (fields, description) = line.split_once(NAME)?;
    let (_, directory) = description.split_once(DIRECTORY)?;
    let (directory, _length) = directory.rsplit_once(": ")?;
    let id = fields.split_whitespace().next()?;
    Some((i32::from_str_radix(id, 16).ok()?, directory))
}

/// This is not the session keyring, because each login has its own; nor the persistent keyring,
/// because not every kernel has it, and it forgets its keys after three days without use.
fn user_keyring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false)
}

fn absent_is_none<T>(answer: Result<T, KeyError>) -> Result<Option<T>, KeyError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(
            KeyError::KeyDoesNotExist
            | KeyError::KeyExpired
            | KeyError::KeyRevoked
            | KeyError::KeyRejected,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells whether there are no keyrings: the kernel has none, or a container engine blocks them.
fn is_missing(error: KeyError) -> bool {
    matches!(
        error,
        KeyError::PermissionDenied | KeyError::Unknown(nix::libc::ENOSYS)
    )
}

/// No hint: the user reads the reasons of all places in one error, whose hint is another place.
fn kernel_keyring_error(error: KeyError) -> Error {
    match error {
        error if is_missing(error) => Error::failure("this system does not offer it"),
        KeyError::QuotaExceeded => Error::failure("full: the user's quota of keys is used up"),
        error => Error::failure("the keyring rejected the request").caused_by(&error),
    }
}
