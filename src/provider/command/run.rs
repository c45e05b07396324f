//! Runs a command and reads its answer: with nothing on stdin, without PGPASSWORD, in a process
//! group of its own that is killed at the deadline, and without a word of its answer in an error.

use std::ffi::OsString;

use super::answer::{self, ProgramAnswer};
use super::definition::CommandDefinition;
use crate::authority::{AskPolicy, CredentialQuery, RunNotes};
use crate::error::{Error, ErrorReason, Result};
use crate::sys::child::{self, ChildAttachment, ProgramError, ProgramOutput};
use crate::sys::env;
use crate::time::Time;

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// What a command has answered, and when it was started.
pub(super) struct TimedAnswer {
    pub(super) answer: ProgramAnswer,
    pub(super) started: Time,
}

/// What is run for an identity.
pub(super) struct CommandRun<'a> {
    pub(super) definition: &'a CommandDefinition,
    pub(super) words: &'a [String],
    /// The profile of the login that a failure may ask for.
    pub(super) profile: Option<&'a str>,
}

impl CommandRun<'_> {
    /// Runs the words and returns the answer.
    pub(super) fn run(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<TimedAnswer> {
        let definition = self.definition;
        notes.step(|| self.in_words());
        let started = Time::now();
        let mut variables: Vec<(OsString, OsString)> = Vec::new();
        for (name, value) in &definition.env {
            variables.push((name.into(), env::with_home(value).into_os_string()));
        }
        let ended = child::output_with(
            self.words,
            &variables,
            query.deadline,
            child_attachment(query.ask),
            // JSON says itself where it ends. A token alone does not: the end of the pipe counts.
            definition.answers_in_json().then_some(is_json),
        );
        let ended = match ended {
            Ok(ended) => ended,
            Err(ProgramError::TooLate) => return Err(self.too_late(query.ask)),
            Err(ProgramError::Failed(error)) => {
                return Err(error
                    .about(&self.subject())
                    .because(ErrorReason::ProgramFailed));
            }
        };
        if !ended.status.success() {
            return Err(self.failed(&ended));
        }
        if ended.stdout.len() > LONGEST_ANSWER {
            return Err(self.error("printed more than 64 KiB"));
        }
        let read = answer::read_answer(&ended.stdout, definition, started);
        match read {
            Ok(answer) => {
                if let Some(what) = answer.unusable_end {
                    notes.step(|| format!("the token is a JWT, but its `exp` is {what}"));
                }
                Ok(TimedAnswer { answer, started })
            }
            Err(_) if self.needs_login(&ended) => Err(self.login_error(&ended)),
            Err(error) => Err(self.with_login(error).about(&self.subject())),
        }
    }

    /// What an error is about.
    fn subject(&self) -> String {
        format!("the command of {}", self.definition.name)
    }

    fn program(&self) -> &str {
        match self.words.first() {
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

    fn failed(&self, ended: &ProgramOutput) -> Error {
        if self.needs_login(ended) {
            return self.login_error(ended);
        }
        self.error(&format!("failed: {}", self.failure_text(ended)))
    }

    fn error(&self, what: &str) -> Error {
        Error::failure(format!("{} {what}", self.subject()))
            .hint(self.hint_to_run_by_hand())
            .because(ErrorReason::ProgramFailed)
    }

    fn hint_to_run_by_hand(&self) -> String {
        format!("run `{} ...` by hand to see more", self.program())
    }

    /// Returns the last line of stderr, without arguments and variables that may be secret.
    fn failure_text(&self, ended: &ProgramOutput) -> String {
        let mut shown = child::without_arguments(&stderr_without_frames(ended), self.words);
        for (_, value) in &self.definition.env {
            shown = child::hide_value(shown, value);
        }
        let shown = child::without_answer(shown, &ended.stdout);
        let line = child::last_line(shown.as_bytes());
        if line.is_empty() {
            return ended.status.to_string();
        }
        line
    }

    fn needs_login(&self, ended: &ProgramOutput) -> bool {
        let stderr = stderr_without_frames(ended);
        let texts = &self.definition.login_if;
        texts.iter().any(|text| stderr.contains(text))
    }

    fn login_error(&self, ended: &ProgramOutput) -> Error {
        let reason = self.failure_text(ended);
        let error = Error::login(format!("{} needs a login: {reason}", self.subject()));
        self.with_login(error.because(ErrorReason::NoCredentials))
            .or_hint(&self.hint_to_run_by_hand())
    }

    /// Adds how to log in to an error that a login mends.
    fn with_login(&self, error: Error) -> Error {
        match self.definition.login_text(self.profile) {
            Some(login) if error.exit() == crate::error::Exit::Login => {
                error.hint(format!("run `{login}`, then try again"))
            }
            _ => error,
        }
    }

    fn too_late(&self, ask: &AskPolicy) -> Error {
        let seconds = ask.timeout.as_secs();
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
fn child_attachment(ask: &AskPolicy) -> ChildAttachment {
    if ask.in_group {
        ChildAttachment::InGroup
    } else {
        ChildAttachment::Alone
    }
}

fn stderr_without_frames(ended: &ProgramOutput) -> String {
    child::without_frames(&String::from_utf8_lossy(&ended.stderr))
}

fn is_json(printed: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(printed).is_ok()
}
