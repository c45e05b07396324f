//! Shell hooks and prompt snippets, each in the real shell or program that runs them.

#[cfg(target_os = "linux")]
pub mod hooks; // counts processes with strace
#[cfg(target_os = "linux")]
pub mod prompts;
