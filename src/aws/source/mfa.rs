//! Gets the code of a multi-factor device: from an option, from a command, or from the user at the
//! terminal.

use crate::authority::AskPolicy;
use crate::aws::profile::command_line;
use crate::aws::resolution::CredentialResolution;
use crate::error::{Error, ErrorReason, Result};
use crate::sys::child::{self, ProgramError};
use crate::sys::env;
use crate::text;
use crate::text::quote::typed;

/// The variable with a command that prints a code.
const COMMAND_VARIABLE: &str = "PGCRED_MFA_CODE_COMMAND";
const MIN_DIGITS: usize = 6;

/// Tells whether a code can be had.
pub(super) fn can_ask(ask_policy: &AskPolicy) -> bool {
    ask_policy.mfa_code.is_some() || env::var(COMMAND_VARIABLE).is_some() || ask_policy.terminal
}

/// Returns a code of the device with this serial number or ARN. stdin is not read: the terminal
/// itself is.
pub(super) fn ask_for_code(
    resolution: &CredentialResolution,
    profile: &str,
    serial: &str,
) -> Result<String> {
    if let Some(code) = &resolution.ask_policy.mfa_code {
        return Ok(code.clone());
    }
    if let Some(command) = env::var(COMMAND_VARIABLE) {
        return ask_command_for_code(resolution, &command);
    }
    if !resolution.ask_policy.terminal {
        return Err(Error::login(format!(
            "the role of profile `{profile}` needs an MFA code, and there is no terminal to ask on"
        ))
        .hint(format!(
            "run `aws sts get-caller-identity --profile {}` at a terminal (pgcred uses what it \
             caches), or give --mfa-code CODE or {COMMAND_VARIABLE}",
            typed(profile)
        ))
        .because(ErrorReason::NoCode));
    }
    let device = serial.rsplit('/').next().unwrap_or(serial);
    let prompt = text::printable(&format!(
        "pgcred: MFA code of {device} for profile {profile}: "
    ));
    let no_code = Error::login("no MFA code was given")
        .hint("try again, or give --mfa-code CODE")
        .because(ErrorReason::NoCode);
    match resolution.without_deadline(|| rpassword::prompt_password(prompt)) {
        Ok(code) if code.trim().is_empty() => Err(no_code),
        Ok(code) => Ok(code.trim().to_owned()),
        Err(error) => Err(no_code.caused_by(&error)),
    }
}

fn ask_command_for_code(resolution: &CredentialResolution, command: &str) -> Result<String> {
    let Some(command_line) = command_line::split_command_line(command) else {
        return Err(unusable_code("has a quote that is not closed"));
    };
    let output = match child::output(
        &command_line,
        resolution.deadline(),
        resolution.ask_policy.attachment(),
    ) {
        Ok(output) => output,
        Err(ProgramError::Failed(error)) => return Err(error.about(COMMAND_VARIABLE)),
        Err(ProgramError::TooLate) => return Err(resolution.timeout_error(COMMAND_VARIABLE)),
    };
    if !output.status.success() {
        return Err(unusable_code(&format!(
            "failed: {}",
            child::last_line(&output.stderr)
        )));
    }
    // `ykman oath accounts code NAME` prints the account's name before the code.
    let line = child::last_line(&output.stdout);
    let code = line.split_whitespace().next_back().unwrap_or_default();
    if code.len() < MIN_DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unusable_code("printed no code"));
    }
    Ok(code.to_owned())
}

fn unusable_code(problem: &str) -> Error {
    Error::failure(format!("{COMMAND_VARIABLE} {problem}")).hint(format!(
        "run the command of {COMMAND_VARIABLE} by hand to see more"
    ))
}
