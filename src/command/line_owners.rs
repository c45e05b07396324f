//! Decides which connection owns a line of the passfile, if several connections have the same host,
//! port and user: the one that is first in the configuration.

use std::collections::BTreeMap;
use std::fmt;

use super::preferences::Preferences;
use crate::error::Error;
use crate::passfile::block::PassfileLine;
use crate::request::Request;

/// A line of the passfile that two connections need. The earlier one owns it.
pub(super) struct LineConflict {
    pub(super) later: String,
    pub(super) owner: String,
    line: PassfileLine,
}

/// Names both connections, and says what to type for the later one.
impl fmt::Display for LineConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { later, owner, line } = self;
        write!(
            f,
            "`{later}` and `{owner}` are both {line}; the passfile holds the token of `{owner}`, \
             which is first in the configuration; for `{later}` use `pgcred exec {later} -- \
             COMMAND`"
        )
    }
}

impl LineConflict {
    /// Returns the error for a connection whose tokens the passfile cannot hold.
    pub(super) fn refusal(&self) -> Error {
        let Self { later, owner, line } = self;
        Error::usage(format!(
            "{later}: the passfile's line for {line} belongs to `{owner}`, which is first in \
             the configuration"
        ))
        .hint(format!(
            "run `pgcred exec {later} -- COMMAND` or `pgcred token {later}`, which need no passfile"
        ))
    }
}

/// Marks in each request the lines that an earlier request owns. The requests are in the order of
/// the configuration.
pub(super) fn assign_line_owners(requests: &mut [(String, Request)]) -> Vec<LineConflict> {
    let mut owners: BTreeMap<PassfileLine, String> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for (name, request) in requests {
        for line in request.dialled_lines().collect::<Vec<_>>() {
            if line.user.is_empty() {
                continue; // the token names the user, so that it has another line
            }
            match owners.get(&line) {
                Some(owner) if owner != name => {
                    conflicts.push(LineConflict {
                        later: name.clone(),
                        owner: owner.clone(),
                        line: line.clone(),
                    });
                    request.lines_of_others.push(line);
                }
                Some(_) => {}
                None => drop(owners.insert(line, name.clone())),
            }
        }
    }
    conflicts
}

/// Marks the lines that earlier connections own in the request of one connection.
pub(super) fn assign_line_owners_of(
    name: &str,
    request: Request,
    preferences: &Preferences,
) -> (Request, Vec<LineConflict>) {
    let mut requests = earlier_connections(name, preferences);
    requests.push((name.to_owned(), request));
    let mut conflicts = assign_line_owners(&mut requests);
    conflicts.retain(|conflict| conflict.later == name);
    let (_, request) = requests.remove(requests.len() - 1);
    (request, conflicts)
}

/// Tells whether an earlier connection owns this line.
pub(super) fn is_owned_by_another(
    name: &str,
    line: &PassfileLine,
    preferences: &Preferences,
) -> bool {
    if preferences.config.connection(name).is_none() || line.user.is_empty() {
        return false;
    }
    for connection in &preferences.config.connections {
        if connection.name == name {
            break;
        }
        if let Ok(request) = preferences.connection(&connection.name)
            && request
                .dialled_lines()
                .any(|dialled_line| dialled_line == *line)
        {
            return true;
        }
    }
    false
}

/// Returns the requests of the connections before this one.
fn earlier_connections(name: &str, preferences: &Preferences) -> Vec<(String, Request)> {
    let mut earlier = Vec::new();
    for connection in &preferences.config.connections {
        if connection.name == name {
            break;
        }
        if let Ok(request) = preferences.connection(&connection.name) {
            earlier.push((connection.name.clone(), request));
        }
    }
    earlier
}
