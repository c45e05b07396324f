//! Shell hooks and snippets for prompts, each in the real shell or program that runs it.
//!
//! `session` starts a shell in a terminal under strace, so that `hooks` and `untouched` see the
//! screen and every process that the shell starts.

#[cfg(target_os = "linux")]
pub mod due;
#[cfg(target_os = "linux")]
pub mod hooks; // counts processes with strace
#[cfg(target_os = "linux")]
pub mod prompts;
#[cfg(target_os = "linux")]
pub mod scripts;
#[cfg(target_os = "linux")]
pub mod session;
#[cfg(target_os = "linux")]
pub mod untouched;
