//! Faults in the TLS handshake, and the handshake itself. Certificates are in `certificates.rs`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::{Accepted, Acceptor};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Fault;
use crate::session::{hold, turn_away};

/// Alerts as records of TLS: fatal `unrecognized_name`, fatal `protocol_version`, and the warning
/// `close_notify`.
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];
const PROTOCOL_VERSION: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 70];
const CLOSE_NOTIFY: [u8; 7] = [0x15, 3, 3, 0, 2, 1, 0];

/// Shakes hands; `None` if a fault has ended it.
pub(crate) async fn shake(
    tcp: TcpStream,
    config: Arc<ServerConfig>,
    fault: Option<Fault>,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
    let has_sni = start.client_hello().server_name().is_some();
    let alert = match fault {
        Some(Fault::SniAlert) if !has_sni => UNRECOGNIZED_NAME,
        Some(Fault::SniClose) if !has_sni => CLOSE_NOTIFY,
        Some(Fault::TlsVersion) => PROTOCOL_VERSION,
        Some(Fault::SilentTls) => {
            hold(&mut start.io).await?;
            return Ok(None);
        }
        Some(Fault::SlowTls) => {
            return drip(start.io, start.accepted, config).await.map(|()| None);
        }
        _ => return start.into_stream(config).await.map(Some),
    };
    turn_away(&mut start.io, &alert).await.map(|()| None)
}

/// Sends the server's part of the handshake, one byte each second. Nobody waits for its end.
async fn drip(mut tcp: TcpStream, hello: Accepted, config: Arc<ServerConfig>) -> io::Result<()> {
    let mut bytes = Vec::new();
    match hello.into_connection(config) {
        Ok(mut connection) => {
            while connection.wants_write() {
                connection.write_tls(&mut bytes)?;
            }
        }
        Err((error, _)) => return Err(io::Error::other(error)),
    }
    for byte in bytes {
        tcp.write_u8(byte).await?;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
