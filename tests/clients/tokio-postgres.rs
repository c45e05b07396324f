//! The client tokio-postgres, with TLS by rustls: `url` (from URL), `environment` (PG* variables,
//! which the program reads).
//!
//! With `command`, pgcred gives all values: the client knows no `verify-full`, so it cannot read
//! the URL.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of the tests"
)]

use std::env;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Rustls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (how, command) = (env::args().nth(1), env::args().nth(2).is_some());
    let (config, roots) = if command {
        let text = Command::new("pgcred")
            .args(["token", &env::var("CONNECTION")?, "--format", "libpq-json"])
            .output()?;
        let said: Value = serde_json::from_slice(&text.stdout)?;
        from(|keyword| said[keyword].as_str().map(str::to_owned))?
    } else if how.as_deref() == Some("url") {
        (
            env::var("URL")?.parse()?,
            env::var("ROOTS").unwrap_or_default(),
        )
    } else {
        // The driver reads no variable by itself; libpq's name for the root certificates is
        // PGSSLROOTCERT.
        let variable = |keyword: &str| {
            if keyword == "dbname" {
                "PGDATABASE".to_owned()
            } else {
                format!("PG{}", keyword.to_uppercase())
            }
        };
        from(|keyword| env::var(variable(keyword)).ok())?
    };
    let (Some(Host::Tcp(host)), Some(port)) =
        (config.get_hosts().first(), config.get_ports().first())
    else {
        return Err("no host".into());
    };
    let stream = TcpStream::connect((host.as_str(), *port)).await?;
    let (client, connection) = config
        .connect_raw(stream, Tls::of(host.clone(), &roots)?)
        .await?;
    tokio::spawn(connection);
    let row = client
        .query_one("select current_user || '@' || current_database()", &[])
        .await?;
    println!("{}", row.get::<_, String>(0));
    Ok(())
}

/// The driver's configuration from libpq's keywords, and the file of root certificates.
fn from(value: impl Fn(&str) -> Option<String>) -> Result<(Config, String), Box<dyn Error>> {
    let needed = |keyword: &str| value(keyword).ok_or(format!("no {keyword}"));
    let mut config = Config::new();
    config
        .host(needed("host")?)
        .port(needed("port")?.parse()?)
        .ssl_mode(SslMode::Require);
    config.user(needed("user")?).dbname(needed("dbname")?);
    if let Some(password) = value("password") {
        config.password(password);
    }
    Ok((config, needed("sslrootcert")?))
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    fn of(host: String, file: &str) -> Result<Self, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Ok(Self {
            connector: config.into(),
            name: ServerName::try_from(host)?,
        })
    }
}

impl TlsConnect<TcpStream> for Tls {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.name, stream).await?)) })
    }
}

struct Stream(Rustls<TcpStream>);

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
