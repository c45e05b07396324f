//! What is handed out: a token, when it was signed and until when it is good. Its text cannot be
//! printed by accident.

use std::fmt;

use crate::time::Time;

/// A database password for one host and user. No `Display`; `Debug` hides the text.
pub(crate) struct Token {
    text: String,
    pub(crate) issued_at: Time,
    /// When the server starts to refuse it: the end of its own life or of the credentials that
    /// signed it.
    pub(crate) expires_at: Time,
}

/// What a token is still good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Hand it out.
    Fresh,
    /// Renew it; hand it out if that fails.
    Stale,
    Expired,
}

/// Returns when to stop reusing a token: two thirds of its effective life.
pub(crate) fn refresh_after(issued_at: Time, expires_at: Time) -> Time {
    let life = issued_at.until(expires_at);
    issued_at.plus(life / 3 * 2 + life % 3 * 2 / 3)
}

/// One issued in the future was made before the clock was set back: whether it is dead cannot be
/// known, so it is.
pub(crate) fn age(issued_at: Time, expires_at: Time, now: Time) -> Age {
    const SKEW: u32 = 300;
    if expires_at <= now || now.plus(SKEW) < issued_at {
        Age::Expired
    } else if refresh_after(issued_at, expires_at) <= now {
        Age::Stale
    } else {
        Age::Fresh
    }
}

impl Token {
    pub(crate) fn new(text: String, issued_at: Time, expires_at: Time) -> Self {
        Self {
            text,
            issued_at,
            expires_at,
        }
    }

    /// Returns the secret. Callers hand it to the user or to the passfile, and to nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn refresh_after(&self) -> Time {
        refresh_after(self.issued_at, self.expires_at)
    }

    pub(crate) fn age(&self, now: Time) -> Age {
        age(self.issued_at, self.expires_at, now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
