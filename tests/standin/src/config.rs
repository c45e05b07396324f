//! What a caller may choose: the keys that are known, the real server, and the stand-in's temper.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::Upstream;

/// One access key the stand-in knows, as AWS would.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub access_key_id: String,
    pub secret_access_key: String,
    #[serde(default)]
    pub session_token: Option<String>,
    /// Unix time from which the credentials are dead, and every token they signed with them.
    #[serde(default)]
    pub expires_at: Option<u64>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How a stand-in is to behave; `Default` is a free port in front of `127.0.0.1:5432` with no key known.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub keys: Vec<Key>,
    pub upstream: Upstream,
    /// The port to listen on at 127.0.0.1; 0 takes a free one.
    pub listen: u16,
    /// The port an RDS token must name; the listening port unless told.
    pub public_port: Option<u16>,
    /// Refuse to set parameters that are not on DSQL's allow-list.
    pub reject_set: bool,
    /// Seconds added to the wall clock.
    pub clock_offset: i64,
    /// Freezes the clock at this Unix time.
    pub now: Option<u64>,
    /// Ends every session that has lasted this long.
    pub session_limit: Option<Duration>,
    /// Appends one JSON line per log-in attempt to this file.
    pub log: Option<PathBuf>,
}
