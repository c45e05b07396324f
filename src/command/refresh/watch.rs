//! Starts a refresh whenever a token is due, by the wall clock, until it is told to stop, for
//! `pgcred refresh --watch`.
//!
//! The watcher issues nothing itself. Each refresh is a process of its own, so that its memory, and
//! the AWS keys in it, are gone when it ends. A signal or the end of stdin (with
//! `--until-stdin-closes`) ends the watcher between two refreshes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::issue::Issuer;
use crate::output::Output;
use crate::request::Request;
use crate::sys::child;
use crate::sys::env;
use crate::sys::signals::on_signal;
use crate::sys::terminal::{InheritedStdin, stdin_to_wait_for, wait_for_end};
use crate::time::Time;

/// The longest pause between two looks at the clock, in seconds. A machine that slept is late by no
/// more than this after it wakes up, and a new connection waits no longer.
const MAX_PAUSE_SECONDS: u32 = 30;

#[derive(clap::Args, Default)]
pub(super) struct WatchOptions {
    /// Keep running, and refresh whenever a token is due
    #[arg(long)]
    pub(super) watch: bool,
    /// With --watch: end when stdin closes, which means that the program that started pgcred has
    /// ended
    #[arg(long, requires = "watch")]
    pub(super) until_stdin_closes: bool,
    /// The refresh that a watcher starts.
    #[arg(long, hide = true, conflicts_with = "watch")]
    pub(super) watched: bool,
}

/// What a watcher knows: when the next refresh is due, and how many seconds later it tries again if
/// that refresh did not help.
pub(super) struct NextRefresh {
    due: Time,
    retry_seconds: u32,
}

impl NextRefresh {
    pub(super) fn find(requests: &[Request], passfile: &Path, issuer: &mut Issuer) -> Self {
        let later = Self::later();
        let mut shortest_lifetime = u32::MAX;
        for request in requests {
            shortest_lifetime = shortest_lifetime.min(request.lifetime_seconds);
        }
        Self {
            due: issuer.first_due(requests, passfile).unwrap_or(later.due),
            // Without a cache, pgcred does not know how old a token in the passfile is.
            retry_seconds: later.retry_seconds.min(shortest_lifetime / 3 * 2).max(1),
        }
    }

    fn later() -> Self {
        Self {
            due: Time::now().plus(MAX_PAUSE_SECONDS),
            retry_seconds: MAX_PAUSE_SECONDS,
        }
    }
}

/// Reports errors to stderr, each once for as long as it stays the same.
struct ErrorReporter {
    output: Output,
    last: String,
}

impl ErrorReporter {
    fn report(&mut self, error: &Error) {
        let text = error.to_string();
        if self.last != text {
            self.output.report(error);
            self.last = text;
        }
    }
}

impl WatchOptions {
    /// Refreshes whenever `find_next` says that a token is due.
    ///
    /// A configuration that cannot be used is an error at the start. Later it is reported once and
    /// tried again, because the user may be editing the file, or replacing pgcred.
    pub(super) fn run(
        &self,
        stdin: Option<InheritedStdin>,
        output: Output,
        mut find_next: impl FnMut() -> Result<NextRefresh>,
    ) -> Result<()> {
        let stop_receiver = self.stop_signal(stdin)?;
        let mut next_refresh = find_next()?;
        let mut reporter = ErrorReporter {
            output,
            last: String::new(),
        };
        loop {
            let mut pause = Time::now().until(next_refresh.due);
            if pause == 0 {
                if let Err(error) = run_refresh() {
                    reporter.report(&error);
                }
                next_refresh = next_refresh_or_later(&mut find_next, &mut reporter);
                pause = Time::now().until(next_refresh.due);
            }
            if pause == 0 {
                pause = next_refresh.retry_seconds;
            }
            let pause = Duration::from_secs(pause.min(MAX_PAUSE_SECONDS).into());
            if stop_receiver.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
            next_refresh = next_refresh_or_later(&mut find_next, &mut reporter);
        }
    }

    /// Returns a channel that gets a message when the watcher has to stop.
    fn stop_signal(&self, stdin: Option<InheritedStdin>) -> Result<Receiver<()>> {
        let (stop_sender, stop_receiver) = channel();
        let signal_sender = stop_sender.clone();
        on_signal(move |_| {
            let _ = signal_sender.send(()); // after the first message nobody receives
        })?;
        if self.until_stdin_closes
            && let Some(stdin) = stdin_to_wait_for(stdin)
        {
            thread::Builder::new()
                .spawn(move || {
                    wait_for_end(stdin);
                    let _ = stop_sender.send(()); // the watcher may have ended already
                })
                .map_err(|error| Error::system("cannot watch stdin", &error))?;
        }
        Ok(stop_receiver)
    }
}

/// Looks when the next refresh is due. If that cannot be seen now, the watcher looks again later.
fn next_refresh_or_later(
    find_next: &mut impl FnMut() -> Result<NextRefresh>,
    reporter: &mut ErrorReporter,
) -> NextRefresh {
    match find_next() {
        Ok(next) => next,
        Err(error) => {
            reporter.report(&error);
            NextRefresh::later()
        }
    }
}

/// Runs the same command line once, as `--watched`. It writes its messages to the same stderr.
fn run_refresh() -> Result<()> {
    let mut refresh = Command::new(child::own_program()?);
    for argument in env::arguments().into_iter().skip(1) {
        if argument == "--watch" {
            refresh.arg("--watched");
        } else if argument != "--until-stdin-closes" {
            refresh.arg(argument);
        }
    }
    refresh.stdin(Stdio::null()).stdout(Stdio::null());
    match refresh.status() {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::system("cannot start pgcred again", &error)),
    }
}
