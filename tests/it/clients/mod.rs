//! Real clients and real sessions of psql against the verifying stand-in for Aurora DSQL and RDS.

#[cfg(target_os = "linux")]
pub mod matrix; // mounts, as disks does
#[cfg(target_os = "linux")]
mod picture;
#[cfg(target_os = "linux")]
pub mod programs;
#[cfg(target_os = "linux")]
pub mod sessions;
