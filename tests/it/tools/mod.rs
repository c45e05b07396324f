//! `pgcred setup` for each tool, scheduler and service, and the installation of pgcred itself:
//! files before and after, byte for byte, and each command as the tool runs it.
//!
//! `fixtures` compares home directories for the tools whose files pgcred edits. `setup_commands`
//! runs the commands for the other tools, split into words as each tool splits them.

#[cfg(target_os = "linux")]
pub mod by_gateway;
#[cfg(target_os = "linux")]
pub mod fixtures;
#[cfg(target_os = "linux")]
pub mod install; // compares homes, as setup does
#[cfg(target_os = "linux")]
pub mod kubernetes; // reads schemas by Python
#[cfg(target_os = "linux")]
pub mod schedulers;
#[cfg(target_os = "linux")]
pub mod service;
#[cfg(target_os = "linux")]
pub mod setup;
#[cfg(target_os = "linux")]
pub mod setup_all;
#[cfg(target_os = "linux")]
pub mod setup_commands;
#[cfg(target_os = "linux")]
pub mod setup_guided;
#[cfg(target_os = "linux")]
pub mod setup_terminal;
#[cfg(target_os = "linux")]
pub mod setup_undo;
#[cfg(target_os = "linux")]
pub mod setup_users;
#[cfg(windows)]
pub mod task_scheduler;
