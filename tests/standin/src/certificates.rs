//! Certificate authorities made at the start, and a certificate for whatever host a client names:
//! a good one, or one with the flaw that a fault asks for.
//!
//! ```text
//! public      Aurora DSQL, RDS Proxy     every system trusts it
//! RDS         instances, clusters        Amazon's own, in no store; the chain has the root too
//! company     cert-company-ca            a proxy that signs anew; the chain has the root too
//! unknown     cert-unknown-ca            nobody trusts it
//! ```

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::{Fault, Kind};

/// RDS has three roots for each region. Only the last one is in use here, so that clients have to
/// read all of the file. One region's names stand for all.
const RDS_ROOTS: [&str; 3] = [
    "Amazon RDS eu-west-1 Root CA RSA2048 G1",
    "Amazon RDS eu-west-1 Root CA RSA4096 G1",
    "Amazon RDS eu-west-1 Root CA ECC384 G1",
];
/// What is beside those names: nobody shall take them for Amazon's.
const ORGANIZATION: &str = "standin, for tests only";
const OTHER_HOST: &str = "other.example.com";

/// What clients must trust (PEM).
#[derive(Debug)]
pub(crate) struct Roots {
    pub(crate) public: String,
    pub(crate) rds: String,
    pub(crate) company: String,
}

/// A certificate authority.
struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params
            .distinguished_name
            .push(DnType::OrganizationName, ORGANIZATION);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }
}

/// The certificates made so far, by host and flaw.
type Made = HashMap<(String, Option<Fault>), Arc<CertifiedKey>>;

pub(crate) struct Certificates {
    provider: Arc<CryptoProvider>,
    public: Authority,
    rds: Authority,
    company: Authority,
    unknown: Authority,
    /// One key serves all names: the names are what clients check.
    key: KeyPair,
    made: Mutex<Made>,
}

impl Certificates {
    pub(crate) fn new(provider: Arc<CryptoProvider>) -> Result<(Self, Roots), rcgen::Error> {
        let [first, second, third] = RDS_ROOTS;
        let rds = Authority::new(third)?;
        let mut rds_pem = String::new();
        for (name, pem) in [
            (first, &Authority::new(first)?.pem),
            (second, &Authority::new(second)?.pem),
            (third, &rds.pem),
        ] {
            let _ = write!(rds_pem, "# {name}\n{pem}");
        }
        let certificates = Self {
            provider,
            public: Authority::new("standin test CA")?,
            rds,
            company: Authority::new("Example Corp TLS Inspection CA")?,
            unknown: Authority::new("Unknown CA")?,
            key: KeyPair::generate()?,
            made: Mutex::default(),
        };
        let roots = Roots {
            public: certificates.public.pem.clone(),
            rds: rds_pem,
            company: certificates.company.pem.clone(),
        };
        Ok((certificates, roots))
    }

    /// The certificate for a host, `""` if it is not known.
    pub(crate) fn get(&self, host: &str, fault: Option<Fault>) -> Option<Arc<CertifiedKey>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = (host.to_owned(), fault);
        if let Some(known) = made.get(&wanted) {
            return Some(Arc::clone(known));
        }
        let fresh = Arc::new(self.make(host, fault).ok()?);
        made.insert(wanted, Arc::clone(&fresh));
        Some(fresh)
    }

    fn make(
        &self,
        host: &str,
        fault: Option<Fault>,
    ) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
        let mut params = leaf(host, fault)?;
        let (authority, with_root) = match fault {
            Some(Fault::CertSelfSigned) => {
                params.use_authority_key_identifier_extension = false;
                let certificate = params.self_signed(&self.key)?;
                return self.certified(vec![certificate.der().clone()]);
            }
            Some(Fault::CertUnknownCa) => (&self.unknown, false),
            Some(Fault::CertCompanyCa) => (&self.company, true),
            Some(Fault::CertRdsCa) => (&self.rds, true),
            Some(Fault::CertPublicCa) => (&self.public, false),
            // RDS sends its root, hence "self-signed certificate in certificate chain".
            _ if Kind::of_host(host) == Kind::Rds => (&self.rds, true),
            _ => (&self.public, false),
        };
        let certificate = params.signed_by(&self.key, &authority.issuer)?;
        let mut chain = vec![certificate.der().clone()];
        if with_root {
            chain.push(authority.der.clone());
        }
        self.certified(chain)
    }

    fn certified(
        &self,
        chain: Vec<CertificateDer<'static>>,
    ) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        Ok(CertifiedKey::from_der(chain, key, &self.provider)?)
    }
}

/// What a server's certificate says.
fn leaf(host: &str, fault: Option<Fault>) -> Result<CertificateParams, rcgen::Error> {
    let names = match (host, fault) {
        (_, Some(Fault::CertOtherName)) => vec![OTHER_HOST.into()],
        // A client without SNI gets its refusal as an error message, so the handshake must succeed
        // first.
        ("", _) => vec!["localhost".into(), "127.0.0.1".into()],
        _ => vec![host.to_owned()],
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
    match fault {
        Some(Fault::CertExpired) => params.not_after = date_time_ymd(2020, 1, 1),
        Some(Fault::CertNotYetValid) => params.not_before = date_time_ymd(2900, 1, 1),
        _ => {}
    }
    Ok(params)
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
