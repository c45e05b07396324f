//! One connection: TLS, the startup message, the password, the verdict, and then the real server.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::clock::Clock;
use crate::events::{Event, Events};
use crate::relay::relay;
use crate::startup::Startup;
use crate::tls::ALPN;
use crate::wire::{
    ASK_PASSWORD, CANCEL_REQUEST, FirstPacket, GSSENC_REQUEST, SSL_REQUEST, error_response,
    read_password,
};
use crate::{Expect, Key, Kind, Refusal, Upstream, verify};

/// PostgreSQL's own default `authentication_timeout`.
const LOG_IN_WITHIN: Duration = Duration::from_mins(1);
/// How long a client may take to read the error.
const LINGER: Duration = Duration::from_secs(2);
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// The state that all connections of one stand-in share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) keys: Vec<Key>,
    pub(crate) upstream: Upstream,
    pub(crate) public_port: u16,
    pub(crate) without_sni: Option<String>,
    pub(crate) reject_set: bool,
    pub(crate) session_limit: Option<Duration>,
    pub(crate) clock: Clock,
    pub(crate) events: Events,
}

/// Serves one connection to its end. An error means that the other side broke off or spoke no
/// PostgreSQL.
pub(crate) async fn serve(
    tcp: TcpStream,
    acceptor: &TlsAcceptor,
    shared: &Shared,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let log_in = async {
        let Some(tls) = encrypt(tcp, acceptor, shared).await? else {
            return Ok(None);
        };
        admit(tls, shared).await
    };
    let Some((mut client, request)) = timeout(LOG_IN_WITHIN, log_in).await?? else {
        return Ok(());
    };
    let mut server = match shared.upstream.connect().await {
        Ok(server) => server,
        Err(error) => {
            let text = format!("the stand-in cannot reach its PostgreSQL: {error}");
            return turn_away(&mut client, &error_response("FATAL", "08006", &text, None)).await;
        }
    };
    server.write_all(&request).await?;
    let end = shared.session_limit.map(|limit| Instant::now() + limit);
    relay(client, server, shared.reject_set, end).await
}

/// Brings the connection to TLS; `None` if it ended before, properly.
async fn encrypt(
    mut tcp: TcpStream,
    acceptor: &TlsAcceptor,
    shared: &Shared,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    let direct = tcp.peek(&mut first).await? == 1 && first == [HANDSHAKE];
    if !direct && !agree_on_tls(&mut tcp, shared).await? {
        return Ok(None);
    }
    let mut tls = acceptor.accept(tcp).await?;
    // As in PostgreSQL: without this negotiation, a client of another protocol could be led here.
    if direct && tls.get_ref().1.alpn_protocol() != Some(ALPN) {
        return tls.shutdown().await.map(|()| None);
    }
    Ok(Some(tls))
}

/// Answers the messages that a client may send before TLS. Returns `false` if the connection ends
/// there.
async fn agree_on_tls(tcp: &mut TcpStream, shared: &Shared) -> io::Result<bool> {
    loop {
        let packet = FirstPacket::read(tcp).await?;
        match packet.code {
            GSSENC_REQUEST => tcp.write_all(b"N").await?,
            SSL_REQUEST => return tcp.write_all(b"S").await.map(|()| true),
            CANCEL_REQUEST => return cancel(&packet, shared).await.map(|()| false),
            _ => {
                let startup = Startup::parse(&packet)?;
                shared.record(&startup, "", None, Refusal::NoTls.reason());
                return turn_away(tcp, &Refusal::NoTls.response(None, startup.user()))
                    .await
                    .map(|()| false);
            }
        }
    }
}

/// Reads the user and asks for the token. Returns the startup message for the real server, or
/// `None` if the client was refused.
async fn admit(
    mut tls: TlsStream<TcpStream>,
    shared: &Shared,
) -> io::Result<Option<(TlsStream<TcpStream>, Vec<u8>)>> {
    let named = tls.get_ref().1.server_name();
    let host = named
        .or(shared.without_sni.as_deref())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let packet = FirstPacket::read(&mut tls).await?;
    if packet.code == CANCEL_REQUEST {
        cancel(&packet, shared).await?;
        return tls.shutdown().await.map(|()| None);
    }
    let startup = match Startup::parse(&packet) {
        Ok(startup) => startup,
        Err(error) => {
            let answer = error_response("FATAL", "08P01", &error.to_string(), None);
            return turn_away(&mut tls, &answer).await.map(|()| None);
        }
    };
    let kind = if host.is_empty() {
        None
    } else {
        Some(Kind::of_host(&host))
    };
    let verdict = if let Some(kind) = kind {
        tls.write_all(&ASK_PASSWORD).await?;
        tls.flush().await?;
        // A client without a password closes the connection here, asks its user and connects again.
        // That does not count as an attempt.
        let token = read_password(&mut tls).await?;
        let expect = Expect {
            kind,
            host: &host,
            port: shared.public_port,
            user: startup.user(),
            cluster_id: startup.cluster_id.as_deref(),
            keys: &shared.keys,
            now: shared.clock.now(),
        };
        let token = token
            .as_deref()
            .ok_or(Refusal::Malformed("it is not UTF-8"));
        token
            .and_then(|token| verify(token, &expect))
            .map(|()| startup.for_upstream(kind))
    } else {
        Err(Refusal::NoSni)
    };
    match verdict {
        Ok(request) => {
            shared.record(&startup, &host, kind, Event::ACCEPTED);
            Ok(Some((tls, request)))
        }
        Err(refusal) => {
            shared.record(&startup, &host, kind, refusal.reason());
            turn_away(&mut tls, &refusal.response(kind, startup.user()))
                .await
                .map(|()| None)
        }
    }
}

/// Hands a cancel request on and waits, as clients do, until the real server has taken it.
async fn cancel(packet: &FirstPacket, shared: &Shared) -> io::Result<()> {
    let mut server = shared.upstream.connect().await?;
    server.write_all(&packet.to_bytes()).await?;
    server.flush().await?;
    server.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Sends `answer` and closes the connection so that the client receives it: if input were unread at
/// the close, the system would reset the connection.
async fn turn_away(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &[u8],
) -> io::Result<()> {
    client.write_all(answer).await?;
    client.shutdown().await?;
    let mut nowhere = tokio::io::sink();
    timeout(LINGER, tokio::io::copy(client, &mut nowhere))
        .await
        .unwrap_or(Ok(0))
        .map(drop)
}

impl Shared {
    fn record(&self, startup: &Startup, host: &str, kind: Option<Kind>, outcome: &'static str) {
        let (user, host) = (startup.user().to_owned(), host.to_owned());
        self.events.add(Event {
            time: self.clock.now(),
            user,
            host,
            kind,
            outcome,
        });
    }
}
