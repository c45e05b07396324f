//! Tests of the stand-in: published tokens against its rules, broken tokens against its hints,
//! clients against the server.

mod answers;
mod dial;
mod faces;
mod faults;
mod rules;
mod server;
mod strict;
mod support;
mod vectors;
