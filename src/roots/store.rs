//! The files of root certificates in pgcred's data folder: written once, renewed with pgcred or by `pgcred roots --update`.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::carried::Set;
use crate::env;
use crate::error::{Error, Result};
use crate::fs;

/// How a file begins that another pgcred has written from what it carries; one that was downloaded begins otherwise.
const CARRIED: &[u8] = b"# carried by pgcred";

fn folder() -> Result<PathBuf> {
    let folder = env::data_folder().map(|folder| folder.join("roots"));
    folder.ok_or_else(|| Error::failure("no folder for root certificates is known").hint("set HOME or PGCRED_HOME"))
}

/// Returns the path of a set's file.
pub(super) fn path(set: &Set) -> Result<PathBuf> {
    folder().map(|folder| folder.join(set.file_name()))
}

/// Sees to it that a set's file is there. What was downloaded stays; else it holds what this pgcred carries, or what
/// `download` gets.
pub(super) fn provide(set: &Set, download: impl FnOnce() -> Result<String>) -> Result<()> {
    let there = fs::read(&path(set)?).unwrap_or_default();
    if !there.is_empty() && !there.starts_with(CARRIED) {
        return Ok(());
    }
    match set.carried() {
        Some(text) if there == text.as_bytes() => Ok(()),
        Some(text) => put(set, &text).map(drop),
        None => put(set, &download()?).map(drop),
    }
}

/// Puts a set into its file and returns the path.
pub(super) fn put(set: &Set, text: &str) -> Result<PathBuf> {
    let path = path(set)?;
    fs::swap_in(&path, text.as_bytes())?;
    Ok(path)
}

/// Tells whether a text is PEM of certificates that can be read.
pub(super) fn is_pem(text: &str) -> bool {
    let mut certificates = CertificateDer::pem_slice_iter(text.as_bytes());
    certificates.all(|certificate| certificate.is_ok_and(|certificate| certificate.starts_with(&[0x30])))
}

/// Returns the folder of the files, if there are any.
pub(crate) fn kept() -> Option<PathBuf> {
    folder().ok().filter(|folder| folder.is_dir())
}

/// Removes all of them, and the folders that are empty then.
pub(crate) fn remove_all(folder: &Path) -> Result<()> {
    fs::remove_folder(folder)?;
    fs::remove_empty_folders(folder);
    Ok(())
}
