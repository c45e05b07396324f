//! Bounds a connection: what is read and written through it stops at the deadline, and after more
//! bytes than any answer needs.
//!
//! A time-out of the socket alone is not enough: a server that sends a byte a second would never
//! reach it.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

use rustls::{Error as TlsError, InvalidMessage};

use super::{Deadline, ProbeFailure};
use crate::text::{printable, shortened};

/// The most bytes that a server can send in one step.
const MAX_BYTES: usize = 1 << 20;

/// The longest text of the system or of a library that is kept.
const MAX_TEXT_LENGTH: usize = 300;

/// A connection during one step.
pub(super) struct TimedStream<'a> {
    socket: &'a TcpStream,
    deadline: Deadline,
    left: usize,
}

impl<'a> TimedStream<'a> {
    pub(super) fn new(socket: &'a TcpStream, deadline: Deadline) -> Self {
        Self {
            socket,
            deadline,
            left: MAX_BYTES,
        }
    }
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.left == 0 {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let max_bytes = buffer.len().min(self.left);
        loop {
            let Some(time_left) = self.deadline.remaining() else {
                return Err(ErrorKind::TimedOut.into());
            };
            self.socket.set_read_timeout(Some(time_left))?;
            match self.socket.read(&mut buffer[..max_bytes]) {
                Ok(count) => {
                    self.left -= count;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(timed_out(error)),
            }
        }
    }
}

impl Write for TimedStream<'_> {
    fn write(&mut self, buffer: &[u8]) -> Result<usize> {
        let Some(time) = self.deadline.remaining() else {
            return Err(ErrorKind::TimedOut.into());
        };
        self.socket.set_write_timeout(Some(time))?;
        self.socket.write(buffer).map_err(timed_out)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(()) // a socket has no buffer
    }
}

/// Returns an error with one kind for a time-out, which some systems call "would block".
fn timed_out(error: Error) -> Error {
    if error.kind() == ErrorKind::WouldBlock {
        ErrorKind::TimedOut.into()
    } else {
        error
    }
}

/// Says what an error of the stream, or of TLS above it, is.
pub(super) fn failure_of_error(error: &Error) -> ProbeFailure {
    if let Some(inner) = error.get_ref()
        && let Some(error) = inner.downcast_ref::<TlsError>()
    {
        return cause_in_tls(error);
    }
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::WriteZero => ProbeFailure::Closed,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            ProbeFailure::Reset
        }
        ErrorKind::TimedOut => ProbeFailure::TimedOut,
        ErrorKind::QuotaExceeded => ProbeFailure::TooMuch,
        _ => ProbeFailure::Failed(safe_words(&error.to_string())),
    }
}

fn cause_in_tls(error: &TlsError) -> ProbeFailure {
    match error {
        TlsError::AlertReceived(alert) => ProbeFailure::Alert(u8::from(*alert)),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => ProbeFailure::NotTls,
        error => ProbeFailure::BrokenTls(safe_words(&error.to_string())),
    }
}

/// Returns a text of the system or of a library, safe to show.
pub(super) fn safe_words(text: &str) -> String {
    printable(&shortened(text, MAX_TEXT_LENGTH))
}
