//! Says why there are no credentials: because of an error, or because a login is missing. These are
//! plain values: how to log in is the job of the directory's other files.

use super::kinds::LoginKind;
use crate::error::Error;

/// Why there are no credentials.
pub(crate) enum UnresolvedCredentials {
    Failed(Error),
    /// The user has to log in.
    LoginNeeded(Box<MissingLogin>),
}

impl From<Error> for UnresolvedCredentials {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The login that is missing.
#[derive(Clone)]
pub(crate) struct MissingLogin {
    pub(crate) kind: LoginKind,
    pub(crate) profile: String,
    /// Why the previous login cannot be used.
    pub(crate) reason: String,
    /// The token that AWS has refused although it has not expired.
    pub(crate) revoked: Option<String>,
}

impl From<MissingLogin> for UnresolvedCredentials {
    fn from(missing_login: MissingLogin) -> Self {
        Self::LoginNeeded(Box::new(missing_login))
    }
}
