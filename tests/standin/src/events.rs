//! The record of login attempts: which user came for which host, and how it ended. It never has a
//! secret.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::Kind;

/// One login attempt that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unix time on the stand-in's clock.
    pub time: u64,
    pub user: String,
    /// The host name asked for by SNI, or the one that clients without SNI get; empty if there was
    /// neither.
    pub host: String,
    /// `None` if the attempt ended before the host was known, which decides the service, and where
    /// the service is none of AWS's.
    pub kind: Option<Kind>,
    /// `accepted`, or the short name of the refusal (`Refusal::reason`), of the answer to a proper
    /// token (`Answer::name`) or of the fault (`Fault::name`).
    pub outcome: &'static str,
}

impl Event {
    pub(crate) const ACCEPTED: &'static str = "accepted";
    /// A client has sent its password without TLS to a server that asked for it.
    pub const SENT_IN_CLEAR: &'static str = "sent-in-clear";

    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.outcome == Self::ACCEPTED
    }
}

#[derive(Debug)]
pub(crate) struct Events {
    list: Mutex<Vec<Event>>,
    file: Option<File>,
}

impl Events {
    pub(crate) fn open(file: Option<&Path>) -> io::Result<Self> {
        let file = file
            .map(|path| OpenOptions::new().create(true).append(true).open(path))
            .transpose()?;
        Ok(Self {
            list: Mutex::default(),
            file,
        })
    }

    pub(crate) fn add(&self, event: Event) {
        if let (Some(mut file), Ok(mut line)) = (self.file.as_ref(), serde_json::to_vec(&event)) {
            line.push(b'\n');
            // Each line is one write, so that lines stay whole. An error, such as a full disk, does
            // not end the login.
            let _ = file.write_all(&line);
        }
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }

    pub(crate) fn list(&self) -> Vec<Event> {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn count(&self, accepted: bool) -> usize {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter()
            .filter(|event| event.is_accepted() == accepted)
            .count()
    }
}
