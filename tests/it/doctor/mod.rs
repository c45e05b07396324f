//! `pgcred doctor`: for each check a home in which it finds a fault, and one in which all is fine.
//!
//! `local` has the checks of this machine, `of_target` those that compare it with one target; none
//! of them needs a network or AWS credentials. `credentials` has those of credentials and tokens.

#[cfg(unix)]
pub mod credentials;
#[cfg(unix)]
pub mod fixture;
#[cfg(unix)]
pub mod local;
#[cfg(unix)]
pub mod of_target;
