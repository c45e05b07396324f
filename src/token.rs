//! Defines a token: its text, which cannot be printed by accident, when it was issued, and when it
//! expires.
//!
//! A token is fresh at first, then stale, then expired. It is fresh for two thirds of its lifetime,
//! unless its authority says until when. All of this is by the wall clock, since the server's
//! decision is. It is pure: the time is an argument.

use std::fmt;

use crate::time::Time;

/// A database password for one host and user. No `Display`; `Debug` hides the text.
pub(crate) struct Token {
    text: String,
    pub(crate) issued_at: Time,
    /// When to stop reusing it.
    fresh_until: Time,
    /// When the server starts to refuse it: when its own lifetime ends, or when the credentials
    /// that signed it expire.
    pub(crate) expires_at: Time,
    /// The database user that the token is for, where it is the authority that names the user.
    pub(crate) user: Option<String>,
}

/// What a token is still good for, from the youngest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TokenAge {
    /// It is handed out as it is.
    Fresh,
    /// It is renewed, and handed out only if that fails.
    Stale,
    /// The server refuses it.
    Expired,
}

/// When a token was signed and when it ends, as far as a file or the index tells it.
#[derive(Clone, Copy)]
pub(crate) struct TokenTimes {
    /// `None` if nothing says it.
    pub(crate) issued_at: Option<Time>,
    /// When to stop reusing it; `None` if nothing says it.
    pub(crate) fresh_until: Option<Time>,
    pub(crate) expires_at: Time,
}

/// Returns when to stop reusing a token of which nothing says it: two thirds of its effective
/// lifetime.
pub(crate) fn default_fresh_until(issued_at: Time, expires_at: Time) -> Time {
    let lifetime_seconds = issued_at.until(expires_at);
    issued_at.plus(lifetime_seconds / 3 * 2 + lifetime_seconds % 3 * 2 / 3)
}

/// Returns the age of a token that is fresh for two thirds of its lifetime.
pub(crate) fn age(issued_at: Time, expires_at: Time, now: Time) -> TokenAge {
    let fresh_until = default_fresh_until(issued_at, expires_at);
    age_with_fresh_until(issued_at, fresh_until, expires_at, now)
}

/// Returns the age of a token. A token that was issued in the future was made before the clock was
/// set back; nobody can know whether the server takes it, so it counts as expired.
pub(crate) fn age_with_fresh_until(
    issued_at: Time,
    fresh_until: Time,
    expires_at: Time,
    now: Time,
) -> TokenAge {
    const SKEW: u32 = 300;
    if expires_at <= now || now.plus(SKEW) < issued_at {
        TokenAge::Expired
    } else if fresh_until <= now {
        TokenAge::Stale
    } else {
        TokenAge::Fresh
    }
}

impl TokenTimes {
    /// Returns the age of the token. One that does not say when it was issued counts as issued now.
    pub(crate) fn age(self, now: Time) -> TokenAge {
        let issued_at = self.issued_at.unwrap_or(now);
        match self.fresh_until {
            Some(fresh_until) => age_with_fresh_until(issued_at, fresh_until, self.expires_at, now),
            None => age(issued_at, self.expires_at, now),
        }
    }
}

impl Token {
    pub(crate) fn new(text: String, issued_at: Time, expires_at: Time) -> Self {
        Self {
            text,
            issued_at,
            fresh_until: default_fresh_until(issued_at, expires_at),
            expires_at,
            user: None,
        }
    }

    /// Returns the token with another end of the time in which it is reused.
    pub(crate) fn with_fresh_until(mut self, time: Time) -> Self {
        self.fresh_until = time;
        self
    }

    /// Returns the token with the user that its authority names.
    pub(crate) fn with_user(mut self, user: Option<String>) -> Self {
        self.user = user;
        self
    }

    /// Returns the secret. Callers hand it to the user or to the passfile, and to nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn fresh_until(&self) -> Time {
        self.fresh_until
    }

    pub(crate) fn age(&self, now: Time) -> TokenAge {
        age_with_fresh_until(self.issued_at, self.fresh_until, self.expires_at, now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_for_two_thirds_of_its_lifetime() {
        let start = Time::from_unix(1_000_000);
        let end = start.plus(900);
        let age_at = |seconds| age(start, end, start.plus(seconds));
        assert_eq!((age_at(0), age_at(599)), (TokenAge::Fresh, TokenAge::Fresh));
        assert_eq!(
            (age_at(600), age_at(899)),
            (TokenAge::Stale, TokenAge::Stale)
        );
        assert_eq!(age_at(900), TokenAge::Expired);
    }

    #[test]
    fn an_authority_may_say_until_when_a_token_is_fresh() {
        let start = Time::from_unix(1_000_000);
        let token = Token::new("t".to_owned(), start, start.plus(900));
        assert_eq!(token.fresh_until(), start.plus(600));
        let token = token.with_fresh_until(start.plus(890));
        assert_eq!(token.age(start.plus(889)), TokenAge::Fresh);
        assert_eq!(token.age(start.plus(890)), TokenAge::Stale);
        let mut times = TokenTimes {
            issued_at: Some(start),
            fresh_until: None,
            expires_at: start.plus(900),
        };
        assert_eq!(times.age(start.plus(889)), TokenAge::Stale);
        times.fresh_until = Some(start.plus(890));
        assert_eq!(times.age(start.plus(889)), TokenAge::Fresh);
    }

    #[test]
    fn a_token_of_the_future_is_expired_beyond_the_skew_of_clocks() {
        let now = Time::from_unix(1_000_000);
        let age_if_issued_in = |seconds| age(now.plus(seconds), now.plus(seconds + 900), now);
        assert_eq!(age_if_issued_in(300), TokenAge::Fresh);
        assert_eq!(age_if_issued_in(301), TokenAge::Expired);
    }

    #[test]
    fn the_text_of_a_token_is_in_no_debug_output() {
        let end = Time::from_unix(1);
        let shown = format!("{:?}", Token::new("secret".to_owned(), end, end));
        assert!(
            shown.starts_with("Token") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
