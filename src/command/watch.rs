//! `pgcred refresh --watch`: refreshes when something is due, by the wall clock, until it is told to stop.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::env;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::signals::on_signal;
use crate::terminal::Stdin;

/// Between two looks at the clock. A machine that slept is behind by no more than this after it woke.
const PAUSE: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub(super) struct Watch {
    /// Stay, and refresh whenever something is due
    #[arg(long, conflicts_with = "targets")]
    pub(super) watch: bool,
    /// With --watch: end when stdin closes, for then whoever started pgcred is gone
    #[arg(long, requires = "watch")]
    pub(super) until_stdin_closes: bool,
}

impl Watch {
    /// Calls `is_due` now and then; refreshes by a process of its own, whose memory is gone when it ends.
    ///
    /// An error ends it at once or not at all: later on it is a configuration that is being edited.
    pub(super) fn run(
        &self,
        stdin: Option<Stdin>,
        output: Output,
        mut is_due: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let (stop, stopped) = channel();
        let by_signal = stop.clone();
        on_signal(move |_| {
            let _ = by_signal.send(()); // the first one ended the wait
        })?;
        if let (true, Some(stdin)) = (self.until_stdin_closes, stdin) {
            thread::spawn(move || wait_for_end(stdin, &stop));
        }
        let mut due = is_due()?;
        let mut said = String::new();
        loop {
            if due {
                refresh()?;
            }
            if !matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                return Ok(());
            }
            due = is_due().unwrap_or_else(|error| {
                if said != error.to_string() {
                    said = error.to_string();
                    output.report(&error);
                }
                false
            });
        }
    }
}

fn wait_for_end(mut stdin: Stdin, stop: &Sender<()>) {
    let mut byte = [0];
    while matches!(stdin.read(&mut byte), Ok(1)) {}
    let _ = stop.send(()); // nobody waits any more
}

/// Runs the same command without `--watch`. What it has to say it says on the same stderr.
fn refresh() -> Result<()> {
    let failed = |error: &std::io::Error| Error::failure("cannot start pgcred again").caused_by(error);
    let (program, arguments) = env::own_command().map_err(|error| failed(&error))?;
    let same = arguments.iter().filter(|argument| *argument != "--watch" && *argument != "--until-stdin-closes");
    let mut refresh = Command::new(program);
    refresh.args(same).stdin(Stdio::null()).stdout(Stdio::null());
    refresh.status().map(drop).map_err(|error| failed(&error))
}
