//! Warns about a connection that can be kept in spite of that. `add` and `setup` print them, and no
//! other command.

use super::preferences::Preferences;
use crate::request::Request;
use crate::roots;
use crate::text::host;

/// Prints the warnings about these connections, each once.
pub(super) fn print_warnings(connections: &[(&str, &Request)], preferences: &Preferences) {
    for warning in warnings_about_connections(connections) {
        preferences.output.warn(&warning);
    }
}

/// Returns the warnings about these connections, each once.
pub(super) fn warnings_about_connections(connections: &[(&str, &Request)]) -> Vec<String> {
    let mut warnings_of_all = Vec::new();
    for (name, request) in connections {
        let warnings = [
            warning_about_tunnel(name, request),
            warning_about_address(name, request),
            roots::warning_about_own_file(request),
        ];
        for warning in warnings.into_iter().flatten() {
            if !warnings_of_all.contains(&warning) {
                warnings_of_all.push(warning);
            }
        }
    }
    warnings_of_all
}

/// Warns about a tunnel to which the client connects by this machine's own name, which no server's
/// certificate contains.
fn warning_about_tunnel(name: &str, request: &Request) -> Option<String> {
    let (host, sign_host) = (&request.host, &request.sign_host);
    if !host::is_loopback(host) || host == sign_host || request.sslmode() != "verify-full" {
        return None;
    }
    Some(format!(
        "{name}: {host} cannot be verified: the server's certificate is for {sign_host}; keep \
         host={sign_host} and add hostaddr=127.0.0.1"
    ))
}

/// Warns about an address that the user has chosen, if the client does not verify the server there
/// by its name.
fn warning_about_address(name: &str, request: &Request) -> Option<String> {
    let address = request.keyword("hostaddr")?;
    let sslmode = request.sslmode();
    if sslmode == "verify-full" {
        return None;
    }
    Some(format!(
        "{name}: any server at {address} can get the token: sslmode={sslmode} does not verify that \
         the server is {}; verify-full does",
        request.host
    ))
}

/// Warns about an alias that is this machine itself, where any program may listen.
pub(super) fn warning_about_alias(name: &str, request: &Request) -> Option<String> {
    let alias = request
        .aliases
        .iter()
        .find(|alias| host::is_loopback(&alias.host))?;
    let (alias, port) = (&alias.host, alias.port);
    let host = &request.sign_host;
    Some(format!(
        "{name}: a client that connects to {alias}:{port} cannot verify the server, so that any \
         program that listens there gets the token; a client of libpq can connect to \
         \"host={host} hostaddr=127.0.0.1 port={port}\" instead"
    ))
}
