//! TLS: certificate authorities, made at the start, and a certificate for each host that a client
//! names.
//!
//! As at AWS there are two kinds of authorities. The public one stands for those that every system
//! trusts; Aurora DSQL and RDS Proxy have certificates from it. Instances and clusters of RDS have
//! certificates from Amazon's own authority, which no system trusts.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::verify::has_own_ca;

pub(crate) const ALPN: &[u8] = b"postgresql";

/// RDS has three roots for each region. Only the last one is in use here, so that clients have to
/// read all of the file.
const OTHER_RDS_ROOTS: [&str; 2] = [
    "standin test CA of RDS RSA2048 G1",
    "standin test CA of RDS RSA4096 G1",
];
const RDS_ROOT: &str = "standin test CA of RDS ECC384 G1";

/// What clients must trust (PEM).
#[derive(Debug)]
pub(crate) struct Roots {
    pub(crate) public: String,
    pub(crate) rds: String,
}

/// The acceptor of TLS connections, and the roots of its certificates; `without_sni` is the host
/// for clients that name none.
pub(crate) fn acceptor(without_sni: Option<String>) -> io::Result<(TlsAcceptor, Roots)> {
    let provider = Arc::new(ring::default_provider());
    let (certificates, roots) =
        Certificates::new(Arc::clone(&provider), without_sni).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), roots))
}

struct Certificates {
    provider: Arc<CryptoProvider>,
    public: Issuer<'static, KeyPair>,
    rds: Issuer<'static, KeyPair>,
    without_sni: Option<String>,
    /// One key serves all names: the names are what clients check.
    key: KeyPair,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn new(
        provider: Arc<CryptoProvider>,
        without_sni: Option<String>,
    ) -> Result<(Self, Roots), rcgen::Error> {
        let (public_pem, public) = authority("standin test CA")?;
        let mut rds_pem = String::new();
        for name in OTHER_RDS_ROOTS {
            let _ = write!(rds_pem, "# {name}\n{}", authority(name)?.0);
        }
        let (pem, rds) = authority(RDS_ROOT)?;
        let _ = write!(rds_pem, "# {RDS_ROOT}\n{pem}");
        let key = KeyPair::generate()?;
        let certificates = Self {
            provider,
            public,
            rds,
            without_sni,
            key,
            made: Mutex::default(),
        };
        Ok((
            certificates,
            Roots {
                public: public_pem,
                rds: rds_pem,
            },
        ))
    }

    fn make(&self, host: &str) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
        // A client without SNI gets its refusal as an error message, so the handshake must succeed
        // first.
        let names = if host.is_empty() {
            vec!["localhost".into(), "127.0.0.1".into()]
        } else {
            vec![host.to_owned()]
        };
        let mut params = CertificateParams::new(names)?;
        // The names are in the extension; a common name is limited to 64 characters and host names
        // are not.
        params
            .distinguished_name
            .push(DnType::CommonName, "standin");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Strict verifiers (Python 3.13's default) ask for it.
        params.use_authority_key_identifier_extension = true;
        let issuer = if has_own_ca(host) {
            &self.rds
        } else {
            &self.public
        };
        let certificate = params.signed_by(&self.key, issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        Ok(CertifiedKey::from_der(
            vec![certificate.der().clone()],
            key,
            &self.provider,
        )?)
    }
}

/// A certificate authority: its certificate (PEM) and what signs with it.
fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello
            .server_name()
            .or(self.without_sni.as_deref())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(&host) {
            return Some(Arc::clone(known));
        }
        let fresh = Arc::new(self.make(&host).ok()?);
        made.insert(host, Arc::clone(&fresh));
        Some(fresh)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
