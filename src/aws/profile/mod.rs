//! Reads the user's AWS profiles, by the rules of the AWS CLI.
//!
//! ```text
//! ~/.aws/config, ~/.aws/credentials
//!     |
//!   files          finds and merges the two, and says which profiles there are
//!     |
//!     +--> ini             their syntax: sections, keys, values
//!     +--> command_line    splits the command lines in them into words
//! ```

pub(crate) mod command_line;
pub(crate) mod files;
pub(crate) mod ini;
