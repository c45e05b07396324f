//! What happens when something is hostile or fails: names and texts of others, other users of the
//! machine, resources that run out, and every system call, which fails once.
//!
//! Most of these tests give files to another user, which only root can do.

#[cfg(target_os = "linux")]
pub mod hostile;
#[cfg(target_os = "linux")]
pub mod memory;
#[cfg(target_os = "linux")]
pub mod private_directories;
#[cfg(target_os = "linux")]
pub mod root_and_groups;
#[cfg(target_os = "linux")]
pub mod scarcity; // refuses threads by strace
#[cfg(target_os = "linux")]
pub mod sweep;
#[cfg(unix)]
pub mod texts;
#[cfg(target_os = "linux")]
pub mod trust;
