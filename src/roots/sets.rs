//! Reads the certificates themselves, for a probe that judges a server as different clients would.
//!
//! Reads files and the store of the system, and writes nothing. Which file the user's clients
//! verify by is decided by `choose_roots` in `mod.rs`, as for every command; what else they may
//! trust is added here. The probe of `pgcred doctor` calls it, and so does the gateway, which is a
//! client itself.

use std::path::Path;

use rustls::pki_types::CertificateDer;

use super::{SYSTEM, TrustedRoots, choose_roots, provide_file, required_roots, store};
use crate::authority::AskPolicy;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::sys::env;
use crate::sys::fs;

/// The root certificates that different clients of a request have.
pub(crate) struct RootSets {
    /// Those by which the user's clients verify; `None` if they do not verify.
    pub(crate) clients: Option<Vec<CertificateDer<'static>>>,
    /// The file that these stand in, or libpq's word for the system's.
    pub(crate) clients_file: Option<String>,
    /// Those that the system trusts.
    pub(crate) system: Vec<CertificateDer<'static>>,
    /// Those to which the provider's servers chain, as far as pgcred carries them.
    pub(crate) provider: Vec<CertificateDer<'static>>,
}

/// Reads the root certificates of a request. Nothing is written: a file of pgcred's own that does
/// not exist yet counts as what pgcred would write into it.
pub(crate) fn root_sets(request: &Request) -> Result<RootSets> {
    let roots = match choose_roots(request)? {
        Some(roots) => Some(roots),
        None => roots_of_unverified(request),
    };
    let provider = match required_roots(request).set() {
        Some(set) => match store::bundled_text(set) {
            Some(text) => store::parse_certificates(text.as_bytes()),
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    Ok(RootSets {
        clients: roots.as_ref().map(certificates_of_roots),
        clients_file: roots.as_ref().map(TrustedRoots::value_for_libpq),
        system: system_certificates(),
        provider,
    })
}

/// Returns the root certificates that verify the server of a request whose `sslmode` verifies it.
/// Those that were chosen count alone: if they cannot be read, no others take their place, and the
/// error says which. A file of pgcred's own is downloaded within the time that `ask_policy` allows.
pub(crate) fn verifying_certificates(
    request: &Request,
    ask_policy: &AskPolicy,
) -> Result<Vec<CertificateDer<'static>>> {
    let Some(roots) = choose_roots(request)? else {
        return Ok(Vec::new());
    };
    let certificates = certificates_of_roots(&roots);
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    provide_file(request, Some(&roots), ask_policy)?;
    let certificates = certificates_of_roots(&roots);
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let source = roots.value_for_libpq();
    let error = Error::usage(format!("no root certificate can be read from {source}"));
    Err(error.hint("correct `roots` of the connection, or run `pgcred doctor` with its name"))
}

/// Returns the roots by which libpq verifies although `sslmode` is `require`: a file that it is
/// told, or its usual one.
fn roots_of_unverified(request: &Request) -> Option<TrustedRoots> {
    if request.sslmode() != "require" {
        return None;
    }
    if let Some(file) = request.keyword("sslrootcert") {
        return Some(TrustedRoots::UsersChoice(file.to_owned()));
    }
    let file = env::users_root_certificates()?;
    Some(TrustedRoots::UsersChoice(file.display().to_string()))
}

fn certificates_of_roots(roots: &TrustedRoots) -> Vec<CertificateDer<'static>> {
    match roots {
        TrustedRoots::UsersChoice(text) if text == SYSTEM => system_certificates(),
        TrustedRoots::UsersChoice(file) => certificates_in_file(Path::new(file)),
        TrustedRoots::System(file) => certificates_in_file(file),
        TrustedRoots::PgcredPublicRoots(set, file) | TrustedRoots::ProviderRoots(set, file) => {
            let certificates = certificates_in_file(file);
            match store::bundled_text(set) {
                Some(text) if certificates.is_empty() => store::parse_certificates(text.as_bytes()),
                _ => certificates,
            }
        }
    }
}

fn system_certificates() -> Vec<CertificateDer<'static>> {
    match env::system_root_certificates() {
        Some(file) => certificates_in_file(&file),
        None => rustls_native_certs::load_native_certs().certs, // not in a file, as on Windows
    }
}

fn certificates_in_file(file: &Path) -> Vec<CertificateDer<'static>> {
    store::parse_certificates(&fs::read(file).unwrap_or_default())
}
