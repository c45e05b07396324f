//! Keeps the key in the macOS Keychain or the Windows Credential Manager, as raw bytes.

use std::collections::HashMap;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store as Service;
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error as KeyringError};
#[cfg(target_os = "windows")]
use windows_native_keyring_store::Store as Service;

use super::{KeyLocation, item_name};
use crate::error::{Error, Result};

/// The name that the user sees, and a property of a new item: on Windows it stays on this computer,
/// and does not go to others of the domain.
#[cfg(target_os = "macos")]
const SYSTEM: (&str, &[(&str, &str)]) = ("macOS Keychain", &[]);
#[cfg(target_os = "windows")]
const SYSTEM: (&str, &[(&str, &str)]) = ("Windows Credential Manager", &[("persistence", "Local")]);

pub(super) struct SystemKeyring {
    account: String,
}

impl SystemKeyring {
    pub(super) fn new(scope: &str) -> Self {
        Self {
            account: item_name(scope),
        }
    }

    fn entry(&self) -> Result<Entry> {
        let modifiers: HashMap<&str, &str> = SYSTEM.1.iter().copied().collect();
        Service::new()
            .and_then(|system| system.build("pgcred", &self.account, Some(&modifiers)))
            .map_err(|error| keyring_error(&error))
    }
}

impl super::KeyStore for SystemKeyring {
    fn location(&self) -> KeyLocation {
        KeyLocation::Keyring(SYSTEM.0)
    }

    fn may_hang(&self) -> bool {
        true
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        absent_is_none(self.entry()?.get_secret())
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.entry()?
            .set_secret(bytes)
            .map_err(|error| keyring_error(&error))
    }

    fn erase(&self) -> Result<()> {
        absent_is_none(self.entry()?.delete_credential()).map(drop)
    }
}

fn absent_is_none<T>(answer: Result<T, KeyringError>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(KeyringError::NoEntry) => Ok(None),
        Err(error) => Err(keyring_error(&error)),
    }
}

/// Only the texts of the error are used: some kinds of it contain the stored bytes, which `Debug`
/// would show.
///
/// No hint: the user reads the reasons of all places in one error, whose hint is another place.
fn keyring_error(error: &KeyringError) -> Error {
    Error::failure("the keyring rejected the request").caused_by(error)
}
