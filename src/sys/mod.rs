//! Calls the operating system: for files, the environment, child processes, the terminal, signals
//! and limits. Each effect has one owner here, and everything else asks that owner.
//!
//! - `fs`: files, their locks and who may read them; `session_locks`: those of login sessions
//! - `child`: other programs; `browser`: the one that shows a login page
//! - `env`: variables and the user's directories; `paths`: pgcred's own files and directories
//! - `terminal`: standard input and questions to the user
//! - `dialog`: a conversation of several questions
//! - `signals`, `limits`: signals, and the limits of the process
//! - `host_names`: the addresses of a host; `socket_peer`: whose program is at the other end
//! - `inherited_sockets`: the listeners that a service manager has opened
//! - `typed_commands`: the commands that hints tell the user to type
//! - `libm`: replaces one function of C's library

pub(crate) mod browser;
pub(crate) mod child;
pub(crate) mod dialog;
pub(crate) mod env;
pub(crate) mod fs;
pub(crate) mod host_names;
#[cfg(unix)]
pub(crate) mod inherited_sockets;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod libm;
pub(crate) mod limits;
pub(crate) mod paths;
pub(crate) mod session_locks;
pub(crate) mod signals;
pub(crate) mod socket_peer;
pub(crate) mod terminal;
pub(crate) mod typed_commands;
