//! One connection from its first byte on: TLS, login, and then the real server.

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::server::TlsStream;

use crate::answers::When;
use crate::clock::Clock;
use crate::events::{Event, Events};
use crate::faults::connect::{Next, at_first, at_request};
use crate::faults::handshake::shake;
use crate::login::admit;
use crate::relay::relay;
use crate::startup::Startup;
use crate::tls::{ALPN, Tls};
use crate::visit::{Service, Visit};
use crate::wire::{
    ASK_PASSWORD, CANCEL_REQUEST, FirstPacket, GSSENC_REQUEST, SSL_REQUEST, error_response,
    read_password,
};
use crate::{Answer, Fault, Key, Kind, Minted, Refusal, Upstream};

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
    pub(crate) minted: Minted,
    pub(crate) upstream: Upstream,
    pub(crate) public_port: u16,
    pub(crate) without_sni: Option<String>,
    pub(crate) strict: bool,
    pub(crate) temper: Mutex<(Option<Fault>, Option<Answer>)>,
    pub(crate) session_limit: Option<Duration>,
    pub(crate) clock: Clock,
    pub(crate) events: Events,
}

/// What holds for one connection from its beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    pub(crate) client: IpAddr,
    pub(crate) fault: Option<Fault>,
    pub(crate) answer: Option<Answer>,
}

/// Serves one connection to its end. An error means that the other side broke off or spoke no
/// PostgreSQL.
pub(crate) async fn serve(tcp: TcpStream, tls: &Tls, shared: &Shared) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let (fault, answer) = *shared.temper.lock().unwrap_or_else(PoisonError::into_inner);
    let connection = Connection {
        client: tcp.peer_addr()?.ip(),
        fault,
        answer,
    };
    let log_in = async {
        match encrypt(tcp, tls, connection, shared).await? {
            Some(encrypted) => admit(encrypted, connection, shared).await,
            None => Ok(None),
        }
    };
    let Some(mut admitted) = timeout(LOG_IN_WITHIN, log_in).await?? else {
        return Ok(());
    };
    let mut server = match shared.upstream.connect().await {
        Ok(server) => server,
        Err(error) => {
            let text = format!("the stand-in cannot reach its PostgreSQL: {error}");
            let answer = error_response("FATAL", "08006", &text, None);
            return turn_away(&mut admitted.client, &answer).await;
        }
    };
    server.write_all(&admitted.request).await?;
    let end = shared.session_limit.map(|limit| Instant::now() + limit);
    relay(admitted.client, server, admitted.is_strict, end).await
}

/// Brings the connection to TLS; `None` if it ended before, properly.
async fn encrypt(
    mut tcp: TcpStream,
    tls: &Tls,
    connection: Connection,
    shared: &Shared,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let fault = connection.fault;
    if !at_first(&mut tcp, fault).await? {
        return Ok(None);
    }
    let mut first = [0];
    let is_direct = tcp.peek(&mut first).await? == 1 && first == [HANDSHAKE];
    if is_direct && fault == Some(Fault::NoDirectTls) {
        return turn_away(&mut tcp, &[]).await.map(|()| None);
    }
    if !is_direct && !agree_on_tls(&mut tcp, connection, shared).await? {
        return Ok(None);
    }
    let Some(mut tls) = shake(tcp, tls.config(fault)?, fault).await? else {
        return Ok(None);
    };
    // As in PostgreSQL: without this negotiation, a client of another protocol could be led here.
    let has_alpn = tls.get_ref().1.alpn_protocol() == Some(ALPN);
    if is_direct && !has_alpn && fault != Some(Fault::NoAlpn) {
        return tls.shutdown().await.map(|()| None);
    }
    Ok(Some(tls))
}

/// Answers the messages that a client may send before TLS. Returns `false` if the connection ends
/// there.
async fn agree_on_tls(
    tcp: &mut TcpStream,
    connection: Connection,
    shared: &Shared,
) -> io::Result<bool> {
    loop {
        let packet = FirstPacket::read(tcp).await?;
        match packet.code {
            GSSENC_REQUEST => tcp.write_all(b"N").await?,
            SSL_REQUEST => match at_request(tcp, connection.fault).await? {
                Next::Handshake => return Ok(true),
                Next::Startup => {}
                Next::Nothing => return Ok(false),
            },
            CANCEL_REQUEST => return cancel(&packet, shared).await.map(|()| false),
            _ => {
                let startup = Startup::parse(&packet)?;
                return in_clear(tcp, &startup, connection, shared)
                    .await
                    .map(|()| false);
            }
        }
    }
}

/// A client that has not asked for TLS, or not got it, is turned away.
async fn in_clear(
    tcp: &mut TcpStream,
    startup: &Startup,
    connection: Connection,
    shared: &Shared,
) -> io::Result<()> {
    let visit = Visit {
        service: shared.service_of(shared.without_sni.as_deref().unwrap_or_default()),
        startup,
        client: connection.client,
        is_encrypted: false,
        now: shared.clock.now(),
    };
    if connection.fault == Some(Fault::AsksInClear) {
        tcp.write_all(&ASK_PASSWORD).await?;
        read_password(tcp).await?;
        // A test looks for this one: no client may send a token here.
        shared.record(startup, "", None, Event::SENT_IN_CLEAR);
        return turn_away(tcp, &Refusal::NoTls.response(&visit)).await;
    }
    let (outcome, answer) = match connection.answer {
        Some(answer) if answer.when() == When::AtOnce => (answer.name(), answer.response(&visit)),
        _ => (Refusal::NoTls.reason(), Refusal::NoTls.response(&visit)),
    };
    shared.record(startup, "", None, outcome);
    turn_away(tcp, &answer).await
}

/// Hands a cancel request on and waits, as clients do, until the real server has taken it.
pub(crate) async fn cancel(packet: &FirstPacket, shared: &Shared) -> io::Result<()> {
    let mut server = shared.upstream.connect().await?;
    server.write_all(&packet.to_bytes()).await?;
    server.flush().await?;
    server.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Sends `answer` and closes the connection so that the client receives it: if input were unread at
/// the close, the system would reset the connection.
pub(crate) async fn turn_away(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &[u8],
) -> io::Result<()> {
    client.write_all(answer).await?;
    client.shutdown().await?;
    timeout(LINGER, hold(client)).await.unwrap_or(Ok(()))
}

/// Says nothing until the client goes.
pub(crate) async fn hold(client: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    tokio::io::copy(client, &mut tokio::io::sink())
        .await
        .map(drop)
}

impl Shared {
    /// The service of a host, `None` if the host is not known (`""`).
    pub(crate) fn service_of(&self, host: &str) -> Option<Service> {
        if host.is_empty() {
            return None;
        }
        Some(match self.minted.face_of(host) {
            Some(face) => Service::Other(face),
            None => Service::Aws(Kind::of_host(host)),
        })
    }

    pub(crate) fn record(
        &self,
        startup: &Startup,
        host: &str,
        kind: Option<Kind>,
        outcome: &'static str,
    ) {
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
