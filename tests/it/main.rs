//! The one test binary: the real pgcred in an empty environment, with fakes that are programs.

#![expect(
    clippy::disallowed_methods,
    reason = "the owners are those of src; tests make files themselves"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a test tells one story from beginning to end"
)]

mod cache;
mod clients;
mod commands;
mod credentials;
#[cfg(unix)]
mod discover;
mod doctor;
mod gateway;
mod hardening;
#[cfg(target_os = "linux")]
mod packaging;
mod passfile;
mod rules;
mod shells;
mod support;
mod tools;
