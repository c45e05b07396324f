//! The services of which AWS's side knows more than how a token is signed: what describes a server,
//! what a policy names, and which causes of failures are theirs.
//!
//! Tokens are signed for every service. One that is not here has no policies, no state and no
//! causes of its own, and is never taken for another. Whoever adds one is led to the rest by the
//! compiler.

use crate::authority::TokenScope;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownService {
    Dsql,
    Rds,
}

impl KnownService {
    pub(super) const ALL: [Self; 2] = [Self::Dsql, Self::Rds];

    /// Returns the name that is signed.
    const fn name(self) -> &'static str {
        match self {
            Self::Dsql => "dsql",
            Self::Rds => "rds-db",
        }
    }

    /// Returns the service by the name that is signed.
    pub(super) fn named(service: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == service)
    }

    pub(super) fn of(scope: &TokenScope<'_>) -> Option<Self> {
        Self::named(scope.service)
    }
}
