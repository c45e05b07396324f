//! The key in the Linux kernel's user keyring: shared by all of the user's sessions, no daemon, gone at reboot.

use linux_keyutils::{Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

use crate::error::{Error, Result};

/// One byte more than a key has, so that a longer text is not taken for one.
const BUFFER: usize = 33;

pub(super) struct Store {
    description: String,
}

impl Store {
    pub(super) fn new(scope: &str) -> Self {
        Self { description: format!("pgcred:cache-key:{scope}") }
    }

    fn find(&self) -> std::result::Result<Option<(KeyRing, Key)>, KeyError> {
        let ring = user_keyring()?;
        absent_is_none(ring.search(&self.description)).map(|key| key.map(|key| (ring, key)))
    }

    fn fetch(&self) -> std::result::Result<Option<Vec<u8>>, KeyError> {
        let Some((_, key)) = self.find()? else {
            return Ok(None);
        };
        let mut bytes = [0; BUFFER];
        let length = absent_is_none(key.read(&mut bytes))?;
        Ok(length.map(|length| bytes[..length.min(BUFFER)].to_vec()))
    }

    /// Makes the key in this process's own keyring, opens it to the user's other sessions, then links it.
    ///
    /// The detour is for sessions whose keyring does not contain the user keyring (systemd services, cron, containers):
    /// a key made right in there would not be theirs to change, and by default only a possessor may read. The link
    /// displaces an older key in one step. Group and others get nothing.
    fn keep(&self, bytes: &[u8]) -> std::result::Result<(), KeyError> {
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let key = own.add_key(&self.description, bytes)?;
        let read = || Permission::VIEW | Permission::READ | Permission::SEARCH;
        key.set_perms(KeyPermissionsBuilder::builder().posessor(read() | Permission::LINK).user(read()).build())?;
        user_keyring()?.link_key(key)?;
        own.unlink_key(key)
    }
}

impl super::Store for Store {
    fn name(&self) -> String {
        "kernel keyring".to_owned()
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        self.fetch().map_err(explain)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.keep(bytes).map_err(explain)
    }

    fn erase(&self) -> Result<()> {
        match self.find().and_then(|found| found.map_or(Ok(()), |(ring, key)| ring.unlink_key(key))) {
            Err(error) if is_missing(error) => Ok(()), // it holds nothing
            done => done.map_err(explain),
        }
    }
}

/// Not the session keyring, which each log-in has its own of; not the persistent one, which not every kernel has and
/// which forgets after three days without use.
fn user_keyring() -> std::result::Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false)
}

fn absent_is_none<T>(answer: std::result::Result<T, KeyError>) -> std::result::Result<Option<T>, KeyError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked | KeyError::KeyRejected) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Tells what container engines answer in the kernel's place, or a kernel without keyrings.
fn is_missing(error: KeyError) -> bool {
    matches!(error, KeyError::PermissionDenied | KeyError::Unknown(nix::libc::ENOSYS))
}

fn explain(error: KeyError) -> Error {
    match error {
        error if is_missing(error) => Error::failure("this system does not offer it"),
        KeyError::QuotaExceeded => Error::failure("full: the user's quota of keys is used up"),
        error => Error::failure("it refuses").caused_by(&error),
    }
}
