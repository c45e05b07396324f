//! Where AWS credentials come from: the same answers as AWS CLI v2, and every way in which a source
//! fails.

#[cfg(unix)]
pub mod after_login;
#[cfg(unix)]
pub mod cause;
#[cfg(unix)]
pub mod causes;
#[cfg(unix)]
pub mod chain; // runs programs
#[cfg(unix)]
pub mod debug; // paths with slashes
#[cfg(unix)]
pub mod faults;
#[cfg(unix)]
pub mod identity;
#[cfg(unix)]
pub mod identity_trial;
#[cfg(unix)]
pub mod login;
#[cfg(unix)]
pub mod mfa;
#[cfg(unix)]
pub mod network;
#[cfg(unix)]
pub mod source_table;
pub mod sources;
pub mod vectors;
