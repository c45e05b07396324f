//! The only file that writes to stdout and stderr. stdout gets the answer or nothing.

pub(crate) mod format;

use std::io::{self, Write};

use crate::error::{Error, Result};

/// What a command says besides its answer; `quiet` leaves only errors.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) quiet: bool,
}

impl Output {
    /// Writes the answer whole. A reader that has gone away is not an error.
    pub(crate) fn answer(text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::failure("cannot write to stdout").caused_by(&error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn warn(self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            line(&format!("pgcred: {text}"));
        }
    }

    /// Says what failed and what to type next.
    pub(crate) fn report(error: &Error) {
        line(&format!("pgcred: {error}"));
        if let Some(hint) = error.to_hint() {
            line(&format!("hint: {hint}"));
        }
    }
}

/// Writes one line to stderr. Foreign text may hold escape sequences or line ends; they are shown, not sent.
fn line(text: &str) {
    let mut shown = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('\n');
    let _ = io::stderr().write_all(shown.as_bytes()); // nobody left to tell
}
