//! The local gateway, `pgcred proxy`, between real clients and a stand-in that verifies tokens in
//! front of a real PostgreSQL.
//!
//! ```text
//! psql, psycopg  ──local password──▶  pgcred proxy  ──TLS, token──▶  tests/standin  ──▶ PostgreSQL
//! ```
//!
//! `fixture` starts a gateway on a free port and ends it.

mod fixture;
mod offered;
mod sessions;
