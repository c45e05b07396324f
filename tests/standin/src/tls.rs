//! TLS: a certificate authority made at the start, and a certificate for whatever host a client names.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

pub(crate) const ALPN: &[u8] = b"postgresql";

/// The acceptor of TLS connections, and the certificate (PEM) its clients must trust.
pub(crate) fn acceptor() -> io::Result<(TlsAcceptor, String)> {
    let provider = Arc::new(ring::default_provider());
    let (certificates, ca_pem) = Certificates::new(Arc::clone(&provider)).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), ca_pem))
}

struct Certificates {
    provider: Arc<CryptoProvider>,
    issuer: Issuer<'static, KeyPair>,
    /// One key serves all names: the names are what clients check.
    key: KeyPair,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn new(provider: Arc<CryptoProvider>) -> Result<(Self, String), rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "standin test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca_pem = params.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(params, ca_key);
        Ok((Self { provider, issuer, key: KeyPair::generate()?, made: Mutex::default() }, ca_pem))
    }

    fn make(&self, names: Vec<String>) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
        let mut params = CertificateParams::new(names)?;
        // The names are in the extension; a common name is limited to 64 characters and host names are not.
        params.distinguished_name.push(DnType::CommonName, "standin");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Strict verifiers (Python 3.13's default) ask for it.
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&self.key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        Ok(CertifiedKey::from_der(vec![certificate.der().clone()], key, &self.provider)?)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(&name) {
            return Some(Arc::clone(known));
        }
        // Without SNI the client is refused in words, so the handshake must succeed first.
        let names = if name.is_empty() { vec!["localhost".into(), "127.0.0.1".into()] } else { vec![name.clone()] };
        let fresh = Arc::new(self.make(names).ok()?);
        made.insert(name, Arc::clone(&fresh));
        Some(fresh)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
