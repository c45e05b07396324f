//! Tests of the stand-in: published tokens against its rules, broken tokens against its hints,
//! clients against the server.

mod rules;
mod server;
mod support;
mod vectors;
