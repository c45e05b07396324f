//! A verifying stand-in for Aurora DSQL and RDS IAM logins: a TLS front of a real PostgreSQL that
//! checks the token.
//!
//! It shares no code with any AWS crate or with pgcred, so it judges independently whether what
//! pgcred signs is right. It is for tests and demonstrations only: every program on the machine can
//! connect, and only the token is checked.

mod clock;
mod config;
mod events;
mod refusal;
mod relay;
mod server;
mod session;
mod setfilter;
pub mod sigv4;
mod startup;
mod tls;
mod token;
mod upstream;
mod verify;
mod wire;

pub use clock::{amz_date, unix_seconds};
pub use config::{Config, Key, Listen};
pub use events::Event;
pub use refusal::Refusal;
pub use server::Standin;
pub use token::Token;
pub use upstream::Upstream;
pub use verify::{Expect, Kind, verify};
