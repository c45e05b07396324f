//! Real clients and real sessions of psql, with tokens that a server has checked.
//!
//! ```text
//! a client of tests/clients  ──TLS, token──▶  tests/standin  ──▶  PostgreSQL
//!     ▲ passfile, URL, command or variables       checks signature, host, expiry and user
//!   pgcred
//! ```
//!
//! `minted` has services whose own programs mint the tokens: there the stand-in asks a ledger.
//!
//! Names, certificates and the home directory are mounted over those of the system, so that a
//! client sees a machine as a user has it. That needs root.

#[cfg(target_os = "linux")]
pub mod matrix; // mounts, as disks does
#[cfg(target_os = "linux")]
mod mcp;
#[cfg(target_os = "linux")]
pub mod minted;
#[cfg(target_os = "linux")]
mod picture;
#[cfg(target_os = "linux")]
pub mod programs;
#[cfg(target_os = "linux")]
pub mod sessions;
