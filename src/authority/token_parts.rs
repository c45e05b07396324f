//! Holds what a token says of itself, in clear: everything but the signature and the secrets.

use crate::time::Time;

/// What an authority reads in a text that may be one of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenReading {
    /// The authority's tokens say nothing: no text can be told from one, and none is judged.
    Opaque,
    /// The text is no token of this authority.
    NotAToken,
    Parts(Box<TokenParts>),
}

/// The readable parts of a token. None of them is a secret. `None` stands for what the token does
/// not name, which is compared with nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenParts {
    pub(crate) service: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) host: Option<String>,
    /// The only port that it is good for.
    pub(crate) port: Option<u16>,
    /// The only user of the database that it is good for.
    pub(crate) user: Option<String>,
    pub(crate) region: Option<String>,
    /// Who is to take it.
    pub(crate) audience: Option<String>,
    /// Who has issued it.
    pub(crate) issuer: Option<String>,
    /// The account that it was issued to.
    pub(crate) holder: Option<String>,
    /// Whether port and user are signed as they are: a token that names none is good for none of a
    /// server that asks for one, and the other way round.
    pub(crate) signs_whole_scope: bool,
    /// The first letters of the key that has signed it, which tell its kind. The rest identifies
    /// the user.
    pub(crate) kind_of_key: Option<String>,
    pub(crate) issued_at: Option<Time>,
    pub(crate) expires_at: Time,
}

/// A part that names what a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenPart {
    Service,
    Action,
    Host,
    Port,
    User,
    Region,
}

impl TokenParts {
    /// Returns the parts of a token that says when it expires, and nothing else.
    pub(crate) const fn until(expires_at: Time) -> Self {
        Self {
            service: None,
            action: None,
            host: None,
            port: None,
            user: None,
            region: None,
            audience: None,
            issuer: None,
            holder: None,
            signs_whole_scope: false,
            kind_of_key: None,
            issued_at: None,
            expires_at,
        }
    }
}

impl TokenReading {
    /// Returns what the token says; `None` if that is nothing, or if it is no token.
    pub(crate) fn parts(self) -> Option<TokenParts> {
        match self {
            Self::Parts(parts) => Some(*parts),
            Self::Opaque | Self::NotAToken => None,
        }
    }
}

impl TokenPart {
    /// Returns the part as a noun.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Action => "action",
            Self::Host => "host",
            Self::Port => "port",
            Self::User => "user",
            Self::Region => "region",
        }
    }
}
