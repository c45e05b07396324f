//! Sends the HTTP requests of all services, with proxies, certificates and limits.
//!
//! ```text
//! a client of AWS's SDK, or pgcred itself
//!    |
//!    v
//! HttpClient --> route: a proxy or none --> connector, one for each route --> bounded answer
//!                (proxy.rs)                 (reads certificates if TLS needs them)
//! ```
//!
//! Proxies are chosen as in the AWS CLI. The services of this machine are asked directly. The
//! certificates of the system are read only for TLS, since reading them costs more than signing;
//! the user's own come from a file, and one that cannot be used is an error of pgcred's own, which
//! passes through the SDK as it is. A body that is too long, or never ends, is an error too.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::proxy::{self, Proxy};
use super::untrusted::is_untrusted;
use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::sys::host_names;
use crate::text::host;

/// The longest answer of a service that is read, in bytes.
const MAX_ANSWER_LENGTH: usize = 1 << 20;
/// The AWS SDKs' own limit for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// The certificates that the user trusts instead of the system's. They are read at the first TLS
/// connection.
pub(crate) struct TrustedCertificates {
    path: Option<String>,
    /// What to type if they cannot be used.
    hint: &'static str,
    deadline: Instant,
    read: OnceLock<Result<Vec<u8>>>,
}

impl TrustedCertificates {
    pub(crate) fn new(path: Option<String>, hint: &'static str, deadline: Instant) -> Arc<Self> {
        Arc::new(Self {
            path,
            hint,
            deadline,
            read: OnceLock::new(),
        })
    }

    /// Returns the certificates as PEM, or none where the system's count.
    fn roots(&self) -> Result<Option<Vec<u8>>> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        match self.read.get_or_init(|| self.read_usable(path)) {
            Ok(roots) => Ok(Some(roots.clone())),
            Err(error) => Err(error.clone().or_hint(self.hint)),
        }
    }

    fn read_usable(&self, path: &str) -> Result<Vec<u8>> {
        let pem = fs::read_foreign(&env::with_home(path), self.deadline)?;
        match usable_roots(&pem) {
            Some(roots) => Ok(roots),
            None => Err(
                Error::usage(format!("{path} has no certificate that can be used"))
                    .usual_hint("write certificates in PEM form into it, or name another file"),
            ),
        }
    }
}

/// An error of pgcred's own that the HTTP client returns through the SDK.
#[derive(Debug)]
struct LocalError(Error);

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for LocalError {}

/// Returns pgcred's own error, if one is among the causes.
pub(crate) fn local_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(LocalError(local_error)) = cause.downcast_ref() {
            return Some(local_error);
        }
        next = cause.source();
    }
    None
}

/// Sends requests. It costs nothing until the first one.
#[derive(Clone)]
pub(crate) struct HttpClient(Arc<ClientParts>);

struct ClientParts {
    bundle: Arc<TrustedCertificates>,
    proxy_use: ProxyUse,
    max_length: usize,
    connect_timeout: Duration,
    /// Each connector is kept for the next request that takes the same route.
    connectors: Mutex<HashMap<HttpRoute, SharedHttpConnector>>,
}

/// Whether requests go through the proxies that the environment names.
#[derive(Clone, Copy)]
enum ProxyUse {
    Follow,
    Direct,
}

/// How a request reaches its server.
#[derive(Clone, PartialEq, Eq, Hash)]
struct HttpRoute {
    uses_tls: bool,
    proxy: Option<Proxy>,
}

impl HttpClient {
    /// Returns a client that uses the proxies of the environment.
    pub(crate) fn new(bundle: Arc<TrustedCertificates>) -> Self {
        Self::build(bundle, ProxyUse::Follow, MAX_ANSWER_LENGTH, CONNECT_TIMEOUT)
    }

    /// Returns a client that uses no proxy, for services of this machine: no proxy may see their
    /// answers.
    pub(crate) fn direct(bundle: Arc<TrustedCertificates>) -> Self {
        Self::build(bundle, ProxyUse::Direct, MAX_ANSWER_LENGTH, CONNECT_TIMEOUT)
    }

