//! Signals to this process, handed to whoever asks. The only user of `signal-hook`.

#[cfg(unix)]
pub(crate) use unix::{die_by, on_signal};

#[cfg(not(unix))]
pub(crate) use elsewhere::{die_by, on_signal};

#[cfg(unix)]
mod unix {
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    use crate::error::{Error, Result};

    /// Calls `heed` for every signal that asks the process to end, instead of ending it.
    pub(crate) fn on_signal(heed: impl Fn(i32) + Send + 'static) -> Result<()> {
        let failed =
            |error: &std::io::Error| Error::failure("cannot wait for signals").caused_by(error);
        let mut signals =
            Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]).map_err(|error| failed(&error))?;
        let wait = move || signals.forever().for_each(heed);
        thread::Builder::new()
            .spawn(wait)
            .map(drop)
            .map_err(|error| failed(&error))
    }

    /// Ends this process as the signal would have; returns only if it would not.
    pub(crate) fn die_by(signal: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::error::Result;

    #[expect(clippy::unnecessary_wraps, reason = "as on unix")]
    pub(crate) fn on_signal(_: impl Fn(i32) + Send + 'static) -> Result<()> {
        Ok(())
    }

    pub(crate) fn die_by(_: i32) {}
}
