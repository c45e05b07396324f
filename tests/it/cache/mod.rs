//! Cached tokens: when pgcred uses one, how many callers wait for one that asks AWS, where the key
//! of the cache is kept, and a week in the life of a cache on a clock that the test sets.

#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub mod secret_service;
pub mod tokens;
#[cfg(unix)]
pub mod week;
