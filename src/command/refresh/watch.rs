//! `pgcred refresh --watch`: refreshes when something is due, by the wall clock, until it is told
//! to stop.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::issue::Issuer;
use crate::output::Output;
use crate::request::Request;
use crate::sys::child;
use crate::sys::env;
use crate::sys::signals::on_signal;
use crate::sys::terminal::Stdin;
use crate::time::Time;

/// The longest pause between two looks at the clock, in seconds. A machine that slept is behind by
/// no more than this after it woke, and a connection that has been added waits no longer.
const LONGEST: u32 = 30;

#[derive(clap::Args)]
pub(super) struct Watch {
    /// Stay, and refresh whenever something is due
    #[arg(id = "watch", long)]
    pub(super) stay: bool,
    /// With --watch: end when stdin closes, for then whoever started pgcred is gone
    #[arg(long, requires = "watch")]
    pub(super) until_stdin_closes: bool,
    /// The refresh that a watcher starts.
    #[arg(long = "watched", hide = true, conflicts_with = "watch")]
    pub(super) once: bool,
}

/// What a watcher sees: when it has to refresh, and how many seconds after that it has to again if
/// that did not help.
pub(super) struct Look {
    due: Time,
    retry: u32,
}

impl Look {
    pub(super) fn at(requests: &[Request], passfile: &Path, issuer: &mut Issuer) -> Self {
        let later = Self::later();
        let shortest = requests
            .iter()
            .map(|request| request.life)
            .min()
            .unwrap_or(u32::MAX);
        Self {
            due: issuer.first_due(requests, passfile).unwrap_or(later.due),
            // Without a cache nobody knows how old a token is.
            retry: later.retry.min(shortest / 3 * 2).max(1),
        }
    }

    /// Nothing can be seen now.
    fn after(error: &Error, report: &mut impl FnMut(&Error)) -> Self {
        report(error);
        Self::later()
    }

    fn later() -> Self {
        Self {
            due: Time::now().plus(LONGEST),
            retry: LONGEST,
        }
    }
}

impl Watch {
    /// Refreshes when `look` says that it is time, by a process of its own, whose memory is gone
    /// when it ends.
    ///
    /// An error ends it at once or not at all: later on it is a configuration that is being edited,
    /// or a pgcred that is being replaced.
    pub(super) fn run(
        &self,
        stdin: Option<Stdin>,
        output: Output,
        mut look: impl FnMut() -> Result<Look>,
    ) -> Result<()> {
        let (stop, stopped) = channel();
        let by_signal = stop.clone();
        on_signal(move |_| {
            let _ = by_signal.send(()); // the first one ended the wait
        })?;
        if let (true, Some(stdin)) = (self.until_stdin_closes, stdin) {
            let failed =
                |error: &std::io::Error| Error::failure("cannot watch stdin").caused_by(error);
            thread::Builder::new()
                .spawn(move || wait_for_end(stdin, &stop))
                .map_err(|error| failed(&error))?;
        }
        let mut next = look()?;
        let mut said = String::new();
        let mut report = |error: &Error| {
            if said != error.to_string() {
                said = error.to_string();
                output.report(error);
            }
        };
        loop {
            let mut pause = Time::now().until(next.due);
            if pause == 0 {
                refresh().unwrap_or_else(|error| report(&error));
                next = look().unwrap_or_else(|error| Look::after(&error, &mut report));
                pause = Time::now().until(next.due);
            }
            let pause = if pause == 0 {
                next.retry
            } else {
                pause.min(LONGEST)
            };
            if !matches!(
                stopped.recv_timeout(Duration::from_secs(pause.into())),
                Err(RecvTimeoutError::Timeout)
            ) {
                return Ok(());
            }
            next = look().unwrap_or_else(|error| Look::after(&error, &mut report));
        }
    }
}

fn wait_for_end(mut stdin: Stdin, stop: &Sender<()>) {
    let mut byte = [0];
    while matches!(stdin.read(&mut byte), Ok(1)) {}
    let _ = stop.send(()); // nobody waits any more
}

/// Runs the same command once. What it has to say it says on the same stderr.
fn refresh() -> Result<()> {
    let failed =
        |error: &std::io::Error| Error::failure("cannot start pgcred again").caused_by(error);
    let once = env::arguments()
        .into_iter()
        .skip(1)
        .filter(|argument| argument != "--until-stdin-closes");
    let once = once.map(|argument| {
        if argument == "--watch" {
            "--watched".into()
        } else {
            argument
        }
    });
    let mut refresh = Command::new(child::own_program()?);
    refresh
        .args(once)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    refresh.status().map(drop).map_err(|error| failed(&error))
}
