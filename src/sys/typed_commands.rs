//! Writes the commands that a hint tells the user to type, for the system that pgcred runs on: no
//! user of Windows is told to type `rm`. Nothing is run here.

use std::path::Path;

use crate::text::quote;

/// Says what to do if the system gives no more files, threads or processes.
pub(crate) const HINT_AT_LIMITS: &str = if cfg!(windows) {
    "end other programs, then try again"
} else {
    "end other programs, or raise the limits with `ulimit -n 1024; ulimit -u 1024`"
};

/// Returns the command that removes a file.
pub(crate) fn remove_file(path: &Path) -> String {
    let program = if cfg!(windows) { "del" } else { "rm" };
    format!("{program} {}", quoted_path(path))
}

/// Returns the command that makes a directory, private where modes say who may enter it, and the
/// directories above it.
pub(crate) fn make_directory(path: &Path) -> String {
    let program = if cfg!(windows) {
        "mkdir"
    } else {
        "mkdir -p -m 700"
    };
    format!("{program} {}", quoted_path(path))
}

/// Quotes a path, also a plain one, so that its end is seen in a sentence.
fn quoted_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if cfg!(windows) {
        quote::typed(&path)
    } else {
        quote::posix(&path)
    }
}
