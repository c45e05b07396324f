//! Why there are no credentials: an error, or a login that is missing.

use super::plan::Start;
use crate::error::Error;

/// Why there are no credentials.
pub(super) enum Trouble {
    Failed(Error),
    /// Somebody has to log in.
    LogIn(Box<LogIn>),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The login that is missing.
#[derive(Clone)]
pub(super) struct LogIn {
    pub(super) kind: Kind,
    pub(super) profile: String,
    /// Says what is wrong with the old one.
    pub(super) why: String,
    /// The token that AWS did not take, though by its time it is good.
    pub(super) revoked: Option<String>,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// IAM Identity Center.
    Sso(Start),
    /// `aws login`: the session's name, an ARN.
    SignIn(String),
}

impl From<LogIn> for Trouble {
    fn from(missing: LogIn) -> Self {
        Self::LogIn(Box::new(missing))
    }
}
