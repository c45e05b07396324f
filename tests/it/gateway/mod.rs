//! `pgcred proxy`, the local gateway: real clients before it, the stand-in behind it.
//!
//! ```text
//! psql, psycopg, tokio-postgres  ──local password──▶  pgcred proxy  ──TLS, token──▶  stand-in
//!   clients, logins, traffic                              lifetime                   upstreams
//! bytes made by hand: packets                             sockets                    tokens
//!      wire                       statement               commands, doctor, offered
//! ```
//!
//! `machine` is the machine of all of them: a cluster as the tests of clients have it, with a
//! connection of Aurora DSQL and one of RDS that the gateway serves. `providers` has another one,
//! with the services whose own programs mint the tokens. `anywhere` needs none, and runs on every
//! system. `adminer` is a tool that can only be given a password.

#[cfg(target_os = "linux")]
mod adminer;
mod anywhere;
#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod doctor;
#[cfg(target_os = "linux")]
mod lifetime;
#[cfg(target_os = "linux")]
mod logins;
#[cfg(target_os = "linux")]
pub mod machine;
#[cfg(target_os = "linux")]
mod offered;
#[cfg(target_os = "linux")]
mod packets;
#[cfg(target_os = "linux")]
mod providers;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod statement;
#[cfg(target_os = "linux")]
mod tokens;
#[cfg(target_os = "linux")]
mod traffic;
#[cfg(target_os = "linux")]
mod upstreams;
#[cfg(target_os = "linux")]
mod wire;
