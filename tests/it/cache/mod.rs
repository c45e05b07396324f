//! Cached tokens: when pgcred uses one (`tokens`, `identities`), how many callers wait for one that
//! asks AWS (`callers`), the pause after a failure (`pauses`), where the key of the cache is kept,
//! and a week in the life of a cache on a clock that the test sets.

pub mod callers;
pub mod identities;
pub mod pauses;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub mod secret_service;
pub mod source;
pub mod tokens;
#[cfg(unix)]
pub mod week;
