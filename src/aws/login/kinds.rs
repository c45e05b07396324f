//! Defines the kinds of login that AWS has, and all that differs between them: one `impl` for each.
//!
//! `missing` says which one is missing, and `mod` has the user do it. Neither knows a kind.

use crate::aws::cli_cache::sign_in;
use crate::aws::plan::SsoSession;

/// The login that a source rests on.
#[derive(Clone)]
pub(crate) enum LoginKind {
    /// IAM Identity Center.
    Sso(SsoSession),
    /// `aws login`.
    SignIn(ConsoleSession),
}

/// The name of a session of `aws login`: an ARN.
#[derive(Clone)]
pub(crate) struct ConsoleSession(pub(crate) String);

impl LoginKind {
    /// Returns what this kind has of its own. The compiler asks for the arm of a new one.
    pub(super) fn procedure(&self) -> &dyn LoginProcedure {
        match self {
            Self::Sso(session) => session,
            Self::SignIn(session) => session,
        }
    }
}

/// What pgcred has to know of a login.
pub(super) trait LoginProcedure {
    /// Returns what the user types, without the profile.
    fn typed_command(&self) -> &'static str;

    /// Returns the command of AWS CLI v2 that logs in, without the profile.
    fn command_of_cli(&self) -> &'static [&'static str];

    /// Returns the name of the session, which several profiles may share. Locks go by it.
    fn id(&self) -> String;

    /// Tells whether the user has logged in, with another token than the one that was revoked.
    fn is_done(&self, revoked: Option<&str>) -> bool;

    /// Returns the session that pgcred can log in to by itself, where there is no AWS CLI.
    fn device_session(&self) -> Option<&SsoSession>;
}

impl LoginProcedure for SsoSession {
    /// pgcred has the AWS CLI do it, where that can.
    fn typed_command(&self) -> &'static str {
        "pgcred login"
    }

    fn command_of_cli(&self) -> &'static [&'static str] {
        &["aws", "sso", "login"]
    }

    fn id(&self) -> String {
        self.id()
    }

    fn is_done(&self, revoked: Option<&str>) -> bool {
        self.is_open(revoked)
    }

    fn device_session(&self) -> Option<&SsoSession> {
        Some(self)
    }
}

impl LoginProcedure for ConsoleSession {
    fn typed_command(&self) -> &'static str {
        "aws login"
    }

    fn command_of_cli(&self) -> &'static [&'static str] {
        &["aws", "login"]
    }

    fn id(&self) -> String {
        sign_in::session_id(&self.0)
    }

    fn is_done(&self, _: Option<&str>) -> bool {
        sign_in::is_open(&self.0)
    }

    fn device_session(&self) -> Option<&SsoSession> {
        None
    }
}