    /// Returns a client that reads longer answers.
    pub(crate) fn with_max_answer_length(&self, max_length: usize) -> Self {
        self.with_limits(max_length, self.0.connect_timeout)
    }

    /// Returns a client for small answers of a nearby service.
    pub(crate) fn with_limits(&self, max_length: usize, connect_timeout: Duration) -> Self {
        Self::build(
            self.0.bundle.clone(),
            self.0.proxy_use,
            max_length,
            connect_timeout,
        )
    }

    fn build(
        bundle: Arc<TrustedCertificates>,
        proxy_use: ProxyUse,
        max_length: usize,
        connect_timeout: Duration,
    ) -> Self {
        let connectors = Mutex::default();
        Self(Arc::new(ClientParts {
            bundle,
            proxy_use,
            max_length,
            connect_timeout,
            connectors,
        }))
    }

    /// Returns this client in the form that the SDK's clients take.
    pub(crate) fn client(&self) -> SharedHttpClient {
        let client = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(client.clone()))
    }

    /// Sends one request with a body, which is empty for most, and returns status and body of the
    /// answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        address: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<(u16, Vec<u8>), RequestError> {
        let mut request = HttpRequest::get(address).map_err(RequestError::from)?;
        *request.body_mut() = SdkBody::from(body);
        request.set_method(method).map_err(RequestError::from)?;
        for (name, value) in headers {
            request
                .headers_mut()
                .try_insert(*name, (*value).to_owned())
                .map_err(RequestError::from)?;
        }
        let answer = self.send(request).await?;
        let body = answer.body().bytes().unwrap_or_default();
        Ok((answer.status().as_u16(), body.to_vec()))
    }

    /// Sends a request and returns the answer with its whole body.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, RequestError> {
        self.call(request).await.map_err(RequestError::from)
    }

    fn connector(&self, request: &HttpRequest) -> Result<SharedHttpConnector> {
        let scheme = request.uri().split("://").next().unwrap_or_default();
        let authority = host::server_part(request.uri());
        let proxy = match self.0.proxy_use {
            ProxyUse::Follow => proxy::proxy_of_request(scheme, authority),
            ProxyUse::Direct => None,
        };
        let proxy_has_tls = proxy
            .as_ref()
            .is_some_and(|proxy| proxy.address.starts_with("https://"));
        let uses_tls = scheme == "https" || proxy_has_tls;
        let route = HttpRoute { uses_tls, proxy };
        let mut connectors = self
            .0
            .connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = connectors.get(&route) {
            return Ok(connector.clone());
        }
        let connector = self.new_connector(&route)?;
        connectors.insert(route, connector.clone());
        Ok(connector)
    }

    fn new_connector(&self, route: &HttpRoute) -> Result<SharedHttpConnector> {
        let proxies = match &route.proxy {
            None => ProxyConfig::disabled(),
            Some(proxy) if !proxy.has_host() => return Err(unusable_proxy(proxy)),
            Some(proxy) => {
                ProxyConfig::all(proxy.address.as_str()).map_err(|_| unusable_proxy(proxy))?
            }
        };
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(self.0.connect_timeout)
            .build();
        let builder = Connector::builder()
            .proxy_config(proxies)
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new());
        if !route.uses_tls {
            return Ok(SharedHttpConnector::new(builder.build_http()));
        }
        let store = match self.0.bundle.roots()? {
            Some(pem) => TrustStore::empty().with_pem_certificate(pem),
            None => TrustStore::default(),
        };
        let context = TlsContext::builder()
            .with_trust_store(store)
            .build()
            .unwrap_or_default();
        let tls = builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context);
        let connector = tls.build_with_resolver(SystemResolver);
        Ok(SharedHttpConnector::new(connector))
    }
}

