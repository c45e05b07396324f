//! Finds out what the server of a target answers: a thread looks up its name, connects, begins TLS,
//! and logs in when there is a token.
//!
//! ```text
//! thread of the probe    names --> connections --> TLS --> waits for the token --> login
//!                          |           |            |            ^                  |
//!                          v           v            v            |                  v
//! checks                net.dns     net.tcp      tls.*     give_token      login.accepted
//! ```
//!
//! So the network is waited for while the checks look at files and the token is being signed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use super::pending_answer::PendingAnswer;
use crate::error::Result;
use crate::probe::Deadline;
use crate::probe::connect::{self, ConnectAttempt};
use crate::probe::names::{self, NameAnswer};
use crate::probe::server_login::{self, ServerLoginAttempt, ServerLoginRequest};
use crate::probe::tls::{self, TlsHandshake, TlsStart};
use crate::probe::trust::{ClientVerification, NamedRoots, VerificationLevel};
use crate::request::Request;
use crate::roots::{self, RootSets};
use crate::time::Time;
use crate::token::Token;

/// The name of the set of roots that the user's own clients have.
pub(super) const CLIENT_ROOTS: &str = "clients";
/// The name of the set of roots that the provider's servers chain to.
pub(super) const PROVIDER_ROOTS: &str = "provider";
/// The name of the set of roots that the system trusts.
pub(super) const SYSTEM_ROOTS: &str = "system";

/// The answers of one server.
pub(super) struct NetworkAnswers {
    pub(super) names: PendingAnswer<NameAnswer>,
    pub(super) attempts: PendingAnswer<Vec<ConnectAttempt>>,
    pub(super) handshake: PendingAnswer<TlsHandshake>,
    pub(super) login: PendingAnswer<ServerLoginAttempt>,
    /// What the user's clients verify of the server.
    pub(super) verification: VerificationLevel,
    /// The file of roots of the user's clients, or libpq's word for the system's; `None` if they
    /// have none.
    pub(super) roots_file: Option<String>,
    /// When the server has to have shown its certificate. Time is left for the logins, also those
    /// at other servers than one that does not answer.
    pub(super) reached_by: Instant,
    token: Sender<Token>,
}

/// What the probe asks. It is made from the request before the thread starts.
struct ProbeRequest {
    /// What is looked up: libpq's `hostaddr`, else the host.
    address: String,
    host: String,
    port: u16,
    user: String,
    dbname: String,
    sends_name: bool,
    start: TlsStart,
    roots: Vec<NamedRoots>,
    client: ClientVerification,
}

/// When the thread has to be done with what it does.
#[derive(Clone, Copy)]
struct ProbeTimes {
    /// All but the login.
    reached_by: Instant,
    deadline: Instant,
}

/// Where the thread sends its answers.
struct AnswerSenders {
    names: Sender<NameAnswer>,
    attempts: Sender<Vec<ConnectAttempt>>,
    handshake: Sender<TlsHandshake>,
    login: Sender<ServerLoginAttempt>,
}

impl NetworkAnswers {
    /// Starts to ask the server of a request. Fails if the roots of the request cannot be told.
    pub(super) fn start(request: &Request, deadline: Instant) -> Result<Self> {
        let sets = roots::root_sets(request)?;
        let roots_file = sets.clients_file.clone();
        let question = ProbeRequest::from_request(request, sets);
        let verification = question.client.verification;
        let (names, found_names) = channel();
        let (attempts, found_attempts) = channel();
        let (handshake, found_handshake) = channel();
        let (login, found_login) = channel();
        let (token, given_token) = channel();
        let answers = AnswerSenders {
            names,
            attempts,
            handshake,
            login,
        };
        let now = Instant::now();
        let reached_by = now + deadline.saturating_duration_since(now) / 4 * 3;
        let times = ProbeTimes {
            reached_by,
            deadline,
        };
        PendingAnswer::start(move || question.ask(&answers, &given_token, times));
        Ok(Self {
            names: PendingAnswer::from(found_names),
            attempts: PendingAnswer::from(found_attempts),
            handshake: PendingAnswer::from(found_handshake),
            login: PendingAnswer::from(found_login),
            verification,
            roots_file,
            reached_by,
            token,
        })
    }

