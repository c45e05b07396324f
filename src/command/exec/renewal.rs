//! Keeps the private passfile of `pgcred exec` fresh while its program runs.
//!
//! A thread waits until the token is due and then starts `pgcred exec --renew`, a process of its
//! own for each new token, so that no AWS key stays in the memory of the process that waits. Its
//! exit code says whether there is a new token, and it prints when that token is due.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::output::{Output, reported_error};
use crate::sys::child::{self, ProgramError, ProgramOutput};
use crate::sys::env;
use crate::time::Time;

/// The longest pause between two looks at the clock, in seconds. A machine that slept is late by no
/// more than this after it wakes up.
const MAX_PAUSE_SECONDS: u32 = 30;
/// The longest pause after a renewal that failed, in seconds.
const MAX_RETRY_PAUSE_SECONDS: u32 = 30;

/// A token that has to be renewed, and when.
pub(super) struct TokenRenewal {
    /// Whether the token is renewed at all.
    pub(super) is_wanted: bool,
    pub(super) passfile: PathBuf,
    pub(super) due: Time,
    /// How many seconds the token is still valid when it is due.
    pub(super) lifetime_left_at_refresh: u32,
    /// How long one renewal may take.
    pub(super) timeout: Duration,
    pub(super) output: Output,
}

/// A renewal in the background. It ends when this is dropped.
pub(super) struct RenewalThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TokenRenewal {
    pub(super) fn start(self) -> RenewalThread {
        if !self.is_wanted {
            return RenewalThread {
                stop: None,
                thread: None,
            };
        }
        let (stop_sender, stop_receiver) = channel();
        // If there can be no thread, the program has the first token to its end.
        let thread = Builder::new().spawn(move || self.run(&stop_receiver)).ok();
        RenewalThread {
            stop: Some(stop_sender),
            thread,
        }
    }

    fn run(mut self, stop_receiver: &Receiver<()>) {
        let mut last_warning = String::new();
        loop {
            let pause = Time::now().until(self.due).min(MAX_PAUSE_SECONDS);
            if pause > 0 {
                match stop_receiver.recv_timeout(Duration::from_secs(pause.into())) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    _ => return,
                }
            }
            match self.renew(stop_receiver) {
                Ok(due) => {
                    last_warning.clear();
                    self.due = due;
                }
                Err(_) if is_over(stop_receiver) => return,
                Err(reason) if reason == last_warning => {} // it has been reported
                Err(reason) => {
                    self.output.warn(&format!(
                        "the token of this program is not renewed: {reason}"
                    ));
                    last_warning = reason;
                }
            }
            if self.due <= Time::now() {
                self.due = Time::now().plus(self.retry_pause_seconds());
            }
        }
    }

    /// Returns the pause after a renewal that failed, in seconds: there is time for two more
    /// attempts before the token expires.
    fn retry_pause_seconds(&self) -> u32 {
        MAX_RETRY_PAUSE_SECONDS
            .min(self.lifetime_left_at_refresh / 2)
            .max(1)
    }

    /// Renews the token. Returns when the new one is due, or in one line why there is none.
    fn renew(&self, stop_receiver: &Receiver<()>) -> Result<Time, String> {
        let arguments = self.arguments();
        let deadline = Instant::now() + self.timeout;
        let program_output =
            match child::own_output(&arguments, deadline, || is_over(stop_receiver)) {
                Ok(program_output) => program_output,
                Err(ProgramError::Failed(error)) => return Err(error.to_string()),
                Err(ProgramError::TooLate) => {
                    return Err(format!("no answer within {} s", self.timeout.as_secs()));
                }
            };
        match due_of(&program_output) {
            Some(due) => Ok(due),
            None => Err(error_of(&program_output)),
        }
    }

    /// Returns the command line of this run, without the program, as a renewal.
    fn arguments(&self) -> Vec<OsString> {
        let own_arguments = env::arguments()
            .into_iter()
            .skip(1)
            .take_while(|argument| argument != "--");
        let mut arguments: Vec<OsString> = own_arguments.collect();
        arguments.push("--renew".into());
        arguments.push(self.passfile.clone().into_os_string());
        arguments
    }
}

impl Drop for RenewalThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join); // nothing is written after this
    }
}

fn is_over(stop_receiver: &Receiver<()>) -> bool {
    stop_receiver.try_recv() != Err(TryRecvError::Empty)
}

/// Returns when the new token is due. Only a renewal that ends with success has written one; it
/// prints the time.
fn due_of(program_output: &ProgramOutput) -> Option<Time> {
    if !program_output.status.success() {
        return None;
    }
    let stdout = String::from_utf8_lossy(&program_output.stdout);
    Some(Time::from_unix(stdout.trim().parse().ok()?))
}

/// Returns the error that the renewal reported, to be shown to the user.
fn error_of(program_output: &ProgramOutput) -> String {
    match reported_error(&String::from_utf8_lossy(&program_output.stderr)) {
        Some(error) => error.to_owned(),
        None => format!("pgcred ended with {}", program_output.status),
    }
}
