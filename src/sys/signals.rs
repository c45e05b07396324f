//! Waits for signals that ask this process to end. This is the only module that uses `signal-hook`.
//!
//! They are SIGHUP, SIGINT, SIGQUIT and SIGTERM. A command may heed them itself, or hold them back
//! until a program that it has started has ended; else each ends the process at once. Elsewhere
//! than on Unix nothing is heeded here.

#[cfg(unix)]
pub(crate) use unix::{HeldSignals, die_by, on_signal};

#[cfg(not(unix))]
pub(crate) use elsewhere::{HeldSignals, die_by, on_signal};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    use crate::error::{Error, Result};

    const ENDING_SIGNALS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

    /// Makes every signal that asks the process to end call `heed` instead.
    pub(crate) fn on_signal(heed: impl Fn(i32) + Send + 'static) -> Result<()> {
        STATE.leave_signals_to_others();
        match wait_in_thread(heed) {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::system("cannot wait for signals", &error)),
        }
    }

    fn wait_in_thread(heed: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new(ENDING_SIGNALS)?;
        thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                heed(signal);
            }
        })?;
        Ok(())
    }

    /// While it exists, a signal that asks the process to end is kept, so that a program which runs
    /// in a group of its own is ended first. The signal is obeyed when the last one is dropped.
    pub(crate) struct HeldSignals(&'static SignalState);

    impl HeldSignals {
        /// Returns none where somebody heeds the signals already.
        pub(crate) fn hold() -> Option<Self> {
            if STATE.hold() {
                Some(Self(&STATE))
            } else {
                None
            }
        }

        /// Tells whether there is a signal to obey.
        pub(crate) fn has_one(&self) -> bool {
            self.0.received.load(Ordering::SeqCst) != 0
        }
    }

    impl Drop for HeldSignals {
        fn drop(&mut self) {
            self.0.release();
        }
    }

    /// Who heeds the signals. A handler cannot be taken away again, so that these say what it does.
    struct SignalState {
        holders: Mutex<Holders>,
        /// Whether a signal ends the process at once.
        ends_at_once: Arc<AtomicBool>,
        /// The last signal, or 0.
        received: Arc<AtomicUsize>,
    }

    #[derive(Default)]
    struct Holders {
        count: usize,
        is_registered: bool,
        is_heeded_elsewhere: bool,
    }

    static STATE: LazyLock<SignalState> = LazyLock::new(|| SignalState {
        holders: Mutex::default(),
        ends_at_once: Arc::default(),
        received: Arc::default(),
    });

    impl SignalState {
        fn leave_signals_to_others(&self) {
            let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
            holders.is_heeded_elsewhere = true;
            self.ends_at_once.store(false, Ordering::SeqCst);
        }

        fn hold(&self) -> bool {
            let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
            if holders.is_heeded_elsewhere {
                return false;
            }
            self.ends_at_once.store(false, Ordering::SeqCst);
            if !holders.is_registered {
                holders.is_registered = true;
                for signal in ENDING_SIGNALS {
                    let number = usize::try_from(signal).unwrap_or_default();
                    let _ = flag::register_conditional_default(signal, self.ends_at_once.clone());
                    let _ = flag::register_usize(signal, self.received.clone(), number);
                }
            }
            holders.count += 1;
            true
        }

        fn release(&self) {
            let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
            holders.count -= 1;
            if holders.count > 0 || holders.is_heeded_elsewhere {
                return;
            }
            self.ends_at_once.store(true, Ordering::SeqCst);
            let signal = self.received.swap(0, Ordering::SeqCst);
            if signal != 0 {
                die_by(i32::try_from(signal).unwrap_or_default());
            }
        }
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

    /// Nothing is held: the system ends the programs of a job together.
    pub(crate) struct HeldSignals(());

    impl HeldSignals {
        pub(crate) fn hold() -> Option<Self> {
            None
        }

        pub(crate) fn has_one(&self) -> bool {
            let Self(()) = self;
            false
        }
    }
}
