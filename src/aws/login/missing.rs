//! Why there are no credentials: an error, or a login that is missing.

use crate::aws::plan::SsoSession;
use crate::error::Error;

/// Why there are no credentials.
pub(crate) enum Unresolved {
    Failed(Error),
    /// Somebody has to log in.
    MissingLogin(Box<MissingLogin>),
}

impl From<Error> for Unresolved {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The login that is missing.
#[derive(Clone)]
pub(crate) struct MissingLogin {
    pub(crate) kind: LoginKind,
    pub(crate) profile: String,
    /// Says what is wrong with the old one.
    pub(crate) why: String,
    /// The token that AWS did not take, though by its time it is good.
    pub(crate) revoked: Option<String>,
}

#[derive(Clone)]
pub(crate) enum LoginKind {
    /// IAM Identity Center.
    Sso(SsoSession),
    /// `aws login`: the session's name, an ARN.
    SignIn(String),
}

impl From<MissingLogin> for Unresolved {
    fn from(missing: MissingLogin) -> Self {
        Self::MissingLogin(Box::new(missing))
    }
}
