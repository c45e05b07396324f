//! Hostile names, other users of the machine, scarce resources, and every system call that fails
//! once.

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
