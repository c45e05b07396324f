//! The passfile on a real disk: what pgcred changes in it and what it keeps, other programs that
//! write it at the same time, full disks, and what killed runs leave.

#[cfg(target_os = "linux")]
pub mod disks;
#[cfg(target_os = "linux")]
pub mod editors; // slows pgcred down with strace
#[cfg(unix)]
pub mod leftovers;
#[cfg(unix)]
pub mod managed;
