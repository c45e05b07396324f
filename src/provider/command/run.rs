//! Runs a command and reads its answer: with nothing on stdin, without PGPASSWORD, in a process
//! group of its own that is killed at the deadline, and without a word of its answer in an error.

use std::ffi::OsString;

use super::definition::CommandDefinition;
use super::output::{self, CommandOutput};
use crate::authority::{AskPolicy, CredentialQuery, RunNotes};
use crate::error::{Error, ErrorReason, Result};
use crate::sys::child::{self, ChildAttachment, ProgramError, ProgramOutput};
use crate::sys::env;
use crate::time::Time;

/// The longest answer, in bytes.
const MAX_ANSWER_LENGTH: usize = 64 << 10;

/// What a command has answered, and when it was started.
pub(super) struct TimedOutput {
    pub(super) answer: CommandOutput,
    pub(super) started_at: Time,
}

/// What is run for an identity.
pub(super) struct ProgramRun<'a> {
    pub(super) definition: &'a CommandDefinition,
    pub(super) command_line: &'a [String],
    /// The profile of the login that a failure may ask for.
    pub(super) profile: Option<&'a str>,
}

impl ProgramRun<'_> {
    /// Runs the words and returns the answer.
    pub(super) fn run(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<TimedOutput> {
        let definition = self.definition;
        notes.step(|| self.in_words());
        let started_at = Time::now();
        let mut variables: Vec<(OsString, OsString)> = Vec::new();
        for (name, value) in &definition.env {
            variables.push((name.into(), env::with_home(value).into_os_string()));
        }
        let output = child::output_with(
            self.command_line,
            &variables,
            query.deadline,
            child_attachment(query.ask_policy),
            // JSON says itself where it ends. A token alone does not: the end of the pipe counts.
            definition.answers_in_json().then_some(is_json),
        );
        let output = match output {
            Ok(output) => output,
            Err(ProgramError::TooLate) => return Err(self.too_late(query.ask_policy)),
            Err(ProgramError::Failed(error)) => {
                return Err(error
                    .about(&self.subject())
                    .because(ErrorReason::ProgramFailed));
            }
        };
        if !output.status.success() {
            return Err(self.failed(&output));
        }
        if output.stdout.len() > MAX_ANSWER_LENGTH {
            return Err(self.error("printed more than 64 KiB"));
        }
        let answer = output::parse_output(&output.stdout, definition, started_at);
        match answer {
            Ok(answer) => {
                if let Some(fault) = answer.unusable_expiry {
                    notes.step(|| format!("the token is a JWT, but its `exp` is {fault}"));
                }
                Ok(TimedOutput { answer, started_at })
            }
            Err(_) if self.needs_login(&output) => Err(self.login_error(&output)),
            Err(error) => Err(self.with_login(error).about(&self.subject())),
        }
    }

    /// What an error is about.
    fn subject(&self) -> String {
        format!("the command of {}", self.definition.name)
    }

    fn program(&self) -> &str {
        match self.command_line.first() {
            Some(program) => program,
            None => "",
        }
    }

    /// Returns the program, and which placeholders were filled in. Neither the arguments nor the
    /// values are shown, because they may be secret.
    fn in_words(&self) -> String {
        let filled = match self.definition.placeholders().as_slice() {
            [] => String::new(),
            names => format!(", with {}", names.join(", ")),
        };
        let (program, name) = (self.program(), &self.definition.name);
        format!("running {program} (command.{name}){filled}")
    }

    fn failed(&self, output: &ProgramOutput) -> Error {
        if self.needs_login(output) {
            return self.login_error(output);
        }
        self.error(&format!("failed: {}", self.failure_text(output)))
    }

    fn error(&self, problem: &str) -> Error {
        Error::failure(format!("{} {problem}", self.subject()))
            .hint(self.hint_to_run_by_hand())
            .because(ErrorReason::ProgramFailed)
    }

    fn hint_to_run_by_hand(&self) -> String {
        format!("run `{} ...` by hand to see more", self.program())
    }

    /// Returns the last line of stderr, without arguments and variables that may be secret.
    fn failure_text(&self, output: &ProgramOutput) -> String {
        let mut text = child::without_arguments(&stderr_without_frames(output), self.command_line);
        for (_, value) in &self.definition.env {
            text = child::hide_value(text, value);
        }
        let text = child::without_answer(text, &output.stdout);
        let line = child::last_line(text.as_bytes());
        if line.is_empty() {
            return output.status.to_string();
        }
        line
    }

    fn needs_login(&self, output: &ProgramOutput) -> bool {
        let stderr = stderr_without_frames(output);
        let texts = &self.definition.login_if;
        texts.iter().any(|text| stderr.contains(text))
    }

    fn login_error(&self, output: &ProgramOutput) -> Error {
        let reason = self.failure_text(output);
        let error = Error::login(format!("{} needs a login: {reason}", self.subject()));
        self.with_login(error.because(ErrorReason::NoCredentials))
            .or_hint(&self.hint_to_run_by_hand())
    }

    /// Adds how to log in to an error that a login mends.
    fn with_login(&self, error: Error) -> Error {
        match self.definition.login_text(self.profile) {
            Some(login_text) if error.exit() == crate::error::Exit::Login => {
                error.hint(format!("run `{login_text}`, then try again"))
            }
            _ => error,
        }
    }

    fn too_late(&self, ask_policy: &AskPolicy) -> Error {
        let seconds = ask_policy.timeout.as_secs();
        Error::failure(format!(
            "{} did not answer within {seconds} s",
            self.subject()
        ))
        .hint(format!(
            "allow more time with --timeout, or run `{} ...` by hand to see what it waits for",
            self.program()
        ))
        .because(ErrorReason::TimedOut)
    }
}

/// A program of its own is killed together with all that it started. Its stderr is read, because
/// it says whether a login is missing.
fn child_attachment(ask_policy: &AskPolicy) -> ChildAttachment {
    if ask_policy.in_group {
        ChildAttachment::InGroup
    } else {
        ChildAttachment::Alone
    }
}

fn stderr_without_frames(output: &ProgramOutput) -> String {
    child::without_frames(&String::from_utf8_lossy(&output.stderr))
}

fn is_json(stdout: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(stdout).is_ok()
}
