//! A verifying stand-in for Aurora DSQL and RDS IAM logins, and for services whose own programs
//! mint their tokens: a TLS front of a real PostgreSQL that checks the token.
//!
//! It shares no code with any AWS crate or with pgcred, so it judges independently whether what
//! pgcred signs is right. It is for tests and demonstrations only: every program on the machine can
//! connect, and only the token is checked.
//!
//! ```text
//!            ┌ faults: what goes wrong on the way (Config::fault)
//! client ────┴─▶ session ──▶ login ──▶ verify ──▶ answers ──▶ relay ──▶ PostgreSQL
//!                TLS         start-up   or faces   what a       dialect: what DSQL
//!                            password   token      right token  refuses (Config::strict)
//!                                                  is answered (Config::answer)
//! ```
//!
//! The name that a client asks for by SNI tells the service ([`Kind`]): Aurora DSQL, RDS or RDS
//! Proxy. Each has its rules for tokens, its certificates and its texts. A host in
//! [`Config::minted`] has the [`Face`] of another service: there a token is right if the service's
//! program has written it into the ledger. Three settings make it something else than a server that
//! works:
//!
//! - [`Config::strict`]: sessions of DSQL have only what DSQL has.
//! - [`Config::answer`]: a right token, and the server answers this. [`Answer`] has every text of
//!   the services by which a failing login is recognised.
//! - [`Config::fault`]: the server misbehaves on purpose. [`Fault`] has the ways.
//!
//! The last two can be changed while it runs ([`Standin::set_answer`], [`Standin::set_fault`]).

mod answers;
mod certificates;
mod clock;
mod config;
mod dialect;
mod events;
mod faces;
mod faults;
mod login;
mod passwords;
mod refusal;
mod relay;
mod server;
mod session;
pub mod sigv4;
mod startup;
mod table;
mod tls;
mod token;
mod upstream;
mod verify;
mod visit;
mod wire;

pub use answers::Answer;
pub use clock::{amz_date, unix_seconds};
pub use config::{Config, Key, Listen};
pub use events::Event;
pub use faces::{Face, Minted};
pub use faults::Fault;
pub use refusal::Refusal;
pub use server::Standin;
pub use token::Token;
pub use upstream::Upstream;
pub use verify::{Expect, Kind, verify};
