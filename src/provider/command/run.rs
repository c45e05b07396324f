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

/// Runs the words of a definition and returns the answer.
pub(super) fn run(
    definition: &CommandDefinition,
    words: &[String],
    query: &CredentialQuery<'_>,
    notes: &RunNotes,
) -> Result<TimedAnswer> {
    notes.step(|| said_of(definition, words));
    let started = Time::now();
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    for (name, value) in &definition.env {
        variables.push((name.into(), env::with_home(value).into_os_string()));
    }
    let ended = child::output_with(
        words,
        &variables,
        query.deadline,
        attachment(query.ask),
        if definition.answers_in_json() {
            is_json
        } else {
            is_line
        },
    );
    let ended = match ended {
        Ok(ended) => ended,
        Err(ProgramError::TooLate) => return Err(too_late(definition, words, query.ask)),
        Err(ProgramError::Failed(error)) => {
            return Err(error
                .about(&subject(definition))
                .because(ErrorReason::ProgramFailed));
        }
    };
    if !ended.status.success() {
        return Err(failed(definition, words, &ended));
    }
    if ended.stdout.len() > LONGEST_ANSWER {
        return Err(wrong(definition, words, "printed more than 64 KiB"));
    }
    let read = answer::read(&ended.stdout, definition, started);
    match read {
        Ok(answer) => Ok(TimedAnswer { answer, started }),
        Err(_) if needs_login(definition, &ended) => Err(login_error(definition, words, &ended)),
        Err(error) => Err(with_login(definition, error).about(&subject(definition))),
    }
}

/// A program of its own is killed together with all that it started. Its stderr is read, because
/// it says whether a login is missing.
fn attachment(ask: &AskPolicy) -> ChildAttachment {
    if ask.in_group {
        ChildAttachment::InGroup
    } else {
        ChildAttachment::Alone
    }
}

fn is_json(printed: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(printed).is_ok()
}

fn is_line(printed: &[u8]) -> bool {
    printed.ends_with(b"\n")
}

/// What an error is about.
fn subject(definition: &CommandDefinition) -> String {
    format!("the command of {}", definition.name)
}

fn program(words: &[String]) -> &str {
    match words.first() {
        Some(program) => program,
        None => "",
    }
}

/// Returns the program, and which placeholders were filled in. Neither the arguments nor the
/// values are shown, because they may be secret.
fn said_of(definition: &CommandDefinition, words: &[String]) -> String {
    let filled = match definition.placeholders().as_slice() {
        [] => String::new(),
        names => format!(", with {}", names.join(", ")),
    };
    format!(
        "running {} (command.{}){filled}",
        program(words),
        definition.name
    )
}

fn failed(definition: &CommandDefinition, words: &[String], ended: &ProgramOutput) -> Error {
    if needs_login(definition, ended) {
        return login_error(definition, words, ended);
    }
    wrong(
        definition,
        words,
        &format!("failed: {}", why(definition, words, ended)),
    )
}

fn wrong(definition: &CommandDefinition, words: &[String], what: &str) -> Error {
    Error::failure(format!("{} {what}", subject(definition)))
        .hint(by_hand(words))
        .because(ErrorReason::ProgramFailed)
}

fn by_hand(words: &[String]) -> String {
    format!("run it by hand to see more: {} ...", program(words))
}

/// Returns the last line of stderr, without arguments and variables that may be secret.
fn why(definition: &CommandDefinition, words: &[String], ended: &ProgramOutput) -> String {
    let said = String::from_utf8_lossy(&ended.stderr);
    let mut said = child::without_arguments(&said, words);
    for (_, value) in &definition.env {
        said = child::without(said, value);
    }
    let line = child::last_line(said.as_bytes());
    if line.is_empty() {
        return ended.status.to_string();
    }
    line
}

fn needs_login(definition: &CommandDefinition, ended: &ProgramOutput) -> bool {
    let said = String::from_utf8_lossy(&ended.stderr);
    definition.login_if.iter().any(|text| said.contains(text))
}

fn login_error(definition: &CommandDefinition, words: &[String], ended: &ProgramOutput) -> Error {
    let why = why(definition, words, ended);
    let error = Error::login(format!("{} needs a login: {why}", subject(definition)));
    with_login(definition, error.because(ErrorReason::NoCredentials)).or_hint(&by_hand(words))
}

/// Adds how to log in to an error that a login mends.
fn with_login(definition: &CommandDefinition, error: Error) -> Error {
    match &definition.login {
        Some(login) if error.exit() == crate::error::Exit::Login => {
            error.hint(format!("log in: {login}"))
        }
        _ => error,
    }
}

fn too_late(definition: &CommandDefinition, words: &[String], ask: &AskPolicy) -> Error {
    let seconds = ask.timeout.as_secs();
    Error::failure(format!(
        "{} gave no answer within {seconds} s",
        subject(definition)
    ))
    .hint(format!(
        "a longer --timeout; or see what it waits for: {} ...",
        program(words)
    ))
    .because(ErrorReason::TimedOut)
}
