//! The user's AWS profiles, by the rules of the AWS CLI.
//!
//! `files` finds and merges the two shared files, `ini` reads their syntax, and `words` splits the
//! command lines in them.

pub(crate) mod files;
pub(crate) mod ini;
pub(crate) mod words;
