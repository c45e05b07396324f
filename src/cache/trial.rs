//! Tries out the cache, for `pgcred doctor`: whether its directory can be written, and whether the
//! place of its key keeps what it is given. No token and no key is touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Cache;
use super::key::{self, KeyPaths, KeyTrial};
use crate::config::CacheChoice;
use crate::error::{Error, Result};
use crate::sys::fs;
use crate::sys::paths::CacheDirectory;

/// What became of the file and of the entry.
pub(crate) struct CacheTrial {
    pub(crate) directory: PathBuf,
    /// Whether a file in the directory could be written, read and deleted.
    pub(crate) written: Result<()>,
    pub(crate) key: KeyTrial,
}

impl Cache {
    /// Returns the work of a trial. It may take as long as a search for the key, and can be done by
    /// another thread.
    pub(crate) fn trial(&self) -> impl FnOnce() -> CacheTrial + Send + 'static + use<> {
        let (choice, paths) = (self.choice, self.key_paths());
        let directory = CacheDirectory::new(self.directory.path());
        move || try_out(choice, &paths, &directory)
    }
}

/// Tries out the directory, then the key's places. A directory that did not exist is removed again.
fn try_out(choice: CacheChoice, paths: &KeyPaths, directory: &CacheDirectory) -> CacheTrial {
    let path = directory.path();
    let existed = path.is_dir();
    let written = try_file(path, &directory.test_file());
    // Two trials at the same time would delete each other's entry. Where there was no directory, no
    // other process was making a key.
    let lock = if existed {
        fs::lock(&directory.key_lock(), Duration::from_secs(1)).ok()
    } else {
        None
    };
    let key = key::try_out(choice, paths);
    drop(lock);
    if !existed {
        let _ = fs::empty_directory(path, &[], |_| false); // removes it only if it is empty
        fs::remove_empty_directories(path);
    }
    CacheTrial {
        directory: path.to_owned(),
        written,
        key,
    }
}

fn try_file(directory: &Path, file: &Path) -> Result<()> {
    const TEXT: [u8; 4096] = [b'x'; 4096];
    fs::ensure_own_directory(directory)?;
    fs::write_unsynced(file, &TEXT)?;
    let is_kept = fs::read_own(file).as_deref() == Some(&TEXT[..]);
    fs::remove(file)?;
    if is_kept {
        return Ok(());
    }
    let file = file.display();
    Err(
        Error::failure(format!("{file} does not have what was just written"))
            .hint("check the disk, or name another directory with PGCRED_HOME"),
    )
}
