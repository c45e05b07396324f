//! Makes one error out of several: a command that works on several targets ends with one exit code.

use crate::error::{Error, Result};
use crate::output::Output;

/// Returns a single error as it is. Reports several errors, each once, and returns a last one that
/// says how many there were.
pub(super) fn all_errors(
    mut errors: Vec<Error>,
    output: Output,
    last_word: impl FnOnce(usize) -> String,
) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        count => {
            for error in &errors {
                output.report(error);
            }
            // No hint: each of the errors above has its own.
            let summary = Error::failure(last_word(count));
            let have_one_exit = errors.iter().all(|error| error.exit() == errors[0].exit());
            Err(if have_one_exit {
                summary.exiting(errors[0].exit())
            } else {
                summary
            })
        }
    }
}
