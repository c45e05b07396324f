//! Reads the files of other programs, and files that the user names. The length is limited; so is
//! the time if reading can block.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use super::read::read_at_most;
use crate::error::{Error, Result};

/// The longest file that is read, in bytes. Large bundles of certificates have some hundred KiB.
const MAX_FILE_SIZE: u64 = 4 << 20;

/// Returns the bytes of a file that has to exist. A pipe or a device is read until the deadline.
///
/// Pipes are read because the AWS CLI reads them too, as in
/// `AWS_WEB_IDENTITY_TOKEN_FILE=<(command)`. A pipe gives its bytes only once.
pub(crate) fn read_foreign(path: &Path, deadline: Instant) -> Result<Vec<u8>> {
    let result = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => read_bounded(path),
        _ => read_until(path, deadline)?,
    };
    match result {
        Ok(bytes) => within_limit(path, bytes),
        Err(error) => Err(Error::reading(path, &error)),
    }
}

/// Returns the text of a file as [`read_foreign`] does.
pub(crate) fn read_foreign_text(path: &Path, deadline: Instant) -> Result<String> {
    let bytes = read_foreign(path, deadline)?;
    String::from_utf8(bytes).map_err(|_| Error::not_utf8(path.display()))
}

/// Returns the bytes of a file of settings; `None` if it does not exist or is not a regular file. A
/// file that cannot be read is an error, because pgcred would act differently without it.
pub(crate) fn read_foreign_settings(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_at_most(path, MAX_FILE_SIZE + 1) {
        Ok(Some((bytes, metadata))) if metadata.is_file() => within_limit(path, bytes).map(Some),
        Ok(_) => Ok(None),
        Err(error) => Err(Error::reading(path, &error)),
    }
}

/// Returns the bytes of another program's cache; `None` if it does not exist, cannot be read, is
/// too long, or is not a regular file.
pub(crate) fn read_foreign_cache(path: &Path) -> Option<Vec<u8>> {
    let (bytes, metadata) = read_at_most(path, MAX_FILE_SIZE + 1).ok()??;
    if metadata.is_file() && bytes.len() as u64 <= MAX_FILE_SIZE {
        Some(bytes)
    } else {
        None
    }
}

fn within_limit(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() as u64 <= MAX_FILE_SIZE {
        return Ok(bytes);
    }
    let (shown, largest) = (path.display(), MAX_FILE_SIZE >> 20);
    Err(
        Error::usage(format!("{shown} is larger than {largest} MiB"))
            .usual_hint("name a smaller file, or remove what does not belong into it"),
    )
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_SIZE + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file in another thread. If the read blocks, the thread is left behind, and ends with the
/// process.
fn read_until(path: &Path, deadline: Instant) -> Result<io::Result<Vec<u8>>> {
    let (sender, answer) = channel();
    let file = path.to_owned();
    let result = thread::Builder::new().spawn(move || {
        let _ = sender.send(read_bounded(&file)); // the receiver may have stopped waiting
    });
    result.map_err(|error| Error::reading(path, &error))?;
    let time_left = deadline.saturating_duration_since(Instant::now());
    answer.recv_timeout(time_left).map_err(|_| {
        let shown = path.display();
        Error::failure(format!(
            "{shown} is a pipe or a device that sent nothing in time"
        ))
        .hint("check the program that writes to it, or allow more time with --timeout")
    })
}
