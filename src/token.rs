//! What is handed out: a token, when it was signed and until when it is good. Its text cannot be printed by accident.

use std::fmt;

use crate::time::Time;

/// A database password for one host and user. No `Display`; `Debug` hides the text.
pub(crate) struct Token {
    text: String,
    pub(crate) issued_at: Time,
    /// When the server starts to refuse it: the end of its own life or of the credentials that signed it.
    pub(crate) expires_at: Time,
}

impl Token {
    pub(crate) fn new(text: String, issued_at: Time, expires_at: Time) -> Self {
        Self { text, issued_at, expires_at }
    }

    /// Returns the secret. Callers hand it to the user or to the passfile, and to nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// Returns when to stop reusing it: two thirds of its effective life.
    pub(crate) fn refresh_after(&self) -> Time {
        let life = self.issued_at.until(self.expires_at);
        self.issued_at.plus(life / 3 * 2 + life % 3 * 2 / 3)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
