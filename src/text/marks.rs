//! The two lines that pgcred puts around its own lines in a file of the user's: a passfile, a
//! service file, a crontab. Every version of pgcred has begun them with these words.

/// What the first line of pgcred's block begins with; what follows on the line is an explanation.
pub(crate) const BLOCK_BEGIN: &str = "# pgcred begin";

/// The last line of pgcred's block.
pub(crate) const BLOCK_END: &str = "# pgcred end";
