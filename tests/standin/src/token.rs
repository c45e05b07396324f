//! A parsed token: `host[/]?name=value&...`. Every part is decoded strictly, and nothing is checked
//! against the connection yet.

use std::fmt;

use crate::Refusal;
use crate::sigv4::decode;

/// The parts of a token as its maker wrote them.
pub struct Token<'a> {
    /// Everything before `/?` or `?`; for RDS it ends in `:port`.
    pub host: &'a str,
    /// Decoded, in the order given, each name once.
    pub parameters: Vec<(String, String)>,
}

impl<'a> Token<'a> {
    /// # Errors
    /// `Malformed` or `DuplicateParameter`.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let (head, query) = text
            .split_once('?')
            .ok_or(Refusal::Malformed("there is no query"))?;
        // AWS's tools differ: most print `host/?`, Go, Kotlin and C++ print `host?`.
        let host = head.strip_suffix('/').unwrap_or(head);
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair
                .split_once('=')
                .ok_or(Refusal::Malformed("a parameter has no value"))?;
            let encoding = || Refusal::Malformed("a parameter is not percent-encoded properly");
            let (name, value) = (
                decode(name).ok_or_else(encoding)?,
                decode(value).ok_or_else(encoding)?,
            );
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::DuplicateParameter);
            }
            parameters.push((name, value));
        }
        Ok(Self { host, parameters })
    }

    pub(crate) fn get(&self, name: &'static str) -> Result<&str, Refusal> {
        self.find(name).ok_or(Refusal::MissingParameter(name))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Token<'_> {
    /// `Debug` leaves out the values, because a token is a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
