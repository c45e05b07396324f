//! Shell hooks and prompt snippets, each in the real shell or program that runs them.

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
