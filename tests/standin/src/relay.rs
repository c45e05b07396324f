//! The two directions of a session after its login. They are passed on message by message where a
//! message has to be added or changed.

use std::future::pending;
use std::io;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite,
    AsyncWriteExt as _,
};
use tokio::io::{BufReader, BufWriter, split};
use tokio::time::{Instant, sleep_until};

use crate::dialect::{self, Dialect, MARK};
use crate::upstream::Stream;
use crate::wire::{error_response, field, invalid, message};

const BUFFER: usize = 64 * 1024;
/// More than any answer has that was made here.
const LONGEST_OWN_ANSWER: usize = 4096;
/// PostgreSQL's own bound on one message.
const LONGEST_MESSAGE: usize = 0x3fff_ffff;

/// Passes everything between the two until one ends, then ends the client's side with a proper
/// close. `strict` refuses what Aurora DSQL refuses.
pub(crate) async fn relay(
    client: impl AsyncRead + AsyncWrite,
    server: Box<dyn Stream>,
    strict: bool,
    end: Option<Instant>,
) -> io::Result<()> {
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let upwards = async {
        // The server notices the end of the client by the closed connection, and then ends the
        // other direction.
        let _ = requests(from_client, to_server, strict).await;
        pending::<()>().await;
    };
    let mut to_client = BufWriter::with_capacity(BUFFER, to_client);
    tokio::select! {
        ended = answers(from_server, &mut to_client, strict, end) => ended?,
        () = upwards => {}
    }
    to_client.shutdown().await
}

async fn requests(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    strict: bool,
) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    let passed = if strict {
        filtered(&mut from, &mut BufWriter::with_capacity(BUFFER, &mut to)).await
    } else {
        tokio::io::copy_buf(&mut from, &mut to).await.map(drop)
    };
    to.shutdown().await?;
    passed
}

/// The client's messages, with queries that DSQL refuses replaced.
async fn filtered(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut dialect = Dialect::default();
    loop {
        let Some((kind, length)) = header(from, to).await? else {
            return to.flush().await;
        };
        if kind == b'S' {
            dialect.sync();
        }
        if kind != b'Q' && kind != b'P' {
            pass_header(to, kind, length).await?;
            pass_body(from, to, length).await?;
            continue;
        }
        let mut body = Vec::new();
        from.take(length as u64).read_to_end(&mut body).await?;
        if body.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let body = rewritten(&mut dialect, kind, &body).unwrap_or(body);
        to.write_all(&message(kind, &body)).await?;
        if kind == b'Q' {
            dialect.sync();
        }
    }
}

/// The body of a Query (text) or Parse (name, text, parameter types) message with its text
/// replaced, if need be.
fn rewritten(dialect: &mut Dialect, kind: u8, body: &[u8]) -> Option<Vec<u8>> {
    let start = if kind == b'P' {
        body.iter().position(|byte| *byte == 0)? + 1
    } else {
        0
    };
    let end = start + body[start..].iter().position(|byte| *byte == 0)?;
    let sql = std::str::from_utf8(&body[start..end]).ok()?;
    let instead = dialect.rewrite(sql)?;
    let types = if kind == b'P' {
        typed(&body[end + 1..], dialect::parameters(sql))?
    } else {
        Vec::new()
    };
    Some([&body[..start], instead.as_bytes(), &[0], &types].concat())
}

/// The types of a Parse message, `text` where there was none: the text that used the parameters,
/// and could have told their types, is gone, but the client goes on to bind them.
fn typed(types: &[u8], used: u16) -> Option<Vec<u8>> {
    const TEXT: [u8; 4] = 25_u32.to_be_bytes();
    let (declared, oids) = types.split_first_chunk::<2>()?;
    let (oids, []) = oids.as_chunks::<4>() else {
        return None;
    };
    let count = u16::from_be_bytes(*declared).max(used);
    let oids = (0..usize::from(count))
        .map(|at| oids.get(at).filter(|oid| **oid != [0; 4]).unwrap_or(&TEXT));
    Some(
        [
            count.to_be_bytes().as_slice(),
            &oids.copied().collect::<Vec<_>>().concat(),
        ]
        .concat(),
    )
}

