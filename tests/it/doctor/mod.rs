//! `pgcred doctor`: for each check a home in which it finds a fault, and one in which all is fine.
//!
//! `local` has the checks of this machine, `of_target` those that compare it with one target; none
//! of them needs a network or AWS credentials. `credentials` has those of credentials and tokens.
//! `network` and `answers` have those that ask the server: `server` is a stand-in for it. `aws` has
//! those that ask AWS. `deadlines` has what hangs, `sharing` what `--share` hides, `report` the
//! form of the report and the exit codes.

#[cfg(unix)]
mod answers;
#[cfg(unix)]
pub mod aws;
#[cfg(unix)]
pub mod credentials;
#[cfg(unix)]
mod deadlines;
#[cfg(unix)]
pub mod fixture;
#[cfg(unix)]
pub mod local;
#[cfg(unix)]
mod network;
#[cfg(unix)]
pub mod of_target;
#[cfg(unix)]
mod report;
#[cfg(unix)]
pub mod server;
#[cfg(unix)]
mod sharing;
