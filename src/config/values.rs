//! Reads the values of the configuration, each checked as on the command line. `read` adds the line
//! and the key to their errors.

use std::net::IpAddr;
use std::path::Path;

use toml::de::DeValue;

use super::{GatewaySettings, LocalAuth, RequestedLifetime};
use crate::error::{Error, Result};
use crate::request::check_name;
use crate::request::target::RootsChoice;
use crate::text::backquoted;
use crate::text::host::HostPort;
use crate::time::Seconds;

pub(super) fn parse_text<'a>(item: &'a DeValue<'_>) -> Result<&'a str> {
    match item {
        DeValue::String(text) => Ok(text),
        _ => Err(Error::usage("not a string").hint("write the value in quotes")),
    }
}

/// Reads the name of a user, a database or a profile.
pub(super) fn read_name(kind: &str, item: &DeValue<'_>) -> Result<String> {
    check_name(kind, parse_text(item)?.to_owned())
}

/// Reads `system`, `provider` or a path, which must not depend on where pgcred runs.
pub(super) fn read_roots(item: &DeValue<'_>) -> Result<RootsChoice> {
    match RootsChoice::parse(parse_text(item)?)? {
        RootsChoice::File(file) if !Path::new(&file).has_root() => Err(Error::usage(
            "the path of the file of root certificates is not absolute",
        )
        .hint("write the whole path of a file, or system, or provider")),
        choice => Ok(choice),
    }
}

pub(super) fn parse_sslmode(item: &DeValue<'_>) -> Result<String> {
    const MODES: [&str; 6] = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];
    let mode = parse_text(item)?;
    if MODES.contains(&mode) {
        Ok(mode.to_owned())
    } else {
        let mode = backquoted(mode);
        Err(Error::usage(format!("no such sslmode: {mode}"))
            .hint(format!("write one of {}", MODES.join(", "))))
    }
}

/// Reads the IP address that libpq dials instead of looking the host's name up.
pub(super) fn parse_hostaddr(item: &DeValue<'_>) -> Result<String> {
    match parse_text(item)?.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Error::usage("not an IP address").hint("write it like 127.0.0.1")),
    }
}

pub(super) fn parse_boolean(item: &DeValue<'_>) -> Result<bool> {
    match item.as_bool() {
        Some(value) => Ok(value),
        None => Err(Error::usage("not true or false").hint("write true or false, without quotes")),
    }
}

pub(super) fn read_port(item: &DeValue<'_>) -> Result<u16> {
    match read_integer(item).map(u16::try_from) {
        Some(Ok(number @ 1..)) => Ok(number),
        _ => Err(Error::usage("not a port").hint("write a number from 1 to 65535, without quotes")),
    }
}

/// Returns an integer; none if the value is something else, or larger than any that is allowed.
fn read_integer(item: &DeValue<'_>) -> Option<i64> {
    let number = item.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Returns an integer's or a text's text, for what may be written as either.
fn number_or_text(item: &DeValue<'_>) -> String {
    match (read_integer(item), item.as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(text)) => text.to_owned(),
        (None, None) => String::new(),
    }
}

pub(super) fn parse_lifetime(item: &DeValue<'_>) -> Result<RequestedLifetime> {
    match number_or_text(item).parse() {
        Ok(RequestedLifetime::Seconds(0)) => Err(invalid_duration()),
        parsed => parsed.map_err(Error::usage),
    }
}

pub(super) fn parse_seconds(item: &DeValue<'_>) -> Result<u32> {
    match number_or_text(item).parse() {
        Ok(Seconds(0)) => Err(invalid_duration()),
        Ok(Seconds(seconds)) => Ok(seconds),
        Err(reason) => Err(Error::usage(reason).hint("write it like 900, 90s, 15m, 12h or 7d")),
    }
}

fn invalid_duration() -> Error {
    Error::usage("0 s is too short").hint("write 1 s or more, like 900, 90s, 15m, 12h or 7d")
}

pub(super) fn parse_host(text: &str) -> Result<String> {
    let HostPort { host, port } = HostPort::parse(text)?;
    match port {
        None => Ok(host),
        Some(port) => {
            let hint = format!("write the name alone, and a line: port = {port}");
            Err(Error::usage("the host has a port").hint(hint))
        }
    }
}

/// Returns a host pattern in lower case. A pattern that is no host name, with a letter for each
/// `*`, would fit no host.
pub(super) fn parse_pattern(text: &str) -> Result<String> {
    let pattern = text.trim().to_ascii_lowercase();
    match HostPort::parse(&pattern.replace('*', "x")) {
        Ok(HostPort { port: None, .. }) => match pattern.strip_suffix('.') {
            Some(without_dot) => Ok(without_dot.to_owned()),
            None => Ok(pattern),
        },
        _ => Err(Error::usage(format!(
            "pattern {}: not the name of a host",
            backquoted(text)
        ))
        .hint("write a host name without a port, with * for any run of characters")),
    }
}

/// Reads where the local gateway listens: `{ port = 15432, socket = true, auth = "password" }`.
pub(super) fn parse_gateway(item: &DeValue<'_>) -> Result<GatewaySettings> {
    const HINT: &str = "write it like `proxy = { port = 15432 }`, with socket = true or \
                        auth = \"none\" if wanted";
    let Some(table) = item.as_table() else {
        return Err(Error::usage("not a table").hint(HINT));
    };
    let (mut port, mut socket, mut auth) = (None, false, LocalAuth::default());
    for (key, value) in table {
        let value = value.get_ref();
        let result = match key.get_ref().as_ref() {
            "port" => read_port(value).map(|value| port = Some(value)),
            "socket" => parse_boolean(value).map(|value| socket = value),
            "auth" => parse_text(value)
                .and_then(LocalAuth::parse)
                .map(|value| auth = value),
            _ => Err(Error::usage("no such key").hint("use one of the keys port, socket, auth")),
        };
        result.map_err(|error| error.about(&backquoted(key.get_ref())))?;
    }
    match port {
        Some(port) => Ok(GatewaySettings { port, socket, auth }),
        None => Err(Error::usage("port is missing").hint(HINT)),
    }
}
