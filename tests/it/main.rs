//! The one test binary: the real pgcred in an empty environment, with fakes that are programs.

mod bad_input;
mod credentials;
mod formats;
#[cfg(unix)]
mod passfile;
#[cfg(unix)]
mod postgres;
mod sandbox;
#[cfg(unix)]
mod sessions;
mod source;
mod vectors;
