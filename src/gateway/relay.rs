//! Relays a session after the login: bytes are copied in both directions as they are, and counted,
//! until both sides have ended.
//!
//! Each direction has a buffer of 8 KiB. The end of one side is passed on to the other, which may
//! still have something to say. What the bytes are is never looked at.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};

/// The size of each of the two buffers of a session, in bytes. Larger ones gained 6 % of a `COPY`
/// and cost a thousand idle sessions 100 MB.
const BUFFER: usize = 8 << 10;

/// How a session went.
pub(super) struct SessionEnd {
    /// Bytes from the client to the server.
    pub(super) sent: u64,
    /// Bytes from the server to the client.
    pub(super) received: u64,
    /// What ended it, if a side broke.
    pub(super) fault: Option<Error>,
}

/// Copies until both sides have ended, or one has broken. The end of one side is passed on to the
/// other, which may still have something to say.
pub(super) async fn relay(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    server: impl AsyncRead + AsyncWrite + Unpin,
) -> SessionEnd {
    let mut server = CountedStream {
        inner: server,
        written: 0,
        read: 0,
    };
    let copied = copy_bidirectional_with_sizes(client, &mut server, BUFFER, BUFFER).await;
    SessionEnd {
        sent: server.written,
        received: server.read,
        fault: copied.err(),
    }
}

/// The server's side, with counters. PostgreSQL's servers end a connection without ending TLS in
/// its own way; that counts as the end here, because a client knows from the packets whether they
/// are complete.
struct CountedStream<S> {
    inner: S,
    written: u64,
    read: u64,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        let length_before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.read += (buffer.filled().len() - length_before) as u64;
        match result {
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            result => result,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.written += count as u64;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(work)
    }

    #[test]
    fn both_directions_are_copied_until_both_have_ended() {
        const PIPE: usize = 1 << 20; // longer than what is said, so that nobody waits
        run(async {
            let (mut client, mut gateway) = duplex(PIPE);
            let (server_side, mut server) = duplex(PIPE);
            client.write_all(b"question").await.unwrap();
            client.shutdown().await.unwrap();
            // The client has ended, and still hears the rest.
            server.write_all(&vec![7; 100_000]).await.unwrap();
            server.shutdown().await.unwrap();
            let end = relay(&mut gateway, server_side).await;
            assert_eq!((end.sent, end.received), (8, 100_000));
            assert!(end.fault.is_none());
            let (mut asked, mut answered) = (Vec::new(), Vec::new());
            drop(gateway);
            client.read_to_end(&mut answered).await.unwrap();
            server.read_to_end(&mut asked).await.unwrap();
            assert_eq!((&asked[..], answered.len()), (&b"question"[..], 100_000));
        });
    }
}
