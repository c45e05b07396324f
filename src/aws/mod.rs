//! Makes AWS an authority: finds its credentials and regions as AWS CLI v2 does, and signs tokens
//! with them. This directory is the only user of the clients of AWS's services.
//!
//! ```text
//! authority --> identity --> planned_profile --> plan        which source and roles, without I/O
//!                  |                          settings    variables and the two shared files
//!                  |
//!                  +------> blocking --> execute     carries the plan out
//!                  |                     source      one file for each source of credentials
//!                  |                     login       what to do if a login is missing
//!                  v
//!               signer --> sigv4                     presigned requests
//!
//! resolution   what one resolution needs: clients of services, the deadline, the notes
//! cli_cache    the files that the AWS CLI keeps between its runs
//! profile      the two shared files; environment: the table of AWS's variables
//! service      addresses of services, and their refusals
//! access       policies that allow a login, with the ARNs and the commands that find them
//! api          questions to control planes: the state of a server, the caller, policies, the clock
//! credentials  what all credentials have in common: fields, the time left, the last check
//! region       the names of regions: what a user may type; known_regions: those that exist
//! partition    the names of AWS's hosts in each of its partitions
//! known_service   the services of which more is known than how a token is signed
//! explanation  the plan in words, for `--debug`; signer_summary: the same as values, for `doctor`
//! token_parts  what a token says of itself; causes: why an error of AWS's ended a login
//! ```
//!
//! The locks are these: `sys::session_locks` has one for each login session, taken while a session
//! is made or renewed. The caller holds the lock of the identity above it (see `issue`); nothing is
//! locked below it.

mod access;
mod api;
mod authority;
mod blocking;
mod causes;
mod cli_cache;
mod credentials;
mod environment;
mod execute;
mod explanation;
mod identity;
mod known_regions;
mod known_service;
mod login;
mod partition;
mod plan;
mod planned_profile;
mod profile;
mod region;
mod resolution;
mod service;
mod settings;
mod signer;
mod signer_summary;
mod sigv4;
mod source;
mod token_parts;

use std::path::PathBuf;

use crate::error::Result;
pub(crate) use authority::AUTHORITY;
pub(crate) use environment::VARIABLES;
pub(crate) use region::may_be_region;

/// Returns the names of the profiles, in the order of the files.
pub(crate) fn profile_names() -> Result<Vec<String>> {
    profile::files::profile_names()
}

/// Returns the files of settings that AWS's tools share.
pub(crate) fn setting_files() -> Vec<PathBuf> {
    profile::files::shared_file_paths()
        .into_iter()
        .flatten()
        .collect()
}
