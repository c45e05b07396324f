//! Whose a line of the passfile is, where several connections are dialled at one host and port as
//! one user: the first one's in the configuration.

use std::collections::BTreeMap;
use std::fmt;

use super::preferences::Preferences;
use crate::error::Error;
use crate::passfile::block::PassfileKey;
use crate::request::Request;

/// A line that a later connection would have, were it not an earlier one's.
pub(super) struct Clash {
    pub(super) later: String,
    pub(super) owner: String,
    key: PassfileKey,
}

/// One line that names both, and what is left to do for the later one.
impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            later,
            owner,
            key: PassfileKey { host, port, user },
        } = self;
        write!(
            f,
            "`{later}` and `{owner}` are both {user}@{host}:{port}; the passfile holds the token of `{owner}`, which stands \
             first in the configuration; for `{later}` use `pgcred exec {later} -- COMMAND`"
        )
    }
}

impl Clash {
    /// Why nothing is filed for a connection that has no line of its own.
    pub(super) fn refusal(&self) -> Error {
        let Self {
            later,
            owner,
            key: PassfileKey { host, port, user },
        } = self;
        let why = format!(
            "{later}: the passfile's line for {user}@{host}:{port} is that of `{owner}`, which stands first"
        );
        Error::usage(why).hint(format!(
            "pgcred exec {later} -- COMMAND, or pgcred token {later}; neither needs the passfile"
        ))
    }
}

/// Marks in each request the lines that an earlier one has; the requests are in the configuration's
/// order.
pub(super) fn settle(requests: &mut [(String, Request)]) -> Vec<Clash> {
    let mut owners: BTreeMap<PassfileKey, String> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (name, request) in requests {
        for key in request.dialled().collect::<Vec<_>>() {
            match owners.get(&key) {
                Some(owner) if owner != name => {
                    clashes.push(Clash {
                        later: name.clone(),
                        owner: owner.clone(),
                        key: key.clone(),
                    });
                    request.taken.push(key);
                }
                Some(_) => {}
                None => drop(owners.insert(key, name.clone())),
            }
        }
    }
    clashes
}

/// The same for one connection alone.
pub(super) fn settle_one(
    name: &str,
    request: Request,
    preferences: &Preferences,
) -> (Request, Vec<Clash>) {
    let mut requests: Vec<_> = earlier(name, preferences).collect();
    requests.push((name.to_owned(), request));
    let mut clashes = settle(&mut requests);
    clashes.retain(|clash| clash.later == name);
    let (_, request) = requests.remove(requests.len() - 1);
    (request, clashes)
}

/// Tells whether an earlier connection has this line.
pub(super) fn is_taken(name: &str, key: &PassfileKey, preferences: &Preferences) -> bool {
    preferences.config.connection(name).is_some()
        && earlier(name, preferences)
            .any(|(_, request)| request.dialled().any(|other| other == *key))
}

fn earlier(name: &str, preferences: &Preferences) -> impl Iterator<Item = (String, Request)> {
    let earlier = preferences
        .config
        .connections
        .iter()
        .take_while(move |connection| connection.name != name);
    earlier.filter_map(|earlier| {
        Some((
            earlier.name.clone(),
            preferences.connection(&earlier.name).ok()?,
        ))
    })
}
