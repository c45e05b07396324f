//! Makes a connection of a target that is none yet: a tool that reads the passfile needs its token
//! kept fresh, and only connections are.

use crate::command::edits;
use crate::command::preferences::Preferences;
use crate::config::{self, Connection, RequestedLifetime};
use crate::error::Result;
use crate::provider;
use crate::request::Request;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::setup::{Machine, SetupEdit, Tool, ToolKind, ToolTarget};
use crate::text::host::HostPort;

/// Returns the targets that have to become connections for this tool.
pub(super) fn new_connections<'a>(tool: &Tool, targets: &'a [ToolTarget]) -> Vec<&'a ToolTarget> {
    let mut new = Vec::new();
    for target in targets {
        if tool.kind == ToolKind::Passfile && target.request.connection.is_none() {
            new.push(target);
        }
    }
    new
}

/// Returns the edit of pgcred's configuration that adds these targets, if there are any.
pub(super) fn edit_of_configuration(
    new: &[&ToolTarget],
    machine: &Machine,
    preferences: &Preferences,
) -> Result<Option<SetupEdit>> {
    if new.is_empty() {
        return Ok(None);
    }
    let mut connections = Vec::new();
    for target in new {
        connections.push(connection_of_request(&target.request, &target.name));
    }
    let edit = edits::edit_configuration(preferences, &machine.planned_files, |text| {
        config::change_connections(text, &connections, &[]).map_err(|error| {
            error.hint("name it with `pgcred add NAME HOST`, then run `pgcred setup TOOL NAME`")
        })
    });
    edit.map(Some)
}

/// Returns a request as the configuration keeps it: without what is the default anyway.
pub(super) fn connection_of_request(request: &Request, name: &str) -> Connection {
    let mut connection = Connection {
        name: name.to_owned(),
        target: address_of_request(request),
        roots: roots_of_request(request),
        profile: request.profile.clone(),
        region: request.region.clone(),
        ..Connection::default()
    };
    if connection.region == (request.provider.region_of)(&request.sign_host) {
        connection.region = None;
    }
    if provider::find_by_host(&request.sign_host).is_none() {
        connection.provider = Some(request.provider.name.to_owned());
    }
    if request.sign_host != request.host || request.sign_port != request.port {
        connection.sign_host = Some(HostPort {
            host: request.sign_host.clone(),
            port: Some(request.sign_port),
        });
    }
    if request.lifetime_seconds == request.provider.default_lifetime_seconds {
        connection.lifetime = None; // also if the provider allows no longer one
    } else if request.lifetime_seconds == request.provider.max_lifetime_seconds {
        connection.lifetime = Some(RequestedLifetime::Max);
    } else {
        connection.lifetime = Some(RequestedLifetime::Seconds(request.lifetime_seconds));
    }
    connection
}

fn address_of_request(request: &Request) -> TargetSpec {
    let mut address = TargetSpec {
        host: Some(request.host.clone()),
        user: (!request.user.is_empty()).then(|| request.user.clone()),
        ..TargetSpec::default()
    };
    if request.port != request.provider.default_port {
        address.port = Some(request.port);
    }
    if request.dbname != request.provider.dbname {
        address.dbname = Some(request.dbname.clone());
    }
    for (keyword, value) in &request.keywords {
        if config::keeps_keyword(keyword) {
            address.options.push((keyword.clone(), value.clone()));
        }
    }
    address
}

/// Returns the root certificates that were chosen, by pgcred's option or by libpq's `sslrootcert`.
fn roots_of_request(request: &Request) -> Option<RootsChoice> {
    if request.roots.is_some() {
        return request.roots.clone();
    }
    RootsChoice::parse(request.keyword("sslrootcert")?).ok()
}
