//! The cache of tokens: one answer for many callers, its key in each keyring, and a week of its
//! life.

#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub mod secret_service;
pub mod tokens;
#[cfg(unix)]
pub mod week;
