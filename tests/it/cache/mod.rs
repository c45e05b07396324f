//! Tokens between calls: when a cached token is an answer, how many callers wait for one that asks
//! AWS, where the cache's key is kept, and a week in the life of a cache on a set clock.

#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub mod secret_service;
pub mod tokens;
#[cfg(unix)]
pub mod week;
