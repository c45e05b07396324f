//! `pgcred proxy`, the local gateway: real clients before it, the stand-in behind it.
//!
//! ```text
//! psql, psycopg, tokio-postgres  ──local password──▶  pgcred proxy  ──TLS, token──▶  stand-in
//!   clients, logins, traffic                              lifetime                   upstreams
//! bytes made by hand: packets                             sockets                    tokens
//!      wire                                               commands, offered
//! ```
//!
//! `machine` is the machine of all of them: a cluster as the tests of clients have it, with a
//! connection of Aurora DSQL and one of RDS that the gateway serves. `providers` has another one,
//! with the services whose own programs mint the tokens.

mod clients;
mod commands;
mod lifetime;
mod logins;
pub mod machine;
mod offered;
mod packets;
mod providers;
mod sockets;
mod tokens;
mod traffic;
mod upstreams;
mod wire;
