//! The real PostgreSQL behind the stand-in: its address, and connections to it.

use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Where the real server listens; it must trust its clients (`trust` in `pg_hba.conf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    Tcp {
        host: String,
        port: u16,
    },
    #[cfg(unix)]
    Socket {
        directory: PathBuf,
        port: u16,
    },
}

impl Default for Upstream {
    fn default() -> Self {
        Self::Tcp {
            host: "127.0.0.1".into(),
            port: 5432,
        }
    }
}

impl FromStr for Upstream {
    type Err = String;

    /// `HOST:PORT`, `[IPV6]:PORT` or `/socket/directory[:PORT]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = |digits: &str| {
            digits
                .parse::<u16>()
                .map_err(|_| format!("{digits:?} is not a port"))
        };
        #[cfg(unix)]
        if text.starts_with('/') {
            return match text.rsplit_once(':') {
                Some((directory, digits)) => Ok(Self::Socket {
                    directory: directory.into(),
                    port: port(digits)?,
                }),
                None => Ok(Self::Socket {
                    directory: text.into(),
                    port: 5432,
                }),
            };
        }
        let (host, digits) = text.rsplit_once(':').ok_or("HOST:PORT is expected")?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        Ok(Self::Tcp {
            host: host.into(),
            port: port(digits)?,
        })
    }
}

/// A connection to the real server.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Upstream {
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Self::Socket { directory, port } => Ok(Box::new(
                tokio::net::UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).await?,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let tcp = |host: &str, port| {
            Ok(Upstream::Tcp {
                host: host.into(),
                port,
            })
        };
        assert_eq!("db:5433".parse(), tcp("db", 5433));
        assert_eq!("[::1]:5432".parse(), tcp("::1", 5432));
        assert!("db".parse::<Upstream>().is_err());
        assert!("db:99999".parse::<Upstream>().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn socket_directories_are_read() {
        let socket = |directory: &str, port| {
            Ok(Upstream::Socket {
                directory: directory.into(),
                port,
            })
        };
        assert_eq!("/run/pg".parse(), socket("/run/pg", 5432));
        assert_eq!("/run/pg:5433".parse(), socket("/run/pg", 5433));
    }
}
