//! Takes the listeners that a service manager has opened for this process: `LISTEN_FDS` of systemd.
//! There are none on Windows.

use std::io::Result;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

/// A listener that somebody else has opened.
pub(crate) enum InheritedListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Takes the listeners. A second call returns none.
pub(crate) fn take_all() -> Result<Vec<InheritedListener>> {
    let mut sockets = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..sockets.len() {
        if let Ok(Some(listener)) = sockets.take_unix_listener(index) {
            listeners.push(InheritedListener::Unix(listener));
        } else if let Some(listener) = sockets.take_tcp_listener(index)? {
            listeners.push(InheritedListener::Tcp(listener));
        }
    }
    Ok(listeners)
}
