//! The one test binary: the real pgcred in an empty environment, with fakes that are programs.

#![expect(clippy::disallowed_methods, reason = "the owners are those of src; tests make files themselves")]

mod bad_input;
mod cache;
mod connections;
mod credentials;
#[cfg(target_os = "linux")]
mod disks;
#[cfg(unix)]
mod exec;
mod formats;
#[cfg(unix)]
mod passfile;
#[cfg(unix)]
mod policy; // runs cargo
#[cfg(unix)]
mod postgres;
mod sandbox;
#[cfg(unix)]
mod sessions;
mod source;
mod vectors;
