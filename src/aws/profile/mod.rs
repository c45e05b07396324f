//! The user's AWS profiles: the two shared files, their syntax, and the command lines in them.

pub(crate) mod files;
pub(crate) mod ini;
pub(crate) mod words;