/// The server's messages, until it ends, asks for a password or the session's time is over.
async fn answers(
    from: impl AsyncRead + Unpin,
    to: &mut (impl AsyncWrite + Unpin),
    strict: bool,
    end: Option<Instant>,
) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    let over = async {
        match end {
            Some(end) => sleep_until(end).await,
            None => pending().await,
        }
    };
    tokio::pin!(over);
    loop {
        // A message can be added only between two others, so the time is checked here.
        let next = tokio::select! {
            biased;
            () = &mut over => {
                let text = "terminating connection due to administrator command";
                let hint = "The session has lasted as long as sessions may.";
                to.write_all(&error_response("FATAL", "57P01", text, Some(hint))).await?;
                return to.flush().await;
            }
            next = header(&mut from, to) => next?,
        };
        let Some((kind, length)) = next else {
            return to.flush().await;
        };
        if kind == b'R' && length >= 4 {
            let mut code = [0; 4];
            from.read_exact(&mut code).await?;
            if code != [0; 4] {
                // If this were passed on, the client would send its token to the real server.
                let text = "the PostgreSQL behind the stand-in asks for a password; it must trust \
                    its clients";
                to.write_all(&error_response("FATAL", "08006", text, None))
                    .await?;
                return to.flush().await;
            }
            pass_header(to, kind, length).await?;
            to.write_all(&code).await?;
            pass_body(&mut from, to, length - 4).await?;
        } else if strict && kind == b'E' && length <= LONGEST_OWN_ANSWER {
            let mut body = vec![0; length];
            from.read_exact(&mut body).await?;
            to.write_all(&without_traces(&body)).await?;
        } else {
            pass_header(to, kind, length).await?;
            pass_body(&mut from, to, length).await?;
        }
    }
}

/// An error message. One that was made by a rewritten query has only the fields that DSQL sends:
/// the real server adds where in the rewritten query it was raised.
fn without_traces(body: &[u8]) -> Vec<u8> {
    if field(body, b'D') != Some(MARK) {
        return message(b'E', body);
    }
    let (code, text) = (field(body, b'C'), field(body, b'M'));
    error_response(
        "ERROR",
        code.unwrap_or_default(),
        text.unwrap_or_default(),
        None,
    )
}

/// The next message's type and body length, `None` at the end; flushes first if it would have to
/// wait.
async fn header(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<Option<(u8, usize)>> {
    if is_idle(from).await {
        to.flush().await?;
    }
    if from.fill_buf().await?.is_empty() {
        return Ok(None);
    }
    let kind = from.read_u8().await?;
    let length = from.read_u32().await? as usize;
    if !(4..=LONGEST_MESSAGE).contains(&length) {
        return Err(invalid("the length of a message is invalid"));
    }
    Ok(Some((kind, length - 4)))
}

/// Whether nothing is there to be read at this moment.
async fn is_idle(from: &mut (impl AsyncBufRead + Unpin)) -> bool {
    tokio::select! {
        biased;
        _ = from.fill_buf() => false,
        () = std::future::ready(()) => true,
    }
}

async fn pass_header(
    to: &mut (impl AsyncWrite + Unpin),
    kind: u8,
    length: usize,
) -> io::Result<()> {
    let length =
        u32::try_from(length + 4).map_err(|_| invalid("the length of a message is invalid"))?;
    to.write_u8(kind).await?;
    to.write_u32(length).await
}

async fn pass_body(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut left: usize,
) -> io::Result<()> {
    while left > 0 {
        let chunk = from.fill_buf().await?;
        if chunk.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = chunk.len().min(left);
        to.write_all(&chunk[..length]).await?;
        from.consume(length);
        left -= length;
    }
    Ok(())
}
