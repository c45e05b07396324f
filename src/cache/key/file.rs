//! Keeps the key in a private file, for systems without a keyring. If other users can read the
//! file, it counts as no key. The lock of the file is taken to write it, below `key.lock`: the one
//! place where the cache holds two locks.

use std::path::PathBuf;

use super::{KeyLocation, KeyPaths, key_directory};
use crate::error::Result;
use crate::sys::fs;
use crate::sys::paths::key_file;
use crate::text::quote::percent;

pub(super) struct KeyFile {
    directory: PathBuf,
    path: PathBuf,
}

impl KeyFile {
    pub(super) fn new(paths: &KeyPaths) -> Self {
        let directory = key_directory(paths);
        let path = key_file(&directory, &percent(&paths.scope).to_string());
        Self { directory, path }
    }
}

impl super::KeyStore for KeyFile {
    fn location(&self) -> KeyLocation {
        KeyLocation::File(self.path.clone())
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        fs::read_private(&self.path)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        fs::create_private_directory(&self.directory)?;
        fs::edit(&self.path, |_| Ok((Some(bytes.to_vec()), ()))).map(drop)
    }

    fn erase(&self) -> Result<()> {
        fs::remove(&self.path)
    }
}
