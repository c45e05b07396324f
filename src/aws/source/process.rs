//! Gets credentials from `credential_process`: a program that prints them as JSON. AWS describes it
//! under "Sourcing credentials with an external process" in the AWS CLI User Guide.
//!
//! 1. The command line of the profile is split into words as the AWS CLI does. No shell reads it.
//! 2. The program runs until it ends, until what it has printed is whole JSON, or until the
//!    deadline of `--timeout`, at which it is killed.
//! 3. Its answer has `Version` 1, `AccessKeyId`, `SecretAccessKey`, and may have `SessionToken` and
//!    `Expiration`.
//!
//! No error and no step of `--debug` repeats the arguments or the answer, because both may be
//! secret; of stderr the last line is repeated, without the arguments. Nothing is cached here: a
//! program that wants a cache has its own.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Map, Value};

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::cli_cache;
use crate::aws::credentials::Credentials;
use crate::aws::credentials::FieldNames;
use crate::aws::plan::CredentialProcess;
use crate::aws::profile::command_line;
use crate::aws::resolution::CredentialResolution;
use crate::error::{Error, ErrorReason, Result};
use crate::sys::child::{self, ProgramError, ProgramOutput};
use crate::sys::fs;

impl CredentialSource for CredentialProcess {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(credentials_of_program(resolution, &self.command)?)) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        files_of_command(&self.command)
    }

    /// The program may well use one of AWS's login caches, so all of them count, but no file that
    /// the command line names: the program may write it itself, as a log.
    fn login_paths(&self) -> Vec<PathBuf> {
        cli_cache::cache_directories()
    }

    /// The arguments may be secret.
    fn describe(&self, origin: &str) -> String {
        format!("credential_process ({origin})")
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::Key("credential_process")
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        LoginState::NotNeeded
    }
}

/// Runs the command line of a profile and returns the credentials that it prints.
fn credentials_of_program(resolution: &CredentialResolution, command: &str) -> Result<Credentials> {
    let subject = format!("the credential_process{}", resolution.profile_clause());
    let Some(command_line) = command_line::split_command_line(command) else {
        return Err(
            Error::usage(format!("{subject} has a quote that is not closed"))
                .hint("correct credential_process in the profile"),
        );
    };
    let program = match command_line.first() {
        Some(program) => program.as_str(),
        None => "",
    };
    let hint = format!("run `{program} ...`, the command of the profile, by hand to see more");
    resolution.step(format!("running {program}"));
    let output = run_program(resolution, &command_line, program, &subject, &hint)?;
    let credentials = parse_credentials(&output, &subject, &hint)?;
    resolution.require_unexpired(credentials, "its credential_process", &hint)
}

/// Returns what a program has printed by its end, by the deadline, or by the time its answer was
/// whole: a helper that it has started may keep its stdout open.
fn run_program(
    resolution: &CredentialResolution,
    command_line: &[String],
    program: &str,
    subject: &str,
    hint: &str,
) -> Result<ProgramOutput> {
    let stamp_before = program_stamp(program);
    let output = child::complete_output(
        command_line,
        resolution.deadline(),
        resolution.ask_policy.attachment(),
        is_complete,
    );
    // The program may have written the files of a login. But the answer of a program that was
    // replaced meanwhile is not the answer of the new one.
    if program_stamp(program) == stamp_before {
        resolution.note_changed_files();
    }
    let too_late = format!("the credential_process {program}");
    match output {
        Ok(output) if output.status.success() => {
            if !output.is_complete && Instant::now() >= resolution.deadline() {
                return Err(resolution.timeout_error(&too_late).hint(hint));
            }
            Ok(output)
        }
        Ok(output) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let mut reason =
                child::last_line(child::without_arguments(&stderr, command_line).as_bytes());
            if reason.is_empty() {
                reason = output.status.to_string();
            }
            let failure = Error::failure(format!("{subject} failed: {reason}")).hint(hint);
            Err(failure.because(ErrorReason::ProgramFailed))
        }
        Err(ProgramError::Failed(error)) => {
            Err(error.about(subject).because(ErrorReason::ProgramFailed))
        }
        Err(ProgramError::TooLate) => Err(resolution.timeout_error(&too_late).hint(hint)),
    }
}

fn program_stamp(program: &str) -> Option<String> {
    fs::stamp(&child::find(program.as_ref())?)
}

fn is_complete(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok()
}

/// Returns the credentials that were printed.
fn parse_credentials(output: &ProgramOutput, subject: &str, hint: &str) -> Result<Credentials> {
    let unusable_output = |found: &str| {
        Error::failure(format!("{subject} printed {found}"))
            .hint(hint)
            .because(ErrorReason::ProgramFailed)
    };
    if output.stdout.is_empty() {
        return Err(unusable_output("nothing"));
    }
    let answer: Value = match serde_json::from_slice(&output.stdout) {
        Ok(answer) => answer,
        Err(error) => return Err(unusable_output(&format!("text that is not JSON ({error})"))),
    };
    let none = Map::new();
    let fields = answer.as_object().unwrap_or(&none);
    match fields.get("Version").map(Value::as_f64) {
        Some(Some(1.0)) => {}
        _ => return Err(unusable_output("JSON without `\"Version\": 1`")),
    }
    match FieldNames::OF_STS.credentials(fields, "credential_process") {
        Ok(credentials) => Ok(credentials),
        Err(reason) => Err(unusable_output(&reason)),
    }
}

/// Returns the program that a command line starts here, and the words that name files wherever it
/// is started. They need not exist.
fn files_of_command(command: &str) -> Vec<PathBuf> {
    let Some(command_line) = command_line::split_command_line(command) else {
        return Vec::new();
    };
    let command_line: Vec<PathBuf> = command_line.into_iter().map(PathBuf::from).collect();
    let mut files = Vec::new();
    if let Some(program) = command_line.first()
        && program.is_relative()
    {
        files.extend(child::find(program.as_os_str()));
    }
    files.extend(command_line.into_iter().filter(|word| word.is_absolute()));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program may write a file whose path it is given, but a changed one may sign as another.
    #[test]
    fn absolute_words_of_the_command_line_are_files_and_no_places_of_logins() {
        let process = CredentialProcess {
            command: "/opt/print-keys --log '/tmp/a b' relative".to_owned(),
        };
        let files = ["/opt/print-keys", "/tmp/a b"].map(PathBuf::from);
        if cfg!(unix) {
            assert_eq!(process.files(), files);
        }
        for path in process.login_paths() {
            assert!(!files.contains(&path), "{}", path.display());
        }
        let open_quote = CredentialProcess {
            command: "/opt/print-keys 'a".to_owned(),
        };
        assert!(open_quote.files().is_empty());
    }

    #[test]
    fn an_answer_is_complete_at_the_end_of_its_json() {
        assert!(!is_complete(br#"{"Version": 1"#));
        assert!(is_complete(br#"{"Version": 1}"#));
    }
}