/// Looks names up as the clients of this machine do. A plain connection does not need it: it leads
/// to a service of this machine, or to a proxy.
#[derive(Clone, Copy, Debug)]
struct SystemResolver;

impl ResolveDns for SystemResolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let name = name.to_owned();
        DnsFuture::new(async move {
            let lookup = tokio::task::spawn_blocking(move || host_names::addresses_of(&name));
            let addresses = lookup.await.map_err(ResolveDnsError::new)?;
            addresses.map_err(ResolveDnsError::new)
        })
    }
}

/// The address is not shown: it may hold a password.
fn unusable_proxy(proxy: &Proxy) -> Error {
    Error::usage(format!(
        "{} is not the address of a proxy that pgcred can use",
        proxy.variable
    ))
    .hint(format!(
        "write it like http://HOST:PORT or http://USER:PASSWORD@HOST:PORT (%40 for @, %20 for a \
         blank), or unset {}",
        proxy.variable
    ))
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient") // the addresses of proxies may hold passwords
    }
}

impl HttpConnector for HttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let max_length = self.0.max_length;
        let host = host::server_of_address(request.uri()).to_owned();
        match self.connector(&request) {
            Err(error) => {
                HttpConnectorFuture::ready(Err(ConnectorError::user(LocalError(error).into())))
            }
            Ok(connector) => HttpConnectorFuture::new(async move {
                let mut answer = connector.call(request).await?;
                let body = whole_body(&mut answer, &host, max_length).await?;
                *answer.body_mut() = SdkBody::from(body);
                Ok(answer)
            }),
        }
    }
}

/// Reads a body to its end. A body that is too long, or never ends, is an error.
async fn whole_body(
    answer: &mut HttpResponse,
    host: &str,
    max_length: usize,
) -> Result<Vec<u8>, ConnectorError> {
    let mut stream = ByteStream::new(std::mem::replace(answer.body_mut(), SdkBody::taken()));
    let mut body = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| ConnectorError::io(error.into()))?;
        if body.len() + part.len() > max_length {
            let too_long = Error::failure(format!(
                "the answer of {host} is longer than {} KiB",
                max_length >> 10
            ));
            let hint = "check the address of the service and the proxy: the service's own \
                        answers are shorter";
            return Err(ConnectorError::user(LocalError(too_long.hint(hint)).into()));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Why a request has no response.
pub(crate) enum RequestError {
    /// An error of pgcred's own: a setting is wrong, or the response is too long.
    Local(Error),
    /// The connection failed, or the service refused: what the client library says.
    Failed(String),
    /// The certificate of the service, or of a proxy before it, is not trusted.
    Untrusted(String),
}

impl RequestError {
    /// Returns the error for the user. `context` says what failed, such as "cannot download
    /// ADDRESS". Where it has no hint yet, the caller adds one.
    pub(crate) fn into_error(self, context: &str) -> Error {
        match self {
            Self::Local(error) => error.about(context),
            Self::Failed(reason) | Self::Untrusted(reason) => {
                // No hint: the caller knows the service.
                Error::failure(format!("{context}: {reason}"))
            }
        }
    }
}

impl<E: StdError + 'static> From<E> for RequestError {
    fn from(error: E) -> Self {
        if let Some(local_error) = local_error(&error) {
            return Self::Local(local_error.clone());
        }
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        if is_untrusted(&error) {
            return Self::Untrusted(text);
        }
        Self::Failed(text)
    }
}

/// Returns the certificates of a PEM file that can be trusted, as PEM; the client would panic at
/// the others.
fn usable_roots(pem: &[u8]) -> Option<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(pem).flatten();
    let mut pem = String::new();
    for certificate in certificates {
        if roots.add(certificate.clone()).is_ok() {
            let text = BASE64_STANDARD.encode(certificate);
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            pem.push_str(&text);
            pem.push_str("\n-----END CERTIFICATE-----\n");
        }
    }
    if pem.is_empty() {
        return None;
    }
    Some(pem.into_bytes())
}
