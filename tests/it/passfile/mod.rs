//! The passfile on a real disk: what pgcred changes in it, other programs that write it at the same
//! time, full disks, and files that a killed pgcred leaves.

#[cfg(target_os = "linux")]
pub mod disks;
#[cfg(target_os = "linux")]
pub mod editors; // slows pgcred down with strace
#[cfg(unix)]
pub mod leftovers;
#[cfg(unix)]
pub mod managed;
