//! The only file that writes to stdout and stderr. stdout gets the answer or nothing.

pub(crate) mod format;
pub(crate) mod variables;

use std::io::{self, Write};

use crate::error::{Error, Result};

/// What a command says besides its answer; `quiet` leaves only errors.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) quiet: bool,
    /// Say what was tried, and hide no account numbers.
    pub(crate) debug: bool,
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

    /// Shows a text of several lines to the person: on stderr, for it is no answer.
    pub(crate) fn show(text: &str) {
        text.lines().for_each(line);
    }

    pub(crate) fn warn(self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            line(&self.shown(&format!("pgcred: {text}")));
        }
    }

    /// Says what was tried, if somebody wants to know.
    pub(crate) fn step(self, text: &str) {
        if self.debug {
            line(&format!("pgcred: debug: {text}"));
        }
    }

    /// Says what a person has to do before there can be an answer.
    pub(crate) fn tell(text: &str) {
        line(&format!("pgcred: {text}"));
    }

    /// Says what failed and what to type next.
    pub(crate) fn report(self, error: &Error) {
        line(&self.shown(&format!("pgcred: {error}")));
        if let Some(hint) = error.to_hint() {
            line(&self.shown(&format!("hint: {hint}")));
        }
    }

    /// Hides the account numbers in ARNs: AWS's own messages are full of them, and end in bug reports.
    fn shown(self, text: &str) -> String {
        const DIGITS: usize = 12;
        if self.debug {
            return text.to_owned();
        }
        let mut parts: Vec<&str> = text.split(':').collect();
        let last = parts.len().saturating_sub(1);
        for part in parts.iter_mut().take(last).skip(1) {
            if part.len() == DIGITS && part.bytes().all(|b| b.is_ascii_digit()) {
                *part = "************";
            }
        }
        parts.join(":")
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
