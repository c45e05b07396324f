//! The HTTPS client for AWS calls, built at the first call: reading the system's certificates costs more than signing.

use std::sync::OnceLock;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient, http_client_fn};

/// Returns a client that costs nothing until it is used.
pub(super) fn on_first_use() -> SharedHttpClient {
    let client = OnceLock::new();
    http_client_fn(move |settings, components| {
        client
            .get_or_init(|| Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .http_connector(settings, components)
    })
}
