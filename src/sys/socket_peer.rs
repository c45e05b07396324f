//! Finds who is at the other end of a local connection, as the system tells: the user of a Unix
//! socket's peer, and on Linux also that of a TCP connection within this machine.
//!
//! A TCP connection that arrives on loopback need not come from a user of this machine: a forwarder
//! such as `ssh -L` has the user of the forwarder. So this is a check that comes in addition to the
//! password, or in its place where the user has said so.

/// Tells whether a user is the one of this process.
#[cfg(unix)]
pub(crate) fn is_own_user(uid: u32) -> bool {
    uid == nix::unistd::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(crate) fn is_own_user(_: u32) -> bool {
    true
}

/// Tells whether a user is the one of this process, or root.
#[cfg(unix)]
pub(crate) fn is_own_user_or_root(uid: u32) -> bool {
    const ROOT: u32 = 0;
    uid == ROOT || is_own_user(uid)
}

/// Whether the system tells the user of a TCP connection.
pub(crate) const KNOWS_TCP_USERS: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
pub(crate) use linux::is_tcp_peer_own_user;

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_tcp_peer_own_user(_: std::net::SocketAddr, _: std::net::SocketAddr) -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Error, ErrorKind, Result};
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{
        AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
    };

    use super::is_own_user_or_root;

    /// Tells whether the other end of a connection belongs to the user of this process, or to root.
    /// One that cannot be found does not.
    pub(crate) fn is_tcp_peer_own_user(peer: SocketAddr, own_address: SocketAddr) -> bool {
        match uid_of(peer, own_address) {
            Ok(uid) => is_own_user_or_root(uid),
            Err(_) => false,
        }
    }

    /// Returns the user of the socket at the other end: the kernel is asked for the socket with
    /// exactly these two addresses (`sock_diag`).
    fn uid_of(peer: SocketAddr, own_address: SocketAddr) -> Result<u32> {
        let kernel = socket(
            AddressFamily::Netlink,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkSockDiag,
        )?;
        let mut answer = [0; 512];
        send(
            kernel.as_raw_fd(),
            &request(peer, own_address),
            MsgFlags::empty(),
        )?;
        let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        match read_uid(&answer[..length], peer, own_address) {
            Some(uid) => Ok(uid),
            None => Err(Error::new(ErrorKind::NotFound, "no such socket")),
        }
    }

    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const IPPROTO_TCP: u8 = 6;
    const LENGTH: u32 = 72;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;

    /// `struct nlmsghdr` and `struct inet_diag_req_v2` of the kernel.
    fn request(peer: SocketAddr, own_address: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(LENGTH.to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend(NLM_F_REQUEST.to_ne_bytes());
        bytes.extend([0; 8]); // sequence, port
        bytes.extend([family(peer), IPPROTO_TCP, 0, 0]);
        bytes.extend(u32::MAX.to_ne_bytes()); // in every state
        bytes.extend(addresses(peer, own_address));
        bytes.extend([0; 4]); // any interface
        bytes.extend([0xff; 8]); // no cookie
        bytes
    }

    fn family(address: SocketAddr) -> u8 {
        if address.is_ipv4() { AF_INET } else { AF_INET6 }
    }

    /// The first fields of `struct inet_diag_sockid`: both ports, then both addresses, as the
    /// other end sees them.
    fn addresses(peer: SocketAddr, own_address: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(peer.port().to_be_bytes());
        bytes.extend(own_address.port().to_be_bytes());
        for address in [peer.ip(), own_address.ip()] {
            match address {
                IpAddr::V4(address) => {
                    bytes.extend(address.octets());
                    bytes.extend([0; 12]);
                }
                IpAddr::V6(address) => bytes.extend(address.octets()),
            }
        }
        bytes
    }

    /// Reads the user out of `struct nlmsghdr` and `struct inet_diag_msg`, if the kernel has found
    /// this very socket.
    fn read_uid(answer: &[u8], peer: SocketAddr, own_address: SocketAddr) -> Option<u32> {
        const KIND: usize = 4;
        const SOCKET: usize = 20;
        const UID: usize = 80;
        let kind = answer.get(KIND..KIND + 2)?;
        if kind != SOCK_DIAG_BY_FAMILY.to_ne_bytes() {
            return None;
        }
        let expected_addresses = addresses(peer, own_address);
        let found_addresses = answer.get(SOCKET..SOCKET + expected_addresses.len())?;
        if found_addresses != expected_addresses
            && found_addresses != addresses(in_ipv6(peer), in_ipv6(own_address))
        {
            return None;
        }
        let uid = answer.get(UID..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*uid))
    }

    /// Returns an address as the kernel writes it for a socket of IPv6 that has connected over
    /// IPv4: those of Java are such.
    fn in_ipv6(address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
            IpAddr::V6(_) => address,
        }
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, TcpStream};

        use super::*;

        #[test]
        fn the_kernel_knows_whose_socket_it_is() {
            for host in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(host) else {
                    continue; // without IPv6
                };
                let own = listener.local_addr().unwrap();
                let client = TcpStream::connect(own).unwrap();
                let (accepted, peer) = listener.accept().unwrap();
                assert_eq!(uid_of(peer, own).unwrap(), nix::unistd::geteuid().as_raw());
                assert!(is_tcp_peer_own_user(peer, own));
                let mut other = peer;
                other.set_port(peer.port() ^ 1);
                assert!(!is_tcp_peer_own_user(other, own));
                drop((client, accepted));
            }
        }

        #[test]
        fn a_socket_of_ipv6_that_has_connected_over_ipv4_is_known() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let own = listener.local_addr().unwrap();
            let Ok(_client) = TcpStream::connect(in_ipv6(own)) else {
                return; // without IPv6
            };
            let (_, peer) = listener.accept().unwrap();
            assert!(peer.is_ipv4());
            assert_eq!(uid_of(peer, own).unwrap(), nix::unistd::geteuid().as_raw());
        }

        #[test]
        fn an_answer_about_another_socket_is_no_answer() {
            let peer: SocketAddr = "127.0.0.1:40000".parse().unwrap();
            let own: SocketAddr = "127.0.0.1:15432".parse().unwrap();
            let mut answer = vec![0; 88];
            answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
            answer[20..56].copy_from_slice(&addresses(peer, own));
            answer[80..84].copy_from_slice(&1000_u32.to_ne_bytes());
            assert_eq!(read_uid(&answer, peer, own), Some(1000));
            assert_eq!(read_uid(&answer, own, peer), None);
            assert_eq!(read_uid(&answer[..82], peer, own), None);
            answer[4] = 2; // NLMSG_ERROR
            assert_eq!(read_uid(&answer, peer, own), None);
        }
    }
}
