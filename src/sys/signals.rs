//! Signals that ask this process to end. This is the only module that uses `signal-hook`.

#[cfg(unix)]
pub(crate) use unix::{die_by, on_signal};

#[cfg(not(unix))]
pub(crate) use elsewhere::{die_by, on_signal};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    use crate::error::{Error, Result};

    /// Makes every signal that asks the process to end call `heed` instead.
    pub(crate) fn on_signal(heed: impl Fn(i32) + Send + 'static) -> Result<()> {
        match wait_in_thread(heed) {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::failure("cannot wait for signals").caused_by(&error)),
        }
    }

    fn wait_in_thread(heed: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                heed(signal);
            }
        })?;
        Ok(())
    }

    /// Ends this process as the signal does by default. Returns if the signal is ignored by
    /// default.
    pub(crate) fn die_by(signal: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::error::Result;

    #[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
    pub(crate) fn on_signal(_: impl Fn(i32) + Send + 'static) -> Result<()> {
        Ok(())
    }

    pub(crate) fn die_by(_: i32) {}
}
