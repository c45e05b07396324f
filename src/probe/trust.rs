//! Decides whether a server's certificate is believed: by its dates, by its name, and by each of
//! several sets of root certificates, because the clients of one user have different ones.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::certificate::{Certificate, CertificateValidity};
use super::stream::safe_words;
use crate::time::Time;

/// Root certificates, and a name by which the caller finds the verdict again.
#[derive(Clone, Debug)]
pub(crate) struct NamedRoots {
    pub(crate) name: String,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

/// Whether the certificates of a server lead to a root of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChainTrust {
    Trusted,
    /// The set has no certificate that can be read.
    NoRoots,
    /// No root has signed what the server shows.
    UnknownIssuer,
    /// A certificate between the server's own and the root has expired, or is not valid yet.
    Dates,
    /// The certificate is not for servers.
    Purpose,
    /// A signature is false.
    Signature,
    /// The server's certificate cannot be read.
    Unreadable,
    /// Another rule is broken, in the words of the library.
    Other(String),
}

/// Whether a certificate is for the name that the client has dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFit {
    Fits,
    /// The certificate has no other names, and its common name is the one: libpq accepts that,
    /// most other clients do not.
    OnlyCommonName,
    Differs,
}

/// What is to be said of a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateVerdict {
    /// By its own dates.
    pub(crate) validity: CertificateValidity,
    pub(crate) name: NameFit,
    /// For each set of roots, in the caller's order. A certificate that is not valid today is
    /// judged for the nearest day on which it is, so that a wrong clock does not hide wrong roots.
    pub(crate) trust: Vec<(String, ChainTrust)>,
}

/// What a client verifies: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerificationLevel {
    /// Nothing: `require` without a file of roots, and what is weaker.
    Nothing,
    /// That a root has signed: `verify-ca`.
    Roots,
    /// The name, too: `verify-full`.
    RootsAndName,
}

/// What the user's clients verify, and with which set of roots.
#[derive(Clone, Debug)]
pub(crate) struct ClientVerification {
    pub(crate) verification: VerificationLevel,
    /// The name of the [`NamedRoots`].
    pub(crate) roots: String,
}

impl ClientVerification {
    /// Tells whether such a client would go on.
    pub(crate) fn accepts(&self, verdict: &CertificateVerdict) -> bool {
        if self.verification == VerificationLevel::Nothing {
            return true;
        }
        let is_named = verdict.name == NameFit::Fits;
        if self.verification == VerificationLevel::RootsAndName && !is_named {
            return false;
        }
        let judgement = verdict.trust.iter().find(|(name, _)| *name == self.roots);
        let is_trusted = matches!(judgement, Some((_, ChainTrust::Trusted)));
        is_trusted && verdict.validity == CertificateValidity::Valid
    }
}

/// Judges what a server shows: its own certificate first, then those between it and the root.
/// `None` if the server's own cannot be read.
pub(super) fn judge_certificates(
    chain: &[CertificateDer<'static>],
    server: &ServerName<'_>,
    sets: &[NamedRoots],
    now: Time,
    provider: &Arc<CryptoProvider>,
) -> Option<CertificateVerdict> {
    let (end_entity, intermediates) = chain.split_first()?;
    let certificate = Certificate::read(end_entity)?;
    let day = now.max(certificate.not_before).min(certificate.not_after);
    let mut trust = Vec::new();
    for set in sets {
        let verdict = trust_of(end_entity, intermediates, set, day, provider);
        trust.push((set.name.clone(), verdict));
    }
    Some(CertificateVerdict {
        validity: certificate.validity(now),
        name: name_fit(end_entity, &certificate, server),
        trust,
    })
}

fn trust_of(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    set: &NamedRoots,
    day: Time,
    provider: &Arc<CryptoProvider>,
) -> ChainTrust {
    let Ok(parsed) = ParsedCertificate::try_from(end_entity) else {
        return ChainTrust::Unreadable;
    };
    let mut roots = RootCertStore::empty();
    let mut is_own_root = false;
    for certificate in &set.certificates {
        // OpenSSL, and so libpq, ends a chain only at a certificate that has signed itself.
        if matches!(Certificate::read(certificate), Some(read) if !read.is_self_issued) {
            continue;
        }
        let _ = roots.add(certificate.clone()); // one that cannot be read helps nobody
        is_own_root |= certificate == end_entity;
    }
    if is_own_root {
        return ChainTrust::Trusted; // OpenSSL takes it so, even if it calls itself an authority
    }
    if roots.is_empty() {
        return ChainTrust::NoRoots;
    }
    let day = UnixTime::since_unix_epoch(Duration::from_secs(day.unix().max(0).unsigned_abs()));
    let algorithms = provider.signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, day, algorithms)
    {
        Ok(()) => ChainTrust::Trusted,
        Err(error) => trust_of_error(&error),
    }
}

fn trust_of_error(error: &Error) -> ChainTrust {
    use CertificateError as Bad;
    let Error::InvalidCertificate(bad) = error else {
        return ChainTrust::Other(safe_words(&error.to_string()));
    };
    match bad {
        Bad::UnknownIssuer => ChainTrust::UnknownIssuer,
        Bad::Expired
        | Bad::ExpiredContext { .. }
        | Bad::NotValidYet
        | Bad::NotValidYetContext { .. } => ChainTrust::Dates,
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => ChainTrust::Purpose,
        Bad::BadSignature => ChainTrust::Signature,
        Bad::BadEncoding => ChainTrust::Unreadable,
        bad => ChainTrust::Other(safe_words(&bad.to_string())),
    }
}

fn name_fit(
    end_entity: &CertificateDer<'_>,
    certificate: &Certificate,
    server: &ServerName<'_>,
) -> NameFit {
    if let Ok(parsed) = ParsedCertificate::try_from(end_entity)
        && verify_server_name(&parsed, server).is_ok()
    {
        return NameFit::Fits;
    }
    let is_same = certificate
        .common_name
        .eq_ignore_ascii_case(&server.to_str());
    if certificate.names.is_empty() && is_same {
        NameFit::OnlyCommonName
    } else {
        NameFit::Differs
    }
}
