//! The passfile on a real disk: other writers, full disks, killed runs, and what they leave.

#[cfg(target_os = "linux")]
pub mod disks;
#[cfg(target_os = "linux")]
pub mod editors; // slows pgcred down with strace
#[cfg(unix)]
pub mod leftovers;
#[cfg(unix)]
pub mod managed;
