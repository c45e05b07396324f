//! Connects to the server: to one of its addresses, and with TLS. No token is in play here.
//!
//! All of it may take 10 s, of which each address has its share. TLS is asked for inside
//! PostgreSQL's protocol, and of the answer one byte is read, so that nobody can put text before
//! the handshake (CVE-2021-23222). A server that refuses TLS is never used. A cancel request is
//! passed on the same way.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::refusal::Refusal;
use super::settings::GatewayTarget;
use super::tls::{self, TlsClient};
use crate::sys::host_names;
use crate::wire::{SSL_REQUEST, with_length};

/// How long all of it may take: a tool waits that long at most before it sees an error.
const MAX_DIAL_TIME: Duration = Duration::from_secs(10);
/// After how much silence the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// A connection to the server, inside verified TLS.
pub(super) type ServerStream = TlsStream<TcpStream>;

/// Connects to the server of a target.
pub(super) async fn connect(
    target: &GatewayTarget,
    tls: &TlsClient,
) -> Result<ServerStream, Refusal> {
    let deadline = Instant::now() + MAX_DIAL_TIME;
    let result = match timeout_at(deadline, connect_and_encrypt(target, tls, deadline)).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} s", MAX_DIAL_TIME.as_secs())),
    };
    result.map_err(|reason| {
        let request = &target.request;
        let (host, port) = (&request.host, request.port);
        let doctor = format!("run `pgcred doctor {}`", target.name);
        Refusal::unreachable(format!("cannot reach {host}:{port}: {reason}"), doctor)
    })
}

/// The error says why not, in words.
async fn connect_and_encrypt(
    target: &GatewayTarget,
    tls: &TlsClient,
    deadline: Instant,
) -> Result<ServerStream, String> {
    let addresses = addresses_of(target)
        .await
        .map_err(|error| error.to_string())?;
    let stream = dial_any(&addresses, target.request.port, deadline)
        .await
        .map_err(|error| error.to_string())?;
    set_options(&stream);
    let tls_stream = if target.request.provider.takes_direct_tls {
        tls.encrypt_directly(stream).await
    } else {
        tls.encrypt(ask_for_tls(stream).await?).await
    };
    tls_stream.map_err(|error| tls::describe_failure(&error, target.server_name()))
}

async fn addresses_of(target: &GatewayTarget) -> Result<Vec<IpAddr>, Error> {
    if let Some(address) = target.address() {
        return Ok(vec![address]);
    }
    let host = target.request.host.clone();
    let looked_up = tokio::task::spawn_blocking(move || host_names::addresses_of(&host)).await;
    let mut addresses = looked_up.map_err(Error::other)??;
    let mut known_addresses = Vec::new();
    addresses.retain(|address| {
        let is_new = !known_addresses.contains(address);
        known_addresses.push(*address);
        is_new
    });
    Ok(addresses)
}

/// Connects to the first address that answers. Each has its share of the time that is left, so that
/// one that is silent does not take it all.
async fn dial_any(addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    let mut failure = Error::new(ErrorKind::NotFound, "the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let time_left = deadline.saturating_duration_since(Instant::now());
        let addresses_left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let attempt_deadline = Instant::now() + time_left / addresses_left;
        match timeout_at(
            attempt_deadline,
            TcpStream::connect(SocketAddr::new(*address, port)),
        )
        .await
        {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = Error::new(ErrorKind::TimedOut, "no answer"),
        }
    }
    Err(failure)
}

/// Without these a session works too, but slower, or it hangs where a network was cut.
fn set_options(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// Asks for TLS inside PostgreSQL's protocol. The answer is one byte, and no more than that byte is
/// read: what follows is for TLS, so that nobody can put text in before it (CVE-2021-23222).
async fn ask_for_tls(mut stream: TcpStream) -> Result<TcpStream, String> {
    let mut answer = [0];
    let exchange = async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_exact(&mut answer).await
    };
    exchange.await.map_err(|error| error.to_string())?;
    match answer {
        [b'S'] => Ok(stream),
        [b'N'] => Err("the server refuses TLS, and no token is sent without it".to_owned()),
        [b'E'] => Err("the server answers the request for TLS with an error".to_owned()),
        _ => Err("what answers there is not PostgreSQL".to_owned()),
    }
}

/// Passes a cancel request on, and waits until the server has closed, as libpq does.
pub(super) async fn cancel(
    target: &GatewayTarget,
    tls: &TlsClient,
    body: &[u8],
) -> Result<(), Refusal> {
    let mut stream = connect(target, tls).await?;
    let mut rest = [0; 16];
    let cancellation = async {
        stream.write_all(&with_length(body)).await?;
        stream.flush().await?;
        stream.read(&mut rest).await
    };
    let _ = tokio::time::timeout(MAX_DIAL_TIME, cancellation).await; // nobody waits for an answer
    Ok(())
}
