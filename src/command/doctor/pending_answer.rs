//! Holds an answer that a thread is still working on.
//!
//! The thread is never joined: if the answer is not there at the deadline, the thread is left
//! behind and ends with the process.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// The answer of a thread, which may not be there yet.
pub(super) struct PendingAnswer<T> {
    receiver: Receiver<T>,
    answer: Option<T>,
}

impl<T: Send + 'static> PendingAnswer<T> {
    /// Starts a thread. If the system has no thread left, there is no answer.
    pub(super) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        let _ = thread::Builder::new().spawn(move || {
            // Nobody listens any more after the deadline.
            let _ = sender.send(work());
        });
        Self {
            receiver,
            answer: None,
        }
    }

    /// Returns an answer that another thread sends.
    pub(super) fn from(receiver: Receiver<T>) -> Self {
        Self {
            receiver,
            answer: None,
        }
    }

    /// Waits for the answer; `None` if it is not there at the deadline, or if the thread has ended
    /// without one. The answer can be asked for again.
    pub(super) fn get(&mut self, deadline: Instant) -> Option<&T> {
        if self.answer.is_none() {
            let time_left = deadline.saturating_duration_since(Instant::now());
            self.answer = self.receiver.recv_timeout(time_left).ok();
        }
        self.answer.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_can_be_asked_for_again() {
        let mut later = PendingAnswer::start(|| 7);
        let deadline = Instant::now() + Duration::from_secs(20);
        assert_eq!(later.get(deadline), Some(&7));
        assert_eq!(later.get(Instant::now()), Some(&7));
    }

    #[test]
    fn a_thread_that_hangs_is_left_behind() {
        let mut later: PendingAnswer<()> = PendingAnswer::start(|| {
            loop {
                thread::park();
            }
        });
        assert_eq!(later.get(Instant::now()), None);
    }
}
