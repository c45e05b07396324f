//! The login on an encrypted connection: startup message, password, verdict.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::answers::When;
use crate::events::Event;
use crate::faults::login::{at_password, at_startup, negotiate};
use crate::passwords::{ask_md5, ask_scram};
use crate::session::{Connection, Shared, cancel, turn_away};
use crate::startup::Startup;
use crate::visit::{Service, Visit};
use crate::wire::{ASK_PASSWORD, CANCEL_REQUEST, FirstPacket, error_response, read_password};
use crate::{Answer, Expect, Kind, Refusal, verify};

/// A client that is let in.
pub(crate) struct Admitted {
    pub(crate) client: TlsStream<TcpStream>,
    /// The startup message for the real server.
    pub(crate) request: Vec<u8>,
    /// Whether the session is one of DSQL and has its rules.
    pub(crate) is_strict: bool,
}

/// What was decided.
enum Verdict {
    LetIn(Vec<u8>),
    TurnedAway {
        outcome: &'static str,
        answer: Vec<u8>,
    },
    /// A fault has ended the connection.
    Gone(&'static str),
}

/// Reads the user and asks for the token. Returns `None` if the client was refused.
pub(crate) async fn admit(
    mut tls: TlsStream<TcpStream>,
    connection: Connection,
    shared: &Shared,
) -> io::Result<Option<Admitted>> {
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
    let visit = Visit {
        service: shared.service_of(&host),
        startup: &startup,
        client: connection.client,
        is_encrypted: true,
        now: shared.clock.now(),
    };
    let kind = visit.kind();
    match judge(&mut tls, &visit, &host, connection, shared).await? {
        Verdict::LetIn(request) => {
            shared.record(&startup, &host, kind, Event::ACCEPTED);
            Ok(Some(Admitted {
                client: tls,
                request,
                is_strict: shared.strict && kind == Some(Kind::Dsql),
            }))
        }
        Verdict::TurnedAway { outcome, answer } => {
            shared.record(&startup, &host, kind, outcome);
            turn_away(&mut tls, &answer).await.map(|()| None)
        }
        Verdict::Gone(outcome) => {
            shared.record(&startup, &host, kind, outcome);
            Ok(None)
        }
    }
}

async fn judge(
    tls: &mut TlsStream<TcpStream>,
    visit: &Visit<'_>,
    host: &str,
    connection: Connection,
    shared: &Shared,
) -> io::Result<Verdict> {
    let Connection { fault, answer, .. } = connection;
    let faulty = Verdict::Gone(fault.map_or("", crate::Fault::name));
    // An error is the end of a connection that a fault has spoilt.
    if !matches!(at_startup(tls, visit.startup, fault).await, Ok(true)) {
        return Ok(faulty);
    }
    if let Some(answer) = answer
        && answer.when() == When::AtOnce
    {
        return Ok(said(answer, visit));
    }
    let Some(service) = visit.service else {
        return Ok(refused(&Refusal::NoSni, visit));
    };
    negotiate(tls, visit.startup).await?;
    if let Some(answer) = answer
        && matches!(answer.when(), When::Scram | When::Md5)
    {
        if answer.when() == When::Scram {
            ask_scram(tls).await?;
        } else {
            ask_md5(tls).await?;
        }
        return Ok(said(answer, visit));
    }
    tls.write_all(&ASK_PASSWORD).await?;
    tls.flush().await?;
    // A client without a password closes the connection here, asks its user and connects again.
    // That does not count as an attempt.
    let token = read_password(tls).await?;
    if !matches!(at_password(tls, fault).await, Ok(true)) {
        return Ok(faulty);
    }
    if let Err(refusal) = check(token.as_deref(), service, visit, host, shared) {
        return Ok(refused(&refusal, visit));
    }
    match answer {
        Some(answer) => Ok(said(answer, visit)),
        None => Ok(Verdict::LetIn(visit.startup.for_upstream(visit.kind()))),
    }
}

/// Whether the token is right, and what a strict DSQL looks at besides.
fn check(
    token: Option<&str>,
    service: Service,
    visit: &Visit<'_>,
    host: &str,
    shared: &Shared,
) -> Result<(), Refusal> {
    let Some(token) = token else {
        return Err(Refusal::Malformed("it is not UTF-8"));
    };
    let kind = match service {
        Service::Aws(kind) => kind,
        Service::Other(face) => return shared.minted.check(face, token, visit),
    };
    let expect = Expect {
        kind,
        host,
        port: shared.public_port,
        user: visit.startup.user(),
        cluster_id: visit.startup.cluster_id.as_deref(),
        keys: &shared.keys,
        now: visit.now,
    };
    verify(token, &expect)?;
    if shared.strict
        && kind == Kind::Dsql
        && let Some(name) = visit.startup.forbidden()
    {
        return Err(Refusal::ForbiddenParameter(name));
    }
    Ok(())
}

fn refused(refusal: &Refusal, visit: &Visit<'_>) -> Verdict {
    Verdict::TurnedAway {
        outcome: refusal.reason(),
        answer: refusal.response(visit),
    }
}

fn said(answer: Answer, visit: &Visit<'_>) -> Verdict {
    Verdict::TurnedAway {
        outcome: answer.name(),
        answer: answer.response(visit),
    }
}
