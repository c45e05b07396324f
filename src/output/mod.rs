//! Prints the answer to stdout and messages to stderr. stdout gets the answer or nothing. Only the
//! questions of `sys::terminal` and `sys::dialog` are printed elsewhere.
//!
//! ```text
//! format     the forms of a token
//! progress   the line that shows how far a command is
//! table      columns, for `list`, `discover` and `setup`
//! variables  libpq's variables that would lead a program elsewhere
//! ```

pub(crate) mod format;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod variables;

use std::io::{self, Write};

use crate::error::{Error, Result};
use crate::text;

/// The beginning of each message on stderr, then of a step and of a warning. An error has neither
/// of the last two.
const PROGRAM: &str = "pgcred: ";
const DEBUG: &str = "debug: ";
const WARNING: &str = "warning: ";

/// Decides what a command says besides its answer.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// Write errors only.
    pub(crate) quiet: bool,
    /// Write every step, and do not mask account numbers.
    pub(crate) debug: bool,
}

impl Output {
    /// Writes nothing but errors.
    pub(crate) const SILENT: Self = Self {
        quiet: true,
        debug: false,
    };

    /// Writes the whole answer. It is no error if the reader has closed the pipe.
    pub(crate) fn answer(text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::failure("cannot write to stdout")
                    .caused_by(&error)
                    .hint("check what stdout leads to, such as a file on a full disk"))
            }
            _ => Ok(()),
        }
    }

    /// Writes lines for people as the answer. Control characters in them are escaped.
    pub(crate) fn lines(lines: impl IntoIterator<Item = String>) -> Result<()> {
        Self::answer(
            &lines
                .into_iter()
                .map(|line| text::printable(&line) + "\n")
                .collect::<String>(),
        )
    }

    /// Shows a text of several lines to the user, on stderr, because it is not the answer.
    pub(crate) fn show(text: &str) {
        text.lines().for_each(print_to_stderr);
    }

    pub(crate) fn warn(self, text: &str) {
        self.note(&format!("{WARNING}{text}"));
    }

    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            print_to_stderr(&self.masked(&format!("{PROGRAM}{text}")));
        }
    }

    /// Shows a step, if the run has `--debug`.
    pub(crate) fn step(self, text: &str) {
        if self.debug {
            Self::trace(text);
        }
    }

    /// Shows a step of `--debug`.
    pub(crate) fn trace(text: &str) {
        print_to_stderr(&format!("{PROGRAM}{DEBUG}{text}"));
    }

    /// Tells the user what to do before there can be an answer, also if the output is quiet.
    pub(crate) fn instruct(text: &str) {
        print_to_stderr(&format!("{PROGRAM}{text}"));
    }

    /// Writes what failed and what to type next.
    pub(crate) fn report(self, error: &Error) {
        print_to_stderr(&self.masked(&format!("{PROGRAM}{error}")));
        if let Some(hint) = error.hint_text() {
            print_to_stderr(&self.masked(&format!("hint: {hint}")));
        }
    }

    /// Says what to type next, where another program has said what failed.
    pub(crate) fn hint(self, text: &str) {
        if !self.quiet {
            print_to_stderr(&self.masked(&format!("hint: {text}")));
        }
    }

    /// Returns a message with masked account numbers, unless the user wants to see them.
    pub(crate) fn masked(self, text: &str) -> String {
        if self.debug {
            text.to_owned()
        } else {
            text::mask_accounts(text)
        }
    }
}

/// Returns the error that another run of pgcred reported, from what that run wrote to stderr: the
/// last message that is neither a step nor a warning.
pub(crate) fn reported_error(stderr: &str) -> Option<&str> {
    for line in stderr.lines().rev() {
        let Some(message) = line.strip_prefix(PROGRAM) else {
            continue;
        };
        if !message.starts_with(DEBUG) && !message.starts_with(WARNING) {
            return Some(message);
        }
    }
    None
}

/// Writes one line to stderr.
fn print_to_stderr(text: &str) {
    // if stderr is closed, an error cannot be reported either
    let _ = io::stderr().write_all((text::printable(text) + "\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_another_run_is_found_between_its_other_messages() {
        let stderr = "pgcred: debug: cache: none\npgcred: warning: old\npgcred: no user for h\n\
                      hint: --user USER\npgcred: warning: late\npgcred: debug: end\n";
        assert_eq!(reported_error(stderr), Some("no user for h"));
        assert_eq!(reported_error("pgcred: warning: old\nkilled\n"), None);
    }
}
