//! The key in a private file, for systems without a keyring; a file that others could read holds no key any more.

use std::path::PathBuf;

use super::{Paths, folder};
use crate::error::Result;
use crate::sys::fs;
use crate::text::encode::percent;

pub(super) struct Store {
    folder: PathBuf,
    path: PathBuf,
}

impl Store {
    pub(super) fn new(paths: &Paths) -> Self {
        let folder = folder(paths);
        let path = folder.join(format!("key-{}", percent(&paths.scope)));
        Self { folder, path }
    }
}

impl super::Store for Store {
    fn name(&self) -> String {
        format!("file {}", self.path.display())
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        fs::read_private(&self.path)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        fs::private_folder(&self.folder)?;
        fs::edit(&self.path, |_| Ok((Some(bytes.to_vec()), ()))).map(drop)
    }

    fn erase(&self) -> Result<()> {
        fs::remove(&self.path)
    }
}
