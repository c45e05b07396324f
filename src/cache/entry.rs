//! Defines the entry of one token: its ID, and the text that is sealed under that ID. It is pure.

use crate::authority::{Identity, Region};
use crate::request::Request;
use crate::text::digest::digest;
use crate::time::Time;
use crate::token::Token;

/// The ID of a cached token: a digest of everything that was asked for, and of the identity.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct EntryId(String);

impl EntryId {
    /// Returns the ID of the token for a request. The region in it is the one that the user, the
    /// host, a variable or the profile names.
    pub(crate) fn new(request: &Request, identity: &dyn Identity) -> Self {
        Self::with_lifetime(request, request.lifetime_seconds, identity)
    }

    /// Returns the ID of the token for the same request with another lifetime.
    pub(crate) fn with_lifetime(
        request: &Request,
        lifetime_seconds: u32,
        identity: &dyn Identity,
    ) -> Self {
        let scope = request.scope();
        let signed_port = match scope.port {
            Some(port) => port.to_string(),
            None => String::new(),
        };
        let region = match &request.region {
            Some(region) => region.as_str(),
            None => identity.configured_region().unwrap_or_default(),
        };
        let parts = [
            "4",
            request.provider.authority.name(),
            scope.service,
            scope.action,
            scope.host,
            &signed_port,
            scope.user.unwrap_or_default(),
            &request.host,
            &request.port.to_string(),
            &request.user,
            region,
            &lifetime_seconds.to_string(),
            identity.digest_with_login(),
        ];
        Self(digest(parts))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the text that is sealed: times, region, user and token, each in a line.
pub(super) fn entry_text(token: &Token, region: Option<&Region>) -> String {
    let (issued, expires) = (token.issued_at.unix(), token.expires_at.unix());
    let fresh = token.fresh_until().unix();
    let region = Region::to_cache(region);
    let user = token.user.as_deref().unwrap_or_default();
    format!(
        "{issued}\n{fresh}\n{expires}\n{region}\n{user}\n{}",
        token.expose()
    )
}

/// Reads what [`entry_text`] wrote.
pub(super) fn parse_entry(text: &str) -> Option<(Token, Option<Region>)> {
    let mut lines = text.splitn(6, '\n');
    let mut time = || lines.next()?.parse().ok().map(Time::from_unix);
    let (issued_at, fresh_until, expires_at) = (time()?, time()?, time()?);
    let region = Region::from_cache(lines.next()?);
    let user = match lines.next()? {
        "" => None,
        user => Some(user.to_owned()),
    };
    let token = Token::new(lines.next()?.to_owned(), issued_at, expires_at);
    Some((token.with_fresh_until(fresh_until).with_user(user), region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_everything_that_a_token_has() {
        let start = Time::from_unix(1_000_000);
        for user in [None, Some("v-oidc-1".to_owned())] {
            let token = Token::new("secret".to_owned(), start, start.plus(900));
            let token = token
                .with_fresh_until(start.plus(810))
                .with_user(user.clone());
            let (read, region) = parse_entry(&entry_text(&token, None)).unwrap();
            assert_eq!(read.expose(), "secret");
            assert_eq!(read.issued_at, start);
            assert_eq!(read.fresh_until(), start.plus(810));
            assert_eq!(read.expires_at, start.plus(900));
            assert_eq!((read.user, region), (user, None));
        }
        assert!(parse_entry("1\n2\nr\nan entry of an older pgcred").is_none());
    }
}
