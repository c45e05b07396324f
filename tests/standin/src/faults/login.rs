//! Faults of a server that speaks TLS and PostgreSQL, but not well.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::sleep;

use super::Fault;
use crate::session::{hold, turn_away};
use crate::startup::Startup;
use crate::wire::{error_response, message, negotiate_protocol};

/// 1 MiB, which no client should print.
const LONG: usize = 1024 * 1024;
/// Clears a screen, sets a window's title, starts a new line and turns the direction of writing.
const CONTROL: &str = "\x1b[2J\x1b]0;owned\x07first line\r\nsecond\tline\u{202e}desrever\u{9b}31m";

/// What comes instead of a request for the password; `false` if that was all.
pub(crate) async fn at_startup(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    startup: &Startup,
    fault: Option<Fault>,
) -> io::Result<bool> {
    let (minor, _) = startup.wishes();
    match fault {
        Some(Fault::Protocol30Only) if minor > 0 => {
            let text =
                format!("unsupported frontend protocol 3.{minor}: server supports 1.0 to 3.0");
            turn_away(client, &error_response("FATAL", "0A000", &text, None)).await?;
        }
        Some(Fault::SilentAfterStartup) => hold(client).await?,
        Some(Fault::ClosesAfterStartup) => turn_away(client, &[]).await?,
        Some(Fault::BrokenLength) => {
            client.write_all(b"E\x7f\xff\xff\xffSFATAL\0").await?;
            hold(client).await?;
        }
        Some(Fault::LongError) => {
            let text = "long ".repeat(LONG / 5);
            turn_away(client, &error_response("FATAL", "28000", &text, None)).await?;
        }
        Some(Fault::ControlCharacters) => {
            let answer = error_response("FATAL", "28000", CONTROL, Some(CONTROL));
            turn_away(client, &answer).await?;
        }
        Some(Fault::EndlessNotices) => loop {
            client.write_all(&notice()).await?;
            client.flush().await?;
            sleep(Duration::from_millis(10)).await;
        },
        _ => return Ok(true),
    }
    Ok(false)
}

fn notice() -> Vec<u8> {
    message(
        b'N',
        b"SNOTICE\0VNOTICE\0C00000\0Mone more of a thousand notices\0\0",
    )
}

/// What comes after the password; `false` if that was all.
pub(crate) async fn at_password(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    fault: Option<Fault>,
) -> io::Result<bool> {
    match fault {
        Some(Fault::SilentAfterPassword) => hold(client).await?,
        Some(Fault::ClosesAfterPassword) => turn_away(client, &[]).await?,
        _ => return Ok(true),
    }
    Ok(false)
}

/// Tells a client that asks for more than protocol 3.0 that there is no more.
pub(crate) async fn negotiate(
    client: &mut (impl AsyncWrite + Unpin),
    startup: &Startup,
) -> io::Result<()> {
    let (minor, options) = startup.wishes();
    if minor > 0 || !options.is_empty() {
        client.write_all(&negotiate_protocol(&options)).await?;
    }
    Ok(())
}
