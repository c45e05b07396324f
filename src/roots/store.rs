//! Keeps the files of root certificates in pgcred's data directory: they are written once, and
//! renewed with pgcred or by `pgcred roots --update`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Result};
use crate::provider::RootSet;
use crate::sys::fs;
use crate::sys::paths;

/// The beginning of a file that pgcred has written from the certificates that it carries.
const BUNDLED_HEAD: &[u8] = b"# carried by pgcred";
/// The beginning of a file that pgcred has downloaded.
const DOWNLOADED_HEAD: &[u8] = b"# downloaded by pgcred";

fn roots_directory() -> Result<PathBuf> {
    match paths::roots_directory() {
        Some(directory) => Ok(directory),
        None => Err(Error::no_directory("data")),
    }
}

/// Returns the path of a set's file.
pub(super) fn file_of_set(set: &RootSet) -> Result<PathBuf> {
    roots_directory().map(|directory| directory.join(&set.file_name))
}

/// Tells whether a path is that of a set's file.
pub(super) fn is_own(path: &str) -> bool {
    match roots_directory() {
        Ok(directory) => Path::new(path).starts_with(directory),
        Err(_) => false,
    }
}

/// Makes the file of a set, if it does not exist or is an older one of pgcred's. It gets the
/// certificates that pgcred carries, or those that `download` returns. A downloaded file stays.
///
/// A file or directory that another user can change is refused: that user could make clients
/// believe a false server.
pub(super) fn provide_set(set: &RootSet, download: impl FnOnce() -> Result<String>) -> Result<()> {
    fs::trust::check_path(&roots_directory()?)?;
    let stored_text = fs::read_own(&file_of_set(set)?).unwrap_or_default();
    if !stored_text.is_empty() && !stored_text.starts_with(BUNDLED_HEAD) {
        return Ok(());
    }
    match bundled_text(set) {
        Some(text) if stored_text == text.as_bytes() => Ok(()),
        Some(text) => write_set(set, &text).map(drop),
        None => write_set(set, &download()?).map(drop),
    }
}

/// Returns the text of a set's file if pgcred carries the certificates. Its first line tells a
/// newer pgcred that it may replace the file.
pub(super) fn bundled_text(set: &RootSet) -> Option<Cow<'_, str>> {
    let text = set.bundled.as_deref()?;
    if text.as_bytes().starts_with(BUNDLED_HEAD) {
        return Some(Cow::Borrowed(text));
    }
    let line = String::from_utf8_lossy(BUNDLED_HEAD);
    Some(Cow::Owned(format!("{line}\n{text}")))
}

/// Writes a set into its file and returns the path. It is an error if another user could put
/// another file there.
pub(super) fn write_set(set: &RootSet, text: &str) -> Result<PathBuf> {
    let path = file_of_set(set)?;
    // PGCRED_HOME is checked once in each run, see `fs::trust`.
    if paths::own_home().is_none()
        && let Some(data) = paths::data_directory()
    {
        fs::ensure_own_directory(&data)?;
    }
    fs::ensure_own_directory(&roots_directory()?)?;
    fs::replace_atomically(&path, text.as_bytes())?;
    Ok(path)
}

/// Returns the certificates of a PEM file that can be read.
pub(super) fn parse_certificates(text: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text).flatten().collect()
}

/// Tells whether a text is PEM of certificates that can be read.
pub(super) fn is_pem(text: &str) -> bool {
    const SEQUENCE: u8 = 0x30; // the first byte of a certificate's ASN.1
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        match certificate {
            Ok(certificate) if certificate.first() == Some(&SEQUENCE) => {}
            _ => return false,
        }
    }
    true
}

/// Returns the files that pgcred has written. Others in the directory are the user's.
pub(crate) fn written_files() -> Vec<PathBuf> {
    let Some(directory) = paths::roots_directory() else {
        return Vec::new();
    };
    let mut files = fs::list(&directory);
    files.retain(|path| {
        let text = fs::read(path).unwrap_or_default();
        text.starts_with(BUNDLED_HEAD) || text.starts_with(DOWNLOADED_HEAD)
    });
    files
}

/// Removes a file of root certificates, and the directories that are empty then.
pub(crate) fn remove_file(file: &Path) -> Result<()> {
    fs::remove(file)?;
    if let Some(directory) = file.parent()
        && fs::list(directory).is_empty()
    {
        fs::remove_directory(directory)?;
        fs::remove_empty_directories(directory);
    }
    Ok(())
}
