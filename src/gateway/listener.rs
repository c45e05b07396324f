//! Listens for the gateway: on loopback addresses, and on Unix sockets in a directory that only the
//! user can enter. No other address is accepted, whoever asks for it.

use std::fmt;
use std::io::{Error as IoError, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::holder::holder_of_port;
use crate::error::{Error, Result};
#[cfg(unix)]
use crate::sys::fs;
#[cfg(unix)]
use crate::sys::inherited_sockets::{self, InheritedListener};
use crate::sys::{paths, socket_peer};
use crate::text::backquoted;

/// An address of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress {
    Tcp(SocketAddr),
    /// A Unix socket: the directory, which is what libpq takes as `host`, and the port.
    Socket(PathBuf, u16),
}

/// Returns the directory of the gateway's Unix sockets.
pub(crate) fn socket_directory() -> Result<PathBuf> {
    paths::gateway_sockets()
        .ok_or_else(|| Error::no_directory("runtime").hint("set XDG_RUNTIME_DIR or HOME"))
}

impl ListenAddress {
    /// Reads what a user writes: `127.0.0.1:PORT`, `[::1]:PORT`, a port, or a directory. `port` is
    /// that of a socket in the directory.
    pub(crate) fn parse(text: &str, port: u16) -> Result<Self> {
        if Path::new(text).has_root() {
            return Ok(Self::Socket(PathBuf::from(text), port));
        }
        if let Ok(port) = text.parse::<u16>()
            && port > 0
        {
            return Ok(Self::loopback(port));
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() && address.port() > 0 => {
                Ok(Self::Tcp(address))
            }
            _ => Err(Error::usage(format!(
                "not an address for a gateway: {}",
                backquoted(text)
            ))
            .hint(
                "write a port, 127.0.0.1:PORT, [::1]:PORT, or the whole path of a \
                         directory; a gateway listens on this machine alone",
            )),
        }
    }

    pub(crate) fn loopback(port: u16) -> Self {
        Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

/// Tells whether a program listens on a port of 127.0.0.1. Nobody is connected to, so that a
/// gateway does not notice.
pub(crate) fn is_port_in_use(port: u16) -> bool {
    match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::AddrInUse,
    }
}

/// Returns the path of the socket that libpq looks for in a directory.
pub(crate) fn socket_path(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Socket(directory, port) => {
                write!(f, "{}", socket_path(directory, *port).display())
            }
        }
    }
}

impl LocalPeer {
    /// Tells whether the system says that it is a program of another user.
    pub(super) fn is_stranger(&self) -> bool {
        let is_told = self.is_by_socket || socket_peer::KNOWS_TCP_USERS;
        is_told && !self.is_own_user
    }
}

/// An open listener.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// The file, which is removed at the end if this process has made it.
        path: Option<PathBuf>,
    },
}

/// A connection of a local program.
pub(super) enum LocalStream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Who has connected.
pub(super) struct LocalPeer {
    /// For the log: an address, or a user.
    pub(super) name: String,
    /// The system says that it is a program of the gateway's user, or of root.
    pub(super) is_own_user: bool,
    /// It has come by a Unix socket.
    pub(super) is_by_socket: bool,
}

impl Listener {
    /// Opens an address.
    pub(super) fn open(address: &ListenAddress) -> Result<Self> {
        match address {
            ListenAddress::Tcp(address) => open_tcp(*address),
            ListenAddress::Socket(directory, port) => open_socket(directory, *port),
        }
    }

    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> std::io::Result<(LocalStream, LocalPeer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let local_address = stream.local_addr()?;
                let _ = stream.set_nodelay(true); // slower without, but it works
                let peer = LocalPeer {
                    name: peer.to_string(),
                    is_own_user: socket_peer::is_tcp_peer_own_user(peer, local_address),
                    is_by_socket: false,
                };
                Ok((LocalStream::Tcp(stream), peer))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                let peer = LocalPeer {
                    name: format!("user {uid}"),
                    is_own_user: socket_peer::is_own_user_or_root(uid),
                    is_by_socket: true,
                };
                Ok((LocalStream::Unix(stream), peer))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Self::Unix {
            path: Some(path), ..
        } = self
        {
            let _ = fs::remove(path); // the next start replaces one that stays
        }
    }
}

fn open_tcp(address: SocketAddr) -> Result<Listener> {
    let opened = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    match opened {
        Ok(listener) => Ok(Listener::Tcp(listener)),
        Err(error) => {
            let failure = cannot_listen(&address.to_string(), &error);
            match holder_of_port(address.port()) {
                Some(holder) => Err(failure.noting(&format!("{holder} has it"))),
                None => Err(failure),
            }
        }
    }
}

