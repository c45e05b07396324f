//! Holds what the sessions of a gateway share: its limits, how many there are, and for each target
//! its TLS and its tokens.

use std::rc::Rc;

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::refusal::Refusal;
use super::settings::GatewayTarget;
use super::tls::TlsClient;
use super::tokens::TargetTokenClient;
use crate::output::Output;

/// What all sessions share.
pub(super) struct Gateway {
    pub(super) output: Output,
    max_connections: usize,
    /// How many sessions there are.
    sessions: Rc<watch::Sender<usize>>,
    stopping: watch::Receiver<bool>,
}

/// The right to be a connection that has not proved who it is.
pub(super) type UnauthenticatedPermit = OwnedSemaphorePermit;

/// The right to be a session.
pub(super) struct SessionSlot(Rc<watch::Sender<usize>>);

impl Drop for SessionSlot {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Gateway {
    pub(super) fn new(
        output: Output,
        max_connections: usize,
        sessions: watch::Sender<usize>,
        stopping: &watch::Receiver<bool>,
    ) -> Self {
        Self {
            output,
            max_connections,
            sessions: Rc::new(sessions),
            stopping: stopping.clone(),
        }
    }

    /// Counts a new session in.
    pub(super) fn take_slot(&self) -> Result<SessionSlot, Refusal> {
        if *self.sessions.borrow() >= self.max_connections {
            return Err(Refusal::too_many(self.max_connections));
        }
        self.sessions.send_modify(|count| *count += 1);
        Ok(SessionSlot(Rc::clone(&self.sessions)))
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// A target with what its sessions share.
pub(super) struct TargetState {
    pub(super) target: GatewayTarget,
    pub(super) tls: TlsClient,
    pub(super) tokens: TargetTokenClient,
}
