//! The HTTPS client for AWS calls, built at the first call: reading the system's certificates costs more than signing.

use std::sync::OnceLock;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient, http_client_fn};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Returns a client that costs nothing until it is used. Proxies are those of the environment (`HTTPS_PROXY`, `NO_PROXY`).
///
/// `roots` are the PEM certificates that the user trusts instead of the system's.
pub(super) fn on_first_use(roots: Option<Vec<u8>>) -> SharedHttpClient {
    let client = OnceLock::new();
    http_client_fn(move |settings, components| {
        client.get_or_init(|| https(roots.as_deref())).http_connector(settings, components)
    })
}

fn https(roots: Option<&[u8]>) -> SharedHttpClient {
    let store = match roots {
        Some(pem) => TrustStore::empty().with_pem_certificate(pem),
        None => TrustStore::default(),
    };
    let context = TlsContext::builder().with_trust_store(store).build().unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// Returns the certificates of a PEM file that can be trusted, as PEM; the client would panic at the others.
pub(super) fn usable_roots(pem: &[u8]) -> Option<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(pem).flatten();
    let usable = certificates.filter(|certificate| roots.add(certificate.clone()).is_ok());
    let as_pem = |certificate: CertificateDer| {
        let text = BASE64_STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let pem: Vec<String> = usable.map(as_pem).collect();
    (!pem.is_empty()).then(|| pem.concat().into_bytes())
}
