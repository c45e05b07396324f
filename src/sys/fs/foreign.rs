//! Reads files that other programs write and that the user names: bounded in size, and in time
//! where reading can block.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use super::read_at_most;
use crate::error::{Error, Result};

/// A larger file is refused, in bytes. Large bundles of certificates have some hundred KiB.
const LARGEST: u64 = 4 << 20;

/// Returns the bytes of a file that has to be there. A pipe or a device is read until the deadline.
///
/// The AWS CLI reads pipes too, such as `AWS_WEB_IDENTITY_TOKEN_FILE=<(command)`. A pipe gives its
/// bytes only once.
pub(crate) fn read_foreign(path: &Path, deadline: Instant) -> Result<Vec<u8>> {
    let is_regular = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let bytes = if is_regular {
        read_bounded(path)
    } else {
        read_until(path, deadline)?
    };
    let bytes = bytes.map_err(|error| {
        Error::usage(format!("cannot read {}", path.display())).caused_by(&error)
    })?;
    within_limit(path, bytes)
}

fn within_limit(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() as u64 > LARGEST {
        let largest = LARGEST >> 20;
        return Err(Error::usage(format!(
            "{} is larger than {largest} MiB",
            path.display()
        )));
    }
    Ok(bytes)
}

/// As [`read_foreign`], for text.
pub(crate) fn read_foreign_text(path: &Path, deadline: Instant) -> Result<String> {
    let bytes = read_foreign(path, deadline)?;
    String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not UTF-8", path.display())))
}

/// Returns the bytes of a settings file, if there is one and it is a regular file. One that is
/// there and cannot be read is an error: without its settings something else would be done.
pub(crate) fn read_foreign_settings(path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |error: &io::Error| {
        Error::usage(format!("cannot read {}", path.display())).caused_by(error)
    };
    let found = read_at_most(path, LARGEST + 1).map_err(|error| failed(&error))?;
    found
        .filter(|(_, metadata)| metadata.is_file())
        .map(|(bytes, _)| within_limit(path, bytes))
        .transpose()
}

/// Returns the bytes of another program's cache. What is missing, unreadable, too large or no
/// regular file is not there.
pub(crate) fn read_foreign_cache(path: &Path) -> Option<Vec<u8>> {
    let (bytes, metadata) = read_at_most(path, LARGEST + 1).ok()??;
    (metadata.is_file() && bytes.len() as u64 <= LARGEST).then_some(bytes)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads in a thread of its own. If the file blocks, the thread is left behind and ends with the
/// process.
fn read_until(path: &Path, deadline: Instant) -> Result<io::Result<Vec<u8>>> {
    let (sender, answer) = channel();
    let owned = path.to_owned();
    let started = thread::Builder::new().spawn(move || {
        let _ = sender.send(read_bounded(&owned)); // nobody may be waiting any more
    });
    started.map_err(|error| Error::reading(path, &error))?;
    let left = deadline.saturating_duration_since(Instant::now());
    answer.recv_timeout(left).map_err(|_| {
        Error::failure(format!(
            "cannot read {}: it is a pipe or a device that gave nothing in time",
            path.display()
        ))
        .hint("check what writes to it, or allow more time with --timeout")
    })
}
