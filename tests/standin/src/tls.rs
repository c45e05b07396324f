//! TLS: the settings of the server's side, and which certificate a connection gets.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Fault;
use crate::certificates::{Certificates, Roots};

pub(crate) const ALPN: &[u8] = b"postgresql";

/// What all connections of one stand-in share.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    certificates: Arc<Certificates>,
    /// The host for clients that name none.
    without_sni: Option<String>,
    proper: Arc<ServerConfig>,
}

impl Tls {
    pub(crate) fn new(without_sni: Option<String>) -> io::Result<(Self, Roots)> {
        let provider = Arc::new(ring::default_provider());
        let (certificates, roots) =
            Certificates::new(Arc::clone(&provider)).map_err(io::Error::other)?;
        let certificates = Arc::new(certificates);
        let chosen = Chosen {
            certificates: Arc::clone(&certificates),
            without_sni: without_sni.clone(),
            fault: None,
        };
        let tls = Self {
            proper: Arc::new(server_config(&provider, chosen)?),
            provider,
            certificates,
            without_sni,
        };
        Ok((tls, roots))
    }

    /// The settings for one connection.
    pub(crate) fn config(&self, fault: Option<Fault>) -> io::Result<Arc<ServerConfig>> {
        if fault.is_none() {
            return Ok(Arc::clone(&self.proper));
        }
        let chosen = Chosen {
            certificates: Arc::clone(&self.certificates),
            without_sni: self.without_sni.clone(),
            fault,
        };
        let mut config = server_config(&self.provider, chosen)?;
        // A session that is resumed shows no certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        if fault == Some(Fault::NoAlpn) {
            config.alpn_protocols.clear();
        }
        Ok(Arc::new(config))
    }
}

fn server_config(provider: &Arc<CryptoProvider>, chosen: Chosen) -> io::Result<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chosen));
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// The certificates of one setting.
#[derive(Debug)]
struct Chosen {
    certificates: Arc<Certificates>,
    without_sni: Option<String>,
    fault: Option<Fault>,
}

impl ResolvesServerCert for Chosen {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello
            .server_name()
            .or(self.without_sni.as_deref())
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.certificates.get(&host, self.fault)
    }
}
