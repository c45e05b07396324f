//! The HTTPS client for AWS calls, built at the first call: reading the system's certificates costs more than signing.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorSettings, SharedHttpClient, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Returns a client that costs nothing until it is used, with the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`).
///
/// `roots` are the PEM certificates that the user trusts instead of the system's.
pub(super) fn on_first_use(roots: Option<Vec<u8>>) -> SharedHttpClient {
    lazy(roots, ProxyConfig::from_env)
}

/// The same without any proxy, for services of this machine, whose answers are no proxy's business.
pub(super) fn direct_on_first_use(roots: Option<Vec<u8>>) -> SharedHttpClient {
    lazy(roots, ProxyConfig::disabled)
}

fn lazy(roots: Option<Vec<u8>>, proxies: fn() -> ProxyConfig) -> SharedHttpClient {
    let client = OnceLock::new();
    http_client_fn(move |settings, components| {
        client.get_or_init(|| https(roots.as_deref(), proxies)).http_connector(settings, components)
    })
}

fn https(roots: Option<&[u8]>, proxies: fn() -> ProxyConfig) -> SharedHttpClient {
    let context = trusting(roots);
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(proxies())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

fn trusting(roots: Option<&[u8]>) -> TlsContext {
    let store = match roots {
        Some(pem) => TrustStore::empty().with_pem_certificate(pem),
        None => TrustStore::default(),
    };
    TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
}

/// Sends one GET request and returns status and body of the answer.
pub(super) async fn get(roots: Option<&[u8]>, address: &str) -> Result<(u16, Vec<u8>), String> {
    let text = |error: &dyn Error| all_causes(error);
    let request = HttpRequest::get(address).map_err(|error| text(&error))?;
    let connector = Connector::builder()
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(trusting(roots))
        .sleep_impl(TokioSleep::new())
        .build();
    answer_of(&connector, request).await
}

async fn answer_of(connector: &Connector, request: HttpRequest) -> Result<(u16, Vec<u8>), String> {
    let answer = connector.call(request).await.map_err(|error| all_causes(&error))?;
    let status = answer.status().as_u16();
    let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| all_causes(&error))?;
    Ok((status, body.to_vec()))
}

fn all_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Sends one plain request and returns status and text of the answer, or why there is none within the time.
pub(super) async fn ask(
    method: &str,
    address: &str,
    header: (&'static str, &str),
    pause: Duration,
) -> Result<(u16, String), String> {
    let text = |error: &dyn Error| error.to_string();
    let mut request = HttpRequest::get(address).map_err(|error| text(&error))?;
    request.set_method(method).map_err(|error| text(&error))?;
    request.headers_mut().try_insert(header.0, header.1.to_owned()).map_err(|error| text(&error))?;
    let settings = HttpConnectorSettings::builder().connect_timeout(pause).build();
    let connector = Connector::builder()
        .proxy_config(ProxyConfig::from_env())
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new())
        .build_http();
    let answer = tokio::time::timeout(pause, answer_of(&connector, request)).await;
    let (status, body) = answer.unwrap_or_else(|_| Err("no answer".to_owned()))?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
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
