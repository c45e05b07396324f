//! What the tests share: a sandbox for the program, stub services, a desktop, a terminal and a
//! PostgreSQL server.

#[cfg(target_os = "linux")]
pub mod cluster;
#[cfg(unix)]
pub mod desk;
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
