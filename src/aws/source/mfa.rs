//! The code of a multi-factor device: from an option, from a command, or asked for on the terminal.

use crate::authority::AskPolicy;
use crate::aws::profile::words;
use crate::aws::resolution::Resolution;
use crate::aws::source::process::last_line;
use crate::error::{Error, Result};
use crate::sys::child::{self, NoOutput};
use crate::sys::env;
use crate::text;
use crate::text::quote::typed;

const COMMAND: &str = "PGCRED_MFA_CODE_COMMAND";

/// Tells whether a code can be had.
pub(crate) fn can_ask(ask: &AskPolicy) -> bool {
    ask.mfa_code.is_some() || env::var(COMMAND).is_some() || ask.terminal
}

/// Returns the code for the device of this serial number or ARN. stdin is not read: the terminal
/// itself is.
pub(crate) fn code(resolution: &Resolution, profile: &str, serial: &str) -> Result<String> {
    if let Some(code) = &resolution.ask.mfa_code {
        return Ok(code.clone());
    }
    if let Some(command) = env::var(COMMAND) {
        return by_command(resolution, &command);
    }
    if !resolution.ask.terminal {
        return Err(Error::login(format!(
            "the role of profile `{profile}` needs an MFA code, and no terminal is there to ask on"
        ))
        .hint(format!(
            "run `aws sts get-caller-identity --profile {}` in a terminal (pgcred uses what it caches), or give \
                 --mfa-code CODE or {COMMAND}",
            typed(profile)
        )));
    }
    let device = serial.rsplit('/').next().unwrap_or(serial);
    let prompt = text::shown(&format!(
        "pgcred: MFA code of {device} for profile {profile}: "
    ));
    let code = resolution.off_the_clock(|| rpassword::prompt_password(prompt));
    let code = code.map_err(|error| {
        Error::login("no MFA code was given")
            .caused_by(&error)
            .hint("retry, or give --mfa-code")
    })?;
    if code.trim().is_empty() {
        return Err(Error::login("no MFA code was given").hint("retry, or give --mfa-code"));
    }
    Ok(code.trim().to_owned())
}

fn by_command(resolution: &Resolution, command: &str) -> Result<String> {
    let wrong = |what: String| {
        Error::failure(format!("{COMMAND} {what}")).hint("run the command by hand to see more")
    };
    let words =
        words::split(command).ok_or_else(|| wrong("has a quote that is not closed".to_owned()))?;
    let ended =
        child::output(&words, resolution.deadline(), resolution.ask.bond()).map_err(|failure| {
            match failure {
                NoOutput::Failed(error) => error.about(COMMAND),
                NoOutput::TooLate => resolution.too_late(COMMAND),
            }
        })?;
    if !ended.status.success() {
        return Err(wrong(format!("failed: {}", last_line(&ended.stderr))));
    }
    // `ykman oath accounts code NAME` prints the account's name before the code.
    let line = last_line(&ended.stdout);
    let code = line.split_whitespace().next_back().unwrap_or_default();
    if code.len() < 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("printed no code".to_owned()));
    }
    Ok(code.to_owned())
}
