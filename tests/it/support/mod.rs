//! What several areas share: a home, a desktop, a terminal, a cluster, services.
//!
//! ```text
//! needs      what a test needs, and how it is skipped
//! sandbox    a home, an environment and the real pgcred; everything below builds on it
//!   desk     a desktop: terminal, browser, notifications, `aws`
//!   tmux     a terminal that a test types at and reads
//!   cluster  a machine whose clusters' names lead to the stand-in, in front of `postgres`
//! greeter    a server that lets everybody in, behind the stand-in
//! stubs      AWS's services, as programs of tests/stubs
//! owners     files of other users, and programs that run as they
//! sources    the text of the project's own files
//! splitters  how tools split a command line
//! tools      the tools that are set up by files
//! ```

#[cfg(target_os = "linux")]
pub mod cluster;
#[cfg(unix)]
pub mod desk;
pub mod greeter;
pub mod needs;
#[cfg(unix)]
pub mod owners;
#[cfg(target_os = "linux")]
pub mod postgres;
pub mod sandbox;
pub mod sources;
#[cfg(target_os = "linux")]
pub mod splitters;
#[cfg(unix)]
pub mod stubs;
#[cfg(target_os = "linux")]
pub mod tmux;
#[cfg(unix)]
pub mod tools;
