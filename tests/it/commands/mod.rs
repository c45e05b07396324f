//! The command line: every command's answers, refusals and exit codes, with the real program.

pub mod aws_emulation;
pub mod bad_input;
#[cfg(unix)]
pub mod configuration;
pub mod connections;
#[cfg(unix)]
pub mod exec;
pub mod formats;
pub mod newcomer;
#[cfg(unix)]
pub mod roots;
pub mod warnings;
