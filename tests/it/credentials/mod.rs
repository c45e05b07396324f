//! Where AWS credentials come from: the same results as those of AWS CLI v2, and every way in which
//! a credentials source fails.
//!
//! ```text
//! vectors    the same signature as AWS's signers, byte for byte
//! chain      the same source, or the same refusal, as AWS CLI v2 in each recorded scenario
//! sources    what each source reads
//! network    proxies and TLS;   endpoints   addresses;   machine_services   metadata, containers
//! causes, causes_of_roles   each cause of a failure has its exit code and a hint
//! faults     broken services
//! identity   a change of who signs ends the cached token, and no other change does
//! login, mfa   what a user does at a terminal
//! device_login, background_login, after_login   a login in the browser, without a terminal, or
//!            outside of pgcred
//! ```

#[cfg(unix)]
pub mod after_login;
#[cfg(unix)]
pub mod background_login;
#[cfg(unix)]
pub mod cause;
#[cfg(unix)]
pub mod causes;
#[cfg(unix)]
pub mod causes_of_roles;
#[cfg(unix)]
pub mod chain; // runs programs
#[cfg(unix)]
pub mod debug; // paths with slashes
#[cfg(unix)]
pub mod device_login;
#[cfg(unix)]
pub mod endpoints;
#[cfg(unix)]
pub mod faults;
#[cfg(unix)]
pub mod identity;
#[cfg(unix)]
pub mod identity_trial;
#[cfg(unix)]
pub mod login;
#[cfg(unix)]
pub mod machine_services;
#[cfg(unix)]
pub mod mfa;
#[cfg(unix)]
pub mod network;
#[cfg(unix)]
pub mod source_table;
pub mod sources;
pub mod vectors;
