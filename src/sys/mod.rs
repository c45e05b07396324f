//! The operating system: files, the environment, child processes, the terminal, signals and limits.
//! Each effect has one owner here, and everything else asks that owner.

pub(crate) mod child;
pub(crate) mod env;
pub(crate) mod fs;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod libm;
pub(crate) mod limits;
pub(crate) mod paths;
pub(crate) mod signals;
pub(crate) mod terminal;
