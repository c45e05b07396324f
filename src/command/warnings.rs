//! What may be wrong with a connection that can be kept all the same: `add` and `setup` say it, and
//! no other command.

use super::preferences::Preferences;
use crate::aws;
use crate::passfile::block::PassfileKey;
use crate::request::Request;
use crate::roots;
use crate::text::host;
use crate::text::suggest;

/// Says each doubt about these connections once.
pub(super) fn say(connections: &[(&str, &Request)], preferences: &Preferences) {
    let mut said = Vec::new();
    for (name, request) in connections {
        let doubts = [
            of_tunnel(name, request),
            of_address(name, request),
            roots::doubt(request),
        ];
        for doubt in doubts
            .into_iter()
            .flatten()
            .filter(|doubt| !said.contains(doubt))
            .collect::<Vec<_>>()
        {
            preferences.output.warn(&doubt);
            said.push(doubt);
        }
    }
}

/// A tunnel that is dialled by this machine's own name, which no server's certificate holds.
fn of_tunnel(name: &str, request: &Request) -> Option<String> {
    let (host, signed) = (&request.host, &request.sign_host);
    let is_in_vain =
        host::is_loopback(host) && host != signed && request.sslmode() == "verify-full";
    is_in_vain.then(|| {
        format!(
            "{name}: {host} cannot be verified: the server's certificate is for {signed}; keep host={signed} and add \
             hostaddr=127.0.0.1"
        )
    })
}

/// An address of the user's own whose server nobody verifies by its name.
fn of_address(name: &str, request: &Request) -> Option<String> {
    let address = request.option("hostaddr")?;
    let sslmode = request.sslmode();
    (sslmode != "verify-full").then(|| {
        format!(
            "{name}: whoever answers at {address} may get the token: sslmode={sslmode} does not verify that it is {}; \
             verify-full does",
            request.host
        )
    })
}

/// An alias that is this machine itself, where any program may listen.
pub(super) fn of_alias(name: &str, request: &Request) -> Option<String> {
    let PassfileKey {
        host: alias, port, ..
    } = request
        .aliases
        .iter()
        .find(|alias| host::is_loopback(&alias.host))?;
    let host = &request.sign_host;
    Some(format!(
        "{name}: a client that dials {alias}:{port} cannot verify the server, so whatever program listens there gets the \
         token; a client of libpq can dial \"host={host} hostaddr=127.0.0.1 port={port}\" instead"
    ))
}

/// A profile that the AWS files do not have yet.
pub(super) fn of_profile(name: &str) -> Option<String> {
    let profiles = aws::profile_names()
        .ok()
        .filter(|profiles| !profiles.iter().any(|known| known == name))?;
    let meant = suggest::nearest(name, profiles.iter().map(String::as_str));
    let meant = meant
        .map(|meant| format!("; did you mean `{meant}`?"))
        .unwrap_or_default();
    Some(format!("there is no AWS profile `{name}` yet{meant}"))
}
