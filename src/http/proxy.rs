//! Chooses the proxy that a request goes through: by the rules of Python's `urllib`, as in the AWS
//! CLI.
//!
//! `HTTP_PROXY` and `HTTPS_PROXY` name a proxy, in lower or upper case, and `NO_PROXY` lists hosts
//! that are asked directly. `ALL_PROXY` does not count. The address of a proxy may hold a password,
//! so no text shows it.

use crate::sys::env;
use crate::text::host;
use crate::text::quote::percent;

/// A proxy and the variable that names it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    pub(crate) variable: &'static str,
    /// With a scheme. It may hold a password.
    pub(crate) address: String,
}

impl Proxy {
    /// Tells whether a host and, if there is one, a port can be read from the address: the client
    /// asks directly, past the proxy, where it cannot.
    pub(crate) fn has_host(&self) -> bool {
        host::names_server(&self.address)
    }
}

/// Returns the proxy for a request to `authority` (`HOST` or `HOST:PORT`). `ALL_PROXY` does not
/// count.
pub(crate) fn proxy_of_request(scheme: &str, authority: &str) -> Option<Proxy> {
    let names = if scheme == "https" {
        ["https_proxy", "HTTPS_PROXY"]
    } else {
        ["http_proxy", "HTTP_PROXY"]
    };
    let (variable, address) = effective_variable(names)?;
    let (_, exceptions) = effective_variable(["no_proxy", "NO_PROXY"]).unwrap_or_default();
    if is_excepted(authority, &exceptions) {
        return None;
    }
    Some(Proxy {
        variable,
        address: encode_user_info(&with_scheme(&address)),
    })
}

/// Returns the variable that counts. The name in lower case comes first; if that is set but empty,
/// neither counts.
fn effective_variable(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    let [lower, upper] = names;
    match env::var_or_empty(lower) {
        Some(value) if value.is_empty() => None,
        Some(value) => Some((lower, value)),
        None => env::var(upper).map(|value| (upper, value)),
    }
}

/// Tells whether a host is among the exceptions: `*` alone, or names of hosts and domains with
/// commas between them.
fn is_excepted(authority: &str, exceptions: &str) -> bool {
    if exceptions == "*" {
        return true;
    }
    let authority = authority.to_ascii_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => &authority,
    };
    exceptions.split(',').any(|name| {
        let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
        is_within(host, &name) || is_within(&authority, &name)
    })
}

/// Tells whether a host is the named one or belongs to the named domain.
fn is_within(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|subdomain| {
        !name.is_empty() && (subdomain.is_empty() || subdomain.ends_with('.'))
    })
}

/// Returns the address with a scheme. One without a scheme counts as `http`.
fn with_scheme(address: &str) -> String {
    if address.starts_with("//") {
        return format!("http:{address}");
    }
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    }
}

/// Encodes the characters that may not stand before `@`: users often write passwords as they are.
fn encode_user_info(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else {
        return address.to_owned();
    };
    let mut text = format!("{scheme}://");
    for c in user.chars() {
        // `%` stays, for the user may have encoded the rest already.
        if c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:%".contains(c) {
            text.push(c);
        } else {
            text.push_str(&percent(c.encode_utf8(&mut [0; 4])).to_string());
        }
    }
    format!("{text}@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are those of `urllib.request.proxy_bypass_environment`.
    #[test]
    fn exceptions_are_those_of_python() {
        for (authority, exceptions, excepted) in [
            ("sts.amazonaws.com", "amazonaws.com", true),
            ("sts.amazonaws.com", " .AmazonAWS.com ", true),
            ("sts.amazonaws.com", "x, sts.amazonaws.com", true),
            ("sts.amazonaws.com:443", "sts.amazonaws.com", true),
            ("sts.amazonaws.com:443", "sts.amazonaws.com:443", true),
            ("sts.amazonaws.com", "sts.amazonaws.com:443", false),
            ("notamazonaws.com", "amazonaws.com", false),
            ("sts.amazonaws.com", "*", true),
            ("sts.amazonaws.com", "*,x", false),
            ("sts.amazonaws.com", "*.amazonaws.com", false),
            ("10.0.0.1", "10.0.0.0/8", false),
            ("[::1]:80", "[::1]", true),
            ("[::1]", "::1", false),
            ("sts.amazonaws.com", " , ", false),
            ("sts.amazonaws.com", "", false),
        ] {
            assert_eq!(
                is_excepted(authority, exceptions),
                excepted,
                "{authority} {exceptions}"
            );
        }
    }

    #[test]
    fn an_address_has_a_host() {
        for (address, has_host) in [
            ("http://h", true),
            ("http://h:1/", true),
            ("http://u:p@h:1", true),
            ("http://[::1]", true),
            ("http://[::1]:80", true),
            ("http://", false),
            ("http://u:p@", false),
            ("http://:80", false),
            ("http://u:p/w@h:1", false),
            ("http://h:99999", false),
        ] {
            assert_eq!(
                Proxy {
                    variable: "",
                    address: address.to_owned()
                }
                .has_host(),
                has_host,
                "{address}"
            );
        }
    }

    #[test]
    fn passwords_may_be_written_as_they_are() {
        for (address, whole) in [
            ("http://h:1", "http://h:1"),
            ("http://u:p@h:1/x", "http://u:p@h:1/x"),
            ("http://u:p%20w@h:1", "http://u:p%20w@h:1"),
            ("http://u:p w@h:1", "http://u:p%20w@h:1"),
            ("http://u:p@w@h:1", "http://u:p%40w@h:1"),
            ("http://u:\u{e9}@h:1", "http://u:%C3%A9@h:1"),
        ] {
            assert_eq!(encode_user_info(address), whole);
        }
    }

    #[test]
    fn an_address_may_lack_its_scheme() {
        for (address, whole) in [
            ("p:3128", "http://p:3128"),
            ("//p", "http://p"),
            ("https://p", "https://p"),
            ("u:p@h:1", "http://u:p@h:1"),
        ] {
            assert_eq!(with_scheme(address), whole);
        }
    }
}
