//! Setting up tools, schedulers and the installation: files before and after, byte for byte, and
//! commands as tools run them.

#[cfg(target_os = "linux")]
pub mod fixtures;
#[cfg(target_os = "linux")]
pub mod install; // compares homes, as setup does
#[cfg(target_os = "linux")]
pub mod kubernetes; // reads schemas by Python
#[cfg(target_os = "linux")]
pub mod schedulers;
#[cfg(target_os = "linux")]
pub mod setup;
#[cfg(target_os = "linux")]
pub mod setup_commands;
#[cfg(target_os = "linux")]
pub mod setup_terminal;
#[cfg(target_os = "linux")]
pub mod setup_undo;
#[cfg(windows)]
pub mod task_scheduler;
