//! Keeps the private passfile of `pgcred exec` fresh while its program runs, by a pgcred of its own
//! for each new token.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::output::Output;
use crate::sys::child::{self, Ended, NoOutput};
use crate::sys::env;
use crate::time::Time;

/// The longest pause between two looks at the clock, in seconds: a machine that slept is behind by
/// no more than this.
const LONGEST: u32 = 30;
/// The longest pause after a renewal that failed, in seconds.
const RETRY: u32 = 30;

/// What has to be renewed, and when.
pub(super) struct Renewal {
    pub(super) passfile: PathBuf,
    pub(super) due: Time,
    /// Of the token, in seconds.
    pub(super) life: u32,
    /// How long one renewal may take.
    pub(super) patience: Duration,
    pub(super) output: Output,
}

/// A renewal in the background, which ends when this is dropped.
pub(super) struct Renewing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Renewal {
    pub(super) fn start(self) -> Renewing {
        let (stop, stopped) = channel();
        let thread = Builder::new().spawn(move || self.run(&stopped)).ok(); // without it the first token stays
        Renewing {
            stop: Some(stop),
            thread,
        }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        let mut said = String::new();
        loop {
            let pause = Time::now().until(self.due).min(LONGEST);
            if pause > 0 {
                match stopped.recv_timeout(Duration::from_secs(pause.into())) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    _ => return,
                }
            }
            match self.renew(stopped) {
                Ok(due) => {
                    said.clear();
                    self.due = due;
                }
                Err(_) if is_over(stopped) => return,
                // Said once, also where it is followed by when AWS gave that answer.
                Err(why) if !said.is_empty() && why.starts_with(&said) => {}
                Err(why) => {
                    self.output
                        .warn(&format!("the token of this program is not renewed: {why}"));
                    said = why;
                }
            }
            if self.due <= Time::now() {
                self.due = Time::now().plus(self.retry());
            }
        }
    }

    /// Returns the pause after a renewal that failed, in seconds. A token is due when a third of
    /// its life is left: there is time for two.
    fn retry(&self) -> u32 {
        RETRY.min(self.life / 6).max(1)
    }

    /// Returns when the new token is due, or in one line why there is none.
    fn renew(&self, stopped: &Receiver<()>) -> Result<Time, String> {
        let arguments = self.arguments();
        let deadline = Instant::now() + self.patience;
        let ended =
            child::own_output(&arguments, deadline, || is_over(stopped)).map_err(|failure| {
                match failure {
                    NoOutput::Failed(error) => error.to_string(),
                    NoOutput::TooLate => format!("no answer within {} s", self.patience.as_secs()),
                }
            })?;
        let due = std::str::from_utf8(&ended.stdout)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        due.map(Time::from_unix).ok_or_else(|| error_in(&ended))
    }

    /// The command line of this run, without the program.
    fn arguments(&self) -> Vec<OsString> {
        let own = env::arguments()
            .into_iter()
            .skip(1)
            .take_while(|argument| argument != "--");
        own.chain(["--renew".into(), self.passfile.clone().into_os_string()])
            .collect()
    }
}

impl Drop for Renewing {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join); // so that nothing is written any more
    }
}

fn is_over(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() != Err(TryRecvError::Empty)
}

/// The line in which the other pgcred says what failed.
fn error_in(ended: &Ended) -> String {
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    let mut said = text
        .lines()
        .filter_map(|line| line.strip_prefix("pgcred: "));
    let error = said.rfind(|line| {
        !["debug: ", "warning: "]
            .iter()
            .any(|kind| line.starts_with(kind))
    });
    error.map_or_else(
        || format!("pgcred ended with {}", ended.status),
        str::to_owned,
    )
}
