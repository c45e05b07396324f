//! Names AWS's services for all that asks them, and reports their refusals.
//!
//! ```text
//! aws::source, aws::login, aws::api
//!     |
//!     +--> endpoints    which service: its name, and the address that a user may have set
//!     |        |
//!     |        v
//!     |    the call, over the client of crate::http
//!     |        |
//!     |        v  if it fails
//!     +--> refusal      the error: what was refused and why, or why there was no answer
//! ```

pub(crate) mod endpoints;
pub(crate) mod refusal;
