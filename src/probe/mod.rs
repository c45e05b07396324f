//! Finds out what a client of PostgreSQL meets at one server, step by step: names, connections,
//! encryption, login.
//!
//! ```text
//!   names ──▶ connect ──▶ tls ──▶ server_login ──▶ packet
//!                          │ │
//!       SSLRequest: ask ◀──┘ └──▶ is it believed: trust ──▶ what the server shows: certificate
//! ```
//!
//! Each step is a function of its own, because the caller has other work while it waits. Each has a
//! deadline and keeps to it, whatever the server does: see `stream.rs`. What it returns is plain
//! data of bounded size, and an enum says what happened: nobody needs to read a text to decide.
//!
//! The handshake goes on where a client would stop, so that all of a certificate can be told. The
//! token is more careful: [`server_login`] sends it once, inside TLS, when the server asks for it,
//! and to no server that the user's own clients would not believe. No SQL is sent.

mod ask;
pub(crate) mod certificate;
pub(crate) mod connect;
pub(crate) mod names;
pub(crate) mod packet;
pub(crate) mod server_login;
mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
pub(crate) mod trust;

use std::time::{Duration, Instant};

/// The moment at which a step is over, whatever the server does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline that is so far away. More than a day is a day.
    pub(crate) fn after(time: Duration) -> Self {
        const MAX_WAIT: Duration = Duration::from_hours(24);
        Self(Instant::now() + time.min(MAX_WAIT))
    }

    /// Returns the time that is left, which is more than none; `None` if the deadline has passed.
    pub(crate) fn remaining(self) -> Option<Duration> {
        let time_left = self.0.saturating_duration_since(Instant::now());
        if time_left.is_zero() {
            None
        } else {
            Some(time_left)
        }
    }
}

/// Why a conversation ended without the answer that it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeFailure {
    /// The server closed the connection.
    Closed,
    /// The server, or something on the way to it, broke the connection off.
    Reset,
    /// The deadline passed.
    TimedOut,
    /// The server sent more than any answer needs.
    TooMuch,
    /// The server ended TLS with this alert of RFC 8446, section 6.
    Alert(u8),
    /// The server answers TLS with something else.
    NotTls,
    /// The server breaks the rules of TLS, in the words of the library.
    BrokenTls(String),
    /// The server speaks something else than PostgreSQL.
    NotPostgres(packet::ForeignProtocol),
    /// The system's error, in its own words.
    Failed(String),
}
