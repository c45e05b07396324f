//! Begins TLS with the server: always verified, by the root certificates of the connection and for
//! the name that is signed.

use std::io::Error;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::refusal::Refusal;
use super::settings::GatewayTarget;

/// The name of PostgreSQL's protocol inside TLS.
const ALPN: &[u8] = b"postgresql";

/// How many sessions of TLS are kept for each server, so that the next handshake is shorter.
const KEPT_SESSIONS: usize = 32;

/// TLS as the client of one target.
pub(super) struct TlsClient {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsClient {
    /// The error says that the name of the server cannot be one.
    pub(super) fn new(target: &GatewayTarget) -> Result<Self, Refusal> {
        let host = target.server_name();
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return Err(Refusal::unreachable(
                format!("{host} is not the name of a server"),
                "correct `host` or `sign_host` of the connection",
            ));
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = match builder.with_safe_default_protocol_versions() {
            Ok(builder) => builder,
            Err(error) => {
                return Err(Refusal::unreachable(
                    format!("cannot prepare TLS: {error}"),
                    "report this to the makers of pgcred, with what `pgcred --version` prints",
                ));
            }
        };
        let mut config = builder
            .with_root_certificates(target.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::in_memory_sessions(KEPT_SESSIONS);
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    /// Shakes hands. Not one byte of what follows is sent to a server that is not believed.
    pub(super) async fn encrypt(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        self.connector.connect(self.name.clone(), stream).await
    }

    /// Shakes hands with a server that has not been asked for TLS in PostgreSQL's protocol. It has
    /// to agree on that protocol inside TLS, so that a server of another one is told apart.
    pub(super) async fn encrypt_directly(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let tls_stream = self.encrypt(stream).await?;
        let (_, session) = tls_stream.get_ref();
        if session.alpn_protocol() != Some(ALPN) {
            return Err(Error::other(
                "the server does not agree on PostgreSQL's protocol (ALPN)",
            ));
        }
        Ok(tls_stream)
    }
}

/// Says why a server was not believed, or how the handshake broke.
pub(super) fn describe_failure(error: &Error, host: &str) -> String {
    let inner = error.get_ref();
    let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("the server's certificate is not for {host}"),
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            format!("no root certificate of this connection verifies the server {host}")
        }
        Some(error) => format!("TLS with {host} failed: {error}"),
        None => format!("TLS with {host} was interrupted: {error}"),
    }
}
