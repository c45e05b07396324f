//! What a token says of itself, in clear: everything but the signature and the secrets.

use crate::time::Time;

/// The readable parts of a token. None of them is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenParts {
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) host: String,
    /// The only port that it is good for; `None` if it names no port.
    pub(crate) port: Option<u16>,
    /// The only user that it is good for; `None` if it names no user.
    pub(crate) user: Option<String>,
    pub(crate) region: String,
    /// The first letters of the access key, which tell its kind. The rest identifies the user.
    pub(crate) kind_of_key: String,
    pub(crate) issued_at: Time,
    /// The life that is signed, in seconds.
    pub(crate) life: u32,
}
