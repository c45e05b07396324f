//! Reads and writes the user's crontab by the program `crontab`. `scheduler` reads it to make an
//! edit, and `command::edits` replaces it. A crontab is replaced as a whole, and only if it is
//! still the one that the edit was made from; `crontab` offers no lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sys::child::{self, ChildAttachment, ProgramError, ProgramOutput};
use crate::sys::fs;

/// What the program says, in lower case, where the user has no crontab.
const NO_CRONTAB: [&str; 2] = ["no crontab for", "no such file"];

/// Whether the program has not ended in time in this run. It is not waited for a second time.
static HANGS: AtomicBool = AtomicBool::new(false);

/// Returns the user's crontab; `None` if there is none, an error if that is not known for sure.
pub(crate) fn read_crontab() -> Result<Option<String>> {
    let output = run_crontab(&["-l"])?;
    // A program that prints more than is read fails at the closed pipe.
    if output.status.success() || output.is_too_long() {
        return match text_of_crontab(output) {
            Ok(text) => Ok(Some(text)),
            Err(problem) => Err(Error::usage(problem)
                .hint("run `pgcred setup cron --print`, and add the line yourself")),
        };
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let lower_message = message.to_lowercase();
    if NO_CRONTAB.iter().any(|text| lower_message.contains(text)) {
        return Ok(None);
    }
    Err(
        Error::failure(format!("`crontab -l` failed: {}", message.trim()))
            .hint("run `crontab -l` by hand to see more"),
    )
}

/// Returns what `crontab -l` has printed, or says why that may not be the whole crontab.
fn text_of_crontab(output: ProgramOutput) -> Result<String, &'static str> {
    if output.is_too_long() {
        return Err("the crontab is larger than 1 MiB");
    }
    if !output.is_complete {
        return Err("the crontab was not printed to its end");
    }
    String::from_utf8(output.stdout).map_err(|_| "the crontab is not UTF-8")
}

/// Replaces a crontab that is still as it was before. Removes it if there is to be none.
pub(crate) fn replace_crontab(old_text: Option<&str>, new_text: Option<&str>) -> Result<()> {
    if read_crontab()?.as_deref() != old_text {
        return Err(Error::changed_meanwhile("the crontab"));
    }
    let Some(new_text) = new_text else {
        return check_success(&run_crontab(&["-r"])?);
    };
    let directory = fs::new_private_directory()?;
    let file = directory.path("crontab");
    fs::write_unsynced(&file, new_text.as_bytes())?;
    check_success(&run_crontab(&[&file.display().to_string()])?)
}

fn run_crontab(arguments: &[&str]) -> Result<ProgramOutput> {
    const TO_READ: Duration = Duration::from_secs(2); // doctor waits for it, too
    const TO_WRITE: Duration = Duration::from_secs(10);
    let timeout = match arguments {
        ["-l"] if HANGS.load(Ordering::Relaxed) => Duration::ZERO,
        ["-l"] => TO_READ,
        _ => TO_WRITE,
    };
    let mut command_line = vec!["crontab".to_owned()];
    command_line.extend(arguments.iter().map(|word| (*word).to_owned()));
    match child::output(
        &command_line,
        Instant::now() + timeout,
        ChildAttachment::Alone,
    ) {
        Ok(output) => Ok(output),
        Err(ProgramError::Failed(error)) => Err(error),
        Err(ProgramError::TooLate) => {
            HANGS.store(true, Ordering::Relaxed);
            let seconds = timeout.as_secs();
            let error = Error::failure(format!("crontab did not end within {seconds} s"));
            Err(error.hint("run `crontab -l` by hand to see more"))
        }
    }
}

fn check_success(output: &ProgramOutput) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(Error::failure(format!(
        "crontab did not accept the new crontab: {}",
        message.trim()
    ))
    .hint("run `pgcred setup cron --print` to see what to add by hand; nothing was changed"))
}
