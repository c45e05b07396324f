//! The command line: every command's answers, refusals and exit codes, with the real program.

pub mod aws_emulation;
pub mod bad_input;
#[cfg(unix)]
pub mod configuration;
pub mod connections;
#[cfg(unix)]
pub mod exec;
#[cfg(unix)]
pub mod exec_renewal;
pub mod formats;
pub mod list;
pub mod newcomer;
pub mod refresh;
#[cfg(unix)]
pub mod roots;
#[cfg(unix)]
pub mod shell_variables;
pub mod warnings;
#[cfg(unix)]
pub mod watch;