    /// Gives the token for the login.
    pub(super) fn give_token(&self, token: Token) {
        // The thread may have ended without a connection.
        let _ = self.token.send(token);
    }
}

impl ProbeRequest {
    fn from_request(request: &Request, sets: RootSets) -> Self {
        let host = request.host.clone();
        let start = match request.keyword("sslnegotiation") {
            Some("direct") => TlsStart::Direct,
            _ => TlsStart::Request,
        };
        let verification = verification_of_sslmode(request.sslmode(), sets.clients.is_some());
        Self {
            address: address_of(request).to_owned(),
            port: request.port,
            user: request.user.clone(),
            dbname: request.dbname.clone(),
            sends_name: request.keyword("sslsni") != Some("0"),
            start,
            roots: named_sets(sets),
            client: ClientVerification {
                verification,
                roots: CLIENT_ROOTS.to_owned(),
            },
            host,
        }
    }

    /// Goes as far as the server lets it. Each answer is sent as soon as it is there.
    fn ask(self, answers: &AnswerSenders, token: &Receiver<Token>, times: ProbeTimes) {
        let time_left = |time: Instant| time.saturating_duration_since(Instant::now());
        let connect_deadline = || Deadline::after(time_left(times.reached_by));
        let names = names::look_up(&self.address, connect_deadline());
        let _ = answers.names.send(names.clone());
        let mut attempts = connect::connect_to_all(&names, self.port, connect_deadline());
        let connection = connect::take_first(&mut attempts);
        let _ = answers.attempts.send(attempts);
        let Some(connection) = connection else {
            return;
        };
        let question = tls::TlsRequest {
            host: &self.host,
            sends_name: self.sends_name,
            start: self.start,
            roots: &self.roots,
            now: Time::now(),
        };
        let mut handshake = tls::begin_tls(connection, &question, connect_deadline());
        let session = handshake.session.take();
        let _ = answers.handshake.send(handshake);
        let (Some(session), Ok(token)) = (session, token.recv_timeout(time_left(times.deadline)))
        else {
            return;
        };
        let login_request = ServerLoginRequest {
            user: token.user.as_deref().unwrap_or(&self.user),
            database: &self.dbname,
            token: token.expose(),
        };
        let deadline = Deadline::after(time_left(times.deadline));
        let login = server_login::log_in_to_server(session, &login_request, &self.client, deadline);
        let _ = answers.login.send(login);
    }
}

/// Returns what is dialled: libpq's `hostaddr`, else the host.
pub(super) fn address_of(request: &Request) -> &str {
    request.keyword("hostaddr").unwrap_or(&request.host)
}

/// Returns the sets of roots that the server is judged by.
fn named_sets(sets: RootSets) -> Vec<NamedRoots> {
    let all = [
        (CLIENT_ROOTS, sets.clients.unwrap_or_default()),
        (SYSTEM_ROOTS, sets.system),
        (PROVIDER_ROOTS, sets.provider),
    ];
    let mut named_roots = Vec::new();
    for (name, certificates) in all {
        let name = name.to_owned();
        named_roots.push(NamedRoots { name, certificates });
    }
    named_roots
}

/// Returns what libpq verifies. With a file of roots, `require` verifies as `verify-ca` does.
fn verification_of_sslmode(sslmode: &str, has_file: bool) -> VerificationLevel {
    match sslmode {
        "verify-full" => VerificationLevel::RootsAndName,
        "verify-ca" => VerificationLevel::Roots,
        "require" if has_file => VerificationLevel::Roots,
        _ => VerificationLevel::Nothing,
    }
}

#[cfg(test)]
mod tests;
