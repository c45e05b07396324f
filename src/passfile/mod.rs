//! Reads and edits libpq's passfile (`~/.pgpass`), as bytes: nothing here reads or writes files.
//!
//! ```text
//! bytes --block--> pgcred's entries + the user's bytes --change--> --render--> bytes
//!                        |
//!                       line    splitting, matching and escaping as libpq does
//!       --survey--> remarks     the user's lines that a client cannot read, or that hide an entry
//!       --libpq_match--> a line     the one that libpq takes, or that nearly matches
//! ```
//!
//! The user's bytes stay as they are. A block that somebody has damaged is an error that names the
//! line; pgcred does not guess whose a line is.

pub(crate) mod block;
pub(crate) mod libpq_match;
pub(crate) mod line;
pub(crate) mod survey;

#[cfg(test)]
mod tests;
