//! Does the handshake of TLS, by which a server shows its certificates. Here they are recorded and
//! the handshake goes on, where a client would stop; `trust.rs` says whether it would.

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use super::ask::{self, TlsAnswer};
use super::certificate::Certificate;
use super::connect::OpenConnection;
use super::stream::{TimedStream, failure_of_error, safe_words};
use super::trust::{CertificateVerdict, NamedRoots, judge_certificates};
use super::{Deadline, ProbeFailure};
use crate::time::Time;
use crate::wire::ServerMessage;

/// The name of PostgreSQL's protocol inside TLS.
const ALPN: &[u8] = b"postgresql";
/// The most certificates of a server that are kept. Servers of AWS send four at most.
const MAX_CERTIFICATES: usize = 16;

/// How a client begins TLS: libpq's `sslnegotiation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsStart {
    /// It asks for TLS in PostgreSQL's protocol first.
    Request,
    /// It begins at once, as libpq 17 and newer can.
    Direct,
}

/// What is to be found out.
#[derive(Debug)]
pub(crate) struct TlsRequest<'a> {
    /// The name that the client dials, which the certificate should have.
    pub(crate) host: &'a str,
    /// Whether the client tells the server this name (SNI). Addresses are never told.
    pub(crate) sends_name: bool,
    pub(crate) start: TlsStart,
    /// The sets of roots that are judged.
    pub(crate) roots: &'a [NamedRoots],
    pub(crate) now: Time,
}

/// What became of the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeOutcome {
    Encrypted(TlsParameters),
    /// The server has no TLS, or not for this client.
    Refused,
    /// The server answered the request for TLS with an error.
    Error(ServerMessage),
    /// Someone has put bytes in clear text before TLS.
    Injected,
    /// The server showed no certificate.
    NoCertificate,
    /// The server could not prove that the certificate is its own.
    NotItsOwn,
    /// The host is neither a name nor an address.
    NotAName,
    Broke(ProbeFailure),
}

/// How a connection is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsParameters {
    /// As `TLSv1_3`.
    pub(crate) version: String,
    pub(crate) cipher: String,
    /// The server has agreed to PostgreSQL's name inside TLS. libpq requires that after
    /// [`TlsStart::Direct`].
    pub(crate) has_alpn: bool,
}

/// The handshake with one server.
#[derive(Debug)]
pub(crate) struct TlsHandshake {
    pub(crate) address: SocketAddr,
    pub(crate) elapsed: Duration,
    pub(crate) outcome: HandshakeOutcome,
    /// What the server showed, its own certificate first. Those that cannot be read are left out.
    pub(crate) certificates: Vec<Certificate>,
    /// `None` if the server showed nothing that can be read.
    pub(crate) verdict: Option<CertificateVerdict>,
    /// For the login, if the outcome is [`HandshakeOutcome::Encrypted`].
    pub(crate) session: Option<EncryptedConnection>,
}

/// A connection inside TLS, and what its server's certificate is worth.
pub(crate) struct EncryptedConnection {
    pub(super) socket: TcpStream,
    pub(super) tls: ClientConnection,
    pub(super) verdict: Option<CertificateVerdict>,
}

impl fmt::Debug for EncryptedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedConnection")
            .finish_non_exhaustive()
    }
}

/// Begins TLS on a connection.
pub(crate) fn begin_tls(
    open: OpenConnection,
    request: &TlsRequest<'_>,
    deadline: Deadline,
) -> TlsHandshake {
    let started = Instant::now();
    let mut handshake = TlsHandshake {
        address: open.address,
        elapsed: Duration::ZERO,
        outcome: HandshakeOutcome::NotAName,
        certificates: Vec::new(),
        verdict: None,
        session: None,
    };
    if let Ok(server) = ServerName::try_from(request.host.to_owned()) {
        let refusal = match request.start {
            TlsStart::Request => refusal_of_tls(&open.stream, deadline),
            TlsStart::Direct => None,
        };
        match refusal {
            Some(outcome) => handshake.outcome = outcome,
            None => complete_handshake(&mut handshake, open.stream, &server, request, deadline),
        }
    }
    handshake.elapsed = started.elapsed();
    handshake
}

