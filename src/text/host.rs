//! Reads hosts and ports: as a user writes them, as they are signed and written into the passfile
//! (lower case, ASCII, no scheme and no trailing dot), and inside addresses with a scheme. It is
//! pure.

use std::fmt;
use std::net::Ipv4Addr;

use crate::error::{Error, Result};
use crate::text::backquoted;

/// `HOST` or `HOST:PORT`, checked and normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

impl HostPort {
    /// Reads `HOST` or `HOST:PORT`.
    ///
    /// Case, surrounding blanks and a trailing dot are normalised, because they never reach the
    /// server. A text that would be signed as something other than a host is refused.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Error::usage("the host is empty")
                .hint("name one with `pgcred token HOST`, --host HOST or PGHOST"));
        }
        if let Some(reason) = reason_not_host_port(trimmed) {
            return Err(invalid_host(trimmed, reason));
        }
        let (name, port) = match trimmed.split_once(':') {
            Some((name, port)) => (name, Some(parse_port(port)?)),
            None => (trimmed, None),
        };
        let host = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if let Some(c) = host.chars().find(|c| !is_allowed(*c)) {
            let reason = format!("{} is not allowed in a host name", character_in_words(c));
            return Err(invalid_host(trimmed, &reason));
        }
        let is_label = |label: &str| (1..=63).contains(&label.len());
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(invalid_host(trimmed, "a label is empty or too long"));
        }
        Ok(Self { host, port })
    }
}

/// Says why a text is not `HOST` or `HOST:PORT`.
fn reason_not_host_port(text: &str) -> Option<&'static str> {
    const WITHOUT_OTHER_SIGNS: fn(u8) -> bool =
        |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if text.bytes().all(WITHOUT_OTHER_SIGNS) {
        return None; // most hosts end here: the searches below take longer than all else
    }
    if text.contains("://") {
        return Some("a host is written without a scheme");
    }
    if text.contains(',') {
        return Some("a token is for one host, and this names several");
    }
    if text.starts_with(['/', '@']) {
        return Some("pgcred takes no unix socket");
    }
    if text.contains(['/', '?', '#', '@']) {
        return Some("a host is written without path, query or user");
    }
    if text.bytes().filter(|b| *b == b':').count() > 1 {
        return Some("pgcred takes no IPv6 address; give a name or an IPv4 address");
    }
    None
}

/// Returns the error about a text that is no host. A text that looks like a URI or a conninfo
/// string with a slip in it is not repeated, because it may hold a password.
fn invalid_host(text: &str, reason: &str) -> Error {
    let error = if text.contains(['@', '=']) || text.contains("://") {
        Error::usage(format!("the host that was given is not valid: {reason}"))
    } else {
        Error::usage(format!("host {}: {reason}", backquoted(text)))
    };
    error.hint("write HOST or HOST:PORT, such as db.example.com:5432")
}

/// Tells whether a host is this machine itself, where tunnels begin.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns `USER:PASSWORD@HOST:PORT` out of an address with a scheme.
pub(crate) fn server_part(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("://") else {
        return "";
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &rest[..end]
}

/// Returns `HOST:PORT` out of an address with a scheme. The part before it may be a password.
pub(crate) fn server_of_address(address: &str) -> &str {
    let part = server_part(address);
    match part.rsplit_once('@') {
        Some((_, server)) => server,
        None => part,
    }
}

/// Tells whether a host and, if there is one, a port can be read from an address. If not, some
/// clients ask another port, or go another way.
pub(crate) fn names_server(address: &str) -> bool {
    let server = server_of_address(address);
    let after_literal = match server.rsplit_once(']') {
        Some((_, after)) => after,
        None => server,
    };
    let host = match after_literal.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => return false,
        Some((_, port)) => &server[..server.len() - port.len()],
        None => server,
    };
    !host.trim_end_matches(':').is_empty()
}

/// Returns the host out of `HOST:PORT`, and an IPv6 address without its brackets.
pub(crate) fn host_of(server: &str) -> &str {
    if let Some(literal) = server.strip_prefix('[') {
        return match literal.split_once(']') {
            Some((address, _)) => address,
            None => literal,
        };
    }
    match server.rsplit_once(':') {
        Some((name, _)) => name,
        None => server,
    }
}

/// Returns a port number, 1 to 65535.
pub(crate) fn parse_port(text: &str) -> Result<u16> {
    let digits = text.trim();
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()); // `parse` takes a sign, too
    match digits.parse() {
        Ok(port @ 1..) if is_number => Ok(port),
        _ => Err(Error::usage("the port is not a number from 1 to 65535")
            .hint("write a number such as 5432, PostgreSQL's usual port")),
    }
}

fn character_in_words(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() => "a control character".to_owned(),
        c => format!("`{}`", c.escape_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalised() {
        for (text, host, port) in [
            ("a.example.com", "a.example.com", None),
            (" A.Example.COM.\n", "a.example.com", None),
            ("a.example.com:6543", "a.example.com", Some(6543)),
            ("my_tunnel", "my_tunnel", None),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
        ] {
            let host = host.to_owned();
            assert_eq!(
                HostPort::parse(text).unwrap(),
                HostPort { host, port },
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            " ",
            ".",
            "a..b",
            "https://a.b",
            "http://a",
            "a/b",
            "a?b=c",
            "a#b",
            "u@a",
            "a b",
            "a\nb",
            "a\0b",
            "bücher.de",
            "a:0",
            "a:70000",
            "a:",
            "a:x",
            "a:+1",
            "::1",
            "[::1]",
            "/tmp",
            "a,b",
            "a*",
            "a'b",
            "a\\b",
            &long,
        ] {
            assert!(HostPort::parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn hosts_that_are_nearly_right(text in crate::text::mutation::text(
            &[
                "Foo.dsql.us-east-1.on.aws:5432",
                "[::1]:5432",
                "127.0.0.1",
                "localhost.",
                "fe80::1%eth0",
            ],
            &[":", "[", "]", "::", ".", "%", "65536", "/", "@"],
        )) {
            let _ = backquoted(&text);
            if let Ok(read) = HostPort::parse(&text) {
                let HostPort { host, port } = &read;
                proptest::prop_assert!(!host.is_empty() && !host.contains(char::is_control));
                proptest::prop_assert!(*port != Some(0));
                proptest::prop_assert_eq!(HostPort::parse(&read.to_string()).unwrap(), read);
            }
        }
    }
}
