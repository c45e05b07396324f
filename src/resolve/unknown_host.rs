//! Makes the error for a host that no provider serves, with a hint at what the user may have meant.
//!
//! It is pure. The hint is the first that fits: a connection with nearly the same name, a login
//! policy or `help` in the wrong place, a cluster ID of a wrong length, a tunnel, a connection to
//! be made.

use crate::authority::LoginPolicy;
use crate::config::Config;
use crate::error::Error;
use crate::provider;
use crate::text::backquoted;
use crate::text::suggest;

/// Returns the error for a host that no provider serves. `typed_target` is the text that the
/// host came from.
pub(super) fn unknown_host(host: &str, typed_target: Option<&str>, config: &Config) -> Error {
    // A URI may hold a password, so that only the host itself is shown as it was typed.
    let shown = match typed_target.map(str::trim) {
        Some(typed_target) if typed_target.eq_ignore_ascii_case(host) => typed_target,
        _ => host,
    };
    Error::no_target(format!(
        "{} is not a configured connection, a cluster ID, or a host name of {}",
        backquoted(shown),
        provider::titles()
    ))
    .hint(hint_at_target(host, shown, config))
}

/// Returns the error for a connection whose host no provider serves.
pub(super) fn unknown_host_of(connection: &str, host: &str) -> Error {
    Error::no_target(format!(
        "{} is not a host name of {}",
        backquoted(host),
        provider::titles()
    ))
    .hint(format!(
        "if it is a tunnel or a CNAME, add `sign_host = \"HOST\"` to [connections.{connection}], \
         with the server's own host name; else add `provider`{}",
        region_key()
    ))
}

fn hint_at_target(host: &str, typed_target: &str, config: &Config) -> String {
    let mut names = Vec::new();
    for connection in &config.connections {
        names.push(connection.name.as_str());
    }
    if let Some(nearest) = suggest::nearest_word(typed_target, names.iter().copied()) {
        return format!("did you mean the connection `{nearest}`?");
    }
    if let Ok(policy) = LoginPolicy::parse(host) {
        return format!("write the login policy as --login={}", policy.as_str());
    }
    if host == "help" {
        return "run `pgcred COMMAND --help` for help on a command".to_owned();
    }
    if let Some(mistake) = provider::id_mistake(host) {
        return mistake;
    }
    let tunnel = tunnel_hint();
    if host.contains('.') {
        return tunnel;
    }
    if names.is_empty() {
        return format!(
            "to make a connection of that name, run `pgcred add {host} HOST --profile PROFILE`; \
             {tunnel}"
        );
    }
    let listed = suggest::list_names(&names);
    format!("name one of the connections {listed}; {tunnel}")
}

/// Returns what to add if the host is a tunnel or another name of the server.
pub(crate) fn tunnel_hint() -> String {
    format!(
        "if it is a tunnel or a CNAME, add --sign-host HOST; if it is a database whose host pgcred \
         does not recognize, add --provider {}{}",
        provider::names("|"),
        region_option()
    )
}

/// Returns how a hint that names `--provider` goes on: which authorities also need a region.
fn region_option() -> String {
    with_region("--region REGION")
}

/// Returns the same for a hint that names the key `provider`.
fn region_key() -> String {
    with_region("`region`")
}

fn with_region(region: &str) -> String {
    let mut titles = Vec::new();
    for authority in provider::authorities() {
        if authority.regions().is_some() {
            titles.push(authority.title());
        }
    }
    match titles.as_slice() {
        [] => String::new(),
        _ => format!(", and for {} {region}", titles.join(" and ")),
    }
}
