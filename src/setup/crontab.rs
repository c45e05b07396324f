//! The user's crontab, by the program of that name: read and replaced as a whole, never guessed.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sys::child::{self, Bond, Ended, NoOutput};
use crate::sys::fs;

/// Returns the user's crontab; `None` if there is none, an error if that is not known for sure.
pub(crate) fn read() -> Result<Option<String>> {
    let ended = run(&["-l"])?;
    let says = String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.success() {
        let text = String::from_utf8(ended.stdout).ok().filter(|_| ended.whole);
        let refused = || {
            Error::usage(
                "the crontab is not UTF-8, larger than 1 MiB, or was not printed to its end",
            )
        };
        text.map(Some)
            .ok_or_else(|| refused().hint("add the line yourself: pgcred setup cron --print"))
    } else if ["no crontab for", "no such file"]
        .iter()
        .any(|text| says.to_lowercase().contains(text))
    {
        Ok(None)
    } else {
        Err(
            Error::failure(format!("`crontab -l` failed: {}", says.trim()))
                .hint("run it by hand to see more"),
        )
    }
}

/// Replaces a crontab that is still as it was before; by nothing, if there is to be none.
pub(crate) fn replace(before: Option<&str>, after: Option<&str>) -> Result<()> {
    if read()?.as_deref() != before {
        return Err(
            Error::failure("the crontab has just been changed by another program")
                .hint("try again"),
        );
    }
    let Some(after) = after else {
        return done(&run(&["-r"])?);
    };
    let directory = fs::session_directory()?;
    let file = directory.path("crontab");
    fs::put(&file, after.as_bytes())?;
    done(&run(&[&file.display().to_string()])?)
}

fn run(arguments: &[&str]) -> Result<Ended> {
    let words: Vec<String> = [&["crontab"], arguments]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    child::output(
        &words,
        Instant::now() + Duration::from_secs(10),
        Bond::Alone,
    )
    .map_err(|failure| match failure {
        NoOutput::Failed(error) => error,
        NoOutput::TooLate => Error::failure("crontab did not end within 10 s"),
    })
}

fn done(ended: &Ended) -> Result<()> {
    if ended.status.success() {
        return Ok(());
    }
    let says = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(Error::failure(format!("crontab took no new one: {says}")).hint("nothing was changed"))
}
