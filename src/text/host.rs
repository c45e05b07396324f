//! Host names as they are signed and filed: lower case, ASCII, no scheme, port or trailing dot; and
//! hosts in addresses. Pure.

use std::fmt;
use std::net::Ipv4Addr;

use crate::error::{Error, Result};

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
        let (host, port) = parse(text)?;
        Ok(Self { host, port })
    }
}

fn parse(text: &str) -> Result<(String, Option<u16>)> {
    let trimmed = text.trim();
    // What looks like a URI or conninfo string with a slip in it may hold a password, so it is not
    // repeated.
    let may_hold_password = trimmed.contains(['@', '=']) || trimmed.contains("://");
    let shown = if may_hold_password {
        "given".to_owned()
    } else {
        quoted(trimmed)
    };
    let refuse = |why: &str| Err(Error::usage(format!("host {shown}: {why}")));
    if trimmed.is_empty() {
        return Err(Error::usage("the host is empty")
            .hint("name one: pgcred token HOST, --host HOST or PGHOST"));
    }
    if trimmed.contains("://") {
        return refuse("give the name alone, without a scheme");
    }
    if trimmed.contains(',') {
        return refuse("a token is for one host; name one");
    }
    if trimmed.starts_with(['/', '@']) {
        return refuse("a unix socket has no IAM authentication");
    }
    if trimmed.contains(['/', '?', '#', '@']) {
        return refuse("give the name alone, without path, query or user");
    }
    let (name, port) = match trimmed.split_once(':') {
        None => (trimmed, None),
        Some((_, rest)) if rest.contains(':') => {
            return refuse(
                "an IPv6 address has no IAM authentication; give a name or an IPv4 address",
            );
        }
        Some((name, port)) => (name, Some(parse_port(port)?)),
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if let Some(c) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "-._".contains(*c)))
    {
        return refuse(&format!("{} is not allowed in a host name", described(c)));
    }
    if name.len() > 253
        || name
            .split('.')
            .any(|label| label.is_empty() || label.len() > 63)
    {
        return refuse("a label is empty or too long");
    }
    Ok((name, port))
}

/// Tells whether a host is this machine itself, where tunnels begin.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns `USER:PASSWORD@HOST:PORT` out of an address with a scheme.
pub(crate) fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Returns `HOST:PORT` out of an address with a scheme. What stands before it may be a password.
pub(crate) fn place(address: &str) -> &str {
    let authority = authority(address);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place)
}

/// Tells whether a host and, if there is one, a port can be read from an address. Some clients ask
/// another port where it cannot, or go another way.
pub(crate) fn names_server(address: &str) -> bool {
    let place = place(address);
    let after_literal = place.rsplit_once(']').map_or(place, |(_, after)| after);
    let port = after_literal.rsplit_once(':').map(|(_, port)| port);
    let host = place
        .strip_suffix(port.unwrap_or_default())
        .unwrap_or(place);
    !host.trim_end_matches(':').is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Returns the host out of `HOST:PORT`; of an IPv6 address what stands in the brackets.
pub(crate) fn name(place: &str) -> &str {
    match place.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => place.rsplit_once(':').map_or(place, |(name, _)| name),
    }
}

/// Returns a port number, 1 to 65535.
pub(crate) fn parse_port(text: &str) -> Result<u16> {
    let digits = text.trim();
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    };
    number
        .filter(|port| *port != 0)
        .ok_or_else(|| Error::usage("the port is not a number from 1 to 65535"))
}

fn described(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() => "a control character".to_owned(),
        c => format!("`{}`", c.escape_default()),
    }
}

/// Returns foreign text for an error message: escaped, cut to a length that fits a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(80)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(80).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
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
    fn refused() {
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
        #![proptest_config(crate::text::nearly::cases())]

        #[test]
        fn hosts_that_are_nearly_right(text in crate::text::nearly::text(
            &["Foo.dsql.us-east-1.on.aws:5432", "[::1]:5432", "127.0.0.1", "localhost.", "fe80::1%eth0"],
            &[":", "[", "]", "::", ".", "%", "65536", "/", "@"],
        )) {
            let _ = quoted(&text);
            if let Ok(read) = HostPort::parse(&text) {
                let HostPort { host, port } = &read;
                proptest::prop_assert!(!host.is_empty() && !host.contains(char::is_control) && *port != Some(0));
                proptest::prop_assert_eq!(HostPort::parse(&read.to_string()).unwrap(), read);
            }
        }
    }
}