fn cannot_listen(address: &str, error: &IoError) -> Error {
    let failure = Error::failure(format!("cannot listen on {address}")).caused_by(error);
    if error.kind() == ErrorKind::AddrInUse {
        return failure.hint(
            "end the program that has it, perhaps another `pgcred proxy`, or choose another port \
             for the connection",
        );
    }
    failure.hint("choose another address with --listen PORT")
}

#[cfg(unix)]
fn open_socket(directory: &Path, port: u16) -> Result<Listener> {
    use std::os::unix::net::UnixStream as BlockingStream;

    fs::ensure_own_directory(directory)?;
    let path = socket_path(directory, port);
    let address = path.display().to_string();
    let mut bound = bind_socket(&path);
    if let Err(error) = &bound
        && error.kind() == ErrorKind::AddrInUse
    {
        // A gateway that was killed has left its socket, which nobody answers any more.
        match BlockingStream::connect(&path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && fs::is_socket(&path) => {
                fs::remove(&path)?;
                bound = bind_socket(&path);
            }
            _ => return Err(cannot_listen(&address, error)),
        }
    }
    match bound {
        Ok(listener) => Ok(Listener::Unix {
            listener,
            path: Some(path),
        }),
        Err(error) => Err(cannot_listen(&address, &error)),
    }
}

/// Makes the socket, which only the user can open: its directory is private, too.
#[cfg(unix)]
fn bind_socket(path: &Path) -> std::io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::make_socket_private(path)?;
    Ok(listener)
}

#[cfg(not(unix))]
fn open_socket(_: &Path, _: u16) -> Result<Listener> {
    Err(Error::usage("a gateway has no Unix socket on this system")
        .hint("take `socket` out of `proxy` in the connection"))
}

/// Takes the listeners that a service manager has opened, each with its address.
#[cfg(unix)]
pub(super) fn inherited() -> Result<Vec<(ListenAddress, Listener)>> {
    let cannot_take_sockets = |error: IoError| {
        Error::failure("cannot use the sockets of the service manager")
            .caused_by(&error)
            .hint("look at the unit with `systemctl --user cat pgcred-proxy.socket`")
    };
    let mut listeners = Vec::new();
    for inherited in inherited_sockets::take_all().map_err(cannot_take_sockets)? {
        let listener = match inherited {
            InheritedListener::Tcp(listener) => inherited_tcp(listener),
            InheritedListener::Unix(listener) => inherited_socket(listener),
        };
        listeners.push(listener.map_err(cannot_take_sockets)?);
    }
    Ok(listeners)
}

#[cfg(not(unix))]
pub(super) fn inherited() -> Result<Vec<(ListenAddress, Listener)>> {
    Ok(Vec::new())
}

#[cfg(unix)]
fn inherited_tcp(listener: std::net::TcpListener) -> std::io::Result<(ListenAddress, Listener)> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(IoError::other(format!(
            "{address} is not an address of this machine alone"
        )));
    }
    listener.set_nonblocking(true)?;
    let listener = Listener::Tcp(TcpListener::from_std(listener)?);
    Ok((ListenAddress::Tcp(address), listener))
}

#[cfg(unix)]
fn inherited_socket(
    listener: std::os::unix::net::UnixListener,
) -> std::io::Result<(ListenAddress, Listener)> {
    let address = listener.local_addr()?;
    let path = address.as_pathname().unwrap_or(Path::new(""));
    let directory = path.parent().unwrap_or(path).to_owned();
    let port = path
        .extension()
        .and_then(|port| port.to_str()?.parse().ok());
    listener.set_nonblocking(true)?;
    let listener = Listener::Unix {
        listener: UnixListener::from_std(listener)?,
        path: None,
    };
    Ok((
        ListenAddress::Socket(directory, port.unwrap_or(0)),
        listener,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_on() {
        for (text, expected) in [
            ("15432", "127.0.0.1:15432"),
            ("127.0.0.1:15432", "127.0.0.1:15432"),
            ("127.8.9.1:15432", "127.8.9.1:15432"),
            ("[::1]:15432", "[::1]:15432"),
        ] {
            assert_eq!(ListenAddress::parse(text, 1).unwrap().to_string(), expected);
        }
        let refused = [
            "",
            "0",
            "65536",
            "0.0.0.0:5432",
            "[::]:5432",
            "192.168.0.1:5432",
            "localhost:5432",
            "127.0.0.1",
            "127.0.0.1:0",
            "relative/path",
            "*:5432",
            "[::ffff:127.0.0.1]:5432",
        ];
        for text in refused {
            let error = ListenAddress::parse(text, 1).expect_err(text);
            assert!(error.hint_text().is_some());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_is_that_of_a_socket_by_libpqs_name() {
        let address = ListenAddress::parse("/run/user/1/pgcred", 15432).unwrap();
        assert_eq!(address.to_string(), "/run/user/1/pgcred/.s.PGSQL.15432");
    }
}
