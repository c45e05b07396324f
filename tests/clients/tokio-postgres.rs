//! The client tokio-postgres, with TLS by rustls: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of the tests")]

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{env, str};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Rustls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::new();
    match env::args().nth(1).as_deref() {
        Some("url") => config = env::var("URL")?.parse()?,
        // The driver reads no variable by itself.
        way => {
            config.host(env::var("PGHOST")?).port(env::var("PGPORT")?.parse()?).ssl_mode(SslMode::Require);
            config.user(env::var("PGUSER")?).dbname(env::var("PGDATABASE")?);
            if way == Some("command") {
                let token = Command::new("pgcred").arg("token").output()?.stdout;
                config.password(str::from_utf8(&token)?.trim_end());
            }
        }
    }
    let (host, port) = (env::var("PGHOST")?, env::var("PGPORT")?.parse()?);
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    let (client, connection) = config.connect_raw(stream, Tls::of(host)?).await?;
    tokio::spawn(connection);
    let row = client.query_one("select current_user || '@' || current_database()", &[]).await?;
    println!("{}", row.get::<_, String>(0));
    Ok(())
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    fn of(host: String) -> Result<Self, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(env::var("PGSSLROOTCERT")?)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Ok(Self { connector: config.into(), name: ServerName::try_from(host)? })
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
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