/// Asks for TLS, and returns what became of it if it was refused.
fn refusal_of_tls(stream: &TcpStream, deadline: Deadline) -> Option<HandshakeOutcome> {
    Some(match ask::ask_for_tls(stream, deadline) {
        Ok(TlsAnswer::Yes) => return None,
        Ok(TlsAnswer::No) => HandshakeOutcome::Refused,
        Ok(TlsAnswer::Error(message)) => HandshakeOutcome::Error(message),
        Ok(TlsAnswer::Injected) => HandshakeOutcome::Injected,
        Err(broke) => HandshakeOutcome::Broke(broke),
    })
}

fn complete_handshake(
    handshake: &mut TlsHandshake,
    socket: TcpStream,
    server: &ServerName<'static>,
    request: &TlsRequest<'_>,
    deadline: Deadline,
) {
    let crypto_provider = Arc::new(ring::default_provider());
    let recorder = Arc::new(CertificateRecorder {
        crypto_provider: Arc::clone(&crypto_provider),
        chain: Mutex::new(Vec::new()),
    });
    let result = match tls_client(&recorder, server.clone(), request.sends_name) {
        Ok(mut tls) => {
            let mut stream = TimedStream::new(&socket, deadline);
            match tls.complete_io(&mut stream) {
                Ok(_) => Ok(tls),
                Err(error) => Err(failed_handshake(&error)),
            }
        }
        Err(error) => Err(HandshakeOutcome::Broke(ProbeFailure::Failed(safe_words(
            &error.to_string(),
        )))),
    };
    let chain = recorder.chain();
    for certificate in &chain {
        handshake
            .certificates
            .extend(Certificate::read(certificate));
    }
    handshake.verdict =
        judge_certificates(&chain, server, request.roots, request.now, &crypto_provider);
    match result {
        Ok(tls) => {
            handshake.outcome = HandshakeOutcome::Encrypted(tls_parameters(&tls));
            handshake.session = Some(EncryptedConnection {
                socket,
                tls,
                verdict: handshake.verdict.clone(),
            });
        }
        Err(outcome) => handshake.outcome = outcome,
    }
}

fn tls_client(
    recorder: &Arc<CertificateRecorder>,
    server: ServerName<'static>,
    sends_name: bool,
) -> Result<ClientConnection, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&recorder.crypto_provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<CertificateRecorder>::clone(recorder))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_sni = sends_name;
    config.resumption = Resumption::disabled();
    ClientConnection::new(Arc::new(config), server)
}

/// Says how a handshake failed.
fn failed_handshake(error: &std::io::Error) -> HandshakeOutcome {
    let inner = error.get_ref();
    if let Some(inner) = inner
        && let Some(error) = inner.downcast_ref::<Error>()
    {
        match error {
            Error::NoCertificatesPresented => return HandshakeOutcome::NoCertificate,
            Error::InvalidCertificate(_) => return HandshakeOutcome::NotItsOwn,
            _ => {}
        }
    }
    HandshakeOutcome::Broke(failure_of_error(error))
}

fn tls_parameters(tls: &ClientConnection) -> TlsParameters {
    let version = match tls.protocol_version() {
        Some(version) => format!("{version:?}"),
        None => String::new(),
    };
    let cipher = match tls.negotiated_cipher_suite() {
        Some(suite) => format!("{:?}", suite.suite()),
        None => String::new(),
    };
    TlsParameters {
        version,
        cipher,
        has_alpn: tls.alpn_protocol() == Some(ALPN),
    }
}

/// Writes down what a server shows, and judges nothing but whether the server has the key of its
/// certificate.
#[derive(Debug)]
struct CertificateRecorder {
    crypto_provider: Arc<CryptoProvider>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl CertificateRecorder {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        let chain = self.chain.lock();
        chain.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for CertificateRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut chain = vec![end_entity.clone().into_owned()];
        for certificate in intermediates.iter().take(MAX_CERTIFICATES - 1) {
            chain.push(certificate.clone().into_owned());
        }
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto_provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto_provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.crypto_provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
