//! Finds the addresses of a name, as the system tells them to every client.
//!
//! The system's resolver knows no time-out, so it works in a thread, which is left behind at the
//! deadline.

use std::io::Result;
use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;

use super::Deadline;
use super::stream::safe_words;
use crate::sys::host_names;

/// The most addresses of a name that are kept. Names of AWS have eight at most.
const MAX_ADDRESSES: usize = 16;

/// What the system says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameAnswer {
    /// The text is an address itself, and nobody was asked.
    Literal(IpAddr),
    /// These addresses, in the order in which clients try them. There is one at least.
    Found(Vec<IpAddr>),
    /// The resolver knows no address, in the system's words. Most systems say the same of a name
    /// that does not exist and of a resolver that does not answer.
    Unknown(String),
    /// The resolver said nothing before the deadline.
    TimedOut,
}

impl NameAnswer {
    /// Returns the addresses in the order in which clients try them.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Literal(address) => std::slice::from_ref(address),
            Self::Found(addresses) => addresses,
            Self::Unknown(_) | Self::TimedOut => &[],
        }
    }

    /// Tells whether there is an address of IPv4 (a record A).
    pub(crate) fn has_v4(&self) -> bool {
        self.addresses().iter().any(IpAddr::is_ipv4)
    }

    /// Tells whether there is an address of IPv6 (a record AAAA).
    pub(crate) fn has_v6(&self) -> bool {
        self.addresses().iter().any(IpAddr::is_ipv6)
    }
}

/// Returns the addresses of a host: a name, or an address as libpq's `hostaddr` has it.
pub(crate) fn look_up(host: &str, deadline: Deadline) -> NameAnswer {
    if let Ok(address) = host.parse() {
        return NameAnswer::Literal(address);
    }
    look_up_by(host, deadline, host_names::addresses_of)
}

fn look_up_by(
    host: &str,
    deadline: Deadline,
    resolve: impl FnOnce(&str) -> Result<Vec<IpAddr>> + Send + 'static,
) -> NameAnswer {
    let (answer, answers) = mpsc::channel();
    let name = host.to_owned();
    let thread = thread::Builder::new().spawn(move || {
        let _ = answer.send(resolve(&name)); // nobody listens after the deadline
    });
    if let Err(error) = thread {
        return NameAnswer::Unknown(safe_words(&error.to_string()));
    }
    let Some(time) = deadline.remaining() else {
        return NameAnswer::TimedOut;
    };
    match answers.recv_timeout(time) {
        Ok(Ok(addresses)) => without_repetition(addresses),
        Ok(Err(error)) => NameAnswer::Unknown(safe_words(&error.to_string())),
        Err(_) => NameAnswer::TimedOut,
    }
}

/// Some resolvers return an address once for each kind of socket.
fn without_repetition(addresses: Vec<IpAddr>) -> NameAnswer {
    let mut unique = Vec::new();
    for address in addresses {
        if unique.len() < MAX_ADDRESSES && !unique.contains(&address) {
            unique.push(address);
        }
    }
    if unique.is_empty() {
        return NameAnswer::Unknown("the name has no address".to_owned());
    }
    NameAnswer::Found(unique)
}

#[cfg(test)]
mod tests {
    use std::io::Error;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::{Duration, Instant};

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn literal_addresses_ask_nobody() {
        let past = Deadline::after(Duration::ZERO);
        for (text, is_v6) in [("127.0.0.1", false), ("::1", true)] {
            let names = look_up(text, past);
            assert_eq!(names, NameAnswer::Literal(text.parse().unwrap()));
            assert_eq!((names.has_v4(), names.has_v6()), (!is_v6, is_v6));
        }
    }

    #[test]
    fn addresses_keep_their_order_and_come_once() {
        let (v4, v6) = (
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv6Addr::LOCALHOST.into(),
        );
        let names = look_up_by("a", soon(), move |_| Ok(vec![v6, v4, v6, v4]));
        assert_eq!(names.addresses(), [v6, v4]);
        assert!(names.has_v4() && names.has_v6());
        let many = (0..200).map(|last| IpAddr::from([10, 0, 0, last]));
        let many: Vec<IpAddr> = many.collect();
        let names = look_up_by("a", soon(), move |_| Ok(many));
        assert_eq!(names.addresses().len(), MAX_ADDRESSES);
    }

    #[test]
    fn failures_are_told_apart() {
        let none = look_up_by("a", soon(), |_| Ok(Vec::new()));
        assert!(matches!(none, NameAnswer::Unknown(_)), "{none:?}");
        let failed = look_up_by("a", soon(), |_| Err(Error::other("no\nsuch name")));
        assert_eq!(failed, NameAnswer::Unknown(r"no\nsuch name".to_owned()));
        let started = Instant::now();
        let late = look_up_by("a", Deadline::after(Duration::from_millis(30)), |_| {
            thread::sleep(Duration::from_secs(5));
            Ok(Vec::new())
        });
        assert_eq!(late, NameAnswer::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn the_system_knows_this_machine() {
        let names = look_up("localhost", soon());
        // The Windows that the tests run in is wine, which has no file of hosts.
        assert!(cfg!(windows) || !names.addresses().is_empty(), "{names:?}");
        let names = look_up(&"a".repeat(300), soon()); // longer than a name can be
        assert!(names.addresses().is_empty(), "{names:?}");
    }
}
